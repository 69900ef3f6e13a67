"""One import per web process at a time: the others keep answering people who sign in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.methods.csv_import.models import Import

_turn = threading.Lock()


class Pieces:
    """The pieces of a result file; gives the turn back when read to the end, or when the reader goes away."""

    def __init__(self, source: Import, pieces: Iterator[str]) -> None:
        self.source = source
        self._pieces = pieces
        self._held = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Called by Django when the connection ends, however it ends."""
        if self._held:
            self._held = False
            _turn.release()


def take(start: Callable[[], Import], write: Callable[[Import], Iterator[str]]) -> Pieces:
    """Start an import when no other is running here. Raises UsherError (import_busy), and what ``start`` raises."""
    if not _turn.acquire(blocking=False):
        raise UsherError(Reason.IMPORT_BUSY())
    try:
        source = start()
    except BaseException:
        _turn.release()
        raise
    return Pieces(source, write(source))
