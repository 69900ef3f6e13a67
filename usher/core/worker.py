"""The worker: looks for work that is due, does one piece after the other, and tidies up now and then."""

from __future__ import annotations

import signal
import time
from importlib import import_module

import structlog
from django.conf import settings
from django.db import close_old_connections

from usher.core import jobs, limits, postman, switches, tidying, work

TIDY_EVERY = 3600.0  # seconds
IDLE = 1.0  # seconds between two looks when there is nothing to do

log = structlog.get_logger("usher.work")


def run_forever() -> None:
    """Work until SIGTERM or SIGINT; the piece in hand is finished, or put back where it calls ``beat``."""
    stop = work.stopping
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    tidied = 0.0
    while not stop.is_set():
        close_old_connections()
        try:
            if time.monotonic() - tidied > TIDY_EVERY:
                tidied = time.monotonic()
                tidy()
            busy = work.run_one(kinds())
        except Exception:
            log.exception("worker_could_not_look")
            busy = False
            time.sleep(IDLE)
        if not busy:
            postman.hang_up(only_stale=True)
            stop.wait(IDLE)
    postman.hang_up()


def kinds() -> list[type[work.WorkItem]]:
    """What may be worked on now, the most urgent first: nothing leaves the house while the outbox is paused."""
    paused = switches.is_on(switches.OUTBOX_PAUSED)
    return [kind for kind in work.all_kinds() if kind.can_run() and not (paused and kind.outgoing)]


def tidy() -> None:
    """Forget what nobody needs any more: drained limits, work long dead, ended sessions, and what the apps offer."""
    limits.forget_drained()
    jobs.throw_away()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    tidying.tidy()
