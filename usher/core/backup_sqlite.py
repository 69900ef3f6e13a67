"""Backup and restore of the embedded database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

from usher.core import embedded, restored, schema
from usher.core.archive import BackupError, Copy, Manifest, sync_folder, unpack

IN_USE = "Usher is running on this database. Stop it first, and every other usher command, then do this again."


def copy(here: Path, target: Path) -> Copy:
    """A copy as of one moment while everybody goes on reading and writing. Raises BackupError.

    VACUUM INTO reads in one transaction, and leaves out what was deleted and still lies in free pages.
    """
    if not here.exists():
        raise BackupError(f"There is no database in {here.parent} yet, so there is nothing to back up.")
    try:
        with closing(sqlite3.connect(here, timeout=20, isolation_level=None)) as source:
            source.execute("VACUUM INTO ?", [str(target)])
        with _opened(target) as made:
            rows = _counts(made)
            steps = made.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
    except sqlite3.Error as error:
        raise BackupError(f"The database cannot be copied ({error}).") from None
    return Copy("sqlite", f"SQLite {sqlite3.sqlite_version}", tuple(steps), rows)


def restore(here: Path, archive: Path, manifest: Manifest, *, replace: bool) -> None:
    """Put a backup in the place of the database. Raises BackupError, and then nothing has changed.

    All is done on a file beside it, which takes the place in one step when it is right and up to date.
    """
    try:
        embedded.prepare_folder(here)
        with embedded.alone(here):
            if not replace and _holds_rows(here):
                raise BackupError(f"{here} has data in it. Restore with --replace to lose them, or elsewhere.")
            with _beside(here) as new:
                unpack(archive, manifest, new)
                _check(new, manifest)
                _mark(new, manifest)
                with _on(new):
                    schema.migrate()
                _take_place(new, here)
    except embedded.InUseError:
        raise BackupError(IN_USE) from None
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"The database cannot be restored ({error}). Nothing has changed.") from None


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=20)) as opened, opened:
        yield opened


def _tables(database: sqlite3.Connection) -> list[str]:
    found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return sorted(name for (name,) in found)


def _counts(database: sqlite3.Connection) -> dict[str, int]:
    return {table: database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in _tables(database)}  # noqa: S608


def _holds_rows(here: Path) -> bool:
    """Whether anything is in it but what every new database has."""
    if not here.exists():
        return False
    try:
        with _opened(here) as old:
            tables = [table for table in _tables(old) if table not in schema.FILLED_BY_THEMSELVES]
            return any(old.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone() for table in tables)  # noqa: S608
    except sqlite3.DatabaseError:
        return True  # broken, so something is in it


@contextmanager
def _beside(here: Path) -> Iterator[Path]:
    new = here.with_name(f"{here.name}.restoring")
    _remove(new)  # of a run that was killed
    try:
        yield new
    finally:
        _remove(new)


def _remove(path: Path) -> None:
    for name in _files(path):
        name.unlink(missing_ok=True)


def _files(path: Path) -> list[Path]:
    return [path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm", ".lock"))]


def _check(new: Path, manifest: Manifest) -> None:
    with _opened(new) as database:
        whole = database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        whole = whole and not database.execute("PRAGMA foreign_key_check").fetchone()
        counted = _counts(database)
    if not whole or counted != manifest.rows:
        raise BackupError("The database in the backup is damaged. Take another one.")


def _mark(new: Path, manifest: Manifest) -> None:
    with _opened(new) as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)",
            [restored.MARK, manifest.made_at, manifest.made_at],
        )


@contextmanager
def _on(path: Path) -> Iterator[None]:
    """Everything that asks Django for the database meets this one."""
    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _take_place(new: Path, here: Path) -> None:
    """The log of the old database must be gone before: SQLite would write it into the new one."""
    with closing(sqlite3.connect(new)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode=DELETE")
    try:
        with closing(sqlite3.connect(here)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError:
        pass  # it is broken, and that is why it is replaced
    for log in _files(here)[1:3]:
        log.unlink(missing_ok=True)
    _sync(new)
    sync_folder(here.parent)
    new.replace(here)
    sync_folder(here.parent)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
