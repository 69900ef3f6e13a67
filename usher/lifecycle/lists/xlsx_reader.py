"""A program of its own, started by xlsx.py: an .xlsx comes in, numbered CSV goes out, within hard limits."""

from __future__ import annotations

import csv
import io
import resource
import sys
from datetime import date, datetime, time, timedelta
from typing import Final, TypeAlias

from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

Cell: TypeAlias = "int | float | str | bool | time | date | datetime | timedelta"

_MEMORY: Final = 1024 * 1024 * 1024
_SECONDS: Final = 30


def main(most_rows: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sheet = _first_visible(CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read())))
    out = io.TextIOWrapper(sys.stdout.buffer, "utf-8", newline="")
    writer = csv.writer(out)
    left = most_rows + 2  # the header, and one too many to be refused
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        texts = [_text(cell) for cell in cells]
        if any(map(str.strip, texts)):
            writer.writerow([number, *texts])
            left -= 1
        if not left:
            break
    out.flush()


def _first_visible(book: CalamineWorkbook) -> CalamineSheet:
    for index, sheet in enumerate(book.sheets_metadata):
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible:
            return book.get_sheet_by_index(index)
    return book.get_sheet_by_index(0)


def _text(cell: Cell) -> str:
    """As a person would type it into a list: whole numbers without a fraction, dates as ISO."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat()
    return str(cell)


if __name__ == "__main__":
    main(int(sys.argv[1]))
