"""Work after commit: rows claimed by lease, worked off by one small worker; the engine is the database.

A kind of work is a model that inherits :class:`WorkItem` and says what to do in ``perform``. Adding a row
in the transaction of a change is all it takes; the row is deleted when the work is done. A worker that is
killed leaves a lease that runs out after ``LEASE``, and another takes the row: at least once, never lost.
The lease carries a token (fencing): a worker that overslept cannot finish what another has taken.
"""

from __future__ import annotations

import datetime as dt
import threading
import traceback
from collections.abc import Sequence

import structlog
from django.db import models, transaction
from django.db.models import F, Q

from usher.core import clock
from usher.core.rows import Row, new_id

LEASE = dt.timedelta(seconds=60)
BACK_OFF = (5, 30, 120, 600, 3600)  # seconds before the next try

log = structlog.get_logger("usher.work")
stopping = threading.Event()  # set when this worker was told to stop


class StoppingError(Exception):
    """This worker was told to stop: the piece in hand goes back, and another goes on with it at once."""


class LeaseLostError(Exception):
    """Another worker has taken this row; stop without writing."""


class GiveUpError(Exception):
    """This piece of work can never succeed: its row goes, and the log keeps why. Names no person."""


class WorkItem(Row):
    """One piece of work, with the state that a page can show.

    ``outgoing`` kinds reach people or servers outside; they rest while the outbox is paused (after a restore).
    """

    priority = 5  # 0 is the most urgent, 9 the least
    outgoing = False
    most_tries = 0  # after so many the work is given up; 0 for never

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
        """Extend the lease. Raises LeaseLostError when another worker has taken the row, StoppingError to stop."""
        if stopping.is_set():
            raise StoppingError
        mine = type(self)._default_manager.filter(pk=self.pk, lease_token=self.lease_token)
        if not mine.update(lease_until=clock.now() + LEASE):
            raise LeaseLostError

    @classmethod
    def can_run(cls) -> bool:
        """Whether work of this kind can be done here at all; else it waits untouched."""
        return True

    def done(self) -> None:
        """Delete the row if it is still ours."""
        type(self)._default_manager.filter(pk=self.pk, lease_token=self.lease_token).delete()

    def put_back(self) -> None:
        """Leave the row as if it had not been taken."""
        type(self)._default_manager.filter(pk=self.pk, lease_token=self.lease_token).update(
            lease_until=None, lease_token=None, attempts=F("attempts") - 1
        )

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
    except StoppingError:
        item.put_back()
    except GiveUpError as never:
        _give_up(item, str(never))
    except Exception as error:
        why = traceback.format_exception_only(error)[-1].strip()[:500]
        log.exception("work_failed", item=str(item), tries=item.attempts)
        if 0 < item.most_tries <= item.attempts:
            _give_up(item, why)
        else:
            item.failed(why)
    else:
        item.done()


def _give_up(item: WorkItem, why: str) -> None:
    log.warning("work_given_up", item=str(item), tries=item.attempts, why=why)
    item.done()


def all_kinds() -> list[type[WorkItem]]:
    """Every concrete kind of work, the most urgent first (attribute ``priority``, 0 before 9)."""
    return sorted(WorkItem.__subclasses__(), key=lambda kind: kind.priority)


def drain(kinds: Sequence[type[WorkItem]] | None = None, at_most: int = 1_000_000) -> int:
    """Work until nothing is due; for tests and commands. Returns how many pieces were done."""
    chosen = kinds or [kind for kind in all_kinds() if kind.can_run()]
    return next((n for n in range(at_most) if not run_one(chosen)), at_most)
