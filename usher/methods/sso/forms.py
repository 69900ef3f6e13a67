"""The shape of what the pages of connections send; the rules are in ``connect`` and ``simulate``."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from usher.core.errors import UsherError
from usher.methods.sso.connect import RuleWish, Wish
from usher.methods.sso.models import Connection, Kind

_PLAIN: Final = {"dir": "ltr", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
LEAST_DAYS: Final = 30
MOST_DAYS: Final = 730
# The fields of a registration by kind; those of an organisation's own one are what it is.
REGISTRATION: Final = {
    Kind.MICROSOFT: ("tenant", "client_id", "secret"),
    Kind.GOOGLE: ("client_id", "secret"),
    Kind.OIDC: ("issuer", "client_id", "secret"),
}
OPTIONS: Final = ("lets_in", "guests", "leaver_days")


def _text(label: Any, longest: int, hint: Any = "") -> forms.CharField:
    return forms.CharField(label=label, max_length=longest, help_text=hint, widget=forms.TextInput(_PLAIN))


class ConnectionForm(forms.Form):
    """How a connection is to be. What its kind does not have is left out, and stays as it was."""

    name = forms.CharField(
        label=_("Name on the button"),
        max_length=60,
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    issuer = _text(_("Issuer"), 300, _("The provider calls it so too. Most often https:// and a path."))
    tenant = _text(_("Tenant ID"), 60, _("“Directory (tenant) ID” on the overview of your registration."))
    client_id = _text(_("Client ID"), 255)
    secret = forms.CharField(
        label=_("Client secret"),
        max_length=1000,
        widget=forms.PasswordInput({"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Kept sealed. No page shows it again."),
    )
    lets_in = forms.BooleanField(
        label=_("New people come in by it"),
        required=False,
        help_text=_("Without it, only those who are in already, or were invited."),
    )
    guests = forms.BooleanField(
        label=_("Guests of the tenant too"),
        required=False,
        help_text=_("People of elsewhere whom somebody invited into your tenant."),
    )
    leaver_days = forms.IntegerField(
        label=_("Free the seat after"),
        required=False,
        min_value=LEAST_DAYS,
        max_value=MOST_DAYS,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "dir": "ltr"}),
        error_messages={"invalid": _("Write a whole number of days, or leave it empty.")},
        help_text=_("Days without a sign-in by it, more than your longest holidays. Empty: never. Admins always stay."),
    )

    def __init__(self, data: Any, *, before: Wish, keeps: Sequence[str]) -> None:
        super().__init__(data, initial=asdict(before))
        self.before = before
        for name in set(self.fields) - set(keeps):
            del self.fields[name]

    def wish(self) -> Wish:
        return replace(self.before, **self.cleaned_data)

    def add_findings(self, error: UsherError) -> None:
        """Each finding beside the field it is about, the others above the form."""
        for finding in error.findings:
            place = finding.column if finding.column in self.fields else None
            self.add_error(place, f"{finding.sentence} {finding.next_step}")


def new_form(data: Any, kind: Kind) -> ConnectionForm:
    """For a connection by a registration of the organisation's own."""
    form = ConnectionForm(data, before=Wish(), keeps=("name", *REGISTRATION[kind]))
    form.fields["name"].required = kind is Kind.OIDC
    return form


def change_form(data: Any, connection: Connection, before: Wish) -> ConnectionForm:
    """For one that is there. Without a new secret the old one stays."""
    registration = REGISTRATION[Kind(connection.kind)] if connection.is_own else ()
    guests = ("guests",) if connection.kind == Kind.MICROSOFT else ()
    form = ConnectionForm(data, before=before, keeps=("name", *registration, "lets_in", *guests, "leaver_days"))
    if "secret" in form.fields:
        form.fields["secret"].required = False
        form.fields["secret"].help_text = _("Leave it empty to keep the one you gave.")
    return form


# Rules: lines of three fields, whatever number of them


class RuleRows:
    """The lines as they were typed, and the button that was pressed: “save”, “add”, “up 3”, “down 3”, “remove 3”."""

    def __init__(self, data: QueryDict) -> None:
        columns = [data.getlist(name) for name in ("claim", "value", "gives")]
        self.rows = [RuleRow(*cells) for cells in zip(*columns, strict=False)]
        self.act, _space, line = data.get("do", "").partition(" ")
        self.line = int(line) if line.isdecimal() and len(line) < 4 else 0

    @property
    def is_save(self) -> bool:
        return self.act == "save"

    def acted(self) -> list[RuleRow]:
        """The lines after a button that saves nothing."""
        rows, at = list(self.rows), self.line - 1
        if self.act == "add":
            return [*rows, RuleRow()]
        to = {"up": at - 1, "down": at + 1}.get(self.act, at)
        if not (0 <= at < len(rows) and 0 <= to < len(rows)):
            return rows
        row = rows.pop(at)
        return rows if self.act == "remove" else [*rows[:to], row, *rows[to:]]

    def filled(self) -> list[RuleRow]:
        """Those in which something was written or chosen: an empty line is no rule."""
        return [row for row in self.rows if row.value.strip() or row.gives]


class RuleRow:
    """One line. ``gives`` is “role:SLUG” or “group:ID”; ``wrongs`` are the sentences beside it."""

    def __init__(self, claim: str = "", value: str = "", gives: str = "", wrongs: Iterable[str] = ()) -> None:
        self.claim, self.value, self.gives, self.wrongs = claim, value, gives, list(wrongs)

    def wish(self) -> RuleWish:
        what, _colon, which = self.gives.partition(":")
        return RuleWish(
            self.claim, self.value, which if what == "role" else "", _id(which) if what == "group" else None
        )


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


class SimulatorForm(forms.Form):
    """A person's claims, as a JSON object."""

    claims = forms.CharField(
        label=_("Claims"),
        max_length=100_000,
        widget=forms.Textarea({"dir": "ltr", "rows": 12, "spellcheck": "false", "class": "code"}),
        help_text=_("The inside of an ID token as JSON: from the provider’s own tool, or from a past sign-in."),
    )
