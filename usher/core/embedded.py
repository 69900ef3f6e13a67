"""The embedded database: made and migrated by whichever command comes first, under a lock."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from usher.config import ConfigError
from usher.core import schema


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _in_memory(name: str) -> bool:
    return name == ":memory:" or "mode=memory" in name


def ensure() -> None:
    """Have a database that is up to date; nearly free when it is. PostgreSQL is left to `usher migrate`."""
    if connection.vendor != "sqlite" or _in_memory(connection.settings_dict["NAME"]):
        return
    path = Path(connection.settings_dict["NAME"])
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and not schema.pending():
            return
        with _alone(path.with_name(f"{path.name}.lock")):
            if schema.pending():  # the winner has done it for all
                schema.migrate()
    except OSError as error:
        raise ConfigError(
            f"Usher cannot keep its database in {path.parent} ({error.strerror}); set USHER_DATA_DIR "
            "to a directory it may write to."
        ) from None
