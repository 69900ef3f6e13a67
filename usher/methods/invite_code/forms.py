"""The shape of what the pages for codes send; the rules are in ``wish``."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import zip_longest
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from usher.core.errors import UsherError
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.wish import Wish

DAY = _("Choose a day, or write it like 2026-12-18.")
HINTS: Mapping[str, Mapping[str, Any]] = {
    "proof": {
        InviteCode.Proof.PROVE_FIRST.value: _("They open a link in their mail."),
        InviteCode.Proof.AT_ONCE.value: _("For children without e-mail. Usher makes the sign-in name."),
    },
}


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput({"type": "date", "min": "2000-01-01", "max": "2099-12-31"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget, error_messages={"invalid": DAY})


class CodeForm(forms.Form):
    """What a code does. Fields that the visitor may not decide, or the plan does not have, are left out."""

    role = forms.ChoiceField(label=_("Role"), help_text=_("The lowest role is the safe choice."))
    starts_on = _day(_("First day"))
    ends_on = _day(_("Last day"))
    max_uses = forms.IntegerField(
        label=_("At most"),
        required=False,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "dir": "ltr"}),
        error_messages={"invalid": _("Write a whole number, or leave it empty for no limit.")},
    )
    at_end = forms.ChoiceField(
        label=_("When it ends"),
        widget=forms.RadioSelect,
        choices=[
            (InviteCode.AtEnd.REFUSE.value, _("Nobody new")),
            (InviteCode.AtEnd.ASK.value, _("They may ask; you decide")),
        ],
    )
    domains = forms.CharField(
        label=_("E-mail domains"),
        required=False,
        max_length=4000,
        widget=forms.TextInput({"dir": "ltr", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Only people with an address there. Empty: any address."),
    )
    proof = forms.ChoiceField(
        label=_("Proof"),
        widget=forms.RadioSelect,
        choices=[
            (InviteCode.Proof.PROVE_FIRST.value, _("Prove the address first")),
            (InviteCode.Proof.AT_ONCE.value, _("In at once")),
        ],
    )
    needs_approval = forms.BooleanField(label=_("Approval"), required=False)
    groups = forms.MultipleChoiceField(label=_("Groups"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(
        self,
        data: Any,
        *,
        wish: Wish,
        roles: Sequence[tuple[str, str]],
        groups: Sequence[tuple[str, str]],
        leave_out: Sequence[str] = (),
    ) -> None:
        super().__init__(data, initial=_initial(wish))
        self.before = wish
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        self.fields["groups"].choices = groups  # type: ignore[attr-defined]
        for name in leave_out:
            del self.fields[name]

    def wish(self) -> Wish:
        """The wish of a valid form, or of its valid parts: the others stay as they were."""
        return replace(self.before, **dict(self._given()))

    def _given(self) -> Iterator[tuple[str, Any]]:
        for name, value in self.cleaned_data.items():
            yield name, frozenset(map(uuid.UUID, value)) if name == "groups" else value

    def add_findings(self, error: UsherError) -> None:
        """Each finding beside the field it is about, the others above the form."""
        for finding, following in zip_longest(error.findings, error.findings[1:]):
            place = finding.column if finding.column in self.fields else None
            # Several wrong domains: the next step is the same, and said once.
            alike = following is not None and following.reason is finding.reason
            self.add_error(place, finding.sentence if alike else f"{finding.sentence} {finding.next_step}")


def _initial(wish: Wish) -> dict[str, Any]:
    return {**asdict(wish), "groups": [str(one) for one in wish.groups]}


class DoorForm(forms.Form):
    """For how long a door opens."""

    minutes = forms.TypedChoiceField(
        label=_("For"),
        coerce=int,
        initial=15,
        choices=[
            (5, _("5 minutes")),
            (10, _("10 minutes")),
            (15, _("15 minutes")),
            (30, _("30 minutes")),
            (60, _("1 hour")),
            (240, _("4 hours")),
        ],
    )
