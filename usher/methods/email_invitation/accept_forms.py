"""The shape of what people send who are invited."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from usher.core.errors import UsherError
from usher.methods.email_invitation.refusal import Scope
from usher.people.names import LONGEST as LONGEST_NAME


class NewcomerForm(forms.Form):
    """Name and password of somebody new; the address is the invitation's, whatever is sent.

    Nothing is filled in that could pass for a password: programs send the forms they find in mails.
    """

    username = forms.CharField(
        label=_("Your name"),
        max_length=LONGEST_NAME * 2,
        error_messages={"required": _("Type your name.")},
        widget=forms.TextInput({"autocomplete": "name", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Choose a password"),
        strip=False,
        error_messages={"required": _("Choose a password and type it here.")},
        widget=forms.PasswordInput({"autocapitalize": "none", "spellcheck": "false", "autocomplete": "new-password"}),
    )


class RefusalForm(forms.Form):
    """What is not wanted. None of the choices is made beforehand: a program that sends the form changes nothing."""

    scope = forms.ChoiceField(
        label=_("What do you want no more of?"),
        choices=[(scope.value, scope.value) for scope in Scope],
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose one of the three first.")),
        widget=forms.RadioSelect,
    )

    def __init__(self, data: object = None, *, organization: str) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        scope = self.fields["scope"]
        assert isinstance(scope, forms.ChoiceField)  # noqa: S101 - it stands above
        scope.choices = [
            (Scope.THIS.value, _("Only this invitation")),
            (Scope.ORGANIZATION.value, _("Nothing more from {organization}").format(organization=organization)),
            (Scope.ALL.value, _("No invitation from anybody here")),
        ]


class AllowForm(forms.Form):
    """The change of mind, with a tick of its own for the same reason."""

    again = forms.BooleanField(
        label=_("Yes, invitations may come to this address again"), error_messages={"required": _("Tick this first.")}
    )


def show(form: forms.Form, error: UsherError) -> int:
    """Put what was refused on the form, at its field or above all with the next step; returns the status."""
    for finding in error.findings:
        if finding.column in form.fields:
            form.add_error(finding.column, finding.sentence)
        else:
            form.add_error(None, f"{finding.sentence} {finding.next_step}")
    return error.status
