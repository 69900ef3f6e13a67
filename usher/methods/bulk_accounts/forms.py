"""The shape of what the page for accounts in advance sends; the rules are the door's."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from usher.lifecycle.desk import Choices
from usher.methods.bulk_accounts.names import MOST, Person, named, numbered


class BulkForm(forms.Form):
    """Names or a number, a role, a group: the roles and groups are those the visitor may use."""

    role = forms.ChoiceField(label=_("Role"))
    group = forms.ChoiceField(label=_("Group"), required=False)
    names = forms.CharField(
        label=_("Usernames"),
        required=False,
        strip=False,
        help_text=_("One person per line, in any script."),
        widget=forms.Textarea(attrs={"rows": 8, "dir": "auto", "spellcheck": "false", "autocomplete": "off"}),
    )
    count = forms.IntegerField(
        label=_("Or just how many"),
        required=False,
        min_value=1,
        max_value=MOST,
        help_text=_("Leave the names empty; Usher numbers the accounts."),
    )

    def __init__(
        self,
        data: object,
        *,
        roles: Sequence[tuple[str, str]],
        groups: Sequence[str] | None,
        must_pick: bool,
        group: str,
    ) -> None:
        super().__init__(data, initial={"group": group})  # type: ignore[arg-type]
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        if groups is None:
            del self.fields["group"]
        else:
            nothing = [] if must_pick else [("", _("No group"))]
            names = [(name, name) for name in groups]
            self.fields["group"].choices = [*nothing, *names]  # type: ignore[attr-defined]

    def people(self) -> tuple[Person, ...]:
        """Who is wanted. Raises UsherError, with the line of each name that cannot be used."""
        names, count = self.cleaned_data["names"], self.cleaned_data["count"]
        return numbered(count) if count and not names.strip() else named(names)

    def choices(self) -> Choices:
        return Choices(self.cleaned_data["role"], self.cleaned_data.get("group", ""))
