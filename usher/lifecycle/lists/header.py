"""The first line of a list: the sign between its cells, and which column is where."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Final

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle.lists.limits import LIMITS

KNOWN: Final = ("email", "password", "username", "name", "role", "groups")
_DELIMITERS: Final = (",", ";", "\t")
NO_COLUMN: Final = -1
_OF_A_RESULT_FILE: Final = frozenset(("line", "sign_in", "result", "reason"))
_SEPARATOR_LINE: Final = "sep="  # Excel's own first line, such as "sep=;"
_LONGEST_TITLE: Final = 100


@dataclass(frozen=True, slots=True)
class Columns:
    """``at`` finds a cell; a column that is missing is at -1, where every row is given an empty cell."""

    titles: tuple[str, ...]
    email: int
    password: int
    username: int
    name: int
    role: int
    groups: int
    reason: int

    @property
    def is_result_file(self) -> bool:
        """Whether this is a list that we wrote ourselves: what became of every row of another."""
        return _OF_A_RESULT_FILE.issubset(self.titles)

    @property
    def width(self) -> int:
        return len(self.titles)

    @property
    def known(self) -> tuple[str, ...]:
        return tuple(title for title in self.titles if title in KNOWN)

    @property
    def ignored(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(title for title in self.titles if title and title not in KNOWN))

    @property
    def known_at(self) -> tuple[int, ...]:
        return tuple(at for at, title in enumerate(self.titles) if title in KNOWN)


def sniff(line: str) -> str:
    """The delimiter that makes most known columns of the header; among equals the one seen most often."""
    return max(_DELIMITERS, key=lambda delimiter: _score(line, delimiter))


def split(line: str) -> list[str]:
    """The cells of one line, whatever its quotes."""
    return _cells(line, sniff(line))


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])


def _score(line: str, delimiter: str) -> tuple[int, int]:
    cells = _cells(line, delimiter)
    return sum(_title(cell) in KNOWN for cell in cells), len(cells)


def find_columns(cells: list[str]) -> Columns:
    """Raises when the header cannot be one; unknown columns are kept by their titles, to be named."""
    while cells and not cells[-1].strip():
        cells.pop()
    if len(cells) > LIMITS.columns:
        raise UsherError(Reason.FILE_TOO_MANY_COLUMNS(limit=LIMITS.columns))
    titles = [_title(cell) for cell in cells]
    for known in KNOWN:
        if titles.count(known) > 1:
            raise UsherError(Reason.FILE_COLUMN_TWICE(known))
    at = {known: titles.index(known) if known in titles else NO_COLUMN for known in KNOWN}
    if at["email"] == at["username"] == at["name"] == NO_COLUMN:
        raise UsherError(Reason.FILE_WITHOUT_COLUMN())
    return Columns(tuple(titles), **at, reason=titles.index("reason") if "reason" in titles else NO_COLUMN)


def is_separator_line(cell: str) -> bool:
    """``sep=;``, which Excel writes above the header."""
    return cell.lower().startswith(_SEPARATOR_LINE)


def names_email(cells: list[str]) -> bool:
    """Whether these are of a header with a column for addresses, so that what follows is a list."""
    if any("@" in cell for cell in cells):
        return False  # "E-mail, ann@x.org" begins with a label
    return any(map(is_separator_line, cells[:1])) or "email" in map(_title, cells)


def _title(cell: str) -> str:
    """``E-Mail`` and ``User name`` are known columns too; every other title stays as it was typed."""
    plain = "".join(c for c in cell[:_LONGEST_TITLE].casefold() if c not in " -_\xa0\t\r\n")
    return plain if plain in KNOWN else cell.strip()[:_LONGEST_TITLE]
