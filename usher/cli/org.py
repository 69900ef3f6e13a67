"""usher org: make organisations, look at them, change them, suspend and delete them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from usher.cli.base import Group, example
from usher.cli.output import document, json_option, note, organization_option, table
from usher.events.types import OPERATOR
from usher.lifecycle import deletion, founding, licensing, signing_in
from usher.methods.sso.showing import has_active
from usher.organizations import find, suspend
from usher.organizations.create import Dates
from usher.organizations.models import Organization, PasswordsFor
from usher.organizations.overview import state_of
from usher.people.links import SETUP_DAYS

NO_DAY = "none"
_TOLD = {
    "everyone": "Everybody at {name} may sign in with a password.",
    "admins": "Only admins of {name} may sign in with a password.",
    "marked": "Only marked admins of {name} may sign in with a password.",
}


class SeatCount(click.ParamType[tuple[str, int]]):
    """POOL=N, as (pool, number)."""

    name = "POOL=N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        pool, _, number = str(value).partition("=")
        if not pool or not (number.isascii() and number.isdecimal()) or len(number) > 9:
            self.fail(f"“{value}” is not a kind of seat with a number. Write it like student=500.", param, ctx)
        return pool, int(number)


class Day(click.ParamType[dt.date | str]):
    """A day like 2027-07-31, or “none”."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date | str:
        if isinstance(value, dt.date):
            return value
        if value == NO_DAY:
            return NO_DAY
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"“{value}” is not a day. Write it like 2027-07-31, or “{NO_DAY}” for no such day.", param, ctx)


seats_option = click.option("--seats", multiple=True, type=SeatCount(), help="Seats of one kind; may be repeated.")
starts_option = click.option("--starts", type=Day(), help="First day of the licence; “none” for no such day.")
ends_option = click.option("--ends", type=Day(), help="Last day of the licence, included; “none” for no such day.")


@click.group(cls=Group)
def org() -> None:
    """Organisations: make one, show one, list all, change, suspend and delete."""


@org.command(
    epilog=example('usher org create cedar --name "Cedar School" --plan school --admin ada@cedar.example'),
)
@click.argument("slug")
@click.option("--name", default="", help="Name that people see. Left out: the short name.")
@click.option("--plan", required=True, help="school, elearning or marketing.")
@seats_option
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
    _tell(slug, as_json)


def _tell(slug: str, as_json: bool) -> None:
    """The organisation as it is now."""
    organization = find.by_slug(slug)
    if as_json:
        document(as_document(organization))
        return
    seats = [f"{pool.used} of {pool.limit} {pool.pool}" for pool in organization.pools.all()]
    license = organization.license
    click.echo(f"{organization.name} ({organization.slug})")
    click.echo(f"Plan: {license.plan.name}")
    if license.starts_on:
        click.echo(f"Licence from: {license.starts_on.isoformat()}")
    if license.ends_on:
        click.echo(f"Licence until: {license.ends_on.isoformat()}")
    click.echo(f"Seats taken: {', '.join(seats)}")
    if organization.delete_on:
        click.echo(f"To be deleted after: {organization.delete_on.isoformat()}")
    elif organization.is_suspended:
        click.echo("Suspended")


@org.command("list", epilog=example("usher org list"))
@json_option
def list_all(as_json: bool) -> None:
    """List every organisation with its plan and its members."""
    shown = [as_document(organization) for organization in find.all_of_them()]
    if as_json:
        document(shown)
        return
    titles = ("slug", "plan", "members", "state")
    table(titles, [(one["slug"], one["plan"], str(one["members"]), one["state"]) for one in shown])
    if not shown:
        note("There is no organisation yet. Make one with: usher org create")


def as_document(organization: Organization) -> dict[str, Any]:
    """What a program is told. Active members and taken seats are the same people, so nobody is counted again."""
    pools = sorted(organization.pools.all(), key=lambda pool: pool.pool)
    license = organization.license
    return {
        "slug": organization.slug,
        "plan": license.plan_slug,
        "members": sum(pool.used for pool in pools),
        "seats": {pool.pool: {"limit": pool.limit, "used": pool.used} for pool in pools},
        "starts_on": _iso(license.starts_on),
        "ends_on": _iso(license.ends_on),
        "state": state_of(organization),
        "delete_on": _iso(organization.delete_on),
        "trusted": organization.trusted_at is not None,
    }


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


# Changing


@org.command(epilog=example("usher org change --org cedar --seats student=600 --ends 2027-07-31"))
@organization_option
@click.option("--plan", default="", help="Another plan; only while nobody bears a role that it lacks.")
@seats_option
@starts_option
@ends_option
@click.option("--trusted/--not-trusted", default=None, help="Whether you know who they are.")
@json_option
def change(slug: str, as_json: bool, **given: Any) -> None:
    """Change plan, seats, dates or the trusted mark; what is left out stays. Fewer seats remove nobody."""
    wanted = licensing.Wanted(given["plan"], dict(given["seats"]), _dates(given), given["trusted"])
    licensing.change(find.by_slug(slug), wanted, OPERATOR)
    _tell(slug, as_json)


def _dates(given: dict[str, Any]) -> Dates:
    named = {"starts_on": given["starts"], "ends_on": given["ends"]}
    return {name: None if day == NO_DAY else day for name, day in named.items() if day is not None}


@org.command(epilog=example("usher org passwords --org cedar everyone"))
@organization_option
@click.argument("who", type=click.Choice(PasswordsFor.values))
@click.option(
    "--keep", multiple=True, metavar="ADDRESS", help="Mark this admin, who keeps a password; may be repeated."
)
def passwords(slug: str, who: str, keep: tuple[str, ...]) -> None:
    """Say who signs in with a password: everyone, admins, or marked admins alone; the others need single sign-on.

    “everyone” opens an organisation again whose provider has failed.
    """
    organization = find.by_slug(slug)
    keeps = None
    if keep:
        marked = {one.membership.id for one in signing_in.admins(organization) if one.membership.keeps_password}
        keeps = frozenset(marked | {signing_in.admin_of(organization, address).id for address in keep})
    rules = signing_in.Rules(passwords_for=who, keeps=keeps)
    changed = signing_in.change(organization, rules, OPERATOR, has_connection=has_active(organization))
    note(_TOLD[who].format(name=organization.name) if changed else "It is so already.")


@org.command("suspend", epilog=example('usher org suspend cedar --reason "Unpaid since August"'))
@click.argument("slug")
@click.option("--reason", required=True, help="Why. Its admins read it when it goes on.")
@json_option
def suspend_(slug: str, reason: str, as_json: bool) -> None:
    """Shut every door of SLUG: nobody gets in, nothing is lost."""
    suspend.suspend(find.by_slug(slug), reason, OPERATOR)
    _tell(slug, as_json)


@org.command(epilog=example("usher org resume cedar"))
@click.argument("slug")
@json_option
def resume(slug: str, as_json: bool) -> None:
    """Open the doors of SLUG again."""
    suspend.resume(find.by_slug(slug), OPERATOR)
    _tell(slug, as_json)


@org.command(epilog=example("usher org delete cedar --days 30"))
@click.argument("slug")
@click.option(
    "--days",
    type=click.IntRange(0, 3650),
    default=deletion.DELAY_DAYS,
    show_default=True,
    help="How long it can still be kept; 0 for the coming night.",
)
@json_option
def delete(slug: str, days: int, as_json: bool) -> None:
    """Delete SLUG with all its people, later: suspended until then, and kept by “usher org keep” meanwhile."""
    day = deletion.plan(find.by_slug(slug), OPERATOR, days=days)
    note(f"{slug} is suspended now and erased after {day.isoformat()}. To call it off: usher org keep {slug}")
    _tell(slug, as_json)


@org.command(epilog=example("usher org keep cedar"))
@click.argument("slug")
@json_option
def keep(slug: str, as_json: bool) -> None:
    """Call the deletion of SLUG off."""
    if not deletion.keep(find.by_slug(slug), OPERATOR):
        note("No deletion was planned.")
    _tell(slug, as_json)
