"""The file of --out: for this user alone, written as .part, in its place only when it is whole."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from usher.cli.base import InputError
from usher.core.errors import UsherError
from usher.core.reasons import Reason


class StoppedError(click.ClickException):
    """The work stopped half-way: neither done, nor refused before it began."""

    exit_code = 3


class ResultFile:
    """An open ``.part``; :meth:`deliver` makes it the file that was asked for."""

    def __init__(self, path: Path, part: Path, handle: int) -> None:
        self.path = path
        self.delivered = False
        self._part = part
        self._handle = handle

    def write(self, text: str) -> None:
        content = memoryview(text.encode())
        while content:
            content = content[os.write(self._handle, content) :]

    def start_again(self) -> None:
        """Forget what was written: its transaction is tried once more."""
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)

    def sync(self) -> None:
        os.fsync(self._handle)

    def deliver(self) -> None:
        """On disk first, under its name after: a power cut leaves the whole file or none of that name."""
        self.sync()
        self._part.rename(self.path)
        _sync_folder(self.path.parent)
        self.delivered = True


@contextmanager
def open_result(path: Path) -> Iterator[ResultFile]:
    """Refuses a file that exists; a left-over .part of a killed run is replaced. Raises UsherError: file_exists."""
    part = path.with_name(f"{path.name}.part")
    try:
        handle = _open_alone(path, part)
    except OSError as error:
        raise InputError(f"Cannot write {path} ({error.strerror}). Choose another file with --out.") from None
    file = ResultFile(path, part, handle)
    try:
        yield file
    except OSError as error:
        raise StoppedError(f"Writing {part} stopped ({error.strerror}). Make room and run this again.") from None
    finally:
        if not file.delivered:
            _drop_when_empty(part, handle)
        os.close(handle)


def _open_alone(path: Path, part: Path) -> int:
    """The .part, emptied, held by a lock against a second run that writes the same file."""
    if path.exists() or path.is_symlink():
        raise UsherError(Reason.FILE_EXISTS("out", path=str(path)))
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between open and lock another run may have delivered its .part: that file is no longer ours to write.
        if path.exists() or not os.path.samestat(os.fstat(handle), part.stat()):
            raise BlockingIOError
        os.fchmod(handle, 0o600)
        os.ftruncate(handle, 0)
    except BlockingIOError:
        os.close(handle)
        raise InputError(f"Another run is writing {path}. Wait for it, or choose another file with --out.") from None
    return handle


def _drop_when_empty(part: Path, handle: int) -> None:
    """A run refused before its first line leaves nothing behind."""
    if not os.fstat(handle).st_size:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
