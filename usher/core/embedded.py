"""The embedded database: made and migrated by whichever command comes first, held by all who use it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from usher.core import schema
from usher.core.given import ConfigError

_held: dict[Path, int] = {}


class InUseError(Exception):
    """Somebody uses the embedded database, and would not see that another took its place."""


def path() -> Path | None:
    """Where the embedded database is; None on PostgreSQL and in memory."""
    if connection.vendor != "sqlite" or schema.in_memory():
        return None
    return Path(connection.settings_dict["NAME"])


def ensure() -> None:
    """Have a database that is up to date; nearly free when it is. PostgreSQL is left to `usher migrate`."""
    here = claim()
    if here is None:
        return
    if not here.exists() or schema.pending():
        schema.migrate()


def claim() -> Path | None:
    """Have a place for the embedded database, and say that it is used. Raises ConfigError."""
    here = path()
    if here is not None:
        try:
            prepare_folder(here)
            hold(here)
        except OSError as error:
            raise _cannot_keep(here, error) from None
    return here


def missing() -> list[schema.Step]:
    """Migrations that are yet to be done; no file is made by asking."""
    here = path()
    return schema.missing() if here is None or here.exists() else sorted(schema.wanted())


def prepare_folder(here: Path) -> None:
    here.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def hold(here: Path) -> None:
    """Say that this process uses the database, until it ends; its forks say it too, however it ends."""
    if here in _held:
        return
    handle = _open(here)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ConfigError("The database is being restored just now. Try again when that is done.") from None
    _held[here] = handle


@contextmanager
def alone(here: Path) -> Iterator[None]:
    """Nobody else uses the database meanwhile. Raises InUseError when somebody does."""
    handle = _open(here)
    try:
        _lock_alone(handle)
        yield
    finally:
        os.close(handle)


def _lock_alone(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InUseError from None


def _open(here: Path) -> int:
    return os.open(here.with_name(f"{here.name}.in-use"), os.O_RDWR | os.O_CREAT, 0o600)


def _cannot_keep(here: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"Usher cannot keep its database in {here.parent} ({error.strerror}); set USHER_DATA_DIR "
        "to a directory it may write to."
    )
