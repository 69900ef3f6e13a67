"""Is the database as this version of Usher wants it? And how it becomes so."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder


@lru_cache(maxsize=1)
def wanted() -> frozenset[tuple[str, str]]:
    """Every migration that is installed, by the names of the files: importing them all is slow."""
    found = set()
    for app in apps.get_app_configs():
        folder = Path(app.path) / "migrations"
        found |= {(app.label, file.stem) for file in folder.glob("[0-9]*.py")}
    return frozenset(found)


def pending() -> bool:
    """Whether a migration is missing; two small queries."""
    return not wanted() <= set(MigrationRecorder(connection).applied_migrations())


def migrate() -> None:
    call_command("migrate", interactive=False, verbosity=0)
