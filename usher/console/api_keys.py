"""Organisation → Settings → API keys: made, shown once, revoked. Whoever has a key can do what it may."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from usher.console.forms import DAY, add_findings
from usher.core.errors import UsherError
from usher.lifecycle.visitor import by_visit
from usher.organizations import api_keys as keys
from usher.organizations.api_keys import SCOPES, Made, Scope
from usher.organizations.plans import Method
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame
from usher.people.fresh import fresh


class KeyForm(forms.Form):
    """A new key."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=300,
        help_text=gettext_lazy("Of the application that gets it, for example Quiz server."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=[(scope.value, words) for scope, words in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    last_day = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=forms.DateInput(DAY),
        help_text=gettext_lazy("Leave it empty for a key that works until it is revoked."),
    )


@lock(Lock.ADMIN)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def api_keys(request: HttpRequest, visit: Visit) -> HttpResponse:
    """All keys; POST makes one, and its answer alone shows it."""
    form, made = KeyForm(request.POST if request.method == "POST" else None), None
    if form.is_valid():
        given = form.cleaned_data
        try:
            made = keys.add(
                visit.organization, given["name"], given["scopes"], by_visit(visit).actor, last_day=given["last_day"]
            )
        except UsherError as no:
            add_findings(form, no)
    return _show(request, visit, KeyForm() if made else form, made)


def _show(request: HttpRequest, visit: Visit, form: KeyForm, made: Made | None) -> HttpResponse:
    context = {
        **frame(visit, "settings"),
        "form": form,
        "made": made,
        "keys": [(key, keys.is_living(key), _may(key.scopes)) for key in keys.of_organization(visit.organization)],
        "has_api": Method.API in visit.plan.methods,
    }
    return render(request, "console/api_keys.html", context, status=400 if form.errors else 200)


def _may(scopes: list[str]) -> list[str]:
    return [str(SCOPES[scope]) for scope in Scope if scope.value in scopes]


@lock(Lock.ADMIN)
@fresh
@require_POST
def revoke(request: HttpRequest, visit: Visit, key_id: uuid.UUID) -> HttpResponse:
    """It opens nothing from now on."""
    key = keys.revoke(visit.organization, key_id, by_visit(visit).actor)
    messages.success(request, _("The key “{name}” is revoked. It opens nothing any more.").format(name=key.name))
    return redirect("console:api_keys", visit.organization.slug)
