"""Whom to invite: read from pasted text, from a list with ``email, name, role, groups``, or from a result file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.lifecycle.lists.header import names_email, split
from usher.lifecycle.lists.parse import Row, Sheet, read, read_either
from usher.lifecycle.lists.paste import pasted, refuse_too_long

MOST: Final = 5_000
_LONGEST_HEADER: Final = 10_000  # characters
_HAS_ACCOUNT: Final = f"{Reason.HAS_ACCOUNT.code}: "  # as ``Finding.text`` begins in the column ``reason``


@dataclass(frozen=True, slots=True)
class Entry:
    """One person to invite. An empty ``role`` and no ``groups`` mean: as chosen for all.

    ``email`` is as typed, ``address`` its compare key, empty when there is none or it is refused; ``findings`` is
    all that is wrong in the shape.
    """

    line: int
    email: str
    address: str
    username: str
    role: str = ""
    groups: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def from_text(text: str) -> list[Entry]:
    """The people of a pasted text; below a header with a column ``email`` it is a list.

    Raises UsherError: nobody_to_invite, too_many_to_invite, text_too_long, and for a list as :func:`from_file`.
    """
    refuse_too_long(text)
    text = text.lstrip("\ufeff")
    first = next((line for line in text.splitlines() if line.strip()), "")
    if names_email(split(first[:_LONGEST_HEADER])):
        return _of_sheet(read(text.encode(errors="replace")))
    return _of_text(text)


def from_file(content: bytes, name: str = "") -> list[Entry]:
    """The people of a CSV or .xlsx; one whose first line has no column ``email`` is read as if it were pasted.

    Of a result file (``userlist.csv``) those are meant who were refused because of an account of their own.
    Raises UsherError: nobody_to_invite, nobody_has_account, too_many_to_invite, and as ``lists.parse.read``.
    """
    found = read_either(content, name)
    return _of_text(found) if isinstance(found, str) else _of_sheet(found)


def _of_text(text: str) -> list[Entry]:
    people = pasted(text, MOST)
    if not people:
        raise UsherError(Reason.NOBODY_TO_INVITE("text"))
    return [Entry(one.line, one.email, one.address, one.username, findings=one.findings) for one in people]


def _of_sheet(sheet: Sheet) -> list[Entry]:
    rows: Iterator[Row] = sheet.rows(with_passwords=False)
    if sheet.is_result_file:
        rows = (row for row in rows if row.reason.startswith(_HAS_ACCOUNT))
    elif sheet.row_count > MOST:
        raise _too_many(sheet.row_count)
    kept = [_entry(row) for row in _at_most(rows)]
    if not kept:
        raise UsherError(Reason.NOBODY_HAS_ACCOUNT("file"))
    return kept


def _at_most(rows: Iterable[Row]) -> list[Row]:
    rows = iter(rows)
    kept = list(islice(rows, MOST))
    left = sum(1 for _ in rows)
    if left:
        raise _too_many(MOST + left)
    return kept


def _too_many(count: int) -> UsherError:
    return UsherError(Reason.TOO_MANY_TO_INVITE(limit=MOST, count=count))


def _entry(row: Row) -> Entry:
    findings = row.findings
    if not row.email:
        others = (finding for finding in findings if finding.reason is not Reason.ROW_WITHOUT_PERSON)
        findings = (*others, Reason.INVITATION_NEEDS_ADDRESS("email"))
    return Entry(row.line, row.email, row.address, row.username, row.role, row.groups, findings)
