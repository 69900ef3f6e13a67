"""A backup: one archive file that holds the database and a manifest which says what is in it. Never a key.

The archive is a ZIP file with two members, ``database`` (a SQLite file, or what pg_dump writes in its own format)
and ``manifest.json``, so that anybody can look inside with what every machine has.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import shlex
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from django.db import connection

from usher.core import pepper, schema

FORMAT = 1
MANIFEST, DATABASE = "manifest.json", "database"
PIECE = 1 << 20
KEYS = (
    "# The keys of Usher, made by `usher backup`. Settings in the form of an environment file; docs/admin/backup.md\n"
)


class BackupError(Exception):
    """A backup or a restore cannot be done; the sentence says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What a database says of the copy that was made of it."""

    kind: str  # "sqlite" or "postgresql"
    made_with: str
    migrations: tuple[schema.Step, ...]
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in an archive. ``peppers`` are the ids of the peppers of then, the current one first."""

    format: int
    usher: str
    made_at: str
    kind: str
    made_with: str
    migrations: tuple[schema.Step, ...]
    rows: Mapping[str, int]
    peppers: tuple[str, ...]
    bytes: int
    sha256: str

    @property
    def time(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.made_at)


# Files


@contextmanager
def draft(path: Path) -> Iterator[IO[bytes]]:
    """A file for this user alone, written as .part and named when it is whole. An existing one is never replaced.

    Raises BackupError for that, and for a place where nothing can be written.
    """
    if path.exists() or path.is_symlink():
        raise BackupError(f"The file {path} exists already. Choose another name, or move the old file away.")
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)  # of a run that was killed
        with open_alone(part) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)  # fails when the name was taken meanwhile
        sync_folder(path.parent)
    except OSError as error:
        raise BackupError(f"Cannot write {path} ({error.strerror or error}).") from None
    finally:
        part.unlink(missing_ok=True)


def open_alone(path: Path) -> IO[bytes]:
    """A new file that only this user can read."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w+b")


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_keys(path: Path, keys: Mapping[str, str]) -> None:
    """The keys, in a file apart. Raises BackupError."""
    with draft(path) as file:
        file.write((KEYS + "".join(f"{name}={_quoted(value)}\n" for name, value in keys.items())).encode())


def _quoted(value: str) -> str:
    """As shells and systemd read it; container engines take the line as it is, and most values need no quotes."""
    return value if re.fullmatch(r"[\w.,:+/=@-]*", value, re.ASCII) else shlex.quote(value)


# Making


def pack(file: IO[bytes], database: Path, copy: Copy, made_at: dt.datetime) -> Manifest:
    """Write an archive with the copy of a database."""
    # pg_dump compresses by itself.
    method = zipfile.ZIP_DEFLATED if copy.kind == "sqlite" else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method, compresslevel=1) as archive:
        with database.open("rb") as source, archive.open(DATABASE, "w", force_zip64=True) as target:
            size, digest = _pour(source, target)
        manifest = Manifest(
            FORMAT, version("usher"), made_at.isoformat(timespec="seconds"), copy.kind, copy.made_with,
            copy.migrations, copy.rows, pepper.ids(), size, digest,
        )  # fmt: skip
        archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
    return manifest


def _pour(source: IO[bytes], target: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while piece := source.read(PIECE):
        target.write(piece)
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


# Reading


def read_manifest(path: Path) -> Manifest:
    """What an archive says of itself. Raises BackupError for what is no archive, or one of a newer Usher."""
    try:
        with zipfile.ZipFile(path) as archive:
            told = json.loads(archive.read(MANIFEST))
        if told["format"] > FORMAT:
            raise BackupError(f"{path} was made by a newer Usher ({told['usher']}). Restore it with that version.")
        manifest = _manifest(told)
    except OSError as error:
        raise BackupError(f"Cannot read {path} ({error.strerror}).") from None
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError):
        raise BackupError(f"{path} is not a backup of Usher, or it is damaged. Take another one.") from None
    return manifest


def _manifest(told: dict[str, Any]) -> Manifest:
    steps = tuple((str(app), str(name)) for app, name in told.pop("migrations"))
    manifest = Manifest(**told | {"migrations": steps, "peppers": tuple(told["peppers"])})
    if manifest.time.tzinfo is None:
        raise ValueError
    return manifest


def unpack(path: Path, manifest: Manifest, target: Path) -> None:
    """The database out of an archive, into a new file. Raises BackupError when a single bit is not as it was."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(DATABASE) as source, open_alone(target) as file:
            found = _pour(source, file)
            file.flush()
            os.fsync(file.fileno())
    except (zipfile.BadZipFile, EOFError, KeyError, ValueError):
        found = (0, "")
    except OSError as error:
        raise BackupError(f"Cannot write {target} ({error.strerror}). Make room and do it again.") from None
    if found != (manifest.bytes, manifest.sha256):
        raise BackupError(f"{path} is damaged: its content is not what was put into it. Take another one.")


def check_fits(manifest: Manifest, *, without_passwords: bool) -> list[str]:
    """What should be said before a restore into this database. Raises BackupError when it cannot be done."""
    if manifest.kind != connection.vendor:
        raise BackupError(
            f"This is a backup of a {NAMES[manifest.kind]} database, and DATABASE_URL leads to "
            f"{NAMES[connection.vendor]}. Restore it where it came from."
        )
    unknown = schema.unknown(manifest.migrations)
    if unknown:
        raise BackupError(f"The backup was made by a newer Usher ({manifest.usher}). Restore it with that version.")
    return list(_about_peppers(manifest, without_passwords=without_passwords))


def _about_peppers(manifest: Manifest, *, without_passwords: bool) -> Iterator[str]:
    here = pepper.ids()
    if manifest.peppers[0] not in here and not without_passwords:
        raise BackupError(
            "USHER_PEPPER is not the one of this backup, so no password in it would work. Give Usher the keys that "
            "were saved with it, or, if they are lost, restore with --without-passwords: then everybody needs a "
            "new password."
        )
    if manifest.peppers[0] not in here:
        yield "USHER_PEPPER is not the one of this backup: no password works until it is set anew."
    elif not set(manifest.peppers) <= set(here):
        yield "An older pepper of this backup is missing in USHER_PEPPER: passwords not used since it changed are lost."


NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
