"""The rows of a list as cells, each with the physical line where it starts; quotes are taken strictly."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle.lists.decode import Encoding, open_text
from usher.lifecycle.lists.limits import LIMITS

# For the whole process, and needed: a cell over the module's own limit would end the reading, while for us it
# is a fault of its row. The file's size is the bound.
csv.field_size_limit(LIMITS.size)

_MOST_LINES: Final = 10 * LIMITS.rows  # blank ones included
_MOST_CELLS: Final = LIMITS.rows * LIMITS.columns


@dataclass(frozen=True, slots=True)
class Text:
    """A list in memory, decoded again at each reading, so that it is never held as rows.

    ``numbered`` is the form our .xlsx reader writes: the first cell of a record is its row in the sheet.
    """

    content: bytes = field(repr=False)
    encoding: Encoding
    delimiter: str
    numbered: bool = False

    def records(self, known_at: tuple[int, ...] = ()) -> Iterator[tuple[int, list[str]]]:
        """Line and cells of every record that is not blank; those at ``known_at`` may not swallow lines."""
        with open_text(self.content, self.encoding) as text:
            reader = csv.reader(text, delimiter=self.delimiter, strict=True, skipinitialspace=not self.numbered)
            line = 1
            try:
                for cells in reader:
                    if any(map(str.strip, cells)):
                        if reader.line_num > line:
                            self._refuse_swallowed(line, cells, known_at)
                        yield (int(cells.pop(0)) if self.numbered else line), cells
                    line = reader.line_num + 1
            except csv.Error as problem:
                raise _quote_error(line, reader.line_num, str(problem)) from problem

    def _refuse_swallowed(self, line: int, cells: list[str], known_at: tuple[int, ...]) -> None:
        """Two open quotes can pair up and take the lines between them into one cell."""
        if self.numbered:
            return
        for at in known_at:
            cell = cells[at] if at < len(cells) else ""
            if self.delimiter in cell and ("\n" in cell or "\r" in cell):
                raise UsherError(Reason.FILE_OPEN_QUOTE(line=line))


def _quote_error(first_line: int, last_line: int, problem: str) -> UsherError:
    # An open quote mostly ends at the next quote, lines below. The line to look at is where it began.
    if "unexpected end" in problem or last_line > first_line:
        return UsherError(Reason.FILE_OPEN_QUOTE(line=first_line))
    return UsherError(Reason.FILE_BAD_QUOTE(line=first_line))


def refuse_floods(content: bytes) -> None:
    """Counts line ends and delimiters in the bytes: millions of them would become millions of objects."""
    if max(content.count(b"\n"), content.count(b"\r")) > _MOST_LINES:
        raise UsherError(Reason.FILE_TOO_MANY_ROWS(limit=LIMITS.rows))
    if max(map(content.count, (b",", b";", b"\t"))) > _MOST_CELLS:
        raise UsherError(Reason.FILE_TOO_MANY_COLUMNS(limit=LIMITS.columns))
