"""The worker: looks for work that is due, and does one piece after the other; side by side what waits for others."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import close_old_connections

from usher.core import postman, switches, work
from usher.core.models import Chore

CREW = 8  # threads for what is done side by side
IDLE = 1.0  # seconds between two looks when there is nothing to do

log = structlog.get_logger("usher.work")


def run_forever() -> None:
    """Work until SIGTERM or SIGINT; the piece in hand is finished, or put back where it calls ``beat``."""
    stop = work.stopping
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    is_ready = False
    with ThreadPoolExecutor(CREW, "abreast") as crew:  # it has no thread before there is work for it
        while not stop.is_set():
            close_old_connections()
            try:
                if not is_ready:
                    Chore.ensure()
                    is_ready = True
                busy = work.run_abreast(kinds(), crew)
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
