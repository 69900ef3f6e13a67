"""Files as people make them and as they break: every one is read right, or refused in a sentence and at once."""

from __future__ import annotations

import io
import subprocess
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Sequence
from datetime import date, datetime

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from usher.core.cells import guard
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle.lists import xlsx
from usher.lifecycle.lists.parse import LIMITS, Row, Sheet, read

MB = 1024 * 1024
PASSWORD = "river-lamp-4821"
LIST = f"email,password,username\nasa@cedar.example,{PASSWORD},Åsa Öberg\n,,Zoë\n"
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


def rows_of(content: bytes | str) -> list[Row]:
    return list(read(content.encode() if isinstance(content, str) else content).rows())


def row_of(content: bytes | str) -> Row:
    (row,) = rows_of(content)
    return row


def reasons(row: Row) -> list[tuple[Reason, str]]:
    return [(finding.reason, finding.column) for finding in row.findings]


def refusal(content: bytes | str) -> tuple[Reason, str]:
    with pytest.raises(UsherError) as no:
        read(content.encode() if isinstance(content, str) else content)
    (finding,) = no.value.findings
    return finding.reason, f"{finding.sentence} {finding.next_step}"


def workbook(*rows: Sequence[object], hidden_first: bool = False) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"}) as book:
        if hidden_first:
            book.add_worksheet("notes").hide()
            book.add_worksheet("people").activate()
        sheet = book.worksheets()[-1] if hidden_first else book.add_worksheet()
        for number, cells in enumerate(rows):
            sheet.write_row(number, 0, cells)
    return out.getvalue()


def rebuilt(content: bytes, change: dict[str, Callable[[bytes], bytes]]) -> bytes:
    """The zip again with some parts changed, as an attacker would."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change.get(name, bytes)(old.read(name)))
    return out.getvalue()


# Files that are read


ENCODED = [
    (LIST.encode(), "UTF-8"),
    (LIST.encode("utf-8-sig"), "UTF-8"),
    (LIST.encode("utf-16"), "UTF-16"),
    (b"\xfe\xff" + LIST.encode("utf-16-be"), "UTF-16"),
    (LIST.encode("utf-16-le"), "UTF-16"),
    (LIST.encode("utf-16-be"), "UTF-16"),
    (LIST.encode("cp1252"), "Windows-1252"),
]
RESHAPED = [
    LIST.replace("\n", "\r\n"),
    LIST.replace("\n", "\r"),
    LIST.rstrip("\n"),
    LIST.replace(",", ";"),
    LIST.replace(",", "\t"),
    "sep=;\n" + LIST.replace(",", ";"),
    LIST.replace("email,password,username", " E-Mail , PASSWORD,User name "),
    LIST.replace("username", "Name"),
    LIST.replace("Åsa Öberg", '  "Åsa Öberg"'),
    LIST.replace("asa@cedar.example", "\u00a0 asa@cedar.example  "),
    LIST.replace("Åsa Öberg", "A\u030asa  O\u0308berg"),
    "\n\n" + LIST.replace(",,Zoë", "\n , ,\n,,Zoë") + "\n,,\n",
    LIST.replace("\n", ",,,\n"),
    '"email","password","username"\n' + LIST.partition("\n")[2],
]


def assert_is_the_list(sheet: Sheet) -> None:
    assert sheet.row_count == 2
    assert [(r.email, r.password, r.username, r.findings) for r in sheet.rows()] == [
        ("asa@cedar.example", PASSWORD, "Åsa Öberg", ()),
        ("", "", "Zoë", ()),
    ]


@pytest.mark.parametrize(("content", "label"), ENCODED)
def test_encodings(content: bytes, label: str) -> None:
    sheet = read(content, "people.csv")
    assert (sheet.name, sheet.encoding, sheet.delimiter) == ("people.csv", label, ",")
    assert sheet.columns == ("email", "password", "username")
    assert sheet.content == content
    assert_is_the_list(sheet)


@pytest.mark.parametrize("text", RESHAPED)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_shapes(text: str, codec: str) -> None:
    assert_is_the_list(read(text.encode(codec)))


def test_columns_in_any_order_and_unknown_ones_named() -> None:
    sheet = read(b"is_staff,Groups,USERNAME,org,role,,id,org\n1,Year 5| Blue |Year 5,Ada,x,Teacher,,7,y\n")
    assert sheet.columns == ("groups", "username", "role")
    assert sheet.ignored == ("is_staff", "org", "id")
    (row,) = sheet.rows()
    assert (row.username, row.role, row.groups, row.findings) == ("Ada", "teacher", ("Year 5", "Blue"), ())


def test_name_stands_in_for_username() -> None:
    rows = rows_of("username,name\nada,Ada L\n,Bob\n")
    assert [row.username for row in rows] == ["ada", "Bob"]


def test_an_address_is_kept_as_typed_and_has_a_key() -> None:
    row = row_of("email\n Ada@Cedar.Example\n")
    assert (row.email, row.address, row.username) == ("Ada@Cedar.Example", "ada@cedar.example", "")


def test_the_delimiter_is_the_one_that_makes_columns() -> None:
    sheet = read(b'"a, b, c";email;"x,y"\n1;ada@cedar.example;\n')
    assert (sheet.delimiter, sheet.columns, sheet.ignored) == (";", ("email",), ("a, b, c", "x,y"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_is_where_a_record_starts(end: str) -> None:
    text = 'username,note\n\nAda,"one\ntwo\n\nthree"\n\nBob,\n"Eve\nof York",x\nZoë,\n'
    rows = rows_of(text.replace("\n", end))
    assert [(row.line, row.username) for row in rows] == [(3, "Ada"), (8, "Bob"), (9, "Eve of York"), (11, "Zoë")]


def test_rows_can_be_read_again() -> None:
    sheet = read(LIST.encode())
    assert list(sheet.rows()) == list(sheet.rows())


def test_rows_are_made_one_at_a_time() -> None:
    sheet = read(b"email,username\n" + b"".join(b"p%d@cedar.example,Person %d\n" % (i, i) for i in range(20_000)))
    tracemalloc.start()
    try:
        assert sum(1 for _ in sheet.rows()) == 20_000
        assert tracemalloc.get_traced_memory()[1] < MB
    finally:
        tracemalloc.stop()


def test_no_password_shows_in_a_traceback() -> None:
    sheet = read(LIST.encode())
    assert PASSWORD not in repr(sheet)
    assert PASSWORD not in repr(list(sheet.rows()))


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(st.text("'=+-@Aé \t", min_size=1, max_size=8).filter(lambda text: text == text.strip() != ""))
def test_our_own_guard_is_taken_off(username: str) -> None:
    assert row_of(f"username,x\n{guard(username)},1\n").username.split() == username.split()


@given(st.binary(max_size=300) | TEXT.map(lambda text: ("email,username\n" + text).encode()))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    try:
        sheet = read(content)
    except UsherError:
        return  # any other exception is a failure
    assert len(list(sheet.rows())) == sheet.row_count


# Rows that are refused


ROWS = [
    ("username,email\n,\n x ,\n", []),
    ("email,username,role\n,,student\n", [(Reason.ROW_WITHOUT_PERSON, "")]),
    ("email\nada\n", [(Reason.ADDRESS_INCOMPLETE, "email")]),
    ("email\nada@cedar.usher.invalid\n", [(Reason.ADDRESS_MADE_UP, "email")]),
    ("username\nA\u200bda\n", [(Reason.NAME_HIDDEN_CHARACTERS, "username")]),
    ("name\nAda\u202e\n", [(Reason.NAME_HIDDEN_CHARACTERS, "name")]),
    ("username\n" + "x" * 400 + "\n", [(Reason.NAME_TOO_LONG, "username")]),
    ("username\n=1+1\n", [(Reason.NAME_LOOKS_LIKE_FORMULA, "username")]),
    ("username\n'=1+1\n", [(Reason.NAME_LOOKS_LIKE_FORMULA, "username")]),
    ("username,password\nAda,=river-lamp-4821\n", [(Reason.PASSWORD_LOOKS_LIKE_FORMULA, "password")]),
    ("username,password\nAda,'=river-lamp-4821\n", [(Reason.PASSWORD_LOOKS_LIKE_FORMULA, "password")]),
    ("username,password\nAda,ab1\n", [(Reason.PASSWORD_TOO_SHORT, "password")]),
    ("email,username\nada@cedar.example,Ada,extra\n", [(Reason.ROW_TOO_WIDE, "")]),
    ("email,username\nada@cedar.example,Ada,,\n", []),
    ("username\nA\0da\n", [(Reason.CELL_NOT_TEXT, "username")]),
    ("username,note\nAda,\0\n", [(Reason.CELL_NOT_TEXT, "note")]),
    ("username,note\nAda," + "x" * 10_000 + "\n", []),
    ("username,note\nAda," + "x" * 10_001 + "\n", [(Reason.CELL_TOO_LONG, "note")]),
    ("email,username\n" + "x" * MB + ",\n", [(Reason.CELL_TOO_LONG, "email")]),
    ("username\nAda" + "," * 99_999 + "x\n", [(Reason.ROW_TOO_WIDE, "")]),
    (
        "email,password,username\nada@cedar,ab,=A,x\n",
        [
            (Reason.ROW_TOO_WIDE, ""),
            (Reason.ADDRESS_INCOMPLETE, "email"),
            (Reason.PASSWORD_TOO_SHORT, "password"),
            (Reason.PASSWORD_NEEDS_LETTERS_AND_NUMBERS, "password"),
            (Reason.NAME_LOOKS_LIKE_FORMULA, "username"),
        ],
    ),
]


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_all_that_is_wrong_with_a_row_at_once(text: str, expected: list[tuple[Reason, str]]) -> None:
    row = row_of(text)
    assert reasons(row) == expected
    assert all(finding.sentence and finding.next_step for finding in row.findings)


def test_one_bad_row_leaves_the_others_alone() -> None:
    rows = rows_of(f"username\nAda\nB\0b\n{'x' * MB}\nZoë\n")
    assert [(row.line, len(row.findings)) for row in rows] == [(2, 0), (3, 1), (4, 1), (5, 0)]


# Files that are refused


FILES = [
    ("", Reason.FILE_EMPTY, "empty"),
    (b"\xef\xbb\xbf", Reason.FILE_EMPTY, "empty"),
    (" \n\n\r\n\t", Reason.FILE_EMPTY, "empty"),
    ("sep=;\n", Reason.FILE_EMPTY, "empty"),
    (",,\n;", Reason.FILE_WITHOUT_COLUMN, "template"),
    ("email,username\n", Reason.FILE_WITHOUT_ROWS, "header"),
    ("email,username\n\n,\n", Reason.FILE_WITHOUT_ROWS, "header"),
    ("password,role\nx,y\n", Reason.FILE_WITHOUT_COLUMN, "email"),
    ("ada@cedar.example,x\n", Reason.FILE_WITHOUT_COLUMN, "email"),
    ("email,E-mail\nx,y\n", Reason.FILE_COLUMN_TWICE, "“email”"),
    (b"\x89PNG\r\n\x1a\n" + bytes(100), Reason.FILE_NOT_A_LIST, "picture"),
    (b"%PDF-1.7\n", Reason.FILE_NOT_A_LIST, "PDF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Reason.FILE_NOT_A_LIST, ".xls"),
    (b"<!DOCTYPE html><table>", Reason.FILE_NOT_A_LIST, "web page"),
    (bytes(1000), Reason.FILE_NOT_A_LIST, "not text"),
    (b"email\nada@cedar.example\n" + bytes(1000), Reason.FILE_NOT_A_LIST, "not text"),
    (bytes(range(256)) * 4, Reason.FILE_NOT_A_LIST, "not text"),
    (LIST.encode("utf-32"), Reason.FILE_NOT_A_LIST, "UTF-32"),
    (LIST.encode() + "Jörg,,\n".encode("cp1252"), Reason.FILE_MIXED_ENCODING, "Line 4"),
    ("email,x\nJörg,\n".encode("cp1252") + "Zoë".encode(), Reason.FILE_MIXED_ENCODING, "Line 2"),
    (b"\xef\xbb\xbfemail\r\rJ\xf6rg\n", Reason.FILE_MIXED_ENCODING, "Line 3"),
    (b"username\n\x81\n", Reason.FILE_MIXED_ENCODING, "Line 2"),
    (LIST.encode("utf-16")[:-1], Reason.FILE_MIXED_ENCODING, "Line 3"),
    ('username,x\nAda,1\n\nBob,"2\nEve,3\n', Reason.FILE_OPEN_QUOTE, "line 4"),
    ('username,x\nAda,"1\nBob,"2"\n', Reason.FILE_OPEN_QUOTE, "line 2"),
    ('x,username\n1,"Ada\n2,"\n', Reason.FILE_OPEN_QUOTE, "line 2"),
    ('username,x\n"Ada" L,1\n', Reason.FILE_BAD_QUOTE, "Line 2"),
    ("username\n" + "a\n" * 200_001, Reason.FILE_TOO_MANY_ROWS, "200000"),
    ("username\n" + "\n" * 3_000_000, Reason.FILE_TOO_MANY_ROWS, "200000"),
    ("username" + "," * 13_000_000, Reason.FILE_TOO_MANY_COLUMNS, "64"),
    (",".join(f"c{i}" for i in range(100_000)) + ",email\nx", Reason.FILE_TOO_MANY_COLUMNS, "64"),
    (bytes(60 * MB), Reason.FILE_TOO_LARGE, "60 MB; 50 MB"),
    (bytes(50 * MB + 1), Reason.FILE_TOO_LARGE, "51 MB; 50 MB"),
]


@pytest.mark.parametrize(("content", "reason", "part"), FILES, ids=range(len(FILES)))
def test_file_is_refused(content: bytes | str, reason: Reason, part: str) -> None:
    started = time.process_time()
    found, text = refusal(content)
    assert (found, part in text) == (reason, True), text
    assert time.process_time() - started < 2


def test_the_largest_list_is_taken() -> None:
    assert read(b"username\n" + b"a\n" * LIMITS.rows).row_count == 200_000


def test_sixty_four_columns_are_taken() -> None:
    assert len(read(",".join(["email", *(f"c{i}" for i in range(63))]).encode() + b"\nx").ignored) == 63
    assert refusal(",".join(["email", *(f"c{i}" for i in range(64))]) + "\nx")[0] is Reason.FILE_TOO_MANY_COLUMNS


# .xlsx


def test_xlsx_is_read_like_csv() -> None:
    people = [["asa@cedar.example", PASSWORD, "Åsa Öberg"], ["", "", "Zoë"]]
    sheet = read(workbook(["email", "password", "username"], *people), "people.xlsx")
    assert (sheet.encoding, sheet.delimiter) == ("xlsx", "")
    assert_is_the_list(sheet)


CELLS = [
    (12345, "12345"),
    (12345.0, "12345"),
    (1.5, "1.5"),
    (123456789012345, "123456789012345"),
    ("00123", "00123"),
    ("=3*4", "0"),  # the value the spreadsheet stored; it is not computed
    (True, "TRUE"),
    (datetime(2014, 5, 1), "2014-05-01"),  # noqa: DTZ001
    (date(2014, 5, 1), "2014-05-01"),
    ('Year 5\nBlue, "B"', 'Year 5 Blue, "B"'),
    ("  Åsa  ", "Åsa"),
]


def test_xlsx_cells_become_text() -> None:
    rows = rows_of(workbook(["username", "n"], *([typed, n] for n, (typed, _) in enumerate(CELLS))))
    assert [row.username for row in rows] == [text for _, text in CELLS]


def test_xlsx_lines_are_rows_of_the_sheet() -> None:
    rows = rows_of(workbook([], ["username", "x"], ["Ada\nL"], [], [" ", ""], ["Bob"]))
    assert [(row.line, row.username) for row in rows] == [(3, "Ada L"), (6, "Bob")]


def test_xlsx_takes_the_first_sheet_that_is_seen() -> None:
    assert row_of(workbook(["username"], ["Ada"], hidden_first=True)).username == "Ada"


def test_xlsx_long_cell_is_a_fault_of_its_row() -> None:
    assert reasons(row_of(workbook(["username"], ["x" * 20_000]))) == [(Reason.CELL_TOO_LONG, "username")]


def far(row: int, column: int) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "username")
        sheet.write(row, column, "x")
    return out.getvalue()


def tall(rows: int, kind: bytes, first: str = "username") -> bytes:
    """A header and so many rows below it, each with the number 0 or the first shared text."""
    cells = b"".join(b'<row r="%d"><c r="A%d" %s><v>0</v></c></row>' % (n, n, kind) for n in range(2, rows + 2))
    return rebuilt(
        workbook(["username"]),
        {
            SHEET: lambda xml: xml.replace(b"</sheetData>", cells + b"</sheetData>"),
            STRINGS: lambda xml: xml.replace(b"username", first.encode()),
        },
    )


def lying(content: bytes) -> bytes:
    """A sheet whose header says that it is small: the size stands in the local and in the central record."""
    blank = b"<worksheet>" + b" " * (20 * MB)
    bomb = rebuilt(content, {SHEET: lambda _: blank})
    return bomb.replace(len(blank).to_bytes(4, "little"), (11).to_bytes(4, "little")).replace(
        zlib.crc32(blank).to_bytes(4, "little"), zlib.crc32(b"<worksheet>").to_bytes(4, "little")
    )


def archive(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return out.getvalue()


PEOPLE = workbook(["username"], ["Ada"])
XML = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'

BOOKS: list[tuple[str, Callable[[], bytes], Reason, str]] = [
    ("cut off", lambda: PEOPLE[:-40], Reason.FILE_BROKEN, ".xlsx"),
    ("damaged", lambda: PEOPLE.replace(b"<", b">")[:2000] + PEOPLE[2000:-200], Reason.FILE_BROKEN, ".xlsx"),
    ("only a signature", lambda: b"PK\x03\x04", Reason.FILE_BROKEN, ".xlsx"),
    ("no sheet", lambda: archive({"xl/workbook.xml": b"<x/>"}), Reason.FILE_BROKEN, "CSV"),
    ("a zip", lambda: archive({"notes": b"x"}), Reason.FILE_NOT_A_LIST, "zip"),
    ("Word", lambda: archive({"word/document.xml": b"x"}), Reason.FILE_NOT_A_LIST, "Word"),
    ("OpenDocument", lambda: archive({"content.xml": b"x"}), Reason.FILE_NOT_A_LIST, "OpenDocument"),
    ("many parts", lambda: archive({f"xl/{n}": b"" for n in range(1_001)}), Reason.FILE_BROKEN, ".xlsx"),
    ("a bomb", lambda: rebuilt(PEOPLE, {SHEET: lambda _: bytes(300 * MB)}), Reason.FILE_TOO_LARGE, "256 MB"),
    ("a bomb that lies", lambda: lying(PEOPLE), Reason.FILE_BROKEN, ".xlsx"),
    ("a wide sheet", lambda: far(1, 64), Reason.FILE_TOO_MANY_COLUMNS, "64"),
    ("a huge rectangle", lambda: far(1_048_575, 16_383), Reason.FILE_TOO_MANY_COLUMNS, "64"),
    (
        "the same in other quotes",
        lambda: rebuilt(far(1_048_575, 16_383), {SHEET: lambda xml: xml.replace(b'"', b"'")}),
        Reason.FILE_BROKEN,
        ".xlsx",
    ),
    ("one text 200,000 times", lambda: tall(200_000, b't="s"', "x" * 32_000), Reason.FILE_BROKEN, ".xlsx"),
    ("entities", lambda: rebuilt(PEOPLE, {STRINGS: lambda xml: XML + xml}), Reason.FILE_BROKEN, ".xlsx"),
    ("too many rows", lambda: tall(200_001, b""), Reason.FILE_TOO_MANY_ROWS, "200000"),
    ("header only", lambda: workbook(["username"]), Reason.FILE_WITHOUT_ROWS, "header"),
    ("nothing", workbook, Reason.FILE_EMPTY, "empty"),
    ("no column", lambda: workbook(["x"], ["y"]), Reason.FILE_WITHOUT_COLUMN, "email"),
]


@pytest.mark.parametrize(("make", "reason", "part"), [case[1:] for case in BOOKS], ids=[case[0] for case in BOOKS])
def test_book_is_refused(make: Callable[[], bytes], reason: Reason, part: str) -> None:
    content = make()
    assert len(content) < 50 * MB
    started = time.process_time()
    found, text = refusal(content)
    assert (found, part in text) == (reason, True), text
    assert time.process_time() - started < 2


def test_empty_formatted_cells_far_away_do_no_harm() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["username", "Ada"])
        sheet.write_blank(0, 1_023, None, book.add_format({"bold": True}))
    assert row_of(out.getvalue()).username == "Ada"


def test_a_reader_that_dies_or_hangs_is_a_broken_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "_LONGEST_WAIT", 0.001)
    assert refusal(PEOPLE)[0] is Reason.FILE_BROKEN


def test_the_reader_is_told_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}
    real = subprocess.run

    def spy(command: list[str], *, env: dict[str, str], **others: object) -> object:
        seen.update(env)
        return real(command, env=env, **others)  # type: ignore[call-overload]

    monkeypatch.setenv("USHER_PEPPER", "canary")
    monkeypatch.setattr(subprocess, "run", spy)
    assert read(PEOPLE).row_count == 1
    assert seen
    assert not any(name.startswith("USHER") for name in seen)
