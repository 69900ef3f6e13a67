"""Work after commit: rows claimed by lease, worked off by any number of workers; the engine is the database.

A kind of work is a model that inherits :class:`WorkItem` and says what to do in ``perform``. Adding a row
in the transaction of a change is all it takes; the row is deleted when the work is done. A worker that is
killed leaves a lease that runs out after ``LEASE``, and another takes the row: at least once, never lost.
The lease carries a token (fencing): a worker that overslept cannot finish what another has taken.

What can never succeed is *dead*: it keeps why, is claimed no more, and waits for the operator (core/jobs.py).
Who waits for what stands in *lanes*; they take turns, so that nobody's thousand pieces hold up another's one.
"""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from enum import Enum
from functools import partial
from typing import Any, Final

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, models, transaction
from django.db.models import F, Q, QuerySet

from usher.core import clock, heartbeat
from usher.core.retry import retrying
from usher.core.rows import Row, new_id

LEASE = dt.timedelta(seconds=45)  # another worker goes on within a minute, its own look included
BACK_OFF = (5, 30, 120, 600, 3600)  # seconds before the next try
KEPT = dt.timedelta(days=30)  # for so long what is dead can be looked at and tried again
NO_LANE: Final = uuid.UUID(int=0)

log = structlog.get_logger("usher.work")
stopping = threading.Event()  # set when this worker was told to stop


class StoppingError(Exception):
    """This worker was told to stop: the piece in hand goes back, and another goes on with it at once."""


class LeaseLostError(Exception):
    """Another worker has taken this row; stop without writing."""


class PlainError(Exception):
    """Why a try failed, in words for the operator. Names no person."""


class GiveUpError(PlainError):
    """This piece of work can never succeed: its row is dead, and says why."""


class NotNowError(Exception):
    """Whom this needs wants to be left alone until then: the piece waits so long, and it was no try."""

    def __init__(self, until: dt.datetime) -> None:
        super().__init__(f"not before {until}")
        self.until = until


class End(Enum):
    """How a try ended."""

    DONE = "done"
    LATER = "later"
    DEAD = "dead"


class WorkItem(Row):
    """One piece of work, with the state that a page can show.

    ``outgoing`` kinds reach people or servers outside; they rest while the outbox is paused (after a restore).
    ``lane`` is whose turn it takes: the lanes of a kind are served in a ring, one piece each.
    A dead row has ``dead_at``, and as ``run_at`` the time when it is thrown away: so it is never among what is due.
    """

    priority = 5  # 0 is the most urgent, 9 the least
    outgoing = False
    most_tries = 0  # after so many the work is given up; 0 for never
    abreast = 1  # pieces that one worker does side by side: more only for what mostly waits for others

    run_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    failure = models.TextField(blank=True)  # why the last try failed, in one line
    lane = models.UUIDField(default=NO_LANE, db_default=NO_LANE)
    dead_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        indexes = [  # noqa: RUF012 - Django's own way
            models.Index(fields=["run_at", "id"]),
            models.Index(fields=["lane", "run_at", "id"], name="%(class)s_by_lane", condition=Q(dead_at=None)),
        ]

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.id}"

    @property
    def what(self) -> str:
        """What kind of work this is, more closely, in one word; empty when the kind says it all. Names no person."""
        return ""

    def perform(self) -> None:
        """Do the work; may run more than once. Call :meth:`beat` between steps of long work."""
        raise NotImplementedError

    def follow(self, end: End, error: Exception | None) -> None:
        """What else is written about a try, in the transaction that ends it. Not called once the lease is lost."""

    @classmethod
    def can_run(cls) -> bool:
        """Whether work of this kind can be done here at all; else it waits untouched."""
        return True

    # The lease: each of these changes nothing when another has taken the row

    def mine(self) -> QuerySet[Any]:
        """The row, as long as the lease is ours."""
        return type(self)._default_manager.filter(pk=self.pk, lease_token=self.lease_token)

    def extend(self) -> bool:
        """Extend the lease. False when another worker has taken the row."""
        return bool(self.mine().update(lease_until=clock.now() + LEASE))

    def beat(self) -> None:
        """Extend the lease. Raises LeaseLostError when another worker has taken the row, StoppingError to stop."""
        if stopping.is_set():
            raise StoppingError
        if not self.extend():
            raise LeaseLostError

    def put_back(self) -> None:
        """Leave the row as if it had not been taken."""
        self.mine().update(**FREE, attempts=F("attempts") - 1)

    def put_off(self, until: dt.datetime) -> None:
        """The same, but that it is not due before then."""
        self.mine().update(**FREE, attempts=F("attempts") - 1, run_at=until)

    def done(self) -> None:
        """Delete the row."""
        with transaction.atomic():
            if self.mine().delete()[0]:
                self.follow(End.DONE, None)

    def failed(self, why: str, error: Exception | None = None) -> None:
        """Put the row back, to be tried again later."""
        wait = BACK_OFF[min(self.attempts, len(BACK_OFF)) - 1]
        self.failure = why
        with transaction.atomic():
            if self.mine().update(**FREE, run_at=clock.now() + dt.timedelta(seconds=wait), failure=why):
                self.follow(End.LATER, error)

    def give_up(self, why: str, error: Exception | None = None) -> None:
        """Leave the row dead."""
        self.failure = why
        with transaction.atomic():
            if self.bury(why):
                self.follow(End.DEAD, error)

    def bury(self, why: str) -> bool:
        """The same, and nothing follows it. False when the lease was lost."""
        now = clock.now()
        log.warning("work_given_up", item=str(self), tries=self.attempts, why=why)
        return bool(self.mine().update(**FREE, dead_at=now, run_at=now + KEPT, failure=why))


FREE: Final[dict[str, Any]] = {"lease_until": None, "lease_token": None}

# Taking a piece

_served: dict[type[WorkItem], uuid.UUID] = {}  # the lane that this process served last, by kind


def claim(kind: type[WorkItem]) -> WorkItem | None:
    """Take the piece whose turn it is: the oldest that is due, in the lane behind the one served last. Or None.

    It looks first: on SQLite a transaction takes the one write lock, which a worker without work must not do.
    """
    return _take(kind) if _due(kind, clock.now()).exists() else None


def _due(kind: type[WorkItem], now: dt.datetime) -> QuerySet[WorkItem]:
    due: QuerySet[WorkItem] = kind._default_manager.filter(dead_at=None, run_at__lte=now)
    return due.filter(Q(lease_until=None) | Q(lease_until__lt=now))


@retrying
def _take(kind: type[WorkItem]) -> WorkItem | None:
    with transaction.atomic():
        now = clock.now()  # after the wait for the write lock
        item = _next(_due(kind, now), _served.get(kind, NO_LANE))
        if item is None:
            return None
        item.lease_token, item.lease_until = new_id(), now + LEASE
        item.attempts += 1
        taken = {"lease_token": item.lease_token, "lease_until": item.lease_until, "attempts": item.attempts}
        kind._default_manager.filter(pk=item.pk).update(**taken)
    _served[kind] = item.lane
    return item


def _next(due: QuerySet[WorkItem], last: uuid.UUID) -> WorkItem | None:
    """Round the ring once, by the index of lanes; others may take what we look at, and we do not wait for them."""
    ring = due.order_by("lane", "run_at", "id").select_for_update(skip_locked=True)
    return ring.filter(lane__gt=last).first() or ring.filter(lane__lte=last).first()


# Doing it


def run_one(kinds: Sequence[type[WorkItem]]) -> bool:
    """Do the first piece of work that is due, kinds in order of priority. False when there was none."""
    for kind in kinds:
        item = claim(kind)
        if item is not None:
            _run(item)
            return True
    return False


def run_abreast(kinds: Sequence[type[WorkItem]], crew: Executor) -> bool:
    """As :func:`run_one`, and of a kind that says so several pieces at once, each but one by a thread of ``crew``."""
    for kind in kinds:
        item = claim(kind)
        if item is not None:
            others = [crew.submit(_run_apart, one) for one in _others(kind)]
            _run(item)
            for other in others:
                other.result()
            return True
    return False


def _others(kind: type[WorkItem]) -> list[WorkItem]:
    return list(filter(None, (claim(kind) for _ in range(kind.abreast - 1))))


def _run_apart(item: WorkItem) -> None:
    close_old_connections()  # this thread's own
    _run(item)


def _run(item: WorkItem) -> None:
    try:
        _try(item)
    except LeaseLostError:
        log.info("lease_lost", item=str(item))
    except StoppingError:
        item.put_back()
    except NotNowError as later:
        item.put_off(later.until)
    except GiveUpError as never:
        _end(item, partial(item.give_up, str(never), never))
    except Exception as error:
        _failed(item, error)
    else:
        _end(item, item.done)


def _try(item: WorkItem) -> None:
    if 0 < item.most_tries < item.attempts:  # no try ever came to an end
        raise GiveUpError("Each time it was tried its worker was gone before the end.")
    with heartbeat.beating(item.extend, LEASE.total_seconds() / 5):
        item.perform()


def _failed(item: WorkItem, error: Exception) -> None:
    """What was not written for people may quote somebody: of that the row keeps the kind of error alone."""
    plain = isinstance(error, PlainError)
    why = str(error) if plain else f"Usher could not do it: {type(error).__name__}. The log says more."
    log.warning("work_failed", item=str(item), tries=item.attempts, why=why, exc_info=not plain)
    is_last = 0 < item.most_tries <= item.attempts
    _end(item, partial(item.give_up if is_last else item.failed, why, error))


def _end(item: WorkItem, write: Callable[[], None]) -> None:
    """Write how a try ended. When what follows it is broken the row is dead: doing it over and over is no cure.

    Raises OperationalError or InterfaceError when the database is gone; the lease then ends as if we had died.
    """
    try:
        retrying(write)()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("work_not_settled", item=str(item))
        item.bury(f"It was tried, but what became of it could not be written down: {type(error).__name__}.")


def all_kinds() -> list[type[WorkItem]]:
    """Every concrete kind of work, the most urgent first (attribute ``priority``, 0 before 9)."""
    return sorted(WorkItem.__subclasses__(), key=lambda kind: kind.priority)


def drain(kinds: Sequence[type[WorkItem]] | None = None, at_most: int = 1_000_000) -> int:
    """Work until nothing is due; for tests and commands. Returns how many pieces were done."""
    chosen = kinds or [kind for kind in all_kinds() if kind.can_run()]
    return next((n for n in range(at_most) if not run_one(chosen)), at_most)
