"""What the operator does to one organisation. Each comes back to its page, with the reason where it was refused."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from usher.core.errors import UsherError
from usher.lifecycle import deletion, founding, licensing
from usher.lifecycle.licensing import Wanted
from usher.operator import forms, pages
from usher.operator.frame import actor_of
from usher.organizations import suspend as suspension
from usher.organizations.models import Organization
from usher.organizations.plans import Method
from usher.people.access import Lock, Visit, lock
from usher.people.fresh import fresh

Act = Callable[[], Any]


def _do(
    request: HttpRequest,
    visit: Visit,
    organization: Organization,
    sent: tuple[str, django_forms.Form],
    act: Act,
    said: str,
) -> HttpResponse:
    """Act when the form is whole; the page again, with the reasons on the form, when something says no."""
    name, form = sent
    if not form.is_valid():
        return pages.show(request, visit, organization, 400, **{name: form})
    try:
        act()
    except UsherError as no:
        status = forms.add_findings(form, no)
        return pages.show(request, visit, organization, status, **{name: form})
    return _back(request, organization, said)


def _back(request: HttpRequest, organization: Organization, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("operator:organization", organization.id)


@lock(Lock.OPERATOR)
@require_POST
def licence(request: HttpRequest, visit: Visit, organization_id: uuid.UUID) -> HttpResponse:
    """Seats and dates."""
    found = pages.find(organization_id)
    form = forms.SeatsForm(request.POST, plan=found.license.plan)

    def act() -> None:
        licensing.change(found, Wanted(seats=form.seats(), dates=form.dates()), actor_of(visit))

    return _do(request, visit, found, ("seats", form), act, _("The licence is changed."))


@lock(Lock.OPERATOR)
@require_POST
def plan(request: HttpRequest, visit: Visit, organization_id: uuid.UUID) -> HttpResponse:
    """Another plan, with its own seats and ways in."""
    found, form = pages.find(organization_id), forms.PlanForm(request.POST)

    def act() -> None:
        licensing.change(found, Wanted(plan=form.cleaned_data["plan"]), actor_of(visit))

    return _do(request, visit, found, ("plan", form), act, _("The plan is changed."))


@lock(Lock.OPERATOR)
@require_POST
def ways(request: HttpRequest, visit: Visit, organization_id: uuid.UUID) -> HttpResponse:
    """Ways in and groups, for this licence alone."""
    found, form = pages.find(organization_id), forms.WaysForm(request.POST)

    def act() -> None:
        methods = [Method(code) for code in form.cleaned_data["methods"]]
        licensing.override(found, methods, actor_of(visit), groups=form.cleaned_data["groups"])

    return _do(request, visit, found, ("ways", form), act, _("Ways in and groups are changed."))


@lock(Lock.OPERATOR)
@require_POST
def trusted(request: HttpRequest, visit: Visit, organization_id: uuid.UUID) -> HttpResponse:
    """The mark of an organisation that the operator knows, given or taken away."""
    found, wanted = pages.find(organization_id), request.POST.get("trusted") == "1"
    suspension.set_trusted(found, actor_of(visit), trusted=wanted)
    return _back(request, found, _("Marked as trusted.") if wanted else _("The mark is taken away."))


@lock(Lock.OPERATOR)
@fresh
@require_POST
@never_cache
def link(request: HttpRequest, visit: Visit, organization_id: uuid.UUID, member_id: uuid.UUID) -> HttpResponse:
    """A new set-up link for an admin, shown once: it is in this answer and nowhere else."""
    found = pages.find(organization_id)
    return pages.linked(request, visit, founding.renew_link_of(found, member_id, actor_of(visit)))


@lock(Lock.OPERATOR)
@require_POST
def suspend(request: HttpRequest, visit: Visit, organization_id: uuid.UUID) -> HttpResponse:
    """Shut every door of it, with a reason."""
    found, form = pages.find(organization_id), forms.SuspendForm(request.POST)

    def act() -> None:
        suspension.suspend(found, form.cleaned_data["why"], actor_of(visit))

    return _do(request, visit, found, ("suspend", form), act, _("Suspended. Nobody gets in; nothing is lost."))


@lock(Lock.OPERATOR)
@require_POST
def resume(request: HttpRequest, visit: Visit, organization_id: uuid.UUID) -> HttpResponse:
    """Open its doors again."""
    found = pages.find(organization_id)
    suspension.resume(found, actor_of(visit))
    return _back(request, found, _("It goes on: everybody can come in again."))


@lock(Lock.OPERATOR)
@fresh
@require_POST
def delete(request: HttpRequest, visit: Visit, organization_id: uuid.UUID) -> HttpResponse:
    """Plan the end, once the short name was typed."""
    found = pages.find(organization_id)
    form = forms.DeleteForm(request.POST, organization=found)
    if not form.is_valid():
        return pages.show(request, visit, found, 400, delete=form)
    day = deletion.plan(found, actor_of(visit))
    said = _("It is suspended now, and deleted after {day}. Until then you can keep it.")
    return _back(request, found, said.format(day=date_format(day, "j M Y")))


@lock(Lock.OPERATOR)
@require_POST
def keep(request: HttpRequest, visit: Visit, organization_id: uuid.UUID) -> HttpResponse:
    """Call the end off."""
    found = pages.find(organization_id)
    deletion.keep(found, actor_of(visit))
    return _back(request, found, _("It is kept. Nothing was deleted."))
