"""usher org: make organisations, look at them, renew the set-up link of an admin."""

from __future__ import annotations

from typing import Any

import click

from usher.cli import founding
from usher.cli.base import Group, example
from usher.cli.output import document, json_option, note, table
from usher.organizations import find
from usher.organizations.models import Organization
from usher.people.links import SETUP_DAYS


class SeatCount(click.ParamType[tuple[str, int]]):
    """POOL=N, as (pool, number)."""

    name = "POOL=N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        pool, _, number = str(value).partition("=")
        if not pool or not (number.isascii() and number.isdecimal()) or len(number) > 9:
            self.fail(f"“{value}” is not a kind of seat with a number. Write it like student=500.", param, ctx)
        return pool, int(number)


@click.group(cls=Group)
def org() -> None:
    """Organisations: make one, show one, list all."""


@org.command(
    epilog=example('usher org create cedar --name "Cedar School" --plan school --admin ada@cedar.example'),
)
@click.argument("slug")
@click.option("--name", default="", help="Name that people see. Left out: the short name.")
@click.option("--plan", required=True, help="school, elearning or marketing.")
@click.option("--seats", multiple=True, type=SeatCount(), help="Seats of one kind; may be repeated.")
@click.option("--admin", required=True, metavar="ADDRESS", help="E-mail address of the first admin.")
def create(slug: str, name: str, plan: str, seats: tuple[tuple[str, int], ...], admin: str) -> None:
    """Make the organisation SLUG with its first admin, and print a set-up link for the admin.

    Seats left out have the plan's own number.
    """
    made = founding.found(founding.Plot(slug, name, plan, admin, dict(seats)))
    note(f"{made.organization.name} is there; {made.admin.sign_in} is its admin.")
    _show_link(made)


@org.command("setup-link", epilog=example("usher org setup-link cedar"))
@click.argument("slug")
@click.option("--admin", default="", metavar="ADDRESS", help="Which admin, where there are several.")
def setup_link(slug: str, admin: str) -> None:
    """Print a new set-up link for the admin of SLUG; earlier ones stop working."""
    organization = find.by_slug(slug)
    known = founding.admins(organization)
    if not admin and len(known) > 1:
        names = ", ".join(member.account.sign_in for member in known)
        raise click.UsageError(f"{slug} has several admins. Choose one with --admin: {names}.")
    _show_link(founding.renew_link(organization, admin))


def _show_link(made: founding.Founded) -> None:
    if not made.link:
        note("The admin has an account already and signs in as before; no set-up link is needed.")
        return
    note(f"Set-up link for {made.admin.sign_in}, for {SETUP_DAYS} days; it sets the password and is shown only now:")
    click.echo(made.link)


@org.command(epilog=example("usher org show cedar --json"))
@click.argument("slug")
@json_option
def show(slug: str, as_json: bool) -> None:
    """Show the plan of SLUG, its members and its seats."""
    organization = find.by_slug(slug)
    if as_json:
        document(as_document(organization))
        return
    seats = [f"{pool.used} of {pool.limit} {pool.pool}" for pool in organization.pools.all()]
    click.echo(f"{organization.name} ({organization.slug})")
    click.echo(f"Plan: {organization.license.plan.name}")
    if organization.license.ends_on:
        click.echo(f"Licence until: {organization.license.ends_on.isoformat()}")
    click.echo(f"Seats taken: {', '.join(seats)}")


@org.command("list", epilog=example("usher org list"))
@json_option
def list_all(as_json: bool) -> None:
    """List every organisation with its plan and its members."""
    shown = [as_document(organization) for organization in find.all_of_them()]
    if as_json:
        document(shown)
        return
    table(("slug", "plan", "members"), [(one["slug"], one["plan"], str(one["members"])) for one in shown])
    if not shown:
        note("There is no organisation yet. Make one with: usher org create")


def as_document(organization: Organization) -> dict[str, Any]:
    """What a program is told. Active members and taken seats are the same people, so nobody is counted again."""
    pools = sorted(organization.pools.all(), key=lambda pool: pool.pool)
    return {
        "slug": organization.slug,
        "plan": organization.license.plan_slug,
        "members": sum(pool.used for pool in pools),
        "seats": {pool.pool: {"limit": pool.limit, "used": pool.used} for pool in pools},
    }
