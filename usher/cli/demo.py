"""usher demo: an Usher to look at, filled and served."""

from __future__ import annotations

import os

import click

from usher.cli import demo_data, serve
from usher.cli.base import InputError, command, example
from usher.cli.output import table
from usher.config import Config, config


@command(epilog=example("usher demo --listen 127.0.0.1:8080"))
@click.option("--listen", metavar="HOST:PORT", help="Where to listen instead of USHER_LISTEN.")
def demo(listen: str | None) -> None:
    """Fill the embedded database with three organisations, show their sign-ins, and serve them.

    The passwords are well known, so it listens on this machine only.
    """
    given = _settings(listen)
    serve.refuse_taken_port(given.listen_host, given.listen_port)
    demo_data.fill()
    click.echo("Sign-ins of this demonstration (well known; never for real people):\n")
    titles = ("where", "role", "name", "sign-in", "password")
    table(titles, [(one.place, one.role, one.name, one.sign_in, one.password) for one in demo_data.present()])
    click.echo(f"\nInvite codes, to be used at {given.address}/join:\n")
    table(("where", "for", "code"), demo_data.invite_codes())
    click.echo(f"\nOpen {given.address} in a browser.")
    click.echo(f"{_where_mails_are(given)}\n")
    serve.run(given)


def _where_mails_are(given: Config) -> str:
    if given.smtp_url.get_secret_value():
        return "Mails go out by USHER_SMTP_URL."
    return f"Mails go nowhere: read them at {given.address}/_mail/"


def _settings(listen: str | None) -> Config:
    """The settings with USHER_DEMO, by the environment, so that the processes we start have them too."""
    if not config().embedded:
        raise InputError("The demonstration keeps to the embedded database. Leave DATABASE_URL out and start it again.")
    os.environ["USHER_DEMO"] = "1"
    if listen:
        os.environ["USHER_LISTEN"] = listen
    config.cache_clear()
    return config()
