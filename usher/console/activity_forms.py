"""The forms of the Activities room: shapes; what may be in an activity is the word of activities/making.py."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from usher.activities import scenarios
from usher.activities.making import LONGEST_DESCRIPTION, MOST_POINTS, Wish
from usher.people.models import Group
from usher.people.names import LONGEST

ADDRESS = {"dir": "ltr", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "inputmode": "url"}
LONGEST_LIST = 4_000_000  # characters of a list on its way back from its preview


class ActivityForm(forms.Form):
    """One activity."""

    title = forms.CharField(label=_("Title"), max_length=LONGEST * 2, widget=forms.TextInput({"autocomplete": "off"}))
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=LONGEST_DESCRIPTION * 2,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("A sentence or two for teachers who choose it, and for those who open it."),
    )
    target_url = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=4000,
        widget=forms.TextInput(ADDRESS),
        help_text=_("The page of your application that opens, for example https://quiz.example/fractions."),
    )
    scenario = forms.ChoiceField(
        label=_("Built-in scenario"), required=False, help_text=_("Instead of an address: nothing to set up.")
    )
    picture_url = forms.CharField(
        label=_("Picture"),
        required=False,
        max_length=4000,
        widget=forms.TextInput(ADDRESS),
        help_text=_("Address of a picture, shown where teachers choose. It may stay empty."),
    )
    graded = forms.BooleanField(
        label=_("Graded"), required=False, help_text=_("It gets a column in the gradebook of the course.")
    )
    score_maximum = forms.FloatField(
        label=_("Maximum score"),
        initial=100,
        required=False,
        widget=forms.NumberInput({"min": 0, "max": MOST_POINTS, "step": "any", "inputmode": "decimal"}),
    )
    audience = forms.ChoiceField(
        label=_("Who may open it"), choices=[("everyone", _("Everyone")), ("staff", _("Staff alone"))],
        widget=forms.RadioSelect, initial="everyone",
    )  # fmt: skip
    group = forms.ChoiceField(
        label=_("Group"), required=False, help_text=_("Then only its members and those who manage it.")
    )

    def __init__(self, *args: Any, groups: Sequence[Group], wish: Wish | None, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": _values(wish) if wish else None, **kwargs})
        stories = [(name, story.title) for name, story in scenarios.all_of_them().items()]
        offered = [(str(group.id), group.name) for group in groups]
        kept = str(wish.group) if wish and wish.group else ""
        if kept and kept not in dict(offered):  # archived meanwhile
            offered.append((kept, str(_("the group it has now"))))
        self.fields["scenario"] = _chosen(self.fields["scenario"], [("", _("None")), *stories])
        self.fields["group"] = _chosen(self.fields["group"], [("", _("The whole organisation")), *offered])

    def wish(self) -> Wish:
        """What was asked for. Needs a valid form."""
        given = dict(self.cleaned_data)
        group, maximum = given.pop("group"), given.pop("score_maximum")
        return Wish(
            is_graded=given.pop("graded"),
            score_maximum=100.0 if maximum is None else maximum,
            group=uuid.UUID(group) if group else None,
            **given,
        )


def _chosen(field: forms.Field, choices: Sequence[tuple[str, Any]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=field.label, required=False, help_text=field.help_text, choices=choices)


def _values(wish: Wish) -> dict[str, Any]:
    return {
        "title": wish.title,
        "description": wish.description,
        "target_url": wish.target_url,
        "scenario": wish.scenario,
        "picture_url": wish.picture_url,
        "graded": wish.is_graded,
        "score_maximum": f"{wish.score_maximum:g}",
        "audience": wish.audience,
        "group": str(wish.group or ""),
    }


class ListForm(forms.Form):
    """A file; or the text of the one that was shown, with the word that it may be done."""

    file = forms.FileField(
        label=_("Your list"),
        required=False,
        help_text=_("CSV or Excel, with a first line of column names."),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,text/csv"}),
        allow_empty_file=True,
    )
    text = forms.CharField(required=False, max_length=LONGEST_LIST, strip=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("file") and not given.get("text"):
            self.add_error("file", _("Choose a file first."))
        return given

    def is_sure(self) -> bool:
        return bool(self.cleaned_data["text"])

    def content(self) -> bytes:
        """The bytes to read."""
        text: str = self.cleaned_data["text"]
        return text.encode("utf-8", "replace") if text else self.cleaned_data["file"].read()
