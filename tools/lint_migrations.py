"""Refuses migrations that would break the version which is still running; see docs/decisions/0011.

An update first expands the database (this version), and contracts it in a later release, when nothing uses what goes.
Every migration of ours is read but the first ones, which are never touched again: their checksums stand in
tools/first_migrations.txt. A migration says in a class attribute what it may do all the same, and why::

    accepted = {"AddIndex group.by_key": "An installation has some hundreds of groups."}
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "usher.settings")
    django.setup()

from django.apps import apps
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from usher.core.operations import AddIndexOnline
from usher.core.schema import CONTRACT

ROOT = Path(__file__).resolve().parent.parent
FIRST = ROOT / "tools" / "first_migrations.txt"
RELEASE = re.compile(r"\b\d+\.\d+\b")  # what a contract_ migration must name in its docstring

Fault: TypeAlias = tuple[str, str]  # what, as it is written under ``accepted``, and why it is refused
Rule: TypeAlias = Callable[[str, Any, ProjectState], Iterator[Fault]]

# What changes nothing in the tables, or nothing that a running version could meet.
HARMLESS = (
    operations.CreateModel, operations.AlterModelOptions, operations.AlterModelManagers,
    operations.AlterModelTableComment, operations.RemoveIndex, operations.RenameIndex,
)  # fmt: skip
TAKES = (
    operations.RemoveField, operations.DeleteModel, operations.RenameField, operations.RenameModel,
    operations.AlterModelTable,
)  # fmt: skip
# Of a field's arguments: those that never reach the database.
ONLY_PYTHON = frozenset(
    {
        "blank", "choices", "db_comment", "default", "editable", "error_messages", "help_text", "limit_choices_to",
        "on_delete", "related_name", "related_query_name", "validators", "verbose_name", "auto_now", "auto_now_add",
    }
)  # fmt: skip


# The rules, one for each kind of operation


def takes(_app: str, operation: Any, _state: ProjectState) -> Iterator[Fault]:
    yield (
        _name(operation),
        "the running version still uses it; it goes in a contract_ migration of a later release",
    )


def adds_field(_app: str, operation: operations.AddField, _state: ProjectState) -> Iterator[Fault]:
    field = operation.field
    if field.many_to_many:
        return
    if not field.null and not field.has_db_default():
        yield _name(operation), "the running version does not fill it; give null=True or a db_default"
    if field.unique and not field.null:
        yield _name(operation), "every row would have the same value; give null=True, or drop unique"


def alters_field(app: str, operation: operations.AlterField, state: ProjectState) -> Iterator[Fault]:
    before = state.models[app, operation.model_name_lower].get_field(operation.name)
    for said in _narrowings(before, operation.field):
        yield _name(operation), said


def adds_index(app: str, operation: Any, state: ProjectState) -> Iterator[Fault]:
    yield (
        f"{type(operation).__name__} {operation.model_name}.{operation.index.name}",
        "writers wait while PostgreSQL makes it; use usher.core.operations.AddIndexOnline",
    )


def adds_constraint(_app: str, operation: operations.AddConstraint, _state: ProjectState) -> Iterator[Fault]:
    yield (
        f"AddConstraint {operation.model_name}.{operation.constraint.name}",
        "the running version may break it; add it in a later release, when nothing writes what it forbids",
    )


def removes_constraint(app: str, operation: operations.RemoveConstraint, state: ProjectState) -> Iterator[Fault]:
    constraint = state.models[app, operation.model_name_lower].get_constraint_by_name(operation.name)
    if isinstance(constraint, models.UniqueConstraint):
        yield f"RemoveConstraint {operation.model_name}.{operation.name}", "the running version may rely on it"


def runs(_app: str, operation: Any, _state: ProjectState) -> Iterator[Fault]:
    if not operation.reversible:
        yield _name(operation), "it cannot be undone; give the way back (noop, when there is nothing to undo)"


def together(_app: str, operation: operations.AlterUniqueTogether, _state: ProjectState) -> Iterator[Fault]:
    yield _name(operation), "use a UniqueConstraint, which is looked at by itself"


RULES: tuple[tuple[Any, Rule], ...] = (
    (TAKES, takes),
    (operations.AddField, adds_field),
    (operations.AlterField, alters_field),
    (operations.AddIndex, adds_index),
    (operations.AddConstraint, adds_constraint),
    (operations.RemoveConstraint, removes_constraint),
    ((operations.RunPython, operations.RunSQL), runs),
    (operations.AlterUniqueTogether, together),
)


def _name(operation: Any) -> str:
    """How an operation is called under ``accepted``."""
    model = getattr(operation, "model_name", "") or getattr(operation, "old_name", "")
    part = getattr(operation, "name", "") or getattr(operation, "old_name", "")
    code = getattr(operation, "code", None)
    thing = f"{model}.{part}" if model and part != model else model or part or getattr(code, "__name__", "")
    return f"{type(operation).__name__} {thing}".strip()


def _narrowings(before: models.Field[Any, Any], after: models.Field[Any, Any]) -> Iterator[str]:
    """In what the altered field takes less than before, or is something else."""
    old, new = _of_the_database(before), _of_the_database(after)
    if type(before) is not type(after):
        yield "its type changes; add a new column, fill it, and take the old one away in a later release"
        return
    if before.null and not after.null:
        yield "it may not be empty any more, and the running version leaves it empty"
    if before.has_db_default() and not after.has_db_default() and not after.null:
        yield "it loses its db_default, on which the running version relies"
    if (new.pop("max_length", None) or _endless) < (old.pop("max_length", None) or _endless):
        yield "it becomes shorter"
    for name in sorted(set(old) | set(new)):
        if old.get(name) != new.get(name):
            yield f"its {name} changes"


_endless = sys.maxsize


def _of_the_database(field: models.Field[Any, Any]) -> dict[str, Any]:
    arguments = field.deconstruct()[3]
    return {key: value for key, value in arguments.items() if key not in ONLY_PYTHON | {"null", "db_default"}}


# A whole migration


def faults(app: str, migration: Migration, state: ProjectState) -> list[str]:
    """What is wrong with a migration that is applied to this state, in sentences."""
    contracts = bool(CONTRACT.match(migration.name))
    accepted: dict[str, str] = getattr(migration, "accepted", {})
    found = list(_of_operations(app, migration.operations, state.clone(), contracts=contracts))
    said = [f"{what}: {why}." for what, why in found if not accepted.get(what, "").strip()]
    said += [f"accepted: there is no {what} to accept." for what in accepted if what not in dict(found)]
    said += _of_shape(migration)
    if contracts and not RELEASE.search(sys.modules[type(migration).__module__].__doc__ or ""):
        said.append("A contract_ migration says in its docstring which release stopped using what it takes away.")
    return said


def _of_operations(app: str, them: Sequence[Operation], state: ProjectState, *, contracts: bool) -> Iterator[Fault]:
    new: set[str] = set()
    for operation in them:
        on = getattr(operation, "model_name", "").lower()
        if isinstance(operation, operations.SeparateDatabaseAndState):
            yield from _of_operations(app, operation.database_operations, state.clone(), contracts=contracts)
        elif on not in new:
            yield from _of_one(app, operation, state, contracts=contracts)
        if isinstance(operation, operations.CreateModel):
            new.add(operation.name_lower)
        operation.state_forwards(app, state)


def _of_one(app: str, operation: Operation, state: ProjectState, *, contracts: bool) -> Iterator[Fault]:
    if isinstance(operation, (*HARMLESS, AddIndexOnline, operations.SeparateDatabaseAndState)):
        return
    if contracts and isinstance(operation, (*TAKES, operations.RemoveConstraint, operations.AlterField)):
        return
    for kinds, rule in RULES:
        if isinstance(operation, kinds):
            yield from rule(app, operation, state)
            return
    yield _name(operation), "this check does not know the operation; teach it what it does to a running version"


def _of_shape(migration: Migration) -> Iterator[str]:
    """Rows are changed by themselves, since that takes long; so are indexes that cannot be in a transaction."""
    for alone in ((operations.RunPython, operations.RunSQL), AddIndexOnline):
        hits = [operation for operation in migration.operations if isinstance(operation, alone)]
        if hits and len(hits) < len(migration.operations):
            yield f"{_name(hits[0])}: it belongs into a migration of its own."
    if any(isinstance(one, AddIndexOnline) for one in migration.operations) and migration.atomic:
        yield "AddIndexOnline: the migration must say atomic = False."


# All of them


def all_faults() -> Iterator[str]:
    loader = MigrationLoader(None)
    ours = {app.label for app in apps.get_app_configs() if app.name.startswith("usher.")}
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app in ours and name != "0001_initial":
            state = loader.project_state((app, name), at_end=False)
            yield from (f"{app}.{name}: {said}" for said in faults(app, migration, state))
    yield from touched()


def touched() -> Iterator[str]:
    """First migrations that are not what they were."""
    for line in FIRST.read_text().splitlines():
        digest, name = line.split()
        path = ROOT / name
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            yield f"{name}: the first migration of an app is never changed; write a new one."


def main() -> int:
    found = list(all_faults())
    for said in found:
        print(said)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
