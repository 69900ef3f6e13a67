"""Work after commit: rows claimed by lease, worked off by one small worker; the engine is the database.

A kind of work is a model that inherits :class:`WorkItem` and says what to do in ``perform``. Adding a row
in the transaction of a change is all it takes; the row is deleted when the work is done. A worker that is
killed leaves a lease that runs out after ``LEASE``, and another takes the row: at least once, never lost.
The lease carries a token (fencing): a worker that overslept cannot finish what another has taken.
"""

from __future__ import annotations

import datetime as dt
import signal
import threading
import time
import traceback
from collections.abc import Sequence
from importlib import import_module

import structlog
from django.conf import settings
from django.db import close_old_connections, models, transaction
from django.db.models import F, Q

from usher.core import clock, limits
from usher.core.rows import Row, new_id

LEASE = dt.timedelta(seconds=60)
BACK_OFF = (5, 30, 120, 600, 3600)  # seconds before the next try
TIDY_EVERY = 3600.0  # seconds
IDLE = 1.0  # seconds between two looks when there is nothing to do

log = structlog.get_logger("usher.work")


class LeaseLostError(Exception):
    """Another worker has taken this row; stop without writing."""


class WorkItem(Row):
    """One piece of work, with the state that a page can show."""

    run_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    failure = models.TextField(blank=True)  # why the last try failed, in one line

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["run_at", "id"])]  # noqa: RUF012 - Django's own way

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.id}"

    def perform(self) -> None:
        """Do the work; may run more than once. Call :meth:`beat` between steps of long work."""
        raise NotImplementedError

    def beat(self) -> None:
        """Extend the lease. Raises LeaseLostError when another worker has taken the row."""
        mine = type(self)._default_manager.filter(pk=self.pk, lease_token=self.lease_token)
        if not mine.update(lease_until=clock.now() + LEASE):
            raise LeaseLostError

    def done(self) -> None:
        """Delete the row if it is still ours."""
        type(self)._default_manager.filter(pk=self.pk, lease_token=self.lease_token).delete()

    def failed(self, why: str) -> None:
        """Put the row back, to be tried again later."""
        wait = BACK_OFF[min(self.attempts, len(BACK_OFF)) - 1]
        type(self)._default_manager.filter(pk=self.pk, lease_token=self.lease_token).update(
            run_at=clock.now() + dt.timedelta(seconds=wait), lease_until=None, lease_token=None, failure=why
        )


def claim(kind: type[WorkItem]) -> WorkItem | None:
    """Take the oldest row that is due and not leased, or None."""
    now = clock.now()
    free = kind._default_manager.filter(run_at__lte=now).filter(Q(lease_until=None) | Q(lease_until__lt=now))
    with transaction.atomic():
        item = free.order_by("run_at", "id").select_for_update(skip_locked=True).first()
        if item is None:
            return None
        item.lease_token = new_id()
        kind._default_manager.filter(pk=item.pk).update(
            lease_token=item.lease_token, lease_until=now + LEASE, attempts=F("attempts") + 1
        )
    item.attempts += 1
    return item


def run_one(kinds: Sequence[type[WorkItem]]) -> bool:
    """Do the first piece of work that is due, kinds in order of priority. False when there was none."""
    for kind in kinds:
        item = claim(kind)
        if item is not None:
            _run(item)
            return True
    return False


def _run(item: WorkItem) -> None:
    try:
        item.perform()
    except LeaseLostError:
        log.info("lease_lost", item=str(item))
    except Exception as error:
        item.failed(traceback.format_exception_only(error)[-1].strip()[:500])
        log.exception("work_failed", item=str(item))
    else:
        item.done()


def all_kinds() -> list[type[WorkItem]]:
    """Every concrete kind of work, the most urgent first (attribute ``priority``, 0 before 9)."""
    return sorted(WorkItem.__subclasses__(), key=lambda kind: getattr(kind, "priority", 5))


def run_forever() -> None:
    """Work until SIGTERM or SIGINT; the piece in hand is finished or its lease runs out."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    kinds, tidied = all_kinds(), 0.0
    while not stop.is_set():
        close_old_connections()
        try:
            if time.monotonic() - tidied > TIDY_EVERY:
                tidied = time.monotonic()
                tidy()
            busy = run_one(kinds)
        except Exception:
            log.exception("worker_could_not_look")
            busy = False
            time.sleep(IDLE)
        if not busy:
            stop.wait(IDLE)


def tidy() -> None:
    """Forget what nobody needs any more: drained limits and sessions that have ended."""
    limits.forget_drained()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


def drain(kinds: Sequence[type[WorkItem]] | None = None, at_most: int = 1_000_000) -> int:
    """Work until nothing is due; for tests and commands. Returns how many pieces were done."""
    chosen = kinds or all_kinds()
    return next((n for n in range(at_most) if not run_one(chosen)), at_most)
