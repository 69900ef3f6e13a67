"""What every command shares: a database that is up to date, refusals as sentences, exit codes 0, 1 and 2."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from usher.core import embedded, schema
from usher.core.archive import BackupError
from usher.core.errors import UsherError
from usher.core.schema import NewerDatabaseError

REFUSED_ROWS = 1


class Command(click.Command):
    """A command that finds the database ready. ``command(prepares=False)`` is for those that need none."""

    def __init__(self, *args: Any, prepares: bool = True, **kwargs: Any) -> None:  # click's signature
        super().__init__(*args, **kwargs)
        self.prepares = prepares

    def invoke(self, ctx: click.Context) -> Any:
        try:
            if self.prepares:
                _prepare()
            return super().invoke(ctx)
        except UsherError as error:
            raise RefusalError(error) from error
        except (BackupError, NewerDatabaseError) as error:
            raise InputError(str(error)) from error


def _prepare() -> None:
    """Raises InputError before the first migrate on PostgreSQL, NewerDatabaseError when something was taken away."""
    embedded.ensure()
    if schema.pending():
        raise InputError("The database is not up to date; run: usher migrate")
    schema.refuse_contracted()


class Group(click.Group):
    """A group whose commands are ours too (``org create``)."""

    command_class = Command


class InputError(click.ClickException):
    """A sentence that says what to do instead; nothing was written."""

    exit_code = 2


class RefusalError(InputError):
    """An UsherError on a terminal: every finding with its next step."""

    def __init__(self, error: UsherError) -> None:
        super().__init__("\n".join(f"{f.sentence} {f.next_step}" for f in error.findings))


command = partial(click.command, cls=Command)
group = partial(click.group, cls=Group)


def example(text: str) -> str:
    """An epilog that keeps its lines: ``@command(epilog=example("usher members --org cedar"))``."""
    return f"\b\nExample:\n  {text}"
