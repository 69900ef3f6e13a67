"""usher code: make invite codes, look at them, pause and rotate them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import click

from usher.cli.base import Group, example
from usher.cli.output import document, json_option, list_document, note, organization_option, table
from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle.founding import BY_OPERATOR
from usher.lifecycle.joiner import By
from usher.methods.invite_code import codes, days, find
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.text import shown
from usher.methods.invite_code.wish import Wish
from usher.methods.invite_code.words import link_to
from usher.organizations.find import by_slug
from usher.organizations.models import Organization

DAY = click.DateTime(formats=["%Y-%m-%d"])
code_argument = click.argument("typed", metavar="CODE")


@click.group(cls=Group)
def code() -> None:
    """Invite codes: make one, list all, pause, resume, rotate.

    CODE is the code however typed, or its id.
    """


@code.command(epilog=example("usher code create --org cedar --group 'Year 5' --max-uses 30 --ends 2026-12-18 --json"))
@organization_option
@click.option(
    "--group",
    "names",
    multiple=True,
    metavar="NAME",
    help="Make it the code of this group, which joins the organisation and the group; repeated: further groups.",
)
@click.option("--role", default="", help="Role of whoever comes by it. Left out: the lowest.")
@click.option("--starts", type=DAY, help="First day, as YYYY-MM-DD.")
@click.option("--ends", type=DAY, help="Last day, included.")
@click.option("--max-uses", type=int, help="At most so many people.")
@click.option("--domain", "domains", multiple=True, help="Only for addresses at this domain; may be repeated.")
@click.option("--in-at-once", is_flag=True, help="No proof of an address; for pupils, plan School alone.")
@click.option("--approval", is_flag=True, help="Whoever comes waits to be let in.")
@click.option("--ask-at-end", is_flag=True, help="Whoever comes after the end, or the last use, may ask.")
@json_option
def create(  # noqa: PLR0913 - click hands over one parameter for each option
    *,
    slug: str,
    names: Sequence[str],
    role: str,
    starts: dt.datetime | None,
    ends: dt.datetime | None,
    max_uses: int | None,
    domains: Sequence[str],
    in_at_once: bool,
    approval: bool,
    ask_at_end: bool,
    as_json: bool,
) -> None:
    """Make a code, and print it with its link. A group has one code at the most."""
    organization = by_slug(slug)
    own, further = _groups(organization, names)
    wish = Wish(
        role=role,
        starts_on=starts.date() if starts else None,
        ends_on=ends.date() if ends else None,
        max_uses=max_uses,
        at_end=(InviteCode.AtEnd.ASK if ask_at_end else InviteCode.AtEnd.REFUSE).value,
        domains=" ".join(domains),
        proof=(InviteCode.Proof.AT_ONCE if in_at_once else InviteCode.Proof.PROVE_FIRST).value,
        needs_approval=approval,
        groups=frozenset(further),
    )
    _show(codes.create(organization, wish, BY_OPERATOR, own), as_json=as_json)


def _groups(organization: Organization, names: Sequence[str]) -> tuple[uuid.UUID | None, list[uuid.UUID]]:
    found, lost = find.groups_named(organization, names)
    if lost:
        raise UsherError(*lost)
    ids = [group.id for group in found]
    return (ids[0], ids[1:]) if ids else (None, [])


@code.command("list", epilog=example("usher code list --org cedar"))
@organization_option
@json_option
def list_all(slug: str, as_json: bool) -> None:
    """List the codes of an organisation and of its groups, the earliest first."""
    organization = by_slug(slug)
    every = find.every(organization)
    if as_json:
        list_document(as_document(one) for one in every)
    else:
        table(("code", "state", "role", "group", "used", "of", "ends"), (_row(one, organization) for one in every))


@code.command(epilog=example("usher code pause --org cedar 7K4M29QX"))
@organization_option
@code_argument
@json_option
def pause(slug: str, typed: str, as_json: bool) -> None:
    """Let nobody in by CODE until it is resumed."""
    _act(slug, typed, codes.pause, as_json=as_json)


@code.command(epilog=example("usher code resume --org cedar 7K4M29QX"))
@organization_option
@code_argument
@json_option
def resume(slug: str, typed: str, as_json: bool) -> None:
    """Let a paused CODE go on as it was."""
    _act(slug, typed, codes.resume, as_json=as_json)


@code.command(epilog=example("usher code rotate --org cedar 7K4M29QX"))
@organization_option
@code_argument
@json_option
def rotate(slug: str, typed: str, as_json: bool) -> None:
    """Put another value in the place of CODE, which is dead at once, and print the new one."""
    _act(slug, typed, codes.rotate, as_json=as_json)


def _act(slug: str, typed: str, act: Callable[[Organization, uuid.UUID, By], InviteCode], *, as_json: bool) -> None:
    organization = by_slug(slug)
    found = find.typed(organization, typed)
    if found is None:
        raise UsherError(Reason.UNKNOWN_CODE("code"))
    _show(act(organization, found.id, BY_OPERATOR), as_json=as_json)


def _show(one: InviteCode, *, as_json: bool) -> None:
    if as_json:
        document(as_document(one))
        return
    note(f"The code ({_state(one)}) and its link:")
    click.echo(shown(one.code))
    click.echo(link_to(one.code))


def _state(one: InviteCode) -> str:
    return one.standing(clock.now()).value.replace("_", " ")


def as_document(one: InviteCode) -> dict[str, Any]:
    """What a program is told."""
    return {
        "id": str(one.id),
        "code": one.code,
        "link": link_to(one.code),
        "state": one.standing(clock.now()).value,
        "role": one.role,
        "group": one.group.name if one.group else None,
        "groups": [group.name for group in one.groups.all()],
        "starts_at": one.starts_at.isoformat() if one.starts_at else None,
        "ends_at": one.ends_at.isoformat() if one.ends_at else None,
        "max_uses": one.max_uses,
        "used": one.used,
        "domains": one.domains,
        "proof": one.proof,
        "needs_approval": one.needs_approval,
        "at_end": one.at_end,
    }


def _row(one: InviteCode, organization: Organization) -> tuple[str, ...]:
    ends = days.end_text(one.ends_at, days.zone_of(organization)) if one.ends_at else "–"
    return (
        shown(one.code),
        _state(one),
        one.role,
        ", ".join(group.name for group in (*([one.group] if one.group else []), *one.groups.all())) or "–",
        str(one.used),
        "–" if one.max_uses is None else str(one.max_uses),
        ends,
    )
