"""The organisations: the list, a new one, and one with all that the operator may know of it."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from usher.core.errors import UsherError
from usher.core.filters import links, menu
from usher.events import reading
from usher.events.reading import EventFilter
from usher.lifecycle import deletion, founding
from usher.lifecycle.founding import Founded, Plot
from usher.lifecycle.telling import tell
from usher.operator import forms
from usher.operator.frame import actor_of, frame
from usher.organizations import overview
from usher.organizations.models import Organization
from usher.organizations.plans import PLANS
from usher.organizations.standing import standing
from usher.people.access import Lock, Visit, lock
from usher.people.fresh import fresh
from usher.people.links import SETUP_DAYS

FILTERS = ("q", "plan", "state")
LATELY = 6  # events on the page of an organisation


@lock(Lock.OPERATOR)
@require_safe
def organizations(request: HttpRequest, visit: Visit) -> HttpResponse:
    """All organisations by short name, a page at a time."""
    form = forms.ListFilter(request.GET)
    form.is_valid()  # what is nonsense filters nothing
    given = form.cleaned_data
    chosen = overview.Filter(given.get("q", ""), given.get("plan", ""), given.get("state", ""))
    page = overview.page(chosen, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    here = links(request.path, request.GET, FILTERS)
    context = {
        **frame(visit, "organizations"),
        "chosen": chosen,
        "page": page,
        "menus": [
            menu(here, "plan", _("Plan"), {plan.slug: str(plan.name) for plan in PLANS.values()}),
            menu(here, "state", _("State"), _states()),
        ],
        "hidden": {name: value for name, value in here.given.items() if name != "q"},
        "back_url": here.with_("before", page.back) if page.back else "",
        "next_url": here.with_("after", page.next) if page.next else "",
    }
    return render(request, "operator/organizations.html", context)


def _states() -> dict[str, str]:
    return {
        overview.ACTIVE: _("Active"),
        overview.SUSPENDED: _("Suspended"),
        overview.DELETING: _("To be deleted"),
    }


@lock(Lock.OPERATOR)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Make an organisation; the answer shows the admin's set-up link this one time."""
    form, status = forms.NewForm(request.POST if request.method == "POST" else None), 200
    if form.is_valid():
        try:
            return linked(request, visit, founding.found(_plot(form), actor_of(visit)), is_new=True)
        except UsherError as no:
            status = forms.add_findings(form, no)
    elif form.is_bound:
        status = 400
    return render(request, "operator/new.html", {**frame(visit, "organizations"), "form": form}, status=status)


def _plot(form: forms.NewForm) -> Plot:
    given = form.cleaned_data
    return Plot(given["slug"], given["name"], given["plan"], given["admin"], form.seats(), dates=form.dates())


def linked(request: HttpRequest, visit: Visit, made: Founded, *, is_new: bool = False) -> HttpResponse:
    """The page that shows a set-up link once; nothing of it is kept, but its hash."""
    context = {**frame(visit, "organizations"), "made": made, "is_new": is_new, "days": SETUP_DAYS}
    return render(request, "operator/linked.html", context)


@lock(Lock.OPERATOR)
@require_safe
def organization(request: HttpRequest, visit: Visit, organization_id: uuid.UUID) -> HttpResponse:
    """One organisation."""
    return show(request, visit, find(organization_id))


def find(organization_id: uuid.UUID) -> Organization:
    """Raises Http404."""
    found = overview.by_id(organization_id)
    if found is None:
        raise Http404
    return found


def show(
    request: HttpRequest, visit: Visit, organization: Organization, status: int = 200, **bound: Any
) -> HttpResponse:
    """The page; ``bound`` is a form that was refused, by its name: seats, plan, ways, suspend or delete."""
    lately = reading.of_organization(organization.id, EventFilter(), size=LATELY).events
    context = {
        **frame(visit, "organizations"),
        "place": organization,
        "summary": overview.summary(organization),
        "standing": standing(organization),
        "admins": [(one, founding.may_renew(organization, one.account)) for one in founding.admins(organization)],
        "told": tell(organization, lately),
        "states": _states(),
        "begun": deletion.has_begun(organization),
        "delay": deletion.DELAY_DAYS,
        **{f"{name}_form": form for name, form in _forms(organization).items()},
        **{f"{name}_form": form for name, form in bound.items()},
    }
    return render(request, "operator/organization.html", context, status=status)


def _forms(organization: Organization) -> dict[str, Any]:
    """Each form as it is now."""
    license = organization.license
    plan = license.plan
    limits = {f"seats_{pool.pool}": pool.limit for pool in organization.pools.all()}
    dates = {"starts_on": license.starts_on, "ends_on": license.ends_on}
    return {
        "seats": forms.SeatsForm(initial={**limits, **dates}, plan=plan),
        "plan": forms.PlanForm(initial={"plan": plan.slug}),
        "ways": forms.WaysForm(initial={"methods": [method.value for method in plan.methods], "groups": plan.groups}),
        "suspend": forms.SuspendForm(),
        "delete": forms.DeleteForm(organization=organization),
    }
