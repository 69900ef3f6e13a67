"""One import per web process at a time: the others keep answering people who sign in."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle import userlist
from usher.methods.csv_import.models import Import

PATIENCE = 30.0  # seconds that a reader may take for one piece while others ask for the turn

_turn = threading.Lock()
_guard = threading.RLock()  # held for a moment, to look at a hold or to change it; its own thread may collect garbage
_holds: list[Hold] = []  # at most one


class Hold:
    """Who has the turn. ``read_since`` is when its reader was given a piece, None while one is being made."""

    def __init__(self) -> None:
        self.is_mine = True
        self.read_since: float | None = time.monotonic()
        _holds[:] = [self]

    def stands_still(self) -> bool:
        return self.read_since is not None and time.monotonic() - self.read_since > PATIENCE

    def go_on(self) -> bool:
        """The reader wants the next piece; False when another has the turn by now."""
        with _guard:
            self.read_since = None
            return self.is_mine

    def give_back(self) -> None:
        with _guard:
            if self.is_mine:
                self.is_mine = False
                _holds.clear()
                _turn.release()


class Pieces:
    """The pieces of a result file; gives the turn back when read to the end, or when the reader goes away.

    The server makes the next piece only when the reader has taken most of the last ones. One who stops reading
    and stays would hold the turn for ever: so he loses it to the next who asks, and his list says that it stops.
    """

    def __init__(self, source: Import, pieces: Iterator[str]) -> None:
        self.source = source
        self._pieces = pieces
        self._hold = Hold()
        self._ended = False
        # An answer that is thrown away before it is sent, because another took its place, is never closed.
        weakref.finalize(self, self._hold.give_back)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._ended:
            raise StopIteration
        if not self._hold.go_on():
            self._ended = True
            return userlist.stopped()
        try:
            piece = next(self._pieces)
        except BaseException:
            self.close()
            raise
        self._hold.read_since = time.monotonic()
        return piece

    def close(self) -> None:
        """Called by Django when the connection ends, however it ends."""
        self._ended = True
        self._hold.give_back()


def take(start: Callable[[], Import], write: Callable[[Import], Iterator[str]]) -> Pieces:
    """Start an import when no other is running here. Raises UsherError (import_busy), and what ``start`` raises."""
    with _guard:
        if _holds and _holds[0].stands_still():
            _holds[0].give_back()
        if not _turn.acquire(blocking=False):
            raise UsherError(Reason.IMPORT_BUSY())
    try:
        source = start()
    except BaseException:
        _turn.release()
        raise
    return Pieces(source, write(source))
