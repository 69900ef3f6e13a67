"""The forms of second proofs and of what opens an account: their shape only."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from usher.people import totp

LONGEST_ANSWER: Final = 20_000  # of a passkey: some hundred bytes of JSON, with keys of every kind
LONGEST_NAME: Final = 60


class PasskeyForm(forms.Form):
    """What a passkey answered, put there by passkeys.js; ``next`` is where the person wanted to go."""

    credential = forms.CharField(max_length=LONGEST_ANSWER, widget=forms.HiddenInput)
    next = forms.CharField(required=False, widget=forms.HiddenInput)


def _code(label: Any, **more: str | bool) -> forms.CharField:
    look = {"spellcheck": "false", "dir": "ltr", **more}
    return forms.CharField(label=label, max_length=40, widget=forms.TextInput(look))


class AppCodeForm(forms.Form):
    """The six digits an authenticator app shows."""

    code = _code(_("Code from the app"), autocomplete="one-time-code", inputmode="numeric", autofocus=True)
    next = forms.CharField(required=False, widget=forms.HiddenInput)


class RecoveryCodeForm(forms.Form):
    """One of the ten, however it is typed."""

    code = _code(_("Recovery code"), autocomplete="off", autocapitalize="characters", autofocus=True)
    next = forms.CharField(required=False, widget=forms.HiddenInput)


class PasswordForm(forms.Form):
    """The password once more."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(
            {"autocomplete": "current-password", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput)


class SetUpAppForm(forms.Form):
    """The first code of a new app; ``seed`` is what its key is made of."""

    code = _code(_("Code from the app"), autocomplete="one-time-code", inputmode="numeric")
    seed = forms.CharField(max_length=22, widget=forms.HiddenInput)

    @property
    def seed_given(self) -> str:
        """The seed that came back, if it is one: the square on the page stays the same after a wrong code."""
        given = str(self.data.get("seed", ""))
        return given if totp.is_seed(given) else ""


class NameForm(forms.Form):
    """A name for a passkey."""

    name = forms.CharField(
        label=_("Name"), max_length=LONGEST_NAME, widget=forms.TextInput({"autocomplete": "off", "dir": "auto"})
    )


class NewPasskeyForm(NameForm):
    """A passkey that the browser has just made."""

    credential = forms.CharField(max_length=LONGEST_ANSWER, widget=forms.HiddenInput)
