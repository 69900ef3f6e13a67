"""The shape of what the import page sends; the rules are the door's."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from usher.methods.csv_import.options import Options


class ImportForm(forms.Form):
    """File and options: the roles the visitor may give, the groups that are open (None: the plan has none)."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or .xlsx, up to 50 MB and 200,000 people."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx,text/csv"}),
        error_messages={"required": _("Choose a file first."), "empty": _("The file is empty.")},
        allow_empty_file=True,
    )
    role = forms.ChoiceField(label=_("Role"), help_text=_("For rows that do not name their own."))
    group = forms.ChoiceField(label=_("Group"), required=False)
    make_groups = forms.BooleanField(
        label=_("Make missing groups"), required=False, help_text=_("Groups that the file names and that do not exist.")
    )
    allow_same_name = forms.BooleanField(
        label=_("Allow the same name"),
        required=False,
        help_text=_("For people without an e-mail address whose name is here already."),
    )
    tell = forms.BooleanField(
        label=_("Tell them by mail"),
        required=False,
        help_text=_("Everybody new with an e-mail address gets a mail with the sign-in name, and without a password."),
    )

    def __init__(
        self, data: object, files: object, *, roles: Sequence[tuple[str, str]], groups: Sequence[str] | None
    ) -> None:
        super().__init__(data, files)  # type: ignore[arg-type]
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        if groups is None:
            del self.fields["group"], self.fields["make_groups"]
        else:
            names = [(name, name) for name in groups]
            self.fields["group"].choices = [("", _("No group")), *names]  # type: ignore[attr-defined]

    def options(self) -> Options:
        """The options of a valid form."""
        given = self.cleaned_data
        return Options(
            role=given["role"],
            group=given.get("group", ""),
            make_groups=given.get("make_groups", False),
            allow_same_name=given["allow_same_name"],
            file_name=given["file"].name[:200],
            tell=given["tell"],
        )
