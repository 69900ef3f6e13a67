"""Undo: people whom one run brought, and whom nothing has happened to since, are taken back as if they never came.

Like the door it looks first and writes after, batch by batch, each one transaction under the licence lock. A run
keeps its own book (``past.Book``): it says whom the run brought, and crosses them out in the same transaction, so
that an undo that was killed goes on where it stopped when it is asked for again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.utils.formats import date_format

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Draft
from usher.lifecycle import brought
from usher.lifecycle import house as houses
from usher.lifecycle.joiner import By, Terms
from usher.lifecycle.past import Book, last_day
from usher.lifecycle.stays import Brought, Desk, why_stays
from usher.lifecycle.visitor import check_still
from usher.organizations.models import Organization

BATCH: Final = 500  # people per transaction; measured, see docs/decisions/0017
SHOWN: Final = 200  # of those who stay, by name; all are counted
ENOUGH: Final = 20.0  # seconds of one request; a run of 100,000 people takes several


@dataclass(frozen=True, slots=True)
class Staying:
    """Somebody who stays, and why."""

    person: Brought
    finding: Finding


@dataclass(slots=True)
class Undoing:
    """What an undo does, or did. ``stays`` are the first of those who stay; ``reasons`` count them all."""

    goes: int = 0
    stays: list[Staying] = field(default_factory=list)
    reasons: Counter[Reason] = field(default_factory=Counter)
    is_ended: bool = False
    seconds: float = 0.0

    @property
    def stay(self) -> int:
        return self.reasons.total()

    def add(self, goes: int, stays: Sequence[Staying]) -> None:
        """Count one batch."""
        self.goes += goes
        self.reasons.update(staying.finding.reason for staying in stays)
        self.stays += stays[: max(0, SHOWN - len(self.stays))]

    def as_json(self) -> dict[str, Any]:
        return {
            "removed": self.goes,
            "stay": self.stay,
            "reasons": {reason.code: n for reason, n in sorted(self.reasons.items(), key=lambda one: one[0].code)},
            "ended": self.is_ended,
            "seconds": round(self.seconds, 3),
        }


# Looking


def preview(organization: Organization, book: Book, by: By) -> Undoing:
    """What :func:`undo` would do: the same walk, without a lock and without a pen."""
    told, begun = Undoing(), time.perf_counter()
    for goes, stays in _walk(organization, book, by):
        told.add(len(goes), stays)
    told.seconds = time.perf_counter() - begun
    return told


Sorted = tuple[list[Brought], list[Staying]]


def _walk(organization: Organization, book: Book, by: By) -> Iterator[Sorted]:
    desk, line = Desk(organization.license.plan, by), 0
    desk.admins = brought.admins(organization.id, desk.plan)
    while lines := book.people(line, BATCH):
        line = lines[-1][0]
        yield _sort(brought.look(organization.id, lines, lock=False), desk)


def _sort(people: Sequence[Brought], desk: Desk) -> Sorted:
    goes: list[Brought] = []
    stays: list[Staying] = []
    for person in people:
        finding = why_stays(person, desk)
        if finding:
            stays.append(Staying(person, finding))
        else:
            goes.append(person)
    return goes, stays


# Doing


def undo(organization: Organization, book: Book, by: By, *, seconds: float = float("inf")) -> Undoing:
    """Take back everybody of this run who can be. Stops between two batches after so many ``seconds``.

    Asked for again it goes on, and finds nobody twice. Raises UsherError: undo_ended, nobody_to_undo, and
    role_above_yours when the actor lost his role meanwhile.
    """
    _check(organization, book, by)
    told, begun, line = Undoing(), time.perf_counter(), 0
    _begin(organization, book, by)
    while taken := _take_back(organization, book, by, line):
        line, goes, stays = taken
        told.add(goes, stays)
        told.seconds = time.perf_counter() - begun
        if told.seconds > seconds:
            return told
        check_still(organization, by)
    _end(organization, book, by)
    told.is_ended = True
    return told


def _check(organization: Organization, book: Book, by: By) -> None:
    """What was begun in time may be brought to its end."""
    kept = book.kept
    if kept.undo_began_at:
        return
    until = last_day(organization, kept.at)
    if houses.today_in(organization) > until:
        raise UsherError(Reason.UNDO_ENDED(date=date_format(until)))
    if not any(goes for goes, _ in _walk(organization, book, by)):
        raise UsherError(Reason.NOBODY_TO_UNDO())


@retrying
def _begin(organization: Organization, book: Book, by: By) -> None:
    with transaction.atomic():
        houses.open_house(organization.id, by, Terms(), lock=True)
        book.begin(clock.now())


@retrying
def _take_back(organization: Organization, book: Book, by: By, after: int) -> tuple[int, int, list[Staying]] | None:
    """One batch, one transaction: the last line of it, how many went, and who stays. None when nobody is left."""
    with transaction.atomic():
        house = houses.open_house(organization.id, by, Terms(), lock=True)
        lines = book.people(after, BATCH)
        if not lines:
            return None
        people = brought.look(organization.id, lines, lock=True)
        desk = Desk(house.plan, by, brought.admins(organization.id, house.plan))
        goes, stays = _sort(people, desk)
        brought.take_back(house, goes, book.kept.method, {"run": str(book.kept.id)})
        book.cross_out([person.line for person in goes])
    return lines[-1][0], len(goes), stays


@retrying
def _end(organization: Organization, book: Book, by: By) -> None:
    with transaction.atomic():
        houses.open_house(organization.id, by, Terms(), lock=True)
        counts = book.end(clock.now())
        if counts:
            removed, stayed = counts
            data = {**book.facts(), "removed": removed, "stayed": stayed}
            record.record(Draft(book.undone_as, organization.id, by.actor, method=book.kept.method.value, data=data))
