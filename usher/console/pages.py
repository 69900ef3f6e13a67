"""The quieter pages: home, an organisation's front page, the licence, and why somebody was refused."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from usher.core.errors import UsherError
from usher.events import reading
from usher.events.reading import EventFilter
from usher.lifecycle import offers
from usher.lifecycle.telling import tell
from usher.lifecycle.why import why
from usher.organizations.plans import Role
from usher.organizations.standing import standing
from usher.people import groups, members
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame
from usher.people.models import Membership

LATELY = 5  # events on the front page
HISTORY = 50  # changes of the licence


@lock(Lock.SIGNED_IN)
@require_safe
def home(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Where this person belongs, waits and is wanted; straight there when it is one place and nothing else."""
    here, offered = members.where(visit.account), offers.listed(visit.account)
    alone = len(here.active) == 1 and not (here.waiting or offered or visit.account.is_operator)
    if alone and not here.active[0].organization.is_suspended and "all" not in request.GET:
        return redirect("console:organization", here.active[0].organization.slug)
    context = {
        "person": visit.account.username,
        "account": visit.account,
        "cards": [(place.organization, _role(place)) for place in here.active],
        "waiting": here.waiting,
        "offers": [(offer, _role(offer)) for offer in offered],
    }
    return render(request, "console/home.html", context)


def _role(member: Membership) -> Role | None:
    return member.organization.license.plan.role(member.role)


@lock(Lock.MEMBER)
@require_safe
def organization(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The front page: what is next for an admin, what is true for everybody else."""
    context = {
        **frame(visit, ""),
        "visit": visit,
        "places": groups.of_member(visit.membership),
        "role": visit.role,
        "managed": visit.managed,
    }
    if not visit.is_admin:
        return render(request, "console/member.html", context)
    lately = reading.of_organization(visit.organization.id, EventFilter(), size=LATELY).events
    context |= {
        "standing": standing(visit.organization),
        "counts": members.counts(visit),
        "told": tell(visit.organization, lately),
    }
    return render(request, "console/organization.html", context)


@lock(Lock.ADMIN)
@require_safe
def license(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What the licence allows and how much of it is used."""
    history = reading.of_license(visit.organization.id, HISTORY)
    context = {
        **frame(visit, "licence"),
        "standing": standing(visit.organization),
        "told": tell(visit.organization, history),
        "is_cut": len(history) == HISTORY,
    }
    return render(request, "console/licence.html", context)


@lock(Lock.ADMIN)
@require_safe
def why_not(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Why somebody is in, or was refused, by what they type to sign in."""
    asked = request.GET.get("sign_in", "").strip()
    context = {**frame(visit, "events"), "asked": asked, "back_url": f"/o/{visit.organization.slug}/events"}
    if not asked:
        return render(request, "console/why.html", context)
    try:
        answer = why(visit.organization, asked)
    except UsherError as no:
        return render(request, "console/why.html", context | {"findings": no.findings}, status=404)
    if answer.membership:
        return redirect("console:person", visit.organization.slug, answer.membership.id)
    return render(request, "console/why.html", context | {"why": answer})
