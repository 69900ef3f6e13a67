"""A circuit breaker: whoever does not answer is left alone for a while, so that no thread waits for him in vain.

Each process has its own. After five failures in a row within a minute an origin rests for half a minute; then one
try is let through, and what becomes of it decides.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from usher.core import clock
from usher.core.egress import FetchError

FAILURES: Final = 5
WITHIN: Final = dt.timedelta(minutes=1)
REST: Final = dt.timedelta(seconds=30)
MOST: Final = 1000  # origins that are remembered

Origin = tuple[str, str, int]  # scheme, host, port


@dataclass(slots=True)
class _Trouble:
    failures: deque[dt.datetime] = field(default_factory=lambda: deque(maxlen=FAILURES))
    rests_until: dt.datetime | None = None


class _Board:
    """The origins in trouble."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.troubles: dict[Origin, _Trouble] = {}


_board = _Board()


def check(origin: Origin) -> None:
    """Raises FetchError (resting). Who passes must tell how it went: ``failed`` or ``worked``."""
    now = clock.now()
    with _board.lock:
        trouble = _board.troubles.get(origin)
        if trouble is None or trouble.rests_until is None:
            return
        if now >= trouble.rests_until:
            trouble.rests_until = now + REST  # for all others: this one tries
            return
    raise FetchError("resting", f"{origin[1]} did not answer several times; it is asked again in half a minute.")


def failed(origin: Origin) -> None:
    now = clock.now()
    with _board.lock:
        trouble = _board.troubles.setdefault(origin, _Trouble())
        trouble.failures.append(now)
        if len(trouble.failures) == FAILURES and trouble.failures[0] > now - WITHIN:
            trouble.rests_until = now + REST
        if len(_board.troubles) > MOST:
            del _board.troubles[next(iter(_board.troubles))]


def worked(origin: Origin) -> None:
    with _board.lock:
        _board.troubles.pop(origin, None)


def _begin_anew() -> None:
    """A forked process must not inherit a lock that another thread held at that moment."""
    global _board  # noqa: PLW0603
    _board = _Board()


os.register_at_fork(after_in_child=_begin_anew)
