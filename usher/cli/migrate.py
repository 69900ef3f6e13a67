"""usher migrate: bring the database to this version."""

from __future__ import annotations

import click

from usher.cli.base import command, example
from usher.cli.output import note
from usher.core import embedded, schema

PENDING = 1


@command(prepares=False, epilog=example("usher migrate --check"))
@click.option("--check", is_flag=True, help="Only say what is missing; exit code 1 when something is.")
def migrate(*, check: bool) -> None:
    """Bring the database up to date, once, from however many machines at the same time.

    The embedded one is kept up to date by every command. A database of a newer Usher is refused.
    """
    if check:
        _check()
    else:
        embedded.claim()
        schema.migrate(note)
    note("The database is up to date.")


def _check() -> None:
    """What is missing, on stdout."""
    missing = embedded.missing()
    for step in missing:
        click.echo(".".join(step))
    if missing or schema.pending():
        note("The database is not up to date; run: usher migrate")
        click.get_current_context().exit(PENDING)
    schema.refuse_newer()
