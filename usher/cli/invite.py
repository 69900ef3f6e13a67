"""usher invite: invitations by e-mail, from addresses or files."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from usher.cli.base import REFUSED_ROWS, InputError, command, example
from usher.cli.output import document, json_option, note, organization_option, table
from usher.lifecycle.founding import BY_OPERATOR
from usher.lifecycle.lists.limits import LIMITS
from usher.methods.email_invitation import entries, order, send
from usher.methods.email_invitation.entries import Entry
from usher.methods.email_invitation.order import Kind, Order, Report, Weighed
from usher.methods.email_invitation.words import KINDS
from usher.organizations import find

STANDARD_INPUT = "-"
SHOWN = 50  # refused people named one by one


@command(epilog=example("usher invite --org cedar --role teacher ann@x.example 'Bo <bo@x.example>' --json"))
@organization_option
@click.argument("whom", metavar="FILE_OR_ADDRESS…", nargs=-1, required=True)
@click.option("--role", default="", help="Role of everybody who has none in the file. Left out: the lowest.")
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Group for everybody; may be repeated.")
@click.option("--note", "words", default="", help="A few words of your own in the mail.")
@click.option("--reserve", is_flag=True, help="Keep a seat for each until they come.")
@click.option("--no-mail", is_flag=True, help="Send nothing: only make links to hand over.")
@click.option("--unproved", is_flag=True, help="Whoever comes by a link of --json need not prove the address.")
@click.option("--dry-run", is_flag=True, help="Say what would happen and send nothing.")
@json_option
def invite(  # noqa: PLR0913 - click hands over one parameter for each option
    *,
    slug: str,
    whom: Sequence[str],
    role: str,
    groups: tuple[str, ...],
    words: str,
    reserve: bool,
    no_mail: bool,
    unproved: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Invite people by e-mail, at most 5,000 at once; nobody is invited twice.

    FILE is a list with a column "email" (and "name", "role", "groups"), a text with addresses in any shape, or the
    userlist.csv of an import, of which those are invited who have an account of their own; "-" reads from standard
    input. With --json, or with --no-mail, a link to hand over is made for each, beside the one in the mail: it proves
    no mailbox.
    """
    if unproved and not (as_json or no_mail):
        raise click.UsageError("--unproved is about links to hand over; add --json or --no-mail to get them.")
    wanted = Order(
        find.by_slug(slug),
        _entries(whom),
        BY_OPERATOR,
        role=role,
        groups=groups,
        note=words,
        reserve=reserve,
        mailed=not no_mail,
        copies=as_json or no_mail,
        unproved=unproved,
    )
    report = order.preview(wanted) if dry_run else send.send(wanted)
    _show(report, dry_run=dry_run, as_json=as_json)
    if report.counts.get(Kind.REFUSED):
        raise SystemExit(REFUSED_ROWS)


def _entries(whom: Sequence[str]) -> list[Entry]:
    """Everybody, numbered through where there are several arguments."""
    found = [entry for one in whom for entry in _of(one)]
    if len(found) > entries.MOST:
        raise InputError(f"{len(found):,} people are too many; invite {entries.MOST:,} at once.")
    return found if len(whom) == 1 else [replace(entry, line=n) for n, entry in enumerate(found, start=1)]


def _of(one: str) -> list[Entry]:
    if one == STANDARD_INPUT:
        return entries.from_file(sys.stdin.buffer.read(LIMITS.size + 1))
    path = Path(one)
    if "@" not in one or path.is_file():
        if not path.is_file():
            raise InputError(f"There is no file {one}, and an address has an @.")
        return entries.from_file(path.read_bytes(), path.name)
    return entries.from_text(one)


def _show(report: Report, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        document({"dry_run": dry_run, "counts": dict(report.counts), "people": [_document(row) for row in report.rows]})
    elif report.order.copies and not dry_run:
        table(("address", "link"), [(row.entry.email, row.link) for row in report.rows if row.link])
    for line in _notes(report, dry_run=dry_run):
        note(line)


def _document(row: Weighed) -> dict[str, Any]:
    return {
        "line": row.entry.line,
        "email": row.entry.email,
        "name": row.entry.username,
        "role": row.joiner.role,
        "groups": list(row.joiner.groups),
        "result": row.kind.value,
        "reason": row.findings[0].code if row.findings else None,
        "sentence": " ".join(finding.sentence for finding in row.findings) or None,
        "next_step": row.findings[0].next_step if row.findings else None,
        "invitation": str(row.invitation_id) if row.invitation_id else None,
        "link": row.link or None,
    }


def _notes(report: Report, *, dry_run: bool) -> Iterator[str]:
    """What became of them in one line, then why for those who were not invited."""
    going, counts = len(report.going), report.counts
    yield f"{going:,} {'would be' if dry_run else 'are'} invited."
    others = [
        f"{counts[kind]:,} {KINDS[kind]}" for kind in Kind if counts.get(kind) and kind not in (Kind.NEW, Kind.ACCOUNT)
    ]
    if others:
        yield f"Not invited: {', '.join(others)}."
    refused = [row for row in report.rows if row.kind is Kind.REFUSED]
    for row in refused[:SHOWN]:
        told = " ".join(f"{finding.sentence} {finding.next_step}" for finding in row.findings)
        yield f"Line {row.entry.line}: {row.entry.email}: {told}"
    if len(refused) > SHOWN:
        yield f"And {len(refused) - SHOWN:,} more; --json has them all."
