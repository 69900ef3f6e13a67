"""usher why: why somebody is in, or was refused."""

from __future__ import annotations

import click

from usher.cli.base import command, example
from usher.cli.output import document, json_option, organization_option
from usher.lifecycle.why import Why
from usher.lifecycle.why import why as ask
from usher.organizations import find

KEYS = ("in", "role", "method", "evidence", "events")


@command(epilog=example("usher why asa.oberg --org cedar"))
@click.argument("sign_in")
@organization_option
@json_option
def why(sign_in: str, slug: str, as_json: bool) -> None:
    """Say why SIGN_IN (an address, or a sign-in name) is in, or why not, with all that happened."""
    answer = ask(find.by_slug(slug), sign_in)
    if as_json:
        whole = answer.to_json()
        document({key: whole[key] for key in KEYS})
    else:
        _tell(answer)


def _tell(answer: Why) -> None:
    click.echo(answer.answer)
    for fact in answer.facts:
        click.echo(f"{fact.label}: {fact.value}" + (f" ({fact.source})" if fact.source else ""))
    for one in answer.events:
        step = f" {one.next_step}" if one.next_step else ""
        click.echo(f"{one.at:%Y-%m-%d %H:%M}  {one.title}: {one.sentence}{step}")
