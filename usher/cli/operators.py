"""usher operator: who runs the platform."""

from __future__ import annotations

import click

from usher.cli.base import Group, example
from usher.cli.output import note
from usher.people.links import SETUP_DAYS
from usher.people.operators import make_operator, reset_second_factor


@click.group(cls=Group)
def operator() -> None:
    """Operators: who runs this server for all organisations."""


@operator.command(epilog=example("usher operator create root@usher.example"))
@click.argument("address")
def create(address: str) -> None:
    """Make ADDRESS an operator and print a set-up link; done again, it prints a new one."""
    account, link = make_operator(address)
    note(f"{account.sign_in} is an operator. Set-up link, for {SETUP_DAYS} days; it is shown only now:")
    click.echo(link)


@operator.command("reset-second-factor", epilog=example("usher operator reset-second-factor ada@cedar.example"))
@click.argument("address")
def reset_factor(address: str) -> None:
    """Let the owner of ADDRESS sign in without the app, passkeys and recovery codes that are lost.

    Make sure first, and not by mail alone, that it is the owner who asks.
    """
    account = reset_second_factor(address)
    note(f"{account.sign_in} signs in by the password alone from now on, and was told so by mail.")
