"""Activities as a list: read from CSV or .xlsx, judged row by row, added; and written as CSV."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from usher.activities import catalogue, making
from usher.activities.making import Wish
from usher.activities.models import Activity
from usher.core.cells import guard, unguard
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.events.types import Actor
from usher.lifecycle.lists.decode import UTF8, detect, open_text
from usher.lifecycle.lists.looks import refuse_other_files
from usher.lifecycle.lists.parse import refuse_too_large
from usher.lifecycle.lists.records import Text, refuse_floods
from usher.lifecycle.lists.xlsx import SIGNATURE, to_csv
from usher.organizations.models import Organization
from usher.people.models import Group
from usher.people.names import name_key

COLUMNS: Final = (
    "title", "description", "picture_url", "target_url", "scenario", "graded", "score_maximum", "audience", "group",
)  # fmt: skip
MOST: Final = 500  # rows of one list
_DELIMITERS: Final = (",", ";", "\t")
_LONGEST_HEADER: Final = 16 * 1024
_LONGEST_CELL: Final = 4000
_YES: Final = frozenset(("yes", "true", "1", "x"))
_NO: Final = frozenset(("", "no", "false", "0"))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list as it was read: each row with its line, its cells by column. ``ignored`` means nothing here."""

    rows: Sequence[tuple[int, Mapping[str, str]]] = field(repr=False)
    ignored: Sequence[str] = ()


class Result(StrEnum):
    """What becomes of a row."""

    CREATED = "created"
    UNCHANGED = "unchanged"  # one with this title opens the same already
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Line:
    """One row, judged."""

    line: int
    wish: Wish
    result: Result
    findings: Sequence[Finding] = ()


# Reading


def read(content: bytes) -> Sheet:
    """Raises UsherError for a file that cannot be used at all."""
    text = _open(content)
    records = text.records()
    titles = [_title(cell) for cell in _header(records)]
    if "title" not in titles:
        raise UsherError(Reason.FILE_WITHOUT_TITLE())
    for known in COLUMNS:
        if titles.count(known) > 1:
            raise UsherError(Reason.FILE_COLUMN_TWICE(known))
    rows = [(line, _cells(titles, cells)) for line, cells in records]
    if not rows:
        raise UsherError(Reason.FILE_WITHOUT_ROWS())
    if len(rows) > MOST:
        raise UsherError(Reason.LIST_TOO_LONG(count=len(rows), limit=MOST))
    return Sheet(rows, tuple(title for title in titles if title and title not in COLUMNS))


def _open(content: bytes) -> Text:
    refuse_too_large(len(content))
    if content.startswith(SIGNATURE):
        return Text(to_csv(content), UTF8, ",", numbered=True)
    refuse_other_files(content)
    encoding = detect(content)
    refuse_floods(content)
    with open_text(content, encoding) as text:
        first = text.readline(_LONGEST_HEADER)
    return Text(content, encoding, max(_DELIMITERS, key=first.count))


def _header(records: Iterator[tuple[int, list[str]]]) -> list[str]:
    first = next(records, None)
    if first is None:
        raise UsherError(Reason.FILE_EMPTY())
    return first[1]


def _title(cell: str) -> str:
    return "_".join(cell.strip().casefold().replace("-", " ").split())[:60]


def _cells(titles: Sequence[str], cells: Sequence[str]) -> Mapping[str, str]:
    """By column; what is beyond any use is cut, and found too long later."""
    pairs = zip(titles, cells, strict=False)
    return {title: unguard(cell.strip()[:_LONGEST_CELL]) for title, cell in pairs if title in COLUMNS}


# Judging


def judge(organization: Organization, sheet: Sheet) -> list[Line]:
    """What would become of each row; three queries for any number of them. The rules are those of the form."""
    groups = dict(Group.objects.filter(organization=organization).values_list("name_key", "id"))
    ids = frozenset(groups.values())
    opens = catalogue.of_organization(organization.id).values_list("title_key", "target_url", "scenario")
    known = set(opens)
    lines = []
    for number, cells in sheet.rows:
        line = _judged(number, cells, groups, ids)
        key = (name_key(line.wish.title), line.wish.target_url, line.wish.scenario)
        if line.result is Result.CREATED and key in known:
            line = Line(number, line.wish, Result.UNCHANGED)
        known.add(key)
        lines.append(line)
    return lines


def _judged(number: int, cells: Mapping[str, str], groups: Mapping[str, uuid.UUID], ids: frozenset[uuid.UUID]) -> Line:
    findings: list[Finding] = []
    group_name = cells.get("group", "")
    group = groups.get(name_key(group_name)) if group_name else None
    if group_name and group is None:
        findings.append(Reason.NO_SUCH_GROUP("group", group=group_name[:80]))
    wish = Wish(
        title=cells.get("title", ""),
        description=cells.get("description", ""),
        picture_url=cells.get("picture_url", ""),
        target_url=cells.get("target_url", ""),
        scenario=cells.get("scenario", ""),
        is_graded=_yes_or_no(cells.get("graded", ""), findings),
        score_maximum=_number(cells.get("score_maximum", ""), findings),
        audience=cells.get("audience", "").casefold() or Activity.Audience.EVERYONE,
        group=group,
    )
    findings += making.faults(wish, ids)
    return Line(number, wish, Result.REFUSED if findings else Result.CREATED, tuple(findings))


def _yes_or_no(cell: str, findings: list[Finding]) -> bool:
    word = cell.casefold()
    if word not in _YES | _NO:
        findings.append(Reason.NOT_YES_OR_NO("graded", given=cell[:40]))
    return word in _YES


def _number(cell: str, findings: list[Finding]) -> float:
    """100 where nothing is said; a comma may stand for the point."""
    try:
        return float(cell.replace(",", ".")) if cell else 100.0
    except ValueError:
        findings.append(Reason.NUMBER_NOT_READ("score_maximum", given=cell[:40]))
        return 100.0


# Adding and writing


def add(organization: Organization, lines: Iterable[Line], actor: Actor) -> list[Activity]:
    """Those that can be made, all together. Raises UsherError: too_many_activities, and what changed since."""
    wishes = [line.wish for line in lines if line.result is Result.CREATED]
    return making.add_many(organization, wishes, actor) if wishes else []


def as_csv(activities: Iterable[Activity]) -> Iterator[str]:
    """The lines of a file that can be read again; with the line of titles first."""
    yield _written(COLUMNS)
    for one in activities:
        yield _written(
            (
                one.title, one.description, one.picture_url, one.target_url, one.scenario,
                "yes" if one.is_graded else "no", f"{one.score_maximum:g}", one.audience,
                one.group.name if one.group else "",
            )
        )  # fmt: skip


def sheet_as_csv(sheet: Sheet) -> str:
    """What was read, as text: to be sent again by the page that showed it, since no file is kept."""
    rows = (_written([cells.get(column, "") for column in COLUMNS]) for _, cells in sheet.rows)
    return "".join([_written(COLUMNS), *rows])


def _written(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([guard(cell) for cell in cells])
    return line.getvalue()
