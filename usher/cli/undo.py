"""usher imports and usher undo: what brought many people at once, and taking it back."""

from __future__ import annotations

import uuid

import click

from usher.cli.base import command, example
from usher.cli.output import document, json_option, note, organization_option, table
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle import past
from usher.lifecycle import undo as undoing
from usher.lifecycle.founding import BY_OPERATOR
from usher.lifecycle.past import Book, PastRun
from usher.lifecycle.undo import Undoing
from usher.organizations import find
from usher.organizations.models import Organization

LAST = "last"


@command(epilog=example("usher imports --org cedar --json"))
@organization_option
@click.option("--most", default=past.PAGE, show_default=True, help="So many, the newest first.")
@json_option
def imports(slug: str, most: int, as_json: bool) -> None:
    """List imports and accounts made in advance, with their ids for usher undo."""
    runs = past.page(find.by_slug(slug), None, size=max(1, most)).runs
    if as_json:
        document([run.as_json() for run in runs])
    else:
        table(("id", "at", "what", "by", "came", "removed", "state", "undo until"), map(_row, runs))


def _row(run: PastRun) -> tuple[str, ...]:
    told = run.as_json()
    at = f"{run.kept.at:%Y-%m-%d %H:%M}"
    by, until = told["by"] or "the operator", told["undo_until"] or "-"
    return told["id"], at, told["name"], by, str(told["came"]), str(told["removed"]), told["state"], until


@command(epilog=example("usher undo last --org cedar --dry-run"))
@click.argument("run_id", metavar="ID|last")
@organization_option
@click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing.")
@json_option
def undo(run_id: str, slug: str, dry_run: bool, as_json: bool) -> None:
    """Remove the people whom an import, or a creation of accounts, brought by mistake.

    Takes those who have not signed in and were not changed since, for 30 days; the others are listed. ID stands in
    usher imports; "last" is the newest that can be undone. Killed half-way, the same command does the rest.
    """
    organization = find.by_slug(slug)
    book = _book(organization, run_id)
    if dry_run:
        done = undoing.preview(organization, book, BY_OPERATOR)
    else:
        done = undoing.undo(organization, book, BY_OPERATOR)
    if as_json:
        document({"id": str(book.kept.id), "name": book.kept.name, **done.as_json(), "who_stays": _who(done)})
    else:
        click.echo(summary(done, dry_run=dry_run))
    if dry_run:
        note("Nothing was written: this was a dry run.")


def _book(organization: Organization, run_id: str) -> Book:
    """Raises UsherError (unknown_run)."""
    key = _last(organization) if run_id == LAST else _id(run_id)
    book = past.find(organization, None, key) if key else None
    if book is None:
        raise UsherError(Reason.UNKNOWN_RUN(id=run_id, slug=organization.slug))
    return book


def _last(organization: Organization) -> uuid.UUID | None:
    runs = past.page(organization, None).runs
    return next((run.kept.id for run in runs if run.may_undo), None)


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _who(done: Undoing) -> list[dict[str, str]]:
    return [
        {"sign_in": one.person.sign_in, "username": one.person.username, "reason": one.finding.code}
        for one in done.stays
    ]


def summary(done: Undoing, *, dry_run: bool) -> str:
    would = "would be" if dry_run else "is" if done.goes == 1 else "are"
    lines = [f"{_people(done.goes)} {would} removed."]
    if done.stay:
        stays = "stays" if done.stay == 1 else "stay"
        lines.append(f"{_people(done.stay)} {stays}:")
        lines += [f"  {one.person.sign_in}: {one.finding.sentence} {one.finding.next_step}" for one in done.stays]
    if done.stay > len(done.stays):
        lines.append(f"  and {done.stay - len(done.stays):,} more")
    return "\n".join(lines)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
