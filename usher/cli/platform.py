"""usher platform: connect an LMS by LTI 1.3 from a terminal, by the same rules as on the pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import click

from usher.cli.base import REFUSED_ROWS, Group, InputError, example
from usher.cli.output import document, json_option, list_document, note, table
from usher.cli.platform_output import (
    as_document,
    attempt_document,
    attempt_rows,
    check_document,
    check_rows,
    deployment_document,
    key_document,
    key_rows,
    list_row,
    show,
)
from usher.lifecycle.founding import BY_OPERATOR
from usher.methods.lti import connect, doctor, keys, platforms, registration
from usher.methods.lti.families import Family
from usher.methods.lti.models import Deployment, Platform
from usher.methods.lti.overview import View
from usher.methods.lti.presets import preset_of
from usher.methods.lti.wishes import MOST_HOURS, Asks, draft_of
from usher.organizations.find import by_slug
from usher.organizations.models import Organization

F = TypeVar("F", bound=Callable[..., Any])
ACTOR = BY_OPERATOR.actor
WORDS = ("name", "issuer", "client_id", "auth_url", "token_url", "token_audience", "jwks_url")

id_argument = click.argument("typed", metavar="ID")
deployment_argument = click.argument("deployment_id", metavar="DEPLOYMENT")


def whose(command: F) -> F:
    """--org SLUG, or --shared for one of the operator's."""
    shared = click.option("--shared", is_flag=True, help="One of this server's own, for several organisations.")
    org = click.option("--org", "slug", metavar="SLUG", help="Short name of the organisation (usher org list).")
    return org(shared(command))


def fields(command: F) -> F:
    """What a platform is made of."""
    for option in (
        click.option("--origin", "origins", multiple=True, metavar="URL", help="Other pages that may show Usher."),
        click.option("--roster-hours", type=click.IntRange(0, MOST_HOURS), metavar="N",
                     help="Look at the rosters every so many hours; 0 for never by itself."),
        click.option("--asks", type=click.Choice(Asks.values), help="Whom to ask “link or create”."),
        click.option("--groups/--no-groups", "makes_groups", default=None, help="Whether each course makes a group."),
        click.option("--new-people/--no-new-people", "lets_in", default=None, help="Whether new people come in by it."),
        click.option("--instructors", "instructor_role", metavar="ROLE", help="What instructors become."),
        click.option("--jwks-url", metavar="URL", help="Public keyset URL."),
        click.option("--token-audience", metavar="URL", help="Where it is not the access token URL."),
        click.option("--token-url", metavar="URL", help="Access token URL."),
        click.option("--auth-url", metavar="URL", help="Authentication request URL."),
        click.option("--client-id", metavar="ID", help="What the LMS calls Usher."),
        click.option("--issuer", metavar="URL", help="What the LMS calls itself; Moodle: Platform ID."),
        click.option("--name", help="What your people call it."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(cls=Group)
def platform() -> None:
    """Connect Moodle, Canvas and other LMSs by LTI 1.3.

    ID is the platform's id, or its family (moodle, canvas …) where there is one of that family.
    """


@platform.command(
    epilog=example("usher platform add --org cedar --family moodle --issuer https://moodle.cedar.example"
                   " --client-id 8NIKK98XbZv5uVs"),
)  # fmt: skip
@whose
@click.option("--family", type=click.Choice(Family.values), default=Family.OTHER.value, show_default=True)
@fields
@json_option
def add(slug: str | None, shared: bool, family: str, as_json: bool, **given: Any) -> None:
    """Connect an LMS by hand; what is known of its family is filled in. Prints what to paste into the LMS."""
    typed = {name: given[name] for name in WORDS if given[name] is not None}
    wish = _wished(draft_of(preset_of(family), **typed), given)
    show(View(connect.add(_whose(slug, shared), wish, ACTOR)), as_json=as_json)


@platform.command(epilog=example("usher platform register --org cedar"))
@whose
@json_option
def register(slug: str | None, shared: bool, as_json: bool) -> None:
    """Print a registration URL: the LMS registers Usher by itself (Dynamic Registration). One hour, one use."""
    url = registration.new_link(_whose(slug, shared), ACTOR)
    if as_json:
        document({"url": url, "seconds": int(registration.LASTS.total_seconds())})
        return
    click.echo(url)
    note("Paste it into the LMS within an hour; it works once. Then: usher platform list, usher platform approve")


@platform.command("list", epilog=example("usher platform list --org cedar"))
@whose
@json_option
def list_all(slug: str | None, shared: bool, as_json: bool) -> None:
    """List the LMSs of an organisation, or the shared ones, the oldest first."""
    organization = _whose(slug, shared)
    found = platforms.of_organization(organization) if organization else platforms.shared()
    if as_json:
        list_document(as_document(View(one)) for one in found)
    else:
        table(("id", "family", "name", "state", "deployments", "people"), (list_row(View(one)) for one in found))


@platform.command("show", epilog=example("usher platform show --org cedar moodle"))
@whose
@id_argument
@json_option
def show_one(slug: str | None, shared: bool, typed: str, as_json: bool) -> None:
    """Show how ID stands, what to paste into the LMS, its deployments, and what comes next."""
    show(View(_found(slug, shared, typed)), as_json=as_json)


@platform.command(epilog=example("usher platform change --org cedar moodle --no-new-people"))
@whose
@id_argument
@fields
@json_option
def change(slug: str | None, shared: bool, typed: str, as_json: bool, **given: Any) -> None:
    """Change ID; what is left out stays. Another issuer, client or keyset has to be approved anew."""
    found = _found(slug, shared, typed)
    changed = connect.change(found, _wished(connect.wish_of(found), given), ACTOR)
    show(View(changed), as_json=as_json)


@platform.command(epilog=example("usher platform approve --org cedar moodle"))
@whose
@id_argument
@json_option
def approve(slug: str | None, shared: bool, typed: str, as_json: bool) -> None:
    """Say yes to what registered itself: ID is switched on, with the deployments it came with."""
    show(View(connect.approve(_found(slug, shared, typed), ACTOR)), as_json=as_json)


@platform.command(epilog=example("usher platform on --org cedar moodle"))
@whose
@id_argument
@json_option
def on(slug: str | None, shared: bool, typed: str, as_json: bool) -> None:
    """Let people in by ID."""
    show(View(connect.switch(_found(slug, shared, typed), on=True, actor=ACTOR)), as_json=as_json)


@platform.command(epilog=example("usher platform off --org cedar moodle"))
@whose
@id_argument
@json_option
def off(slug: str | None, shared: bool, typed: str, as_json: bool) -> None:
    """Let nobody in by ID until it is switched on again; nothing is forgotten."""
    show(View(connect.switch(_found(slug, shared, typed), on=False, actor=ACTOR)), as_json=as_json)


@platform.command(epilog=example("usher platform remove --org cedar moodle"))
@whose
@id_argument
@json_option
def remove(slug: str | None, shared: bool, typed: str, as_json: bool) -> None:
    """Take ID away, with its courses, links and all it opened. The people stay."""
    found = _found(slug, shared, typed)
    label = View(found).label
    connect.remove(found, ACTOR)
    if as_json:
        document({"removed": str(found.id)})
    else:
        note(f"{label} is removed.")


@platform.command(epilog=example("usher platform check --org cedar moodle"))
@whose
@id_argument
@json_option
def check(slug: str | None, shared: bool, typed: str, as_json: bool) -> None:
    """Ask the LMS now, and say what is wrong, on which side, and what mends it; ends with 1 where something is."""
    checks = doctor.look(_found(slug, shared, typed))
    if as_json:
        list_document(map(check_document, checks))
    else:
        table(("", "what", "found", "side", "what to do"), check_rows(checks))
    if any(one.is_good is False for one in checks):
        raise SystemExit(REFUSED_ROWS)


@platform.command("attempts", epilog=example("usher platform attempts --org cedar moodle --json"))
@whose
@id_argument
@json_option
def attempts_(slug: str | None, shared: bool, typed: str, as_json: bool) -> None:
    """List the last twenty launches of ID, the latest first, a log line each; with --json claim by claim."""
    past = View(_found(slug, shared, typed)).past
    if as_json:
        list_document(map(attempt_document, past))
    else:
        table(("result", "reason", "side", "line"), attempt_rows(past))


@platform.command("keys", epilog=example("usher platform keys --rotate"))
@click.option("--rotate", is_flag=True, help="Publish a new key, which signs from tomorrow on.")
@click.option("--now", is_flag=True, help="With --rotate: it signs at once. For a key that is lost, or known.")
@json_option
def keys_(rotate: bool, now: bool, as_json: bool) -> None:
    """List the keys that LMSs know this server by. Old ones stay published for 30 days."""
    if now and not rotate:
        raise click.UsageError("--now goes with --rotate.")
    if rotate:
        keys.rotate(ACTOR, now=now)
    signing = keys.signing_kid()
    if as_json:
        list_document(key_document(key, signing) for key in keys.published())
    else:
        table(("kid", "state", "signs from", "published until"), key_rows(keys.published(), signing))


# Deployments


@platform.group(cls=Group)
def deployment() -> None:
    """Where an LMS offers Usher: each deployment leads to one organisation, once somebody says yes."""


@deployment.command("add", epilog=example("usher platform deployment add --org cedar moodle 3"))
@whose
@id_argument
@deployment_argument
@click.option("--to", metavar="SLUG", help="With --shared: whose it is.")
@json_option
def deployment_add(
    slug: str | None, shared: bool, typed: str, deployment_id: str, to: str | None, as_json: bool
) -> None:
    """Add DEPLOYMENT, as the LMS shows it, to ID; it is approved at once."""
    found = _found(slug, shared, typed)
    organization = by_slug(to) if to else found.organization
    if organization is None:
        raise InputError("Say whose it is, as in --to cedar.")
    _told(connect.add_deployment(found, deployment_id, organization, ACTOR), as_json=as_json)


@deployment.command("approve", epilog=example("usher platform deployment approve --shared canvas 12:ab --to cedar"))
@whose
@id_argument
@deployment_argument
@click.option("--to", metavar="SLUG", help="With --shared: whose it is.")
@json_option
def deployment_approve(
    slug: str | None, shared: bool, typed: str, deployment_id: str, to: str | None, as_json: bool
) -> None:
    """Say yes to DEPLOYMENT, which a launch brought: its id in the LMS, or that of its row."""
    one = _deployment(_found(slug, shared, typed), deployment_id)
    _told(connect.approve_deployment(one, by_slug(to) if to else None, ACTOR), as_json=as_json)


@deployment.command("remove", epilog=example("usher platform deployment remove --org cedar moodle 3"))
@whose
@id_argument
@deployment_argument
@json_option
def deployment_remove(slug: str | None, shared: bool, typed: str, deployment_id: str, as_json: bool) -> None:
    """Take DEPLOYMENT away, with its courses and links. The people stay."""
    one = _deployment(_found(slug, shared, typed), deployment_id)
    connect.remove_deployment(one, ACTOR)
    if as_json:
        document({"removed": str(one.id)})
    else:
        note(f"The deployment {one.deployment_id} is removed.")


def _told(one: Deployment, *, as_json: bool) -> None:
    if as_json:
        document(deployment_document(one))
    else:
        organization = one.organization.slug if one.organization else "nobody"
        note(f"The deployment {one.deployment_id} is approved, and leads to {organization}.")


def _deployment(found: Platform, typed: str) -> Deployment:
    """By the LMS's id; else by that of the row."""
    named = found.deployments.select_related("organization__license").filter(deployment_id=typed).first()
    return named or platforms.deployment_by_id(found, typed)


# What the commands share


def _wished(before: connect.Wish, given: dict[str, Any]) -> connect.Wish:
    """As before, but for what was given."""
    said = {name: value for name, value in given.items() if value is not None and value != ()}
    if "roster_hours" in said:
        said["roster_hours"] = said["roster_hours"] or None
    return replace(before, **said)


def _whose(slug: str | None, shared: bool) -> Organization | None:
    if shared == bool(slug):
        raise click.UsageError("Give either --org SLUG or --shared.")
    return by_slug(slug) if slug else None


def _found(slug: str | None, shared: bool, typed: str) -> Platform:
    return platforms.typed(_whose(slug, shared), typed)
