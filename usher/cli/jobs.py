"""usher jobs: the work behind the pages."""

from __future__ import annotations

import click

from usher.cli.base import Group, example
from usher.cli.output import note
from usher.events.types import OPERATOR
from usher.people import server


@click.group(cls=Group)
def jobs() -> None:
    """The work behind the pages: mail and whatever else is done after the answer."""


@jobs.command(epilog=example("usher jobs resume"))
def resume() -> None:
    """Let out again what waits since a restore. Look first whether it should still be sent."""
    resumed = server.resume_outbox(OPERATOR)
    note("What waited is on its way." if resumed else "Nothing was paused.")
