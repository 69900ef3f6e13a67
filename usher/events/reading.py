"""Reading the events of an organisation, of an account there, and of an address that was refused."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from usher.events.models import Event
from usher.events.record import address_hash
from usher.events.types import EventType

PAGE = 100
# What an account does outside every organisation, and yet each of its organisations may know.
OF_THE_ACCOUNT = (
    EventType.ACCOUNT_CLAIMED.value,
    EventType.ACCOUNT_SIGNED_IN.value,
    EventType.PASSWORD_CHANGED.value,
)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events of an organisation; empty means all."""

    type: str = ""
    method: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page, newest first. ``older`` and ``newer`` are the ids to page on from, None at the ends."""

    events: Sequence[Event]
    older: uuid.UUID | None = None
    newer: uuid.UUID | None = None


def of_organization(
    organization_id: uuid.UUID,
    chosen: EventFilter,
    *,
    before: uuid.UUID | None = None,
    after: uuid.UUID | None = None,
    size: int = PAGE,
) -> EventPage:
    """A page of what happened in one organisation: the newest, those before an event, or those after it."""
    events = _chosen(Event.objects.filter(organization_id=organization_id), chosen)
    if after:
        return _upwards(list(events.filter(id__gt=after).order_by("id")[: size + 1]), size)
    found = events.filter(id__lt=before) if before else events
    rows = list(found.order_by("-id")[: size + 1])
    page = rows[:size]
    older = page[-1].id if len(rows) > size else None
    return EventPage(page, older, page[0].id if before and page else None)


def _upwards(rows: list[Event], size: int) -> EventPage:
    page = rows[:size][::-1]
    newer = page[0].id if len(rows) > size else None
    return EventPage(page, page[-1].id if page else None, newer)


def _chosen(events: QuerySet[Event], chosen: EventFilter) -> QuerySet[Event]:
    wanted = {"type": chosen.type, "method": chosen.method, "reason": chosen.reason}
    return events.filter(**{column: value for column, value in wanted.items() if value})


def of_account(organization_id: uuid.UUID, account_id: uuid.UUID, limit: int) -> list[Event]:
    """What happened to an account in this organisation, newest first; nothing of what others did with it."""
    here = Q(organization_id=organization_id) | Q(organization_id=None, type__in=OF_THE_ACCOUNT)
    return list(Event.objects.filter(here, account_id=account_id).order_by("-id")[:limit])


def of_refused(organization_id: uuid.UUID, address: str, limit: int) -> list[Event]:
    """Refusals of an address (its compare key) that had no account then, newest first."""
    refused = Event.objects.filter(
        organization_id=organization_id, account_id=None, address_hash__in=hashes_of(address)
    ).exclude(address_hash="")
    return list(refused.order_by("-id")[:limit])


def hashes_of(address: str) -> list[str]:
    """The hashes under which events remember an address."""
    return [address_hash(address)] if address else []
