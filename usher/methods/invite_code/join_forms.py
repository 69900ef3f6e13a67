"""The shape of what people type who come by a code."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from usher.core import tokens
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.methods.invite_code.at_once import Child
from usher.people.addresses import LONGEST
from usher.people.names import LONGEST as LONGEST_NAME

LONGEST_TYPED = 200  # a whole link is read too
SAME_NAME = _("“{username}” is here already. Is that you? Then sign in below. If not, add your surname or a number.")
_PLAIN = {"autocapitalize": "none", "spellcheck": "false"}


class CodeForm(forms.Form):
    """One code, typed or pasted."""

    code = forms.CharField(
        label=_("Invite code"),
        max_length=LONGEST_TYPED,
        error_messages={"required": _("Type the code first.")},
        widget=forms.TextInput(
            {
                "class": "code",
                "dir": "ltr",
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )


class ChildForm(forms.Form):
    """Name and password of one's own; ``form`` makes two sendings of one page one child."""

    username = forms.CharField(
        label=_("Your name"),
        max_length=LONGEST_NAME * 2,
        error_messages={"required": _("Type your name.")},
        widget=forms.TextInput({"autocomplete": "name", "spellcheck": "false", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Make up a password"),
        strip=False,
        error_messages={"required": _("Make up a password and type it here.")},
        widget=forms.PasswordInput({**_PLAIN, "autocomplete": "new-password"}),
    )
    email = forms.CharField(
        label=_("E-mail"),
        required=False,
        max_length=LONGEST + 46,
        widget=forms.TextInput({**_PLAIN, "type": "email", "autocomplete": "email", "dir": "ltr"}),
    )
    form = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)

    def child(self) -> Child:
        given = self.cleaned_data
        return Child(given["username"], given["email"], given["password"], given["form"] or new_form_token())


def new_form_token() -> str:
    return tokens.new_token()


def show(form: forms.Form, error: UsherError) -> int:
    """Put what was refused on the form, at its field with the next step, or above all; returns the status."""
    for finding in error.findings:
        at = finding.column if finding.column in form.fields else None
        form.add_error(at, f"{finding.sentence} {finding.next_step}")
    return error.status


def show_to_child(form: forms.Form, error: UsherError) -> int:
    """The same in words for a child, who can ask somebody in the room."""
    for finding in error.findings:
        if finding.reason is Reason.SAME_NAME:
            form.add_error("username", str(SAME_NAME).format_map(finding.facts))
        elif finding.column in form.fields:
            form.add_error(finding.column, finding.sentence)
        else:
            form.add_error(None, f"{finding.sentence} {_('Tell your teacher.')}")
    return error.status
