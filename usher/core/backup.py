"""Backup and restore of whatever database there is; archive.py says what a backup file is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.db import DatabaseError

from usher.core import backup_postgresql, backup_sqlite, clock, embedded, switches
from usher.core.archive import Copy, Manifest, check_fits, draft, open_alone, pack, read_manifest


def make(path: Path) -> Manifest:
    """Write a backup to a new file, while everybody works on. Raises BackupError."""
    made_at = clock.now()
    with draft(path) as file, _beside(path) as copied:
        manifest = pack(file, copied, _copy(copied), made_at)
    with suppress(DatabaseError):  # before the first migrate of this version there may be no switches
        switches.turn(switches.BACKED_UP, on=True)
    return manifest


def restore(path: Path, *, replace: bool, without_passwords: bool) -> tuple[Manifest, list[str]]:
    """Put a backup in the place of the database. Raises BackupError.

    Returns what was in it and what has to be said. Sessions and links have ended, and the outbox is paused.
    """
    manifest = read_manifest(path)
    said = check_fits(manifest, without_passwords=without_passwords)
    here = embedded.path()
    if here is None:
        backup_postgresql.restore(path, manifest, replace=replace)
    else:
        backup_sqlite.restore(here, path, manifest, replace=replace)
        embedded.hold(here)
    return manifest, said


def _copy(target: Path) -> Copy:
    here = embedded.path()
    if here is None:
        return backup_postgresql.copy(target)
    embedded.hold(here)
    return backup_sqlite.copy(here, target)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A file for the bare copy, on the same disk and for as short a time as can be."""
    copied = path.with_name(f"{path.name}.copy")
    copied.unlink(missing_ok=True)  # of a run that was killed
    try:
        open_alone(copied).close()
        yield copied
    finally:
        copied.unlink(missing_ok=True)
