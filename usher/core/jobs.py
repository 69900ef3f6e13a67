"""The book of the work behind the pages: how much there is of each kind, what was given up, and once more with it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from usher.core import clock
from usher.core.work import WorkItem, all_kinds


@dataclass(frozen=True, slots=True)
class Tally:
    """How much there is of one kind. ``in_hand`` is what a worker has now, or had when it was killed a moment ago."""

    kind: str
    due: int
    waiting: int
    in_hand: int
    dead: int


@dataclass(frozen=True, slots=True)
class Dead:
    """One piece that was given up, in words; it names no person."""

    id: uuid.UUID
    kind: str
    what: str
    since: dt.datetime
    tries: int
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "kind": self.kind,
            "what": self.what,
            "since": self.since.isoformat(timespec="seconds"),
            "tries": self.tries,
            "reason": self.reason,
        }


def tallies() -> list[Tally]:
    """Every kind, the most urgent first; a query for each."""
    return [_tally(kind) for kind in all_kinds()]


def _tally(kind: type[WorkItem]) -> Tally:
    now, alive = clock.now(), Q(dead_at=None)
    held = Q(lease_until__gte=now)
    counts = kind._default_manager.aggregate(
        dead=Count("pk", filter=~alive),
        in_hand=Count("pk", filter=alive & held),
        due=Count("pk", filter=alive & Q(run_at__lte=now)),
        waiting=Count("pk", filter=alive & Q(run_at__gt=now)),
    )
    # What is in hand was due, and its time is that of its last try.
    counts["due"] -= counts["in_hand"]
    return Tally(name_of(kind), **counts)


def name_of(kind: type[WorkItem]) -> str:
    return str(kind._meta.model_name)


def dead(at_most: int | None = None) -> list[Dead]:
    """What was given up, by kind, the latest first."""
    found = [_told(item) for kind in all_kinds() for item in _dead(kind).order_by("-dead_at", "-id")[:at_most]]
    return found[:at_most]


def _told(item: WorkItem) -> Dead:
    assert item.dead_at is not None  # noqa: S101 - as it was asked for
    return Dead(item.id, name_of(type(item)), item.what, item.dead_at, item.attempts, item.failure)


def count_dead() -> int:
    return sum(_dead(kind).count() for kind in all_kinds())


def retry(ids: Collection[uuid.UUID] | None) -> int:
    """Bring dead pieces back to life, or all of them (None): they are due now, and all their tries are before them."""
    now = clock.now()
    return sum(which.update(dead_at=None, run_at=now, attempts=0) for which in _these(ids))


def drop(ids: Collection[uuid.UUID]) -> int:
    """Throw dead pieces away. They are never done."""
    return sum(which.delete()[0] for which in _these(ids))


def throw_away() -> None:
    """What has been dead for long (``work.KEPT``); until then it had the time of this as ``run_at``."""
    for kind in all_kinds():
        _dead(kind).filter(run_at__lte=clock.now()).delete()


def _dead(kind: type[WorkItem]) -> QuerySet[WorkItem]:
    return kind._default_manager.filter(dead_at__isnull=False)


def _these(ids: Collection[uuid.UUID] | None) -> Iterator[QuerySet[WorkItem]]:
    for kind in all_kinds():
        yield _dead(kind) if ids is None else _dead(kind).filter(pk__in=ids)
