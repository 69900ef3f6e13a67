"""The forms at the door: their shape only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.people.addresses import LONGEST
from usher.people.names import LONGEST as LONGEST_NAME

_NAME = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "dir": "ltr"}


def _secret(autocomplete: str) -> forms.PasswordInput:
    return forms.PasswordInput({"autocomplete": autocomplete, "autocapitalize": "none", "spellcheck": "false"})


class SignInForm(forms.Form):
    """Name and password; ``next`` is where the person wanted to go."""

    name = forms.CharField(
        label=_("Sign-in name or e-mail"), max_length=LONGEST, widget=forms.TextInput({**_NAME, "autofocus": True})
    )
    password = forms.CharField(label=_("Password"), strip=False, widget=_secret("current-password"))
    next = forms.CharField(required=False, widget=forms.HiddenInput)


class NameForm(forms.Form):
    """The name that others see."""

    username = forms.CharField(
        label=_("Name"), max_length=LONGEST_NAME, strip=False, widget=forms.TextInput({"autocomplete": "name"})
    )


class AddressForm(forms.Form):
    """An e-mail address. Text, not Django's own field: which ones are addresses says people/addresses.py alone."""

    email = forms.CharField(
        label=_("E-mail"),
        max_length=LONGEST,
        widget=forms.TextInput({**_NAME, "autocomplete": "email", "inputmode": "email"}),
    )


class ChosenPasswordForm(forms.Form):
    """A password of one's own, typed twice."""

    password = forms.CharField(label=_("New password"), strip=False, widget=_secret("new-password"))
    again = forms.CharField(label=_("New password once more"), strip=False, widget=_secret("new-password"))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "again" in given and given.get("password") not in (None, given["again"]):
            self.add_error("again", Reason.PASSWORDS_DIFFER().sentence)
        return given


class ChangePasswordForm(ChosenPasswordForm):
    """The same for somebody who has one already."""

    old = forms.CharField(label=_("Old password"), strip=False, widget=_secret("current-password"))

    field_order = ("old", "password", "again")


def show(form: forms.Form, error: UsherError) -> int:
    """Put what was refused on the form, at its field or above all; returns the status of the answer."""
    for finding in error.findings:
        if finding.column in form.fields:
            form.add_error(finding.column, finding.sentence)
        else:
            form.add_error(None, f"{finding.sentence} {finding.next_step}")
    return error.status
