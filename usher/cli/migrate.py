"""usher migrate: bring the database to this version."""

from __future__ import annotations

import click

from usher.cli.base import command, example
from usher.core import schema


@command(epilog=example("usher migrate"))
def migrate() -> None:
    """Bring the database up to date. The embedded one is kept so by every command."""
    if schema.pending():
        schema.migrate()
    click.echo("The database is up to date.", err=True)
