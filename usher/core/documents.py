"""JSON documents of others that change seldom, kept in this process: metadata and keys of providers."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from usher.core import clock, fetch

T = TypeVar("T")

STALE: Final = dt.timedelta(hours=24)  # how old one may be when there is no newer
PAUSE: Final = dt.timedelta(minutes=1)  # between two tries, when there is one to go on with
MOST: Final = 200  # documents

Parse = Callable[[Any], Any]


@dataclass(slots=True)
class _Document:
    """``tries`` lets whoever waited for another thread know that it has asked, and ``error`` how that ended.

    The lock is for asking, not for reading.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    value: Any = None
    read_at: dt.datetime | None = None
    tried_at: dt.datetime | None = None
    renewed_at: dt.datetime | None = None
    tries: int = 0
    error: Exception | None = None


class _Shelf:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.documents: OrderedDict[tuple[str, Parse], _Document] = OrderedDict()

    def take(self, url: str, parse: Parse) -> _Document:
        with self.lock:
            document = self.documents.setdefault((url, parse), _Document())
            self.documents.move_to_end((url, parse))
            if len(self.documents) > MOST:
                self.documents.popitem(last=False)
            return document


_shelf = _Shelf()


def _as_it_is(read: Any) -> Any:
    return read


def get(url: str, *, lasts: float = 3600, parse: Callable[[Any], T] = _as_it_is) -> T:
    """The document, not older than ``lasts`` seconds; up to a day old when it cannot be had anew.

    What ``parse`` makes of it is kept too, so it should be one and the same function each time. Raises FetchError,
    and what ``parse`` raises.
    """
    document, now = _shelf.take(url, parse), clock.now()
    if not _is_younger(document.read_at, dt.timedelta(seconds=lasts), now) and not _must_do(document, now):
        _ask(document, url, parse, now)
    value: T = document.value
    return value


def renewed(url: str, *, parse: Callable[[Any], T] = _as_it_is) -> T:
    """The document of now, asked for at most once a minute: in between, the kept one. Raises as ``get``."""
    document, now = _shelf.take(url, parse), clock.now()
    with _shelf.lock:
        again = _is_usable(document, now) and _is_younger(document.renewed_at, PAUSE, now)
        if not again:
            document.renewed_at = now
    if again:
        with document.lock:  # somebody may be asking just now
            pass
    else:
        _ask(document, url, parse, now)
    value: T = document.value
    return value


def forget() -> None:
    """Keep nothing."""
    global _shelf  # noqa: PLW0603
    _shelf = _Shelf()


# A forked process must not inherit a lock that another thread held at that moment.
os.register_at_fork(after_in_child=forget)


def _is_younger(then: dt.datetime | None, age: dt.timedelta, now: dt.datetime) -> bool:
    return then is not None and now - then < age


def _is_usable(document: _Document, now: dt.datetime) -> bool:
    return _is_younger(document.read_at, STALE, now)


def _must_do(document: _Document, now: dt.datetime) -> bool:
    """An old one does while somebody asks for the new one, and for a while after nobody could get it."""
    failed = document.error is not None and _is_younger(document.tried_at, PAUSE, now)
    return _is_usable(document, now) and (failed or document.lock.locked())


def _ask(document: _Document, url: str, parse: Parse, now: dt.datetime) -> None:
    """Ask, or wait for whoever asks already and share what he gets. Raises his error if nothing usable is kept."""
    tries = document.tries
    with document.lock:
        if document.tries == tries:
            document.tried_at = now
            document.error = _try(document, url, parse, now)
            document.tries += 1
        if document.error is not None and not _is_usable(document, now):
            raise document.error.with_traceback(None)


def _try(document: _Document, url: str, parse: Parse, now: dt.datetime) -> Exception | None:
    try:
        answer = fetch.get(url)
        if answer.status != 200:
            return fetch.FetchError("bad_status", f"{url[:200]} answered with the status {answer.status}.")
        document.value = parse(answer.json())
        document.read_at = now
    except Exception as error:  # of parse as well: its sentence is as good
        return error
    return None
