"""The check of migrations finds each thing that would break the version which is still running."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.db import NotSupportedError, connection, models
from django.db.migrations import Migration
from django.db.migrations import operations as do
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from usher.core.operations import AddIndexOnline

LINT = runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools" / "lint_migrations.py"))


def state() -> ProjectState:
    """One table that is there already."""
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=40)),
        ("note", models.CharField(max_length=40, null=True)),
        ("places", models.PositiveIntegerField(db_default=0)),
    ]
    unique = models.UniqueConstraint(fields=["name"], name="one_name")
    least = models.CheckConstraint(condition=models.Q(places__gte=0), name="no_less")
    made = ModelState("school", "Room", fields, options={"constraints": [unique, least], "indexes": [
        models.Index(fields=["name"], name="by_name")]})  # fmt: skip
    return ProjectState({("school", "room"): made})


def migration(them: Sequence[Operation], name: str = "0002_more", doc: str = "", **attributes: Any) -> Migration:
    module = sys.modules.setdefault(f"tests_{name}", ModuleType(f"tests_{name}"))
    module.__doc__ = doc
    made = type("Migration", (Migration,), {"operations": list(them), "__module__": module.__name__, **attributes})
    return made(name, "school")  # type: ignore[no-any-return]


def faults(*them: Operation, **more: Any) -> list[str]:
    found: list[str] = LINT["faults"]("school", migration(them, **more), state())
    return found


def forwards(_apps: Apps, _editor: object) -> None:
    """Changes rows."""


CHAR = models.CharField
INDEX = models.Index(fields=["places"], name="by_places")
UNIQUE = models.UniqueConstraint(fields=["places"], name="one_place")

REFUSED: dict[str, tuple[Operation, str]] = {
    "remove a field": (do.RemoveField("room", "note"), "RemoveField room.note: the running version still uses it"),
    "delete a model": (do.DeleteModel("Room"), "DeleteModel Room: the running version still uses it"),
    "rename a field": (do.RenameField("room", "note", "remark"), "RenameField room.note"),
    "rename a model": (do.RenameModel("Room", "Hall"), "RenameModel Room"),
    "rename a table": (do.AlterModelTable("room", "halls"), "AlterModelTable room"),
    "not null": (do.AddField("room", "floor", models.IntegerField()), "give null=True or a db_default"),
    "a default of Python": (do.AddField("room", "floor", models.IntegerField(default=1)), "does not fill it"),
    "unique": (do.AddField("room", "key", CHAR(max_length=9, unique=True, db_default="")), "the same value"),
    "forbid null": (do.AlterField("room", "note", CHAR(max_length=40)), "may not be empty any more"),
    "shorten": (do.AlterField("room", "name", CHAR(max_length=39)), "it becomes shorter"),
    "another type": (do.AlterField("room", "name", models.TextField()), "its type changes"),
    "less default": (do.AlterField("room", "places", models.PositiveIntegerField()), "it loses its db_default"),
    "become unique": (do.AlterField("room", "name", CHAR(max_length=40, unique=True)), "its unique changes"),
    "another column": (do.AlterField("room", "name", CHAR(max_length=40, db_column="n")), "its db_column changes"),
    "an index": (do.AddIndex("room", INDEX), "AddIndex room.by_places: writers wait"),
    "a constraint": (do.AddConstraint("room", UNIQUE), "AddConstraint room.one_place: the running version"),
    "less uniqueness": (do.RemoveConstraint("room", "one_name"), "may rely on it"),
    "unique together": (do.AlterUniqueTogether("room", {("name", "note")}), "use a UniqueConstraint"),
    "no way back": (do.RunPython(forwards), "RunPython forwards: it cannot be undone"),
    "no way back in SQL": (do.RunSQL("SELECT 1"), "it cannot be undone"),
    "the unknown": (do.AlterOrderWithRespectTo("room", None), "this check does not know"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_breaks_the_running_version_is_refused(case: str) -> None:
    operation, said = REFUSED[case]
    found = faults(operation)
    assert len(found) == 1
    assert said in found[0]


def test_what_hides_in_another_operation_is_found() -> None:
    hidden = do.SeparateDatabaseAndState(database_operations=[do.RemoveField("room", "note")])
    assert "RemoveField room.note" in faults(hidden)[0]


def test_what_the_state_alone_forgets_is_fine() -> None:
    assert faults(do.SeparateDatabaseAndState(state_operations=[do.RemoveField("room", "note")])) == []


FINE: dict[str, list[Operation]] = {
    "a table": [do.CreateModel("Hall", [("id", models.BigAutoField(primary_key=True))])],
    "a table with all that is not allowed later": [
        do.CreateModel("Hall", [("id", models.BigAutoField(primary_key=True)), ("places", models.IntegerField())]),
        do.AddField("hall", "floor", models.IntegerField()),
        do.AddIndex("hall", models.Index(fields=["floor"], name="by_floor")),
        do.AddConstraint("hall", models.UniqueConstraint(fields=["floor"], name="one_floor")),
    ],
    "a field that may be empty": [do.AddField("room", "floor", models.IntegerField(null=True))],
    "a field that fills itself": [do.AddField("room", "floor", models.IntegerField(db_default=0))],
    "many to many": [do.AddField("room", "doors", models.ManyToManyField("school.Room"))],
    "a field may be empty now": [do.AlterField("room", "name", CHAR(max_length=40, null=True))],
    "a field becomes longer": [do.AlterField("room", "name", CHAR(max_length=80))],
    "choices and words": [
        do.AlterField("room", "name", CHAR(max_length=40, choices=[("a", "A")], blank=True, help_text="?"))
    ],
    "an index that goes": [do.RemoveIndex("room", "by_name")],
    "a check that goes": [do.RemoveConstraint("room", "no_less")],
    "rows, and back": [do.RunPython(forwards, do.RunPython.noop)],
}


@pytest.mark.parametrize("case", FINE)
def test_what_only_adds_is_fine(case: str) -> None:
    assert faults(*FINE[case]) == []


def test_an_index_is_added_while_others_write() -> None:
    online = AddIndexOnline("room", INDEX)
    assert faults(online, atomic=False) == []
    assert faults(online) == ["AddIndexOnline: the migration must say atomic = False."]
    more = do.AddField("room", "floor", models.IntegerField(null=True))
    assert "a migration of its own" in faults(more, online, atomic=False)[0]


def test_rows_are_changed_in_a_migration_of_their_own() -> None:
    rows = do.RunPython(forwards, do.RunPython.noop)
    more = do.AddField("room", "floor", models.IntegerField(null=True))
    assert faults(more, rows) == ["RunPython forwards: it belongs into a migration of its own."]


def test_a_later_release_takes_away_and_says_what_stopped_using_it() -> None:
    less = do.RemoveField("room", "note")
    assert faults(less, name="0003_contract_notes", doc="Nothing reads notes since 1.4.") == []
    for doc in ("", "Nothing reads notes any more."):
        assert "says in its docstring which release" in faults(less, name="0003_contract_notes", doc=doc)[0]
    assert faults(less, name="0003_contracting", doc="Nothing reads notes since 1.4.")


def test_a_contracting_migration_may_not_do_everything() -> None:
    said = faults(do.AddIndex("room", INDEX), name="0003_contract_notes", doc="Since 1.4.")
    assert "writers wait" in said[0]


def test_what_is_accepted_has_a_reason_and_stands_there() -> None:
    index = do.AddIndex("room", INDEX)
    assert faults(index, accepted={"AddIndex room.by_places": "Rooms are few."}) == []
    assert faults(index, accepted={"AddIndex room.by_places": " "})
    assert faults(accepted={"AddIndex room.by_places": "Rooms are few."}) == [
        "accepted: there is no AddIndex room.by_places to accept."
    ]


def test_our_own_migrations_are_fine_and_the_first_ones_as_they_were() -> None:
    assert list(LINT["all_faults"]()) == []


def test_a_first_migration_that_was_touched_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "first.txt").write_text(f"{'0' * 64}  usher/core/migrations/0001_initial.py\n")
    monkeypatch.setitem(LINT["touched"].__globals__, "FIRST", tmp_path / "first.txt")
    (said,) = LINT["touched"]()
    assert "usher/core/migrations/0001_initial.py" in said


# The operation itself


@pytest.mark.django_db(transaction=True)
def test_an_index_made_online_comes_and_goes_on_both_databases() -> None:
    before = ProjectState.from_apps(apps)
    after = before.clone()
    online = AddIndexOnline("bucket", models.Index(fields=["level"], name="by_level"))
    online.state_forwards("core", after)
    with connection.schema_editor(atomic=False) as editor:
        online.database_forwards("core", editor, before, after)
        assert "by_level" in indexes()
        online.database_backwards("core", editor, after, before)
    assert "by_level" not in indexes()
    with connection.schema_editor(atomic=True) as editor, pytest.raises(NotSupportedError):
        online.database_forwards("core", editor, before, after)


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, "core_bucket"))
