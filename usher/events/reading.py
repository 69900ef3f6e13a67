"""Reading the events of an organisation, of an account there, and of an address that was refused."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from usher.core.rows import first_id
from usher.events.models import LICENSE, Event
from usher.events.record import address_hash
from usher.events.types import EventType

PAGE = 100
# A filter that few events pass looks through so many at a time, whatever the organisation's age.
REACH = 10_000
WHOLE = 1_000  # events read together for a file
# The id of an event is made when it is recorded, right after its moment; clocks of two machines differ a little.
ASTRAY = dt.timedelta(hours=1)
# What an account does outside every organisation, and yet each of its organisations may know.
OF_THE_ACCOUNT = (
    EventType.ACCOUNT_CLAIMED.value,
    EventType.ACCOUNT_SIGNED_IN.value,
    EventType.PASSWORD_CHANGED.value,
)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events of an organisation; empty means all.

    ``account`` is whom they are about, ``actor_kind`` and ``actor`` who acted. The period ends before ``until``.
    """

    type: str = ""
    method: str = ""
    reason: str = ""
    actor_kind: str = ""
    actor: uuid.UUID | None = None
    account: uuid.UUID | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    @property
    def is_set(self) -> bool:
        return self != EventFilter()

    @property
    def wanted(self) -> dict[str, object]:
        """What no index knows: it is looked for among the events that the rest leads to."""
        columns = {
            "type": self.type,
            "method": self.method,
            "reason": self.reason,
            "actor_kind": self.actor_kind,
            "actor_id": self.actor,
        }
        return {column: value for column, value in columns.items() if value}


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page, newest first. ``older`` and ``newer`` are the ids to page on from, None at the ends.

    ``cut`` says that the search stopped after ``REACH`` events; it goes on from ``older`` or ``newer``.
    """

    events: Sequence[Event]
    older: uuid.UUID | None = None
    newer: uuid.UUID | None = None
    cut: bool = False


def of_organization(
    organization_id: uuid.UUID,
    chosen: EventFilter,
    *,
    before: uuid.UUID | None = None,
    after: uuid.UUID | None = None,
    size: int = PAGE,
) -> EventPage:
    """A page of what happened in one organisation: the newest, those before an event, or those after it."""
    events = _events(organization_id, chosen)
    if after:
        return _newer(events.filter(id__gt=after).order_by("id"), chosen, size)
    older = events.filter(id__lt=before) if before else events
    return _older(older.order_by("-id"), chosen, size, from_top=before is None)


def every(organization_id: uuid.UUID, chosen: EventFilter) -> Iterator[Sequence[Event]]:
    """All of them, newest first, in pieces of a fixed number of queries each: for files, which may be long."""
    page = of_organization(organization_id, chosen, size=WHOLE)
    yield page.events
    while page.older:
        page = of_organization(organization_id, chosen, before=page.older, size=WHOLE)
        yield page.events


def _events(organization_id: uuid.UUID, chosen: EventFilter) -> QuerySet[Event]:
    """Those of the period, or of one account: both stand together in an index. Ids tell the time."""
    if chosen.account:
        events = Event.objects.filter(_here(organization_id), account_id=chosen.account)
    else:
        events = Event.objects.filter(organization_id=organization_id)
    if chosen.since:
        events = events.filter(id__gte=first_id(chosen.since - ASTRAY), at__gte=chosen.since)
    if chosen.until:
        events = events.filter(id__lt=first_id(chosen.until + ASTRAY), at__lt=chosen.until)
    return events


def _here(organization_id: uuid.UUID) -> Q:
    return Q(organization_id=organization_id) | Q(organization_id=None, type__in=OF_THE_ACCOUNT)


def _older(events: QuerySet[Event], chosen: EventFilter, size: int, *, from_top: bool) -> EventPage:
    end = _end_of_reach(events, chosen)
    rows = _matching(events.filter(id__gte=end) if end else events, chosen, size)
    page, more = rows[:size], len(rows) > size
    older = page[-1].id if more else end
    newest = page[0].id if page else older
    return EventPage(page, older, None if from_top else newest, cut=bool(end) and not more)


def _newer(events: QuerySet[Event], chosen: EventFilter, size: int) -> EventPage:
    end = _end_of_reach(events, chosen)
    rows = _matching(events.filter(id__lte=end) if end else events, chosen, size)
    page, more = rows[:size][::-1], len(rows) > size
    newer = page[0].id if more else end
    return EventPage(page, page[-1].id if page else newer, newer, cut=bool(end) and not more)


def _end_of_reach(events: QuerySet[Event], chosen: EventFilter) -> uuid.UUID | None:
    """The last event that a filtered search looks at; None when it may look at all that there are."""
    if not chosen.wanted:
        return None
    last_and_next = list(events.values_list("id", flat=True)[REACH - 1 : REACH + 1])
    return last_and_next[0] if len(last_and_next) == 2 else None


def _matching(events: QuerySet[Event], chosen: EventFilter, size: int) -> list[Event]:
    return list(events.filter(**chosen.wanted)[: size + 1])


def of_account(organization_id: uuid.UUID, account_id: uuid.UUID, limit: int) -> list[Event]:
    """What happened to an account in this organisation, newest first; nothing of what others did with it."""
    return list(Event.objects.filter(_here(organization_id), account_id=account_id).order_by("-id")[:limit])


def of_license(organization_id: uuid.UUID, limit: int) -> list[Event]:
    """What became of the licence, newest first; at the end how it began, unless there is more than ``limit``."""
    events = Event.objects.filter(organization_id=organization_id)
    changes = list(events.filter(type=LICENSE).order_by("-id")[:limit])
    if len(changes) == limit:
        return changes
    first = events.order_by("id").first()
    return [*changes, *([first] if first and first.type == EventType.ORGANIZATION_CREATED else [])]


def of_refused(organization_id: uuid.UUID, address: str, limit: int) -> list[Event]:
    """Refusals of an address (its compare key) that had no account then, newest first."""
    wanted = address_hash(address)
    if not wanted:
        return []
    # The index holds only events with an address and without an account: the query must say so too.
    refused = Event.objects.filter(organization_id=organization_id, account_id=None, address_hash=wanted)
    return list(refused.exclude(address_hash="").order_by("-id")[:limit])
