"""Forms of the console. They check shape; the rules are the domain's."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from usher.console.zones import zone_choices
from usher.core.errors import UsherError
from usher.core.reasons import Finding
from usher.events.types import EventType
from usher.lifecycle.signing_in import Admin
from usher.organizations.plans import Method
from usher.organizations.settings import MOST_DAYS
from usher.people.models import Membership
from usher.people.names import LONGEST

MOST_PLACES = 100_000
DAY = {"type": "date", "class": "input"}


class PersonForm(forms.Form):
    """Name and address, corrected by an admin."""

    username = forms.CharField(label=_("Name"), max_length=LONGEST * 2, widget=forms.TextInput({"autocomplete": "off"}))
    email = forms.CharField(
        label=_("E-mail"), required=False, max_length=300, widget=forms.TextInput({"dir": "ltr", "autocomplete": "off"})
    )


class GroupForm(forms.Form):
    """A group's name and cap."""

    name = forms.CharField(label=_("Name"), max_length=300, widget=forms.TextInput({"autocomplete": "off"}))
    cap = forms.IntegerField(
        label=_("Places"),
        required=False,
        min_value=1,
        max_value=MOST_PLACES,
        help_text=_("Leave it empty for no limit. A lower number removes nobody."),
    )


class SettingsForm(forms.Form):
    """What an organisation says about itself."""

    name = forms.CharField(label=_("Name"), max_length=300, widget=forms.TextInput({"autocomplete": "off"}))
    slug = forms.CharField(
        label=_("Short name"),
        max_length=100,
        widget=forms.TextInput({"dir": "ltr", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    accent = forms.CharField(label=_("Colour"), max_length=40, widget=forms.TextInput({"type": "color"}))
    time_zone = forms.CharField(label=_("Time zone"), max_length=64, widget=forms.Select)
    language = forms.CharField(label=_("Language"), max_length=12, widget=forms.Select)
    invitation_days = forms.IntegerField(
        label=_("Days of an invitation"),
        widget=forms.NumberInput({"min": 1, "max": MOST_DAYS}),
        error_messages={"invalid": _("Write a whole number of days.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone, language = self.fields["time_zone"], self.fields["language"]
        zone.widget = forms.Select({"class": "select"}, zone_choices(str(self["time_zone"].value())))
        language.widget = forms.Select(choices=settings.LANGUAGES)


class LogoForm(forms.Form):
    """A picture; its bytes are judged by the domain."""

    file = forms.FileField(
        label=_("Picture"),
        help_text=_("PNG or JPEG, up to 200 kB and 2,000 pixels on each side. A square one looks best."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
        error_messages={"required": _("Choose a file first.")},
        allow_empty_file=True,
    )


class DomainForm(forms.Form):
    """A mail domain that is the organisation's own."""

    domain = forms.CharField(
        label=_("Domain"),
        max_length=300,
        help_text=_("What stands after the @ in your addresses, for example school.example."),
        widget=forms.TextInput({"dir": "ltr", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class SignInRulesForm(forms.Form):
    """Who may use a password, which admins keep one whatever comes, and who needs a second factor."""

    passwords_for = forms.ChoiceField(
        label=_("Who may sign in with a password"),
        choices=[("everyone", _("Everybody")), ("admins", _("Admins alone")), ("marked", _("Marked admins alone"))],
        widget=forms.RadioSelect,
    )
    second_factor_for = forms.ChoiceField(
        label=_("Who needs a second factor"),
        choices=[("nobody", _("Nobody")), ("admins", _("Admins")), ("staff", _("All staff"))],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, admins: Sequence[Admin], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(str(one.membership.id), one.membership.account.username) for one in admins]
        self.fields["keeps"] = forms.MultipleChoiceField(required=False, choices=names)

    def clean_keeps(self) -> frozenset[uuid.UUID]:
        return frozenset(uuid.UUID(value) for value in self.cleaned_data["keeps"])


class UsersFilter(forms.Form):
    """The filters of the Users page as its address has them; nonsense in one filter switches off that one."""

    q = forms.CharField(required=False, max_length=200)
    role = forms.CharField(required=False, max_length=20)
    group = forms.UUIDField(required=False)
    way = forms.ChoiceField(required=False, choices=[(method.value, method.value) for method in Method])
    state = forms.ChoiceField(required=False, choices=Membership.State.choices)
    never = forms.BooleanField(required=False)


class EventsFilter(forms.Form):
    """The filters of the Events page."""

    type = forms.ChoiceField(required=False, choices=[(kind.value, kind.value) for kind in EventType])
    way = forms.ChoiceField(required=False, choices=[(method.value, method.value) for method in Method])
    reason = forms.CharField(required=False, max_length=40)
    by = forms.CharField(required=False, max_length=40)
    person = forms.UUIDField(required=False)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(DAY))
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(DAY))
    before = forms.UUIDField(required=False)
    after = forms.UUIDField(required=False)


def add_findings(form: forms.Form, error: UsherError) -> None:
    """Each finding beside the field it is about, the others above the form."""
    for finding in error.findings:
        form.add_error(finding.column if finding.column in form.fields else None, sentence(finding))


def sentence(finding: Finding) -> str:
    return f"{finding.sentence} {finding.next_step}"
