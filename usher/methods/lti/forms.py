"""The shape of what the pages of LMSs send; the rules are in ``wishes`` and ``connect``."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from usher.core.errors import UsherError
from usher.methods.lti.presets import FIELDS, Preset, preset_of
from usher.methods.lti.wishes import MOST_HOURS, Asks, Wish, known_of
from usher.organizations.plans import Plan

_PLAIN: Final = {"dir": "ltr", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
LONGEST: Final = {"issuer": 300, "client_id": 255}


class FindingsForm(forms.Form):
    """A form that shows each refusal beside the field it is about, the others above."""

    def add_findings(self, error: UsherError) -> None:
        for finding in error.findings:
            place = finding.column if finding.column in self.fields else None
            self.add_error(place, f"{finding.sentence} {finding.next_step}")


class FieldsForm(FindingsForm):
    """What is copied from the LMS. What its kind has fixed, or what follows from the issuer, may stay empty."""

    name = forms.CharField(
        label=_("Name"), max_length=60, required=False, widget=forms.TextInput({"autocomplete": "off", "dir": "auto"})
    )

    def __init__(self, data: Any, before: Wish) -> None:
        super().__init__(data, initial=asdict(before))
        self.before, self.preset = before, preset_of(before.family)
        self.fields["name"].help_text = _("What your people call it. Empty: its kind and address.")
        for name in FIELDS:
            self.fields[name] = _field(self.preset, name)

    def wish(self) -> Wish:
        """As typed; what was left empty is filled in where it is known."""
        typed = {name: self.cleaned_data[name].strip() for name in ("name", *FIELDS)}
        for name, known in known_of(self.preset, typed["issuer"]).items():
            typed[name] = typed[name] or known
        return replace(self.before, **typed)


def _field(preset: Preset, name: str) -> forms.CharField:
    """One that has to be copied from the LMS is asked for; the others only may be given."""
    hint = ""
    if name in preset.guessed:
        hint = str(_("Empty: the usual one, below the issuer."))
    elif name in preset.fixed:
        hint = str(_("Empty: the one that all schools have."))
    elif name == "token_audience":
        hint = str(_("Only if your LMS names one. Empty: the access token URL."))
    return forms.CharField(
        label=preset.label(name),
        max_length=LONGEST.get(name, 500),
        required=False,
        help_text=hint,
        widget=forms.TextInput(_PLAIN),
    )


class OptionsForm(FindingsForm):
    """What becomes of people and courses."""

    instructor_role = forms.ChoiceField(label=_("Instructors become"), required=False)
    lets_in = forms.BooleanField(
        label=_("New people come in by it"),
        required=False,
        help_text=_("Without it, only those who are in already and link their account."),
    )
    asks = forms.ChoiceField(
        label=_("Ask “link or create”"),
        choices=[
            (Asks.ALIKE.value, _("if somebody here has that name or address")),
            (Asks.ALWAYS.value, _("everybody who is new")),
        ],
    )
    makes_groups = forms.BooleanField(
        label=_("Each course makes a group"),
        required=False,
        help_text=_("Named as the course. Who leaves the course leaves the group."),
    )
    roster_hours = forms.IntegerField(
        label=_("Look at the rosters every"),
        required=False,
        min_value=1,
        max_value=MOST_HOURS,
        help_text=_("Hours. Empty: only when somebody presses the button."),
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "dir": "ltr"}),
    )
    origins = forms.CharField(
        label=_("Other pages that may show Usher"),
        required=False,
        max_length=4_000,
        help_text=_("One a line, as https://lms.school.example. The LMS itself may anyway."),
        widget=forms.Textarea({**_PLAIN, "rows": 3}),
    )

    def __init__(self, data: Any, before: Wish, plan: Plan) -> None:
        super().__init__(data, initial={**asdict(before), "origins": "\n".join(before.origins)})
        self.before = before
        usual = next((role for role in plan.roles[1:] if role != plan.admin), plan.lowest)
        roles = [(role.slug, role.label) for role in plan.roles if role != plan.admin]
        choice = self.fields["instructor_role"]
        if isinstance(choice, forms.ChoiceField):
            choice.choices = [("", _("{role} (as usual)").format(role=usual.label)), *roles]
        if not plan.groups:
            del self.fields["makes_groups"]

    def wish(self) -> Wish:
        given = dict(self.cleaned_data)
        return replace(self.before, **given | {"origins": tuple(given["origins"].split())})


class DeploymentForm(FindingsForm):
    """One whose id somebody copied from the LMS."""

    deployment_id = forms.CharField(label=_("Deployment ID"), max_length=255, widget=forms.TextInput(_PLAIN))
