"""Is the database as this version of Usher wants it? And how it becomes so, once, whoever else tries at that moment."""

from __future__ import annotations

import fcntl
import io
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from usher.core import restored

Step = tuple[str, str]  # the label of an app and the name of a migration

CONTRACT = re.compile(r"\d{4}_contract_")
# Tables in which a new database has rows, or gets them without anybody being in it.
FILLED_BY_THEMSELVES = frozenset(
    {"django_migrations", "django_content_type", "auth_permission", "core_bucket", "core_switch"}
)
LOCK = 0x7573686572  # "usher": the number of our advisory lock on PostgreSQL
LOOK_AGAIN = 0.2  # seconds


class NewerDatabaseError(Exception):
    """The database was brought further by a newer Usher."""


@lru_cache(maxsize=1)
def wanted() -> frozenset[Step]:
    """Every migration that is installed, by the names of the files: importing them all is slow."""
    found = set()
    for app in apps.get_app_configs():
        folder = Path(app.path) / "migrations"
        found |= {(app.label, file.stem) for file in folder.glob("[0-9]*.py")}
    return frozenset(found)


def applied() -> frozenset[Step]:
    """What the database says was done to it; two small queries."""
    return frozenset(MigrationRecorder(connection).applied_migrations())


def missing() -> list[Step]:
    return sorted(wanted() - applied())


def pending() -> bool:
    """Whether a migration is missing, or the end of a restore; two small queries."""
    done = applied()
    return not wanted() <= done or restored.is_unfinished(done)


def unknown(steps: Iterable[Step]) -> list[Step]:
    """Those that this version does not have, so that a newer one must have done them.

    Of other people's apps only those are looked at that are not here at all: they sometimes drop old migrations.
    """
    others = {app.label for app in apps.get_app_configs() if not app.name.startswith("usher.")}
    return sorted(step for step in set(steps) - wanted() if step[0] not in others | {restored.MARK})


def refuse_newer() -> None:
    """Raises NewerDatabaseError when a newer Usher has been here."""
    newer = unknown(applied())
    if newer:
        raise NewerDatabaseError(_newer_sentence(newer))


def refuse_contracted() -> None:
    """Old code runs on a database that was only expanded. Raises NewerDatabaseError when something was taken away."""
    taken = [step for step in unknown(applied()) if CONTRACT.match(step[1])]
    if taken:
        raise NewerDatabaseError(_newer_sentence(taken))


def migrate(tell: Callable[[str], None] = lambda _line: None) -> None:
    """Bring the database up to date, one process at a time. Raises NewerDatabaseError and changes nothing then."""
    with _alone():
        refuse_newer()
        if missing():  # another may have done it while we waited
            call_command("migrate", interactive=False, verbosity=1, no_color=True, stdout=_Lines(tell))
        restored.finish(applied())


def _newer_sentence(steps: list[Step]) -> str:
    names = ", ".join(".".join(step) for step in steps[:3]) + (" and more" if len(steps) > 3 else "")
    return (
        f"The database belongs to a newer Usher ({names} is unknown here). "
        "Install that version, or restore a backup that was made with this one."
    )


class _Lines(io.TextIOBase):
    """Takes what Django's command writes, and passes on a line for each migration that is done."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._line = ""

    def write(self, text: str) -> int:
        *whole, self._line = (self._line + text).split("\n")
        for line in whole:
            before, applying, rest = line.partition("Applying ")
            if applying and not before.strip():
                self._tell(f"Applied {rest.partition('...')[0]}")
        return len(text)


# One at a time


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for whoever migrates this database now: a lock on a file for SQLite, on the server for PostgreSQL."""
    if connection.vendor == "postgresql":
        with _alone_on_postgresql():
            yield
    elif in_memory():
        yield
    else:
        with _alone_on(Path(f"{connection.settings_dict['NAME']}.lock")):
            yield


def in_memory() -> bool:
    name = str(connection.settings_dict["NAME"])
    return name == ":memory:" or "mode=memory" in name


@contextmanager
def _alone_on(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _alone_on_postgresql() -> Iterator[None]:
    """A lock that lives as long as a transaction of a second connection: right through PgBouncer too.

    It is asked for again and again, each time in a transaction of its own. Who waited inside a statement would hold a
    snapshot, CREATE INDEX CONCURRENTLY waits for every snapshot, and so the two would wait for each other for ever;
    who waited inside a transaction would keep one of the pooler's few connections from whoever has the lock.
    """
    keeper = connection.copy()
    try:
        keeper.set_autocommit(False)
        while not _try_lock(keeper):
            keeper.rollback()
            time.sleep(LOOK_AGAIN)
        yield
    finally:
        keeper.close()


def _try_lock(keeper: BaseDatabaseWrapper) -> bool:
    with keeper.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone() == (True,))
