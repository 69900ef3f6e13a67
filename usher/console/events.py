"""What happened in the organisation: newest first, filtered, and as a file."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from usher.console.files import exported_events
from usher.console.forms import EventsFilter
from usher.core.filters import Links, Menu, links, menu
from usher.core.reasons import Reason
from usher.events import reading
from usher.events.reading import EventFilter
from usher.lifecycle.telling import tell
from usher.lifecycle.visitor import by_visit
from usher.lifecycle.wordings import WORDINGS
from usher.organizations.models import Organization
from usher.organizations.plans import METHOD_LABELS
from usher.people import members
from usher.people.access import Lock, Visit, lock
from usher.people.exports import begin_export
from usher.people.frame import frame
from usher.people.models import Membership

FILTERS = ("type", "way", "reason", "by", "person", "since", "until")
KINDS = {"operator": "operator", "usher": "system"}  # who acts without an account
NOBODY = uuid.UUID(int=0)  # no account has it: what is asked of somebody who is not here finds nothing
YEARS = range(1971, 9000)  # of an id, and of a date that has a day after it
SHOWN_ADMINS = 30  # in the drop-down list; what others did is reached from their own page


@lock(Lock.ADMIN)
@require_safe
def events(request: HttpRequest, visit: Visit) -> HttpResponse:
    """A page of what happened."""
    form, chosen = _chosen(request.GET, visit)
    before, after = form.cleaned_data.get("before"), form.cleaned_data.get("after")
    page = reading.of_organization(visit.organization.id, chosen, before=before, after=after)
    here = links(request.path, request.GET, FILTERS)
    context = {
        **frame(visit, "events"),
        "told": tell(visit.organization, page.events),
        "page": page,
        "chosen": chosen,
        "form": form,
        "given": here.given,
        "menus": _menus(visit, here),
        "about": _member(visit, here.given.get("person", "")),
        "without_about": here.with_("person", ""),
        "reach": reading.REACH,
        "back_url": here.with_("after", str(page.newer)) if page.newer else "",
        "next_url": here.with_("before", str(page.older)) if page.older else "",
    }
    return render(request, "console/events.html", context)


@lock(Lock.ADMIN)
@require_POST
def export(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Everything that the filters leave, as a file; that it was taken is an event too."""
    _form, chosen = _chosen(request.POST, visit)
    given = {name: request.POST[name] for name in FILTERS if request.POST.get(name)}
    begin_export(visit.organization, by_visit(visit).actor, given)
    return exported_events(visit.organization, chosen)


def _chosen(sent: QueryDict, visit: Visit) -> tuple[EventsFilter, EventFilter]:
    """What an address or a form asks for; what is nonsense filters nothing."""
    form = EventsFilter(sent)
    form.is_valid()
    given = form.cleaned_data
    by, person = given.get("by", ""), given.get("person")
    actor = None if by in KINDS or not by else _account(visit, by)
    return form, EventFilter(
        type=given.get("type", ""),
        method=given.get("way", ""),
        reason=given.get("reason", ""),
        actor_kind=KINDS.get(by, ""),
        actor=actor,
        account=_account(visit, str(person)) if person else None,
        since=_midnight(visit.organization, given.get("since")),
        until=_midnight(visit.organization, given.get("until"), days=1),
    )


def _account(visit: Visit, membership_id: str) -> uuid.UUID:
    """Only of members of this organisation: what others do elsewhere is not to be asked for here."""
    member = _member(visit, membership_id)
    return member.account_id if member else NOBODY


def _member(visit: Visit, membership_id: str) -> Membership | None:
    try:
        return members.find(visit, uuid.UUID(membership_id))
    except ValueError:
        return None


def _midnight(organization: Organization, day: dt.date | None, *, days: int = 0) -> dt.datetime | None:
    """When the day begins where the organisation is, or the one so many days later."""
    if day is None or day.year not in YEARS:
        return None
    start = dt.datetime.combine(day + dt.timedelta(days=days), dt.time(), zoneinfo.ZoneInfo(organization.time_zone))
    return start.astimezone(dt.UTC)


def _menus(visit: Visit, here: Links) -> list[Menu]:
    return [
        menu(here, "type", _("What happened"), {kind.value: str(told.title) for kind, told in WORDINGS.items()}),
        menu(here, "way", _("Way in"), {way.value: str(label) for way, (label, _icon) in METHOD_LABELS.items()}),
        menu(here, "reason", _("Reason"), {reason.code: _spoken(reason) for reason in Reason}),
        menu(here, "by", _("By whom"), _actors(visit, here.given.get("by", ""))),
    ]


def _actors(visit: Visit, chosen: str) -> Mapping[str, str]:
    """The admins, those who are nobody's account, and whoever is chosen now."""
    choices = {str(one.id): one.account.username for one in members.admins(visit, SHOWN_ADMINS)}
    choices |= {"operator": _("The operator"), "usher": _("Usher")}
    if chosen and chosen not in choices:
        member = _member(visit, chosen)
        choices |= {chosen: member.account.username} if member else {}
    return choices


def _spoken(reason: Reason) -> str:
    """The public code as words: it stays the same in every language, like the code in a file."""
    return reason.code.replace("_", " ").capitalize()
