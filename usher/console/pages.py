"""The quieter pages: home, an organisation's front page, the licence, the events, and why somebody was refused."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from usher.console.forms import EventsFilter
from usher.console.words import links, menu
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events import reading
from usher.events.reading import EventFilter
from usher.lifecycle.telling import WORDINGS, tell
from usher.lifecycle.why import why
from usher.organizations.plans import METHOD_LABELS
from usher.organizations.standing import standing
from usher.people import groups, members
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame

LATELY = 5  # events on the front page
EVENT_FILTERS = ("type", "way", "reason")


@lock(Lock.SIGNED_IN)
@require_safe
def home(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Where this person belongs; straight there when it is one place."""
    places = members.of_account(visit.account)
    if len(places) == 1 and not visit.account.is_operator:
        return redirect("console:organization", places[0].organization.slug)
    cards = [(place.organization, place.organization.license.plan.role(place.role)) for place in places]
    context = {"person": visit.account.username, "account": visit.account, "cards": cards}
    return render(request, "console/home.html", context)


@lock(Lock.MEMBER)
@require_safe
def organization(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The front page: what is next for an admin, what is true for everybody else."""
    context = {
        **frame(visit, ""),
        "visit": visit,
        "places": groups.of_member(visit.membership),
        "role": visit.role,
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
    context = {**frame(visit, "licence"), "standing": standing(visit.organization)}
    return render(request, "console/licence.html", context)


@lock(Lock.ADMIN)
@require_safe
def events(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What happened, newest first."""
    form = EventsFilter(request.GET)
    form.is_valid()  # what is nonsense filters nothing
    given = form.cleaned_data
    chosen = EventFilter(given.get("type", ""), given.get("way", ""), given.get("reason", ""))
    page = reading.of_organization(visit.organization.id, chosen, before=given.get("before"), after=given.get("after"))
    here = links(request.path, request.GET, EVENT_FILTERS)
    context = {
        **frame(visit, "events"),
        "told": tell(visit.organization, page.events),
        "page": page,
        "chosen": chosen,
        "menus": [
            menu(here, "type", _("What happened"), {kind.value: str(told.title) for kind, told in WORDINGS.items()}),
            menu(here, "way", _("Way in"), {way.value: str(label) for way, (label, _icon) in METHOD_LABELS.items()}),
            menu(here, "reason", _("Reason"), {reason.code: _spoken(reason) for reason in Reason}),
        ],
        "reach": reading.REACH,
        "back_url": here.with_("after", str(page.newer)) if page.newer else "",
        "next_url": here.with_("before", str(page.older)) if page.older else "",
    }
    return render(request, "console/events.html", context)


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


def _spoken(reason: Reason) -> str:
    """The public code as words: it stays the same in every language, like the code in a file."""
    return reason.code.replace("_", " ").capitalize()
