"""The shape of what the pages for invitations send; the rules are in ``order`` and at the door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.methods.email_invitation.models import Standing
from usher.methods.email_invitation.order import LONGEST_NOTE
from usher.people.names import name_key

# The column of a finding that has another name as a field.
FIELDS: Final[Mapping[str, str]] = {"group": "groups"}
PLAIN: Final = {"spellcheck": "false", "autocomplete": "off"}


def sentence(finding: Finding) -> str:
    return f"{finding.sentence} {finding.next_step}"


sentence_lazy = lazy(sentence, str)  # for what stands in a class, before anybody's language is known


@dataclass(frozen=True, slots=True)
class Offer:
    """What the visitor may choose. ``groups`` None: the plan has none; ``no_note``: why there can be no note."""

    roles: Sequence[tuple[str, str]]
    groups: Sequence[str] | None
    must_pick: bool
    no_note: Finding | None

    def ticked(self, wanted: Iterable[str]) -> list[str]:
        """Which of the groups are ticked at first; who has to choose among one has chosen it."""
        keys, groups = {name_key(name) for name in wanted}, self.groups or ()
        chosen = [name for name in groups if name_key(name) in keys]
        return list(groups) if self.must_pick and not chosen and len(groups) == 1 else chosen


class InviteForm(forms.Form):
    """Who, as what, into which groups, with which words."""

    use_required_attribute = False  # a file will do as well

    text = forms.CharField(
        label=_("Addresses"),
        strip=False,
        help_text=_("As you have them: one per line, or copied from a mail or a table, with names or without."),
        widget=forms.Textarea({"rows": 8, "dir": "auto", **PLAIN}),
        error_messages={"required": sentence_lazy(Reason.NOBODY_TO_INVITE())},
    )
    file = forms.FileField(
        label=_("Or a file"),
        required=False,
        allow_empty_file=True,
        help_text=_("CSV or .xlsx with a column “email”; “name”, “role” and “groups” may follow. Up to 5,000 people."),
        widget=forms.FileInput({"accept": ".csv,.txt,.tsv,.xlsx,text/csv"}),
    )
    role = forms.ChoiceField(label=_("Role"), help_text=_("For all who do not name their own."))
    groups = forms.MultipleChoiceField(
        label=_("Groups"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one of your groups.")},
    )
    note = forms.CharField(
        label=_("A note of your own"),
        required=False,
        help_text=_("It stands in the mail, up to 500 characters. Links in it cannot be clicked."),
        widget=forms.Textarea({"rows": 3, "dir": "auto", "maxlength": LONGEST_NOTE}),
    )
    reserve = forms.BooleanField(
        label=_("Keep a seat for each until they come"),
        required=False,
        help_text=_("A kept seat counts as taken until the invitation is accepted, taken back or over."),
    )

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        offer: Offer,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, files, initial=dict(initial or {}))
        self.fields["text"].required = not (files and files.get("file"))
        self.fields["role"].choices = offer.roles  # type: ignore[attr-defined]
        if offer.groups is None:
            del self.fields["groups"]
        else:
            self.fields["groups"].choices = [(name, name) for name in offer.groups]  # type: ignore[attr-defined]
            self.fields["groups"].required = offer.must_pick
            self.initial["groups"] = offer.ticked(self.initial.get("groups", ()))
        if offer.no_note:
            # Off for the browser alone: what is sent all the same shall be refused, not dropped in silence.
            self.fields["note"].widget.attrs["disabled"] = True
            self.fields["note"].help_text = sentence(offer.no_note)

    def clean_note(self) -> str:
        """Browsers count a line end as one sign and send two."""
        return str(self.cleaned_data["note"]).replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("file") and given.get("text", "").strip():
            self.add_error("file", gettext("Paste addresses or choose a file: one of the two at a time."))
        return given

    def add_findings(self, error: UsherError) -> None:
        """Each finding beside the field it is about, the others above the form."""
        for finding in error.findings:
            place = FIELDS.get(finding.column, finding.column)
            self.add_error(place if place in self.fields else None, sentence(finding))

    def refuse_list(self, error: UsherError) -> None:
        """What is wrong with the list as a whole, beside where it came from."""
        for finding in error.findings:
            self.add_error("file" if self.cleaned_data.get("file") else "text", sentence(finding))


class DeskFilter(forms.Form):
    """The filters of the desk as its address has them; nonsense in one filter switches off that one."""

    standing = forms.ChoiceField(required=False, choices=[(one.value, one.value) for one in Standing])
    q = forms.CharField(required=False, max_length=254)
    mine = forms.BooleanField(required=False)
    after = forms.UUIDField(required=False)
    before = forms.UUIDField(required=False)


class LinkForm(forms.Form):
    """What a copied link does, which nobody decides by accident."""

    PROVE, UNPROVED = "prove", "unproved"

    how = forms.ChoiceField(
        label=_("Whoever opens the link"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what the link does."), "invalid_choice": _("Choose what the link does.")},
    )

    def __init__(self, data: Any = None, *, lowest: str) -> None:
        super().__init__(data)
        self.fields["how"].choices = [  # type: ignore[attr-defined]
            (self.PROVE, _("must prove the address all the same")),
            (self.UNPROVED, _("comes in unproved, as {role}").format(role=lowest)),
        ]
