"""Forms of the operator. They check shape; the rules are the domain's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.organizations.create import Dates
from usher.organizations.models import Organization
from usher.organizations.overview import STATES
from usher.organizations.plans import ALWAYS, METHOD_LABELS, PLANS, Method, Plan
from usher.people.addresses import LONGEST

MOST_SEATS = 10_000_000
LONGEST_WHY = 500
PLAN_CHOICES = [(plan.slug, plan.name) for plan in PLANS.values()]
WAYS = [(method.value, METHOD_LABELS[method][0]) for method in Method if method not in ALWAYS]

_CODE = {"dir": "ltr", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


def _day(label: Any, help_text: Any = "") -> forms.DateField:
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget, help_text=help_text, input_formats=["%Y-%m-%d"])


class ListFilter(forms.Form):
    """The filters of the list as its address has them; nonsense in one switches off that one."""

    q = forms.CharField(required=False, max_length=120)
    plan = forms.ChoiceField(required=False, choices=PLAN_CHOICES)
    state = forms.ChoiceField(required=False, choices=[(state, state) for state in STATES])


class _Dates(forms.Form):
    """First and last day of a licence."""

    starts_on = _day(_("First day"), _("Leave it empty when it has begun."))
    ends_on = _day(_("Last day"), _("Included, where the organisation is. Leave it empty for no end."))

    def dates(self) -> Dates:
        given: dict[str, dt.date | None] = self.cleaned_data
        return {name: given[name] for name in ("starts_on", "ends_on")}


class SeatsForm(_Dates):
    """Seats of each kind that the plan has, and the dates."""

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pools = list(plan.seats)
        for pool in self.pools:
            label = str(plan.pool_labels.get(pool, pool))
            self.fields[f"seats_{pool}"] = forms.IntegerField(label=label, min_value=0, max_value=MOST_SEATS)
        self.order_fields([f"seats_{pool}" for pool in self.pools])

    @property
    def seat_fields(self) -> list[forms.BoundField]:
        return [self[f"seats_{pool}"] for pool in self.pools]

    def seats(self) -> Mapping[str, int]:
        return {pool: self.cleaned_data[f"seats_{pool}"] for pool in self.pools}


class NewForm(_Dates):
    """A new organisation with its first admin. Each plan brings fields for its kinds of seats."""

    name = forms.CharField(label=_("Name"), max_length=200, widget=forms.TextInput({"autocomplete": "off"}))
    slug = forms.CharField(
        label=_("Short name"),
        max_length=60,
        widget=forms.TextInput(_CODE),
        help_text=_("Part of its addresses: small letters, numbers, hyphens. Nobody else ever gets it."),
    )
    admin = forms.CharField(
        label=_("E-mail of the first admin"),
        max_length=LONGEST + 50,
        widget=forms.TextInput({**_CODE, "type": "email"}),
    )
    plan = forms.ChoiceField(label=_("Plan"), choices=PLAN_CHOICES, initial="school", widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for plan in PLANS.values():
            for pool, count in plan.seats.items():
                self.fields[_seat_name(plan, pool)] = forms.IntegerField(
                    label=str(plan.pool_labels.get(pool, pool)),
                    required=False,
                    min_value=0,
                    max_value=MOST_SEATS,
                    widget=forms.NumberInput({"placeholder": count}),
                )

    @property
    def plans(self) -> list[tuple[Plan, bool, list[forms.BoundField]]]:
        """Each plan, whether it is chosen, and the fields for its seats."""
        chosen = self["plan"].value()
        return [
            (plan, plan.slug == chosen, [self[_seat_name(plan, pool)] for pool in plan.seats])
            for plan in PLANS.values()
        ]

    def seats(self) -> Mapping[str, int]:
        """Those of the plan that is chosen; what is left empty is the plan's own number."""
        plan = PLANS[self.cleaned_data["plan"]]
        given = {pool: self.cleaned_data[_seat_name(plan, pool)] for pool in plan.seats}
        return {pool: count for pool, count in given.items() if count is not None}


def _seat_name(plan: Plan, pool: str) -> str:
    return f"seats_{plan.slug}_{pool}"


class PlanForm(forms.Form):
    """Another plan."""

    plan = forms.ChoiceField(label=_("Plan"), choices=PLAN_CHOICES)


class WaysForm(forms.Form):
    """Which ways in this licence has, and whether groups."""

    methods = forms.MultipleChoiceField(
        label=_("Ways in"), choices=WAYS, required=False, widget=forms.CheckboxSelectMultiple
    )
    groups = forms.BooleanField(label=_("Groups"), required=False)


class SuspendForm(forms.Form):
    """Why an organisation is suspended."""

    why = forms.CharField(
        label=_("Why"),
        max_length=LONGEST_WHY,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("You read it here; its admins read it under Events once it goes on."),
    )


class DeleteForm(forms.Form):
    """The short name, typed by hand."""

    slug = forms.CharField(label=_("Its short name"), max_length=60, widget=forms.TextInput(_CODE))

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization

    def clean_slug(self) -> str:
        given = str(self.cleaned_data["slug"])
        if given != self.organization.slug:
            raise forms.ValidationError(str(said(Reason.SLUG_NOT_TYPED(given=given, slug=self.organization.slug))))
        return given


def said(finding: Any) -> str:
    return f"{finding.sentence} {finding.next_step}"


def add_findings(form: forms.Form, error: UsherError) -> int:
    """Each finding beside the field it is about, the others above the form; returns the status of the answer."""
    for finding in error.findings:
        form.add_error(finding.column if finding.column in form.fields else None, said(finding))
    return error.status
