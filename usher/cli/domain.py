"""usher domain: say which mail domains are an organisation's own, and prove it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from usher.cli.base import Group, example
from usher.cli.output import document, json_option, list_document, note, organization_option, table
from usher.lifecycle.founding import BY_OPERATOR
from usher.organizations import domains
from usher.organizations.find import by_slug
from usher.organizations.models import Domain

name_argument = click.argument("name", metavar="NAME")


@click.group(cls=Group)
def domain() -> None:
    """Domains: add one, prove it by a TXT record, list all, remove.

    NAME is what stands after the @ in addresses, as cedar.example.
    """


@domain.command(epilog=example("usher domain add --org cedar cedar.example"))
@organization_option
@name_argument
@json_option
def add(slug: str, name: str, as_json: bool) -> None:
    """Add NAME, and print the TXT record that proves it. One that is there already stays as it is."""
    _show(domains.add(by_slug(slug), name, BY_OPERATOR.actor), as_json=as_json)


@domain.command("list", epilog=example("usher domain list --org cedar"))
@organization_option
@json_option
def list_all(slug: str, as_json: bool) -> None:
    """List the domains of an organisation with their state."""
    found = domains.of_organization(by_slug(slug))
    if as_json:
        list_document(as_document(one) for one in found)
    else:
        table(("domain", "state", "proof", "looked at"), (_row(one) for one in found))


@domain.command(epilog=example("usher domain show --org cedar cedar.example --json"))
@organization_option
@name_argument
@json_option
def show(slug: str, name: str, as_json: bool) -> None:
    """Show the state of NAME and the TXT record that proves it."""
    _show(domains.named(by_slug(slug), name), as_json=as_json)


@domain.command(epilog=example("usher domain check --org cedar cedar.example"))
@organization_option
@name_argument
@json_option
def check(slug: str, name: str, as_json: bool) -> None:
    """Look for the TXT record of NAME now: proves it, or says what was found instead."""
    organization = by_slug(slug)
    found = domains.named(organization, name)
    _show(domains.prove(organization, found.id, BY_OPERATOR.actor), as_json=as_json)


@domain.command(epilog=example("usher domain remove --org cedar cedar.example"))
@organization_option
@name_argument
@json_option
def remove(slug: str, name: str, as_json: bool) -> None:
    """Remove NAME. Nobody new joins by it; whoever is in stays in."""
    organization = by_slug(slug)
    gone = domains.remove(organization, domains.named(organization, name).id, BY_OPERATOR.actor)
    if as_json:
        document({"removed": gone.name})
    else:
        note(f"{gone.name} is removed.")


def _show(one: Domain, *, as_json: bool) -> None:
    """The record on stdout, as a line of a zone file (RFC 1035 section 5.1)."""
    if as_json:
        document(as_document(one))
        return
    state, wanted = domains.state_of(one), domains.record_of(one)
    note(f"{one.name} is {state.value}{_proof(one)}, last looked at {_moment(one.checked_at) or 'never'}.")
    if state is not domains.State.PROVED:
        note("This TXT record proves it; leave it there:")
    click.echo(f'{wanted.host}. TXT "{wanted.value}"')


def _proof(one: Domain) -> str:
    return f" by {one.proof}" if one.proof else ""


def as_document(one: Domain) -> dict[str, Any]:
    """What a program is told."""
    wanted, lost_at = domains.record_of(one), domains.lost_at(one) if one.proved_at else None
    return {
        "id": str(one.id),
        "domain": one.name,
        "state": domains.state_of(one).value,
        "proof": one.proof or None,
        "host": wanted.host,
        "value": wanted.value,
        "proved_at": _moment(one.proved_at),
        "checked_at": _moment(one.checked_at),
        "failing_since": _moment(one.failing_since),
        "lost_at": _moment(lost_at),
    }


def _moment(at: dt.datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _row(one: Domain) -> tuple[str, ...]:
    return (one.name, domains.state_of(one).value, one.proof or "–", _moment(one.checked_at) or "–")
