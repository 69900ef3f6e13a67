"""What the operator does for the whole server: who may register, whether mail goes out, what of work given up."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction

from usher.core import jobs, switches
from usher.core.models import Mail
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType

COUNTED = 1_000  # mails counted exactly up to here


@dataclass(frozen=True, slots=True)
class Outbox:
    """What waits to be sent; each number goes to ``COUNTED`` and one beyond."""

    paused_since: dt.datetime | None
    waiting: int
    failed: int  # of those, tried in vain so far
    last_failure: str


def registration_is_open() -> bool:
    return switches.is_on(switches.OPEN_REGISTRATION)


@retrying
def set_registration(actor: Actor, *, is_open: bool) -> bool:
    """Let anybody register, or only who has an invite code. False when it was so already."""
    return _turn(switches.OPEN_REGISTRATION, actor, on=is_open)


@retrying
def resume_outbox(actor: Actor) -> bool:
    """Let out what waits since a restore. False when nothing was paused."""
    return _turn(switches.OUTBOX_PAUSED, actor, on=False)


def _turn(name: str, actor: Actor, *, on: bool) -> bool:
    with transaction.atomic():
        if switches.is_on(name) == on:
            return False
        switches.turn(name, on=on)
        record.record(Draft(EventType.SERVER_CHANGED, None, actor, data={name: on}))
    return True


def outbox() -> Outbox:
    """The state of the outbox; two counts that stop, and the latest trouble. What was given up is no part of it."""
    living = Mail.objects.filter(dead_at=None)
    failed = living.exclude(failure="")
    latest = failed.order_by("-run_at").values_list("failure", flat=True).first()
    return Outbox(
        switches.since(switches.OUTBOX_PAUSED),
        living.values("id")[: COUNTED + 1].count(),
        failed.values("id")[: COUNTED + 1].count(),
        latest or "",
    )


@retrying
def retry_jobs(actor: Actor, ids: Collection[uuid.UUID] | None) -> int:
    """Have work that was given up done again, all of it when ``ids`` is None. Returns how many pieces there were."""
    with transaction.atomic():
        return _noted("jobs_retried", jobs.retry(ids), actor)


@retrying
def drop_jobs(actor: Actor, ids: Collection[uuid.UUID]) -> int:
    """Throw work away that was given up. Returns how many pieces there were."""
    with transaction.atomic():
        return _noted("jobs_dropped", jobs.drop(ids), actor)


def _noted(what: str, count: int, actor: Actor) -> int:
    if count:
        record.record(Draft(EventType.SERVER_CHANGED, None, actor, data={what: count}))
    return count
