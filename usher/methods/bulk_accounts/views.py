"""Accounts made in advance: one form, and once the list with the passwords, to save or to print."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from usher.core.errors import UsherError
from usher.lifecycle.cards import sheets
from usher.lifecycle.desk import groups_to_pick, roles_to_pick
from usher.lifecycle.visitor import by_visit
from usher.methods.bulk_accounts.forms import BulkForm
from usher.methods.bulk_accounts.names import NamesError
from usher.methods.bulk_accounts.order import Order
from usher.methods.bulk_accounts.run import Made, make
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame


@lock(Lock.MANAGER)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form; POST makes the accounts and shows their passwords this one time."""
    form = BulkForm(
        request.POST if request.method == "POST" else None,
        roles=roles_to_pick(visit),
        groups=groups_to_pick(visit) if visit.plan.groups else None,
        must_pick=not visit.is_admin,
        group=request.GET.get("group", ""),
    )
    if not form.is_valid():
        return _form(request, visit, form, 400 if form.is_bound else 200)
    try:
        made = make(Order(visit.organization, form.people(), form.choices(), by_visit(visit)))
    except UsherError as no:
        return _form(request, visit, form, no.status, no)
    return _done(request, visit, made)


def _form(
    request: HttpRequest, visit: Visit, form: BulkForm, status: int, error: UsherError | None = None
) -> HttpResponse:
    faults = error.faults if isinstance(error, NamesError) else [(0, f) for f in error.findings] if error else []
    context = {**frame(visit, "users"), "form": form, "faults": faults, "is_admin": visit.is_admin}
    return render(request, "bulk_accounts/create.html", context, status=status)


def _done(request: HttpRequest, visit: Visit, made: Made) -> HttpResponse:
    context = {
        **frame(visit, "users"),
        "made": made,
        "refused": [outcome for outcome in made.outcomes if outcome.findings],
        "sheets": sheets(visit.organization, made.outcomes, made.passwords),
        "is_admin": visit.is_admin,
    }
    return render(request, "bulk_accounts/done.html", context)
