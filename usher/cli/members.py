"""usher members: who is in an organisation."""

from __future__ import annotations

from dataclasses import asdict

from usher.cli.base import command, example
from usher.cli.output import json_option, list_document, organization_option, table
from usher.organizations import find
from usher.people.roster import Entry, entries


@command(epilog=example("usher members --org cedar --json"))
@organization_option
@json_option
def members(slug: str, as_json: bool) -> None:
    """List everybody in an organisation, deactivated members too, the earliest first."""
    found = entries(find.by_slug(slug))
    if as_json:
        list_document(asdict(entry) for entry in found)
    else:
        table(("sign_in", "username", "role", "groups", "way in", "state"), map(_row, found))


def _row(entry: Entry) -> tuple[str, ...]:
    groups = ", ".join(entry.groups)
    return entry.sign_in, entry.username, entry.role, groups, entry.method, entry.state
