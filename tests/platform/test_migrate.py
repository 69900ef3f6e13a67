"""usher migrate: once, whoever else tries; what is missing is said; old code keeps off a newer database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from places import Place, Zygote, place
from places import zygote as loaded

COUNT = """
from django.db.migrations.recorder import MigrationRecorder
from django.db import connection
rows = MigrationRecorder(connection).migration_qs.values_list("app", "name")
answer([len(rows), len(set(rows))])
"""


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with loaded(tmp_path_factory.mktemp("zygote")) as started:
        yield started


@pytest.fixture
def empty(zygote: Zygote, tmp_path: Path) -> Iterator[Place]:
    with place(zygote, tmp_path / "var") as made:
        yield made


@pytest.fixture(scope="module")
def ready(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(zygote, tmp_path_factory.mktemp("ready")) as made:
        assert made.usher("migrate").code == 0
        yield made


@contextmanager
def done(place: Place, app: str, name: str) -> Iterator[None]:
    """A newer version has been here."""
    with place.sql() as connection:
        connection.execute(
            f"INSERT INTO django_migrations (app, name, applied) VALUES ('{app}', '{name}', '2026-11-01')"  # noqa: S608
        )
    try:
        yield
    finally:
        with place.sql() as connection:
            connection.execute(f"DELETE FROM django_migrations WHERE app = '{app}' AND name = '{name}'")  # noqa: S608


def test_it_says_what_it_does_and_then_has_nothing_to_do(empty: Place) -> None:
    missing = empty.usher("migrate", "--check")
    assert missing.code == 1
    assert {"core.0001_initial", "people.0001_initial"} <= set(missing.out.split())
    assert "run: usher migrate" in missing.err
    first = empty.usher("migrate")
    assert first.code == 0
    assert "Applied people.0001_initial\n" in first.err
    second = empty.usher("migrate")
    assert (second.code, second.err) == (0, "The database is up to date.\n")
    assert empty.usher("migrate", "--check").code == 0


def test_to_ask_makes_no_database(empty: Place) -> None:
    assert empty.usher("migrate", "--check").code == 1
    assert not empty.file.exists()


def test_machines_that_start_at_once_migrate_once(empty: Place) -> None:
    runs = [empty.process("migrate") for _ in range(4)]
    said = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, said
    assert [said.count("Applied people.0001_initial") for said in sorted(said)].count(1) == 1
    rows, different = empty.run(COUNT)
    assert rows == different > 10


@pytest.mark.parametrize("app", ["people", "a_room_of_tomorrow"])
def test_old_code_does_not_migrate_a_newer_database(ready: Place, app: str) -> None:
    with done(ready, app, "9998_more"):
        for words in (["migrate"], ["migrate", "--check"]):
            refused = ready.usher(*words)
            assert refused.code == 2
            assert f"belongs to a newer Usher ({app}.9998_more is unknown here)" in refused.err
            assert "Traceback" not in refused.err


def test_old_code_works_on_a_database_that_was_only_expanded(ready: Place) -> None:
    with done(ready, "people", "9998_more"):
        assert ready.usher("org", "list").code == 0


def test_old_code_keeps_off_a_database_from_which_something_was_taken(ready: Place) -> None:
    with done(ready, "people", "9999_contract_less"):
        for words in (["worker"], ["org", "list"]):
            refused = ready.usher(*words)
            assert refused.code == 2
            assert "belongs to a newer Usher" in refused.err


def test_nothing_works_before_the_first_migrate_and_the_sentence_says_so(empty: Place) -> None:
    if not empty.on_sqlite:
        refused = empty.usher("org", "list")
        assert (refused.code, refused.err) == (2, "Error: The database is not up to date; run: usher migrate\n")
        empty.usher("migrate")
    assert empty.usher("org", "list").code == 0


def test_migrations_that_others_dropped_are_no_sign_of_a_newer_version(ready: Place) -> None:
    with done(ready, "auth", "0000_squashed_long_ago"):
        assert ready.usher("migrate", "--check").code == 0
