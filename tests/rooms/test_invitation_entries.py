"""Whom an invitation means: text in any shape, lists, and our own result files, from which only some are meant."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
import xlsxwriter
from command import run as usher
from world import World

from usher.core.cells import guard
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle import userlist
from usher.methods.email_invitation.entries import MOST, Entry, from_file, from_text

LIST = "email,name,role,groups\nann@x.org,Ann Doe,Teacher,Year 5|Choir\nbob@y.org,,,\n"
ANN = Entry(2, "ann@x.org", "ann@x.org", "Ann Doe", "teacher", ("Year 5", "Choir"))
BOB = Entry(3, "bob@y.org", "bob@y.org", "")


def workbook(*rows: Sequence[object]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate(rows):
            sheet.write_row(number, 0, cells)
    return out.getvalue()


def refusal(content: str | bytes) -> tuple[Reason, dict[str, object]]:
    with pytest.raises(UsherError) as no:
        from_text(content) if isinstance(content, str) else from_file(content)
    (finding,) = no.value.findings
    assert finding.sentence
    assert finding.next_step
    return finding.reason, dict(finding.facts)


# Lists


@pytest.mark.parametrize(
    "text", [LIST, LIST.replace(",", ";"), LIST.replace(",", "\t"), "sep=,\n" + LIST, "\ufeff" + LIST]
)
def test_a_list_is_read_the_same_pasted_and_as_a_file(text: str) -> None:
    offset = text.startswith("sep")
    wanted = [(one.line + offset, one.email, one.username, one.role, one.groups) for one in (ANN, BOB)]
    for found in (from_text(text), from_file(text.encode(), "people.csv")):
        assert [(one.line, one.email, one.username, one.role, one.groups) for one in found] == wanted


def test_a_list_is_read_from_a_spreadsheet() -> None:
    rows = [line.split(",") for line in LIST.splitlines()]
    assert from_file(workbook(*rows), "people.xlsx") == [ANN, BOB]


def test_a_password_is_no_reason_to_refuse_an_invitation() -> None:
    (ann,) = from_file(b"email,password,name\nann@x.org,1,Ann\n")
    assert ann == Entry(2, "ann@x.org", "ann@x.org", "Ann")


def test_a_row_needs_an_address_and_a_good_one() -> None:
    ann, nobody, bad, odd = from_text("email,name\n,Ann\n'=,\nbob@,Bob\ncarl@x.org,=Carl\n")
    assert [(one.email, one.address, one.username) for one in (ann, bad, odd)] == [
        ("", "", "Ann"),
        ("bob@", "", "Bob"),
        ("carl@x.org", "carl@x.org", "=Carl"),
    ]
    assert [[finding.reason for finding in one.findings] for one in (ann, bad, odd)] == [
        [Reason.INVITATION_NEEDS_ADDRESS],
        [Reason.ADDRESS_INCOMPLETE],
        [Reason.NAME_LOOKS_LIKE_FORMULA],
    ]
    assert nobody.findings


def test_a_row_that_names_nobody_is_asked_for_an_address_only() -> None:
    (nobody,) = from_text("email,name,role\n,,teacher\n")
    assert [finding.reason for finding in nobody.findings] == [Reason.INVITATION_NEEDS_ADDRESS]


# Text


def test_text_is_read_as_pasted_from_wherever_it_comes() -> None:
    text = "Ann Doe <ann@x.org>; bob@\nCarol\n"
    wanted = [("Ann Doe", "ann@x.org", ()), ("", "bob@", ("address_incomplete",)), ("Carol", "", ("no_address_here",))]
    for found in (from_text(text), from_file(text.encode()), from_file(text.encode("utf-16"), "people.txt")):
        assert [(one.username, one.email, tuple(f.code for f in one.findings)) for one in found] == wanted
        assert [one.line for one in found] == [1, 1, 2]
        assert {(one.role, one.groups) for one in found} == {("", ())}


def test_quotes_of_a_text_are_no_fault_of_a_list() -> None:
    found = from_file(b'"Doe, Ann" <ann@x.org>; "Bob" <bob@y.org>\n"Carol\n')
    assert [one.username for one in found] == ["Doe, Ann", "Bob", "Carol"]


def test_a_spreadsheet_without_a_header_is_read_as_if_it_were_pasted() -> None:
    found = from_file(workbook(["Ann", "Doe", "ann@x.org", "5b"], [], ["Bob", "Roe", "bob@y.org", "5c"]))
    assert [(one.line, one.username, one.email) for one in found] == [
        (1, "Ann Doe", "ann@x.org"),
        (3, "Bob Roe", "bob@y.org"),
    ]


def test_a_label_before_addresses_is_no_header() -> None:
    assert [one.email for one in from_text("E-mail, ann@x.org, bob@y.org")] == ["ann@x.org", "bob@y.org"]


def test_a_column_of_another_name_is_no_header() -> None:
    found = from_file("username;Adresse\nÅsa;asa@x.org\n".encode("cp1252"))
    assert [(one.username, one.email) for one in found] == [("username;Adresse", ""), ("Åsa", "asa@x.org")]


# Result files


def result_file(*rows: Sequence[str], header: str = userlist.HEADER) -> bytes:
    """Cells of sign_in, username, email, role, result, reason."""
    lines = [header.strip()]
    for line, (sign_in, name, email, role, result, reason) in enumerate(rows, start=2):
        lines.append(f'{line},{sign_in},"{name}",{email},,{role},{result},"{reason}",https://usher.example/o/cedar')
    return "\r\n".join(lines).encode()


ACCOUNT = "has_account: This address has an account of its own. Invite them."


def test_of_a_result_file_those_are_meant_who_have_an_account() -> None:
    content = result_file(
        ("ann@x.org", "Ann", "ann@x.org", "student", "created", ""),
        ("", "Bob", "bob@y.org", "teacher", "refused", ACCOUNT),
        ("", "Carl", "carl@", "student", "refused", "address_incomplete: The address “carl@” is not complete."),
        ("", "Dora", "dora@y.org", "student", "refused", "Somebody has_account: no"),
        ("", guard("=Emil"), "emil@y.org", "student", "refused", ACCOUNT),
    )
    bob, emil = from_file(content, "userlist.csv")
    assert bob == Entry(3, "bob@y.org", "bob@y.org", "Bob", "teacher")
    assert (emil.email, emil.username) == ("emil@y.org", "=Emil")
    assert from_text(content.decode()) == [bob, emil]


def test_a_result_file_without_such_people_says_so() -> None:
    content = result_file(("ann@x.org", "Ann", "ann@x.org", "student", "created", ""))
    assert refusal(content) == (Reason.NOBODY_HAS_ACCOUNT, {})


def test_a_column_called_reason_makes_no_result_file() -> None:
    (ann,) = from_text("email,reason\nann@x.org,new in town\n")
    assert ann.email == "ann@x.org"


def test_what_an_import_wrote_can_be_sent_here(world: World, tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "people.csv").write_text(
        f"email,name,role\nzoe@cedar.example,Zoë,\n{world.eve.account.email},Eve,teacher\n"
    )
    usher("import", folder / "people.csv", "--org", "cedar", "--role", "student", "--out", folder / "userlist.csv")
    written = (folder / "userlist.csv").read_bytes()
    wanted = [Entry(3, "eve@elsewhere.example", "eve@elsewhere.example", "Eve", "teacher")]
    assert from_file(written) == from_file("\ufeff".encode() + written) == wanted  # as a browser saves it


# Refused as a whole


def test_nobody_is_refused() -> None:
    for text in ("", " \n", "--\n;;"):
        assert refusal(text)[0] is Reason.NOBODY_TO_INVITE
    assert refusal(b"")[0] is Reason.FILE_EMPTY
    assert refusal("email,name\n")[0] is Reason.FILE_WITHOUT_ROWS
    assert refusal(b"--\n")[0] is Reason.NOBODY_TO_INVITE


def test_what_is_no_list_at_all_is_told_as_for_an_import() -> None:
    assert refusal(b"\x89PNG\r\n\x1a\n")[0] is Reason.FILE_NOT_A_LIST
    assert refusal('email,name\n"ann@x.org,Ann\n')[0] is Reason.FILE_OPEN_QUOTE


def test_too_many_are_refused_with_their_number() -> None:
    lines = [f"p{number}@x.org" for number in range(MOST + 1)]
    wanted = (Reason.TOO_MANY_TO_INVITE, {"limit": MOST, "count": MOST + 1})
    assert refusal("\n".join(lines)) == wanted
    assert refusal("\n".join(["email", *lines]).encode()) == wanted
    assert refusal(result_file(*[("", "", email, "", "refused", ACCOUNT) for email in lines])) == wanted
    assert len(from_text("\n".join(lines[:MOST]))) == MOST
