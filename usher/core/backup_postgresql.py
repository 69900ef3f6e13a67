"""Backup and restore of a PostgreSQL database, by PostgreSQL's own tools."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

from usher.core import restored, schema
from usher.core.archive import PIECE, BackupError, Copy, Manifest, unpack
from usher.core.snapshot import snapshot

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'usher' "
    "AND pid <> pg_backend_pid()"
)
PATIENCE = "10s"  # for somebody who still reads a table that is to be replaced


def copy(target: Path) -> Copy:
    """A copy as of one moment while everybody goes on reading and writing. Raises BackupError."""
    _refuse_pooler()
    tool, words = _tool("pg_dump")
    with snapshot():
        shared = _value("SELECT pg_export_snapshot()")
        rows = {table: _value(f'SELECT count(*) FROM "{table}"') for table in _tables()}  # noqa: S608
        if "django_migrations" not in rows:
            raise BackupError("There is nothing in the database yet, so there is nothing to back up.")
        command = [
            tool, "--format=custom", f"--snapshot={shared}", "--no-owner", "--no-privileges",
            f"--schema={_value('SELECT current_schema()')}", f"--file={target}", f"--dbname={_address()}",
        ]  # fmt: skip
        _run(command)
        steps = tuple(sorted(schema.applied()))
    return Copy("postgresql", words, steps, rows)


def restore(archive: Path, manifest: Manifest, *, replace: bool) -> None:
    """Put a backup in the place of what is in the database. Raises BackupError, and then nothing has changed.

    The data and a mark that the end is missing (core/restored.py) come in one transaction; then that end.
    """
    _refuse_pooler()
    if _value(OTHERS):
        raise BackupError("Usher is running on this database. Stop it first, on every machine, then do this again.")
    if not replace and _holds_rows():
        raise BackupError("The database has data in it. Restore with --replace to lose them, or into an empty one.")
    tools = _tool("pg_restore")[0], _tool("psql")[0]
    with tempfile.TemporaryDirectory(prefix="usher-restore-") as folder:
        dump = Path(folder) / "database"
        unpack(archive, manifest, dump)
        _write(tools, dump, manifest)
    schema.migrate()


# Asking the server


def _value(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return row[0] if row else None


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        return [name for (name,) in cursor.fetchall()]


def _holds_rows() -> bool:
    tables = [table for table in _tables() if table not in schema.FILLED_BY_THEMSELVES]
    return any(_value(f'SELECT 1 FROM "{table}" LIMIT 1') for table in tables)  # noqa: S608


def _refuse_pooler() -> None:
    """The tools set what holds for a session, and a pooler would hand that session on to others.

    A pooler answers for the server with a process number of its own making.
    """
    real = _value("SELECT pg_backend_pid()")
    if connection.connection.info.backend_pid != real:
        raise BackupError(
            "DATABASE_URL leads through a connection pooler. Give backup and restore the address of the server itself."
        )


# The tools


def _tool(name: str) -> tuple[str, str]:
    """Where a tool is, and what it calls itself. Raises BackupError when it is missing or too old for the server."""
    server = connection.cursor().connection.info.server_version // 10_000
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is not installed. Install PostgreSQL's client {server}, then do this again.")
    words = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    number = re.search(r"(\d+)", words)
    if number is None or int(number[1]) < server:
        raise BackupError(f"{words} is too old for the server. Install PostgreSQL's client {server} or newer.")
    return found, words


def _address() -> str:
    """Where the database is, as the tools take it. The password is not in it: others can see our words."""
    given = connection.settings_dict
    options = given["OPTIONS"] | {"application_name": "usher backup"}
    parts = {"host": given["HOST"], "port": given["PORT"], "user": given["USER"], "dbname": given["NAME"]}
    return make_conninfo(**{key: value for key, value in (parts | options).items() if value})


def _environ() -> dict[str, str]:
    password = str(connection.settings_dict["PASSWORD"])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | ({"PGPASSWORD": password} if password else {})


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, env=_environ(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise _broke(command[0], done.stderr)


def _broke(tool: str, said: str) -> BackupError:
    last = next((line for line in reversed(said.splitlines()) if "ERROR" in line or "error" in line), said.strip())
    return BackupError(f"{Path(tool).name} could not do it: {last.strip()[:300]}. Nothing has changed.")


def _write(tools: tuple[str, str], dump: Path, manifest: Manifest) -> None:
    """One transaction: away with the old tables, the new ones, the mark. It is committed by its last line only."""
    here = str(_value("SELECT current_schema()"))
    script = [tools[0], "--no-owner", "--no-privileges", "--exit-on-error", f"--schema={here}", "--file=-", str(dump)]
    takes = [tools[1], "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={_address()}"]
    before, after = _first_words(), _last_words(here, manifest)
    connection.close()
    with _psql(takes) as told:
        told.write(before)
        with subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as source:
            while source.stdout and (piece := source.stdout.read(PIECE)):
                told.write(piece)
        if source.returncode:
            raise BackupError("The database in the backup is damaged. Nothing has changed; take another one.")
        told.write(after)


@contextmanager
def _psql(command: Sequence[str]) -> Iterator[IO[bytes]]:
    """psql, reading from us. Raises BackupError with what it said when it stops before its end."""
    with tempfile.TemporaryFile() as said, _reading(command, said) as psql:
        with suppress(BrokenPipeError):
            if psql.stdin:
                yield psql.stdin
        with suppress(BrokenPipeError):
            psql.communicate()
        if psql.returncode:
            said.seek(0)
            raise _broke(command[0], said.read().decode(errors="replace"))


@contextmanager
def _reading(command: Sequence[str], said: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is gone when we are done, however that came."""
    psql = subprocess.Popen(command, env=_environ(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)
    try:
        yield psql
    finally:
        if psql.poll() is None:
            psql.kill()  # what it has not committed is undone by the server
        with suppress(BrokenPipeError):
            psql.communicate()


def _first_words() -> bytes:
    drops = [sql.SQL("DROP TABLE {} CASCADE;").format(sql.Identifier(table)) for table in _tables()]
    words = sql.SQL("\n").join([sql.SQL(f"BEGIN; SET LOCAL lock_timeout = '{PATIENCE}';"), *drops, sql.SQL("")])
    return words.as_bytes(None)


def _last_words(here: str, manifest: Manifest) -> bytes:
    mark = sql.SQL("INSERT INTO {} (app, name, applied) VALUES ({}, {}, now()); COMMIT;\n").format(
        sql.Identifier(here, "django_migrations"), sql.Literal(restored.MARK), sql.Literal(manifest.made_at)
    )
    return mark.as_bytes(None)
