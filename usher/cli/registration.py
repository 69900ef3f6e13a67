"""usher registration: may anybody register, or only who has an invite code?"""

from __future__ import annotations

import click

from usher.cli.base import Group, example
from usher.cli.output import document, json_option
from usher.events.types import OPERATOR
from usher.people import server


@click.group(cls=Group)
def registration() -> None:
    """Registration without an invite code: open to anybody, or closed."""


@registration.command("open", epilog=example("usher registration open"))
@json_option
def open_(as_json: bool) -> None:
    """Anybody may register, with an invite code or without."""
    server.set_registration(OPERATOR, is_open=True)
    _tell(as_json)


@registration.command(epilog=example("usher registration closed"))
@json_option
def closed(as_json: bool) -> None:
    """Only who has an invite code may register."""
    server.set_registration(OPERATOR, is_open=False)
    _tell(as_json)


@registration.command(epilog=example("usher registration show --json"))
@json_option
def show(as_json: bool) -> None:
    """Say which of the two it is."""
    _tell(as_json)


def _tell(as_json: bool) -> None:
    is_open = server.registration_is_open()
    if as_json:
        document({"registration": "open" if is_open else "closed"})
    elif is_open:
        click.echo("Open: anybody may register.")
    else:
        click.echo("Closed: who registers needs an invite code.")
