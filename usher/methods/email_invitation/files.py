"""People to invite and invitations as text: carried from page to page, handed back, and listed as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from django.http import StreamingHttpResponse
from django.utils.translation import get_language, override

from usher.core.cells import guard
from usher.core.errors import UsherError
from usher.lifecycle import userlist
from usher.lifecycle.joiner import By
from usher.methods.email_invitation import desk
from usher.methods.email_invitation.desk import Filter, Row
from usher.methods.email_invitation.entries import Entry, from_text
from usher.methods.email_invitation.order import Weighed
from usher.organizations.models import Organization

COLUMNS: Final = (
    "address", "name", "role", "groups", "standing", "why", "invited_by", "invited_at", "until", "came_at", "way",
)  # fmt: skip
PIECE: Final = 500


# Whom to invite


def carried(entries: Sequence[Entry]) -> str:
    """The people of a file as text that says the same when it is read again: as lines, or else as a list."""
    lines = as_lines(entries)
    return lines if _says_the_same(lines, entries) else _as_list(entries)


def as_lines(entries: Iterable[Entry]) -> str:
    """``Name <address>``, one person a line; without role and groups."""
    return "\n".join(
        f"{one.username} <{one.email}>" if one.username and one.email else one.username or one.email for one in entries
    )


def _says_the_same(text: str, entries: Sequence[Entry]) -> bool:
    try:
        return [_person(one) for one in from_text(text)] == [_person(one) for one in entries]
    except UsherError:
        return False


def _person(one: Entry) -> tuple[str, str, str, str, tuple[str, ...]]:
    return one.email, one.address, one.username, one.role, one.groups


def _as_list(entries: Iterable[Entry]) -> str:
    return _table(("email", "name", "role", "groups"), map(_cells_of, entries))


def _cells_of(one: Entry) -> tuple[str, ...]:
    return one.email, one.username, one.role, "|".join(one.groups)


def not_invited(rows: Iterable[Weighed]) -> str:
    """Those who got no invitation, each with the reason, as a list that can be corrected and sent again."""
    found = (
        (*_cells_of(row.entry), " ".join(f"{one.sentence} {one.next_step}" for one in row.findings)) for row in rows
    )
    return _table(("email", "name", "role", "groups", "why"), found)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([guard(cell) for cell in row] for row in rows)
    return text.getvalue()


# The desk


def exported(organization: Organization, by: By, chosen: Filter) -> StreamingHttpResponse:
    """The invitations as CSV, the latest first, written while they are read."""
    pieces = _pieces(desk.everything(organization, by, chosen), get_language() or "en")
    response = StreamingHttpResponse(userlist.whole(pieces, len(COLUMNS)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{organization.slug}-invitations.csv"'
    return response


def _pieces(rows: Iterator[Row], language: str) -> Iterator[str]:
    """In the language of the page that asked: by now its request is over."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    while True:
        with override(language):
            some = list(islice(rows, PIECE))
        writer.writerows([guard(cell) for cell in _cells(row)] for row in some)
        yield text.getvalue()
        if not some:
            return
        text.seek(0)
        text.truncate()


def _cells(row: Row) -> Sequence[str]:
    one = row.invitation
    came = one.ended_at if one.state == one.State.ACCEPTED else None
    return (
        one.email,
        one.username,
        one.role,
        "|".join(row.groups),
        row.standing.value,
        row.why,
        row.inviter,
        one.created_at.isoformat(timespec="seconds"),
        one.expires_at.isoformat(timespec="seconds"),
        came.isoformat(timespec="seconds") if came else "",
        row.way,
    )
