"""The database as we want it: durable, waiting instead of failing, made once by whoever comes first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.db.utils import ConnectionHandler
from django.test.utils import CaptureQueriesContext

from usher.core import databases, embedded, schema


@pytest.mark.django_db
def test_the_embedded_database_is_durable_and_keeps_no_temporary_files(tmp_path: Path) -> None:
    made = ConnectionHandler({"default": databases.sqlite(tmp_path / "here.sqlite3")})["default"]
    names = ("journal_mode", "synchronous", "foreign_keys", "temp_store", "busy_timeout")
    with made.cursor() as cursor:
        found = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    made.close()
    assert found == ["wal", 2, 1, 2, 20_000]


def test_postgresql_is_fit_for_a_pooler() -> None:
    made = databases.postgresql("postgresql://us%40er:p%2Fw@db.example:6432/the%20name?sslmode=require")
    assert [made[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "us@er",
        "p/w",
        "db.example",
        6432,
        "the name",
    ]
    assert made["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert made["OPTIONS"]["sslmode"] == "require"


@pytest.mark.django_db
def test_nothing_is_pending_and_asking_is_cheap() -> None:
    with CaptureQueriesContext(connection) as queries:
        embedded.ensure()
        assert not schema.pending()
    assert len(queries) <= 4


@pytest.mark.django_db
def test_a_new_migration_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    more = schema.wanted() | {("people", "9999_one_more")}
    monkeypatch.setattr(schema, "wanted", lambda: more)
    assert schema.pending()


@pytest.mark.proof
def test_commands_that_start_at_once_make_one_database(tmp_path: Path) -> None:
    environ = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | {"USHER_DATA_DIR": str(tmp_path / "var")}
    command = [sys.executable, "-m", "usher", "migrate"]
    runs = [subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    said = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0] * 6, said
