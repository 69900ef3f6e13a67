"""From the bytes of a file to rows that name people, with everything that is wrong in their shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from django.conf import settings

from usher.core.cells import unguard
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.lifecycle.lists.decode import UTF8, Encoding, detect, open_text
from usher.lifecycle.lists.header import NO_COLUMN, Columns, find_columns, is_separator_line, names_email, sniff, split
from usher.lifecycle.lists.limits import LIMITS, in_megabytes
from usher.lifecycle.lists.looks import refuse_other_files
from usher.lifecycle.lists.records import Text, refuse_floods
from usher.lifecycle.lists.xlsx import SIGNATURE, to_csv
from usher.people.addresses import parse_address
from usher.people.names import clean_group_name, clean_name
from usher.people.passwords import check_supplied

__all__ = ["LIMITS", "Row", "Sheet", "read", "read_either", "refuse_too_large"]

_LONGEST_HEADER: Final = 16 * 1024  # characters; enough to see the delimiter


@dataclass(frozen=True, slots=True)
class Row:
    """One person of a list; a cell that cannot be read is empty. ``findings`` is all that is wrong with it.

    ``email`` is as typed, ``address`` the key it is compared by: empty when there is none or it is refused.
    ``reason`` is that of a result file given as a list, see ``Sheet.is_result_file``.
    """

    line: int
    email: str
    username: str
    password: str = field(repr=False)
    role: str
    groups: tuple[str, ...]
    findings: tuple[Finding, ...]
    address: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that can be read. ``ignored`` names its columns that mean nothing here."""

    name: str
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    ignored: tuple[str, ...]
    row_count: int
    content: bytes = field(repr=False)
    _text: Text = field(repr=False)
    _columns: Columns = field(repr=False)

    @property
    def is_result_file(self) -> bool:
        return self._columns.is_result_file

    def rows(self, *, with_passwords: bool = True) -> Iterator[Row]:
        """The rows below the header, made while they are asked for; may be called again.

        Without passwords that column is neither read nor a reason to refuse somebody.
        """
        columns = self._columns if with_passwords else replace(self._columns, password=NO_COLUMN)
        for line, cells in _below_header(self._text):
            yield _row(line, cells, columns)


def refuse_too_large(size: int) -> None:
    """``size`` in bytes, as known before the content is. Raises UsherError (file_too_large)."""
    most = min(LIMITS.size, settings.USHER_IMPORT_MAX_BYTES)  # of an upload no more than that is kept
    if size > most:
        raise UsherError(Reason.FILE_TOO_LARGE(size=in_megabytes(size), limit=in_megabytes(most)))


def read(content: bytes, name: str = "") -> Sheet:
    """Judges the file as a whole, in two quick passes. Raises UsherError when it cannot be used at all."""
    return _sheet(_open(content), content, name)


def read_either(content: bytes, name: str = "") -> Sheet | str:
    """A sheet when the first line has a column ``email``; else the text as it stands, with a tab between two cells.

    Raises UsherError as :func:`read`.
    """
    text = _open(content)
    if names_email(_first_cells(text)):
        return _sheet(text, content, name)
    return _plain(text) if text.numbered else content.decode(text.encoding.codec)


def _first_cells(text: Text) -> list[str]:
    """Of a text without asking for strict quotes: it need not be a list."""
    if text.numbered:
        return next(text.records(), (0, [""]))[1]
    return split(_first_line(text.content, text.encoding))


def _plain(text: Text) -> str:
    """The cells of an .xlsx, every row in the line of its number."""
    pieces, at = [], 1
    for number, cells in text.records():
        pieces.append("\n" * (number - at) + "\t".join(" ".join(cell.split()) for cell in cells))
        at = number
    return "".join(pieces)


def _open(content: bytes) -> Text:
    refuse_too_large(len(content))
    if content.startswith(SIGNATURE):
        return Text(to_csv(content), UTF8, ",", numbered=True)
    return _text(content)


def _sheet(text: Text, content: bytes, name: str) -> Sheet:
    columns = _columns(text)
    return Sheet(
        name=name,
        encoding="xlsx" if text.numbered else text.encoding.label,
        delimiter="" if text.numbered else text.delimiter,
        columns=columns.known,
        ignored=columns.ignored,
        row_count=_count(text, columns),
        content=content,
        _text=text,
        _columns=columns,
    )


def _text(content: bytes) -> Text:
    refuse_other_files(content)
    encoding = detect(content)
    refuse_floods(content)
    return Text(content, encoding, sniff(_first_line(content, encoding)))


def _first_line(content: bytes, encoding: Encoding) -> str:
    """The first line with something in it: the header, or the ``sep=;`` that Excel writes above it."""
    with open_text(content, encoding) as text:
        while line := text.readline(_LONGEST_HEADER):
            if line.strip():
                return line
    raise UsherError(Reason.FILE_EMPTY())


def _columns(text: Text) -> Columns:
    header = next(_from_header(text), None)
    if header is None:
        raise UsherError(Reason.FILE_EMPTY())
    return find_columns(header[1])


def _from_header(text: Text, known_at: tuple[int, ...] = ()) -> Iterator[tuple[int, list[str]]]:
    records = text.records(known_at)
    for line, cells in records:
        if not is_separator_line(cells[0]):
            yield line, cells
            break
    yield from records


def _below_header(text: Text, known_at: tuple[int, ...] = ()) -> Iterator[tuple[int, list[str]]]:
    return islice(_from_header(text, known_at), 1, None)


def _count(text: Text, columns: Columns) -> int:
    """Walks the whole file: its quotes and its length are known before anything is done with it."""
    count = sum(1 for _ in islice(_below_header(text, columns.known_at), LIMITS.rows + 1))
    if count > LIMITS.rows:
        raise UsherError(Reason.FILE_TOO_MANY_ROWS(limit=LIMITS.rows))
    if not count:
        raise UsherError(Reason.FILE_WITHOUT_ROWS())
    return count


def _row(line: int, cells: list[str], columns: Columns) -> Row:
    findings: list[Finding] = []
    readable = _fit(cells, columns, findings)
    cells.append("")  # where the columns point that the file lacks
    email, password = _value(cells[columns.email]), _value(cells[columns.password])
    username, name_column = _value(cells[columns.username]), "username"
    if not username:
        username, name_column = _value(cells[columns.name]), "name"
    if readable and not email and not username:
        findings.append(Reason.ROW_WITHOUT_PERSON())
    address = ""
    if email:
        email, address = _address(email, findings)
    if password:
        _check_password(password, findings)
    if username:
        username = _name(username, name_column, findings)
    role, groups = _value(cells[columns.role]).casefold(), _groups(cells[columns.groups], findings)
    reason = _value(cells[columns.reason])
    return Row(line, email, username, password, role, groups, tuple(findings), address, reason)


def _fit(cells: list[str], columns: Columns, findings: list[Finding]) -> bool:
    """Brings the cells to the width of the header; False when one had to be emptied for its content."""
    width = columns.width
    if len(cells) < width:
        cells.extend([""] * (width - len(cells)))
    elif len(cells) > width and any(map(str.strip, cells[width:])):
        findings.append(Reason.ROW_TOO_WIDE(cells=len(cells), columns=width))
    joined = "".join(cells)
    if len(joined) <= LIMITS.cell and "\0" not in joined:
        return True
    unreadable = [(at, found) for at, cell in enumerate(cells) if (found := _unreadable(cell, at, columns))]
    for at, finding in unreadable:
        cells[at] = ""
        findings.append(finding)
    return not unreadable


def _unreadable(cell: str, at: int, columns: Columns) -> Finding | None:
    column = columns.titles[at] if at < columns.width else str(at + 1)
    if len(cell) > LIMITS.cell:
        return Reason.CELL_TOO_LONG(column, length=len(cell), limit=LIMITS.cell)
    if "\0" in cell:
        return Reason.CELL_NOT_TEXT(column)
    return None


def _address(email: str, findings: list[Finding]) -> tuple[str, str]:
    try:
        address = parse_address(email)
    except UsherError as no:
        findings.extend(no.findings)
        return email, ""
    return address.original, address.key


def _check_password(password: str, findings: list[Finding]) -> None:
    try:
        check_supplied(password)
    except UsherError as no:
        findings.extend(no.findings)


def _name(username: str, column: str, findings: list[Finding]) -> str:
    try:
        return clean_name(username, column)
    except UsherError as no:
        findings.extend(no.findings)
        return username


def _value(cell: str) -> str:
    text = cell.strip()
    return unguard(text) if text[:1] == "'" else text


def _groups(cell: str, findings: list[Finding]) -> tuple[str, ...]:
    if not cell:
        return ()
    names = dict.fromkeys(name for part in _value(cell).split("|") if (name := part.strip()))
    if len(names) > LIMITS.groups:
        findings.append(Reason.ROW_WITH_TOO_MANY_GROUPS("groups", count=len(names), limit=LIMITS.groups))
        return ()
    try:
        return tuple(dict.fromkeys(clean_group_name(name, "groups") for name in names))
    except UsherError as no:
        findings.extend(no.findings)
        return ()
