"""The forms of registering: their shape only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from usher.people.addresses import LONGEST
from usher.people.names import LONGEST as LONGEST_NAME

_PLAIN = {"autocapitalize": "none", "spellcheck": "false"}


def _own_password() -> forms.CharField:
    """Typed once: it can be shown, and whoever mistyped it chooses another by mail."""
    return forms.CharField(
        label=_("Choose a password"),
        strip=False,
        error_messages={"required": _("Choose a password and type it here.")},
        widget=forms.PasswordInput({**_PLAIN, "autocomplete": "new-password"}),
    )


class RegisterForm(forms.Form):
    """Who registers. There is no question about a role: the code says it."""

    username = forms.CharField(
        label=_("Your name"),
        max_length=LONGEST_NAME * 2,
        error_messages={"required": _("Type your name.")},
        widget=forms.TextInput({"autocomplete": "name", "spellcheck": "false"}),
    )
    email = forms.CharField(
        label=_("E-mail"),
        max_length=LONGEST + 46,
        error_messages={"required": _("Type your e-mail address.")},
        widget=forms.TextInput({**_PLAIN, "type": "email", "autocomplete": "email", "dir": "ltr"}),
    )
    password = _own_password()
    code = forms.CharField(
        label=_("Invite code"),
        max_length=200,
        error_messages={"required": _("Type your invite code. Whoever invited you has it.")},
        widget=forms.TextInput(
            {
                "class": "code",
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "dir": "ltr",
            }
        ),
    )

    def __init__(self, data: Any = None, *, initial: Any = None, needs_code: bool) -> None:
        super().__init__(data, initial=initial)
        self.fields["code"].required = needs_code


class OwnPasswordForm(forms.Form):
    """A password of one's own, chosen where the one from the registration cannot be trusted."""

    password = _own_password()
