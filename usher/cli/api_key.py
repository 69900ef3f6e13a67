"""usher api-key: keys by which an organisation's own applications ask the API."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import click

from usher.cli.base import Group, example
from usher.cli.output import document, json_option, list_document, note, organization_option, table
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle.founding import BY_OPERATOR
from usher.organizations import api_keys as keys
from usher.organizations.api_keys import Scope
from usher.organizations.find import by_slug
from usher.organizations.models import ApiKey, Organization

ACTOR = BY_OPERATOR.actor


@click.group("api-key", cls=Group)
def api_key() -> None:
    """API keys: by one, an application of an organisation asks the API."""


@api_key.command(epilog=example("usher api-key add --org cedar --name Quiz --scope scores --scope launches"))
@organization_option
@click.option("--name", required=True, help="Of the application that gets it.")
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice([scope.value for scope in Scope]),
    help="What it may do; may be given again.",
)  # fmt: skip
@click.option("--until", "last_day", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Its last day.")
@json_option
def add(slug: str, name: str, scopes: Sequence[str], last_day: dt.datetime | None, as_json: bool) -> None:
    """Make a key and print it, this once. All admins get a mail."""
    made = keys.add(by_slug(slug), name, scopes, ACTOR, last_day=last_day.date() if last_day else None)
    if as_json:
        document({**_document(made.key), "key": made.token})
    else:
        click.echo(made.token)
        note("Keep it now: only its hash is stored.")


@api_key.command("list", epilog=example("usher api-key list --org cedar"))
@organization_option
@json_option
def list_all(slug: str, as_json: bool) -> None:
    """List the keys, those that work first."""
    found = keys.of_organization(by_slug(slug))
    if as_json:
        list_document(_document(key) for key in found)
    else:
        table(("prefix", "name", "state", "scopes", "last used", "last day"), (_row(key) for key in found))


@api_key.command(epilog=example("usher api-key revoke --org cedar usher_k7m2p9xq"))
@organization_option
@click.argument("typed", metavar="PREFIX")
@json_option
def revoke(slug: str, typed: str, as_json: bool) -> None:
    """Revoke a key, by its PREFIX or id. It opens nothing from then on."""
    organization = by_slug(slug)
    key = keys.revoke(organization, _found(organization, typed), ACTOR)
    if as_json:
        document(_document(key))
    else:
        click.echo(f"{key.prefix}  {key.name}: revoked")


def _found(organization: Organization, typed: str) -> uuid.UUID:
    for key in keys.of_organization(organization):
        if typed in (key.prefix, str(key.id)):
            return key.id
    raise UsherError(Reason.UNKNOWN_API_KEY())


def _state(key: ApiKey) -> str:
    return "works" if keys.is_living(key) else "revoked" if key.revoked_at else "over"


def _document(key: ApiKey) -> Mapping[str, Any]:
    return {
        "id": str(key.id),
        "prefix": key.prefix,
        "name": key.name,
        "scopes": key.scopes,
        "state": _state(key),
        "created_at": key.created_at.isoformat(timespec="seconds"),
        "last_used_at": key.last_used_at.isoformat(timespec="seconds") if key.last_used_at else None,
        "last_day": key.last_day.isoformat() if key.last_day else None,
    }


def _row(key: ApiKey) -> tuple[str, ...]:
    used = key.last_used_at.isoformat(timespec="minutes") if key.last_used_at else "never"
    ends = key.last_day.isoformat() if key.last_day else "-"
    return key.prefix, key.name, _state(key), " ".join(key.scopes), used, ends
