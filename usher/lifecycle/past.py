"""Runs of the past: imports and accounts made in advance on one list, and the book that each room keeps of its own.

A room that brings many people at once registers a :class:`Shelf` in its module ``past``, which is found by name.
"""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from django.utils.module_loading import autodiscover_modules

from usher.events.types import EventType
from usher.lifecycle.house import today_in
from usher.organizations.models import Organization
from usher.organizations.plans import Method
from usher.people.access import Visit
from usher.people.models import Account

DAYS: Final = 30  # how long a run can be undone, in days of the organisation
PAGE: Final = 25


@dataclass(frozen=True, slots=True)
class Kept:
    """What a room keeps of one run.

    ``came`` counts everybody it brought, ``gone`` those of them who were taken back. ``at`` is when it ended, or
    began where it was never finished. ``page`` is the address of the room's own page about it, if it has one.
    """

    id: uuid.UUID
    method: Method
    name: str
    at: dt.datetime
    account_id: uuid.UUID | None  # who did it; None for the operator
    role: str
    group: str
    asked: int
    came: int
    gone: int
    is_finished: bool
    undo_began_at: dt.datetime | None
    undone_at: dt.datetime | None
    page: str = ""


class Book(Protocol):
    """One run in its room's own book."""

    @property
    def kept(self) -> Kept: ...

    @property
    def undone_as(self) -> EventType:
        """The event that tells of the whole."""

    def people(self, after: int, size: int) -> Sequence[tuple[int, uuid.UUID]]:
        """Those it brought and who are not crossed out, in order: line and membership, after this line."""

    def begin(self, now: dt.datetime) -> None:
        """From now on nobody comes in by this run. Called in a transaction under the licence lock."""

    def cross_out(self, lines: Collection[int]) -> None:
        """These are taken back; called in the transaction that does it."""

    def end(self, now: dt.datetime) -> tuple[int, int] | None:
        """It is undone: how many were taken back, and how many stay. None when another request ended it."""

    def facts(self) -> Mapping[str, Any]:
        """What the event of the whole says of it; no name of a person."""


class Shelf(Protocol):
    """A room's books. ``owner`` is the account whose runs alone are asked for; None for all."""

    def latest(
        self, organization: Organization, owner: uuid.UUID | None, before: uuid.UUID | None, size: int
    ) -> Sequence[Kept]:
        """The newest runs, or the newest of those older than ``before``."""

    def find(self, organization: Organization, owner: uuid.UUID | None, run_id: uuid.UUID) -> Book | None: ...


_shelves: dict[Method, Shelf] = {}


def register(method: Method, shelf: Shelf) -> None:
    _shelves[method] = shelf


def _all() -> Iterable[Shelf]:
    autodiscover_modules("past")
    return _shelves.values()


# Reading


class Standing(StrEnum):
    """How far a run is."""

    OPEN = "open"  # the file was not sent to its end
    DONE = "done"
    UNDOING = "undoing"  # an undo was begun, and did not come to its end
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run as it is shown. ``until`` is the last day on which it can be undone, included."""

    kept: Kept
    by: str  # empty for the operator
    role: str
    until: dt.date
    may_undo: bool

    @property
    def standing(self) -> Standing:
        if self.kept.undone_at:
            return Standing.UNDONE
        if self.kept.undo_began_at:
            return Standing.UNDOING
        return Standing.DONE if self.kept.is_finished else Standing.OPEN

    @property
    def still_in(self) -> int:
        return self.kept.came - self.kept.gone

    def as_json(self) -> dict[str, Any]:
        kept = self.kept
        return {
            "id": str(kept.id),
            "method": kept.method.value,
            "name": kept.name,
            "at": kept.at.isoformat(timespec="seconds"),
            "by": self.by or None,
            "role": kept.role,
            "group": kept.group or None,
            "asked": kept.asked,
            "came": kept.came,
            "removed": kept.gone,
            "state": self.standing.value,
            "undo_until": self.until.isoformat() if self.may_undo else None,
        }


@dataclass(frozen=True, slots=True)
class PastPage:
    """Runs, newest first. ``older`` is the id to page on from, None at the end."""

    runs: Sequence[PastRun]
    older: uuid.UUID | None = None


def owner_of(visit: Visit) -> uuid.UUID | None:
    """An admin sees all runs; a manager what he made himself."""
    return None if visit.is_admin else visit.account.id


def page(
    organization: Organization, owner: uuid.UUID | None, *, before: uuid.UUID | None = None, size: int = PAGE
) -> PastPage:
    """The newest runs of all rooms, or those before a run."""
    found = [kept for shelf in _all() for kept in shelf.latest(organization, owner, before, size + 1)]
    found.sort(key=lambda kept: kept.id, reverse=True)
    runs = _told(organization, found[:size])
    return PastPage(runs, runs[-1].kept.id if len(found) > size else None)


def find(organization: Organization, owner: uuid.UUID | None, run_id: uuid.UUID) -> Book | None:
    """The book of one run."""
    books = (shelf.find(organization, owner, run_id) for shelf in _all())
    return next((book for book in books if book), None)


def told(organization: Organization, kept: Kept) -> PastRun:
    """One run as it is shown."""
    return _told(organization, [kept])[0]


def _told(organization: Organization, found: Sequence[Kept]) -> list[PastRun]:
    ids = {kept.account_id for kept in found if kept.account_id}
    names = dict(Account.objects.filter(id__in=ids).values_list("id", "username")) if ids else {}
    plan = organization.license.plan
    runs = []
    for kept in found:
        role = plan.role(kept.role)
        by = names.get(kept.account_id, "…") if kept.account_id else ""
        label = str(role.label) if role else kept.role
        runs.append(PastRun(kept, by, label, last_day(organization, kept.at), may_undo(organization, kept)))
    return runs


# Until when


def last_day(organization: Organization, at: dt.datetime) -> dt.date:
    """The last day, included, on which what ended at this moment can be undone."""
    return at.astimezone(zoneinfo.ZoneInfo(organization.time_zone)).date() + dt.timedelta(days=DAYS)


def may_undo(organization: Organization, kept: Kept) -> bool:
    """Whether it is the time for it; an undo that was begun in time may be brought to its end."""
    if kept.undone_at or kept.gone >= kept.came:
        return bool(kept.undo_began_at and not kept.undone_at)
    return bool(kept.undo_began_at) or today_in(organization) <= last_day(organization, kept.at)
