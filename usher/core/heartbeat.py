"""A pulse beside the work: whoever lives keeps the lease of what takes long, whoever is killed loses it soon."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.db import DatabaseError, connections

log = structlog.get_logger("usher.work")

_lock = threading.Lock()
_in_hand: dict[int, Callable[[], bool]] = {}  # by thread: what keeps the lease of its piece
_pulse: threading.Thread | None = None


@contextmanager
def beating(beat: Callable[[], bool], every: float) -> Iterator[None]:
    """Call ``beat`` every so many seconds as long as the block goes on, and not at all when it ends before.

    One thread does it for the whole process; it ends when it finds nothing in hand, since most pieces are quick.
    """
    me = threading.get_ident()
    with _lock:
        _in_hand[me] = beat
        _start(every)
    try:
        yield
    finally:
        with _lock:
            _in_hand.pop(me, None)


def _start(every: float) -> None:
    global _pulse  # noqa: PLW0603 - one for each process
    if _pulse is None or not _pulse.is_alive():
        _pulse = threading.Thread(target=_beat, args=(every,), name="heartbeat", daemon=True)
        _pulse.start()


def _beat(every: float) -> None:
    global _pulse  # noqa: PLW0603
    waits = threading.Event()
    before: dict[int, Callable[[], bool]] = {}
    while True:
        waits.wait(every)
        with _lock:
            now = dict(_in_hand)
            if not now:
                _pulse = None
                return
        for me, beat in now.items():
            if before.get(me) is beat:  # it was here at the last look: it takes long
                _beat_once(beat)
        before = now


def _beat_once(beat: Callable[[], bool]) -> None:
    """Whether the lease is still ours is for the worker to see, when it confirms it."""
    try:
        beat()
    except DatabaseError as error:
        log.warning("heartbeat_missed", error=type(error).__name__)
    finally:
        connections.close_all()  # this thread's own
