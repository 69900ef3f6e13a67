"""usher connection: single sign-on by Microsoft, Google or any OpenID provider, set up from a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from usher.cli.base import REFUSED_ROWS, Group, InputError, example
from usher.cli.connection_output import (
    as_document,
    attempt_document,
    attempt_rows,
    check_document,
    check_rows,
    list_row,
    show,
    simulation_document,
    simulation_lines,
    simulation_table,
)
from usher.cli.output import document, json_option, list_document, note, organization_option, table
from usher.lifecycle.founding import BY_OPERATOR
from usher.methods.sso import connect, doctor, finding, written_rules
from usher.methods.sso.connect import Wish
from usher.methods.sso.models import Connection, Kind
from usher.methods.sso.overview import View
from usher.methods.sso.simulate import person_of, read_claims
from usher.methods.sso.simulate import simulate as simulated
from usher.organizations.find import by_slug

STANDARD_INPUT = "-"
ACTOR = BY_OPERATOR.actor
id_argument = click.argument("typed", metavar="ID")
name_option = click.option("--name", help="What stands on the button. Left out: the provider's own name.")
tenant_option = click.option("--tenant", metavar="ID", help="Microsoft: “Directory (tenant) ID”.")
issuer_option = click.option("--issuer", metavar="URL", help="Any OpenID provider: its issuer.")
client_option = click.option("--client-id", metavar="ID", help="Of the organisation's own registration.")
secret_option = click.option(
    "--client-secret-file", "secret", metavar="PATH", help="File with the client secret; “-” reads standard input."
)
new_people_option = click.option(
    "--new-people/--no-new-people", "lets_in", default=None, help="Whether people come in who were not invited."
)
guests_option = click.option(
    "--guests/--no-guests", default=None, help="Microsoft: people whom the tenant only invited, too."
)
leavers_option = click.option(
    "--leaver-days", type=click.IntRange(0, 730), metavar="N",
    help="Free the seat after so many days without a sign-in; 0 for never.",
)  # fmt: skip


@click.group(cls=Group)
def connection() -> None:
    """Single sign-on: connect a Microsoft tenant, Google, or any OpenID provider.

    ID is the connection's id, or its kind (microsoft, google, oidc) where there is one of that kind.
    """


@connection.command(
    epilog=example("usher connection add --org cedar --kind oidc --name Okta --issuer https://cedar.okta.example"
                   " --client-id 0oa1 --client-secret-file secret.txt"),
)  # fmt: skip
@organization_option
@click.option("--kind", type=click.Choice(Kind.values), required=True)
@name_option
@tenant_option
@issuer_option
@client_option
@secret_option
@new_people_option
@guests_option
@leavers_option
@json_option
def add(slug: str, kind: str, as_json: bool, **given: Any) -> None:
    """Connect a provider. Nobody comes in by it until it is proved, tried and switched on.

    Without --client-id, Microsoft and Google use the registration of whoever runs this server.
    """
    made = connect.add(by_slug(slug), Kind(kind), _wish(Wish(), given), ACTOR)
    show(View(made), as_json=as_json)


@connection.command("list", epilog=example("usher connection list --org cedar"))
@organization_option
@json_option
def list_all(slug: str, as_json: bool) -> None:
    """List the connections of an organisation, the oldest first."""
    views = [View(one) for one in finding.of_organization(by_slug(slug))]
    if as_json:
        list_document(as_document(view) for view in views)
    else:
        table(("id", "kind", "name", "state", "new people", "people"), map(list_row, views))


@connection.command("show", epilog=example("usher connection show --org cedar microsoft"))
@organization_option
@id_argument
@json_option
def show_one(slug: str, typed: str, as_json: bool) -> None:
    """Show how ID stands, what to register with the provider, its rules, and what comes next."""
    show(View(_found(slug, typed)), as_json=as_json)


@connection.command(epilog=example("usher connection change --org cedar microsoft --no-new-people"))
@organization_option
@id_argument
@name_option
@tenant_option
@issuer_option
@client_option
@secret_option
@new_people_option
@guests_option
@leavers_option
@json_option
def change(slug: str, typed: str, as_json: bool, **given: Any) -> None:
    """Change ID; what is left out stays. Another issuer, tenant or client has to be proved and tried anew."""
    found = _found(slug, typed)
    connect.change(found, _wish(connect.wish_of(found), given), ACTOR)
    show(View(_found(slug, str(found.id))), as_json=as_json)


def _wish(before: Wish, given: dict[str, Any]) -> Wish:
    """As before, but for what was given."""
    path = given.pop("secret")
    said = {name: value for name, value in given.items() if value is not None}
    if path:
        said["secret"] = _read(path).strip()
    if "leaver_days" in said:
        said["leaver_days"] = said["leaver_days"] or None
    return replace(before, **said)


@connection.command(
    epilog=example("usher connection rules --org cedar microsoft --rule 'app_role=Teacher -> teacher'"
                   " --rule 'email=y5*@cedar.example -> group:Year 5'"),
)  # fmt: skip
@organization_option
@id_argument
@click.option(
    "--rule",
    "lines",
    multiple=True,
    metavar="'CLAIM=VALUE -> ROLE'",
    help="In this order; “-> group:NAME” gives a place in a group. Those given replace all there were.",
)
@click.option("--clear", is_flag=True, help="Take all rules away.")
@json_option
def rules(slug: str, typed: str, lines: Sequence[str], clear: bool, as_json: bool) -> None:
    """Say who gets which role and group; without --rule and --clear, print the rules there are.

    The first rule for a role that fits decides, of those for groups every one. Nobody becomes an admin by a rule.
    """
    if lines and clear:
        raise click.UsageError("--clear takes all rules away; leave out --rule.")
    found = _found(slug, typed)
    if lines or clear:
        connect.set_rules(found, written_rules.read(found.organization, lines), ACTOR)
    written = written_rules.of_connection(found)
    if as_json:
        document(written)
        return
    for line in written:
        click.echo(line)


@connection.command(epilog=example("usher connection check --org cedar microsoft"))
@organization_option
@id_argument
@json_option
def check(slug: str, typed: str, as_json: bool) -> None:
    """Ask the provider now, and say what is wrong and who can mend it; ends with 1 where something is."""
    checks = doctor.look(_found(slug, typed))
    if as_json:
        list_document(map(check_document, checks))
    else:
        table(("", "what", "found", "what to do"), check_rows(checks))
    if any(one.is_good is False for one in checks):
        raise SystemExit(REFUSED_ROWS)


@connection.command("attempts", epilog=example("usher connection attempts --org cedar microsoft --json"))
@organization_option
@id_argument
@json_option
def attempts_(slug: str, typed: str, as_json: bool) -> None:
    """List the last ten sign-ins by ID, the latest first; with --json claim by claim."""
    view = View(_found(slug, typed))
    if as_json:
        list_document(map(attempt_document, view.past))
    else:
        table(("at", "what", "who", "result", "role", "reason", "detail"), attempt_rows(view.past))


@connection.command(epilog=example("usher connection simulate --org cedar microsoft --claims claims.json"))
@organization_option
@id_argument
@click.option("--claims", "path", required=True, metavar="FILE", help="A JSON object; “-” reads standard input.")
@json_option
def simulate(slug: str, typed: str, path: str, as_json: bool) -> None:
    """Say what would become of a person with these claims; nothing is written. Ends with 1 for a refusal."""
    found = _found(slug, typed)
    told = simulated(found, person_of(found, read_claims(_read(path))))
    if as_json:
        document(simulation_document(told))
    else:
        table(("what", "answer"), simulation_table(told))
    for line in simulation_lines(told):
        note(line)
    if told.findings:
        raise SystemExit(REFUSED_ROWS)


@connection.command(epilog=example("usher connection vouch --org cedar microsoft"))
@organization_option
@id_argument
@json_option
def vouch(slug: str, typed: str, as_json: bool) -> None:
    """Say on your own word that the Microsoft tenant of ID is this organisation's.

    Otherwise an admin of the tenant proves it by signing in, on the page that “show” names. Whoever runs the tenant
    decides who comes in: be sure, and not by mail alone, that it is theirs.
    """
    found = _found(slug, typed)
    if found.kind != Kind.MICROSOFT:
        raise InputError("Only a Microsoft tenant is vouched for. For Google, prove the domain: usher domain add")
    connect.vouch(found, ACTOR)
    show(View(_found(slug, str(found.id))), as_json=as_json)


@connection.command(epilog=example("usher connection on --org cedar microsoft"))
@organization_option
@id_argument
@json_option
def on(slug: str, typed: str, as_json: bool) -> None:
    """Let people in by ID, once it is proved and somebody has tried it."""
    _switch(slug, typed, on=True, as_json=as_json)


@connection.command(epilog=example("usher connection off --org cedar microsoft"))
@organization_option
@id_argument
@json_option
def off(slug: str, typed: str, as_json: bool) -> None:
    """Let nobody in by ID until it is switched on again; nothing is forgotten."""
    _switch(slug, typed, on=False, as_json=as_json)


def _switch(slug: str, typed: str, *, on: bool, as_json: bool) -> None:
    show(View(connect.switch(_found(slug, typed), on=on, actor=ACTOR)), as_json=as_json)


@connection.command(epilog=example("usher connection remove --org cedar microsoft"))
@organization_option
@id_argument
@json_option
def remove(slug: str, typed: str, as_json: bool) -> None:
    """Take ID away, with all it opened. The people stay; who has no password sets one by mail."""
    found = _found(slug, typed)
    label = View(found).label
    connect.remove(found, ACTOR)
    if as_json:
        document({"removed": str(found.id)})
    else:
        note(f"{label} is removed.")


def _found(slug: str, typed: str) -> Connection:
    return finding.typed(by_slug(slug), typed)


def _read(path: str) -> str:
    if path == STANDARD_INPUT:
        return sys.stdin.read()
    file = Path(path)
    if not file.is_file():
        raise InputError(f"There is no file {path}.")
    return file.read_text(errors="replace")
