"""The import page as the browser meets it: check, import, hand out; every bad file one sentence, nothing lost."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from world import World, signed_in

from usher.core.limits import PREVIEWS
from usher.core.models import Mail
from usher.methods.csv_import import turn
from usher.methods.csv_import.models import Import
from usher.people.models import Account, Membership

PAGE = "/o/cedar/users/add/csv"
LIST = "email,password,username,birthday\nanna@cedar.example,,Anna,2016\nbad@,,Bad,2016\n,,Åsa Öberg,2016\n"


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


def send(client: Client, step: str, content: str | bytes = LIST, name: str = "year5.csv", **fields: str) -> Any:
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    return client.post(f"{PAGE}/{step}", {"file": file, "role": "student", **fields})


def go_away(response: Any) -> None:
    """What Django does when the connection ends, but for the signal that would end the test's database with it."""
    for close in response._resource_closers:
        close()


def rows_of(response: Any) -> list[dict[str, str]]:
    assert response["Content-Type"].startswith("text/csv")
    text = b"".join(response).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_checking_counts_explains_and_saves_nothing(world: World, ada: Client) -> None:
    before = Membership.objects.count()
    page = send(ada, "check")
    text = page.content.decode()
    assert page.status_code == 200
    assert "Column “birthday” is not used." in text
    assert "Import 2 people" in text
    assert "The address “bad@” is not complete." in text
    assert "(column email)" in text
    assert Membership.objects.count() == before
    assert not Import.objects.exists()


def test_the_whole_preview_comes_as_a_file_without_passwords(ada: Client) -> None:
    rows = rows_of(send(ada, "check", **{"as": "csv"}))
    assert [row["result"] for row in rows] == ["created", "refused", "created"]
    assert not any(row["password"] for row in rows)


def test_the_import_answers_with_the_list_and_then_with_what_is_true(world: World, ada: Client) -> None:
    answer = send(ada, "import")
    assert 'filename="userlist.csv"' in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "no-store, private"
    rows = rows_of(answer)
    assert [row["result"] for row in rows] == ["created", "refused", "created"]
    assert Account.objects.get(email="anna@cedar.example").check_password(rows[0]["password"])
    done = ada.get(f"{PAGE}/{answer['X-Usher-Import']}").content.decode()
    assert "2 people are in. They can sign in now." in done
    assert "The address “…” is not complete." in done


def test_the_tick_to_tell_them_by_mail_is_off_and_goes_with_the_file(world: World, ada: Client) -> None:
    form = ada.get(PAGE).content.decode()
    assert re.search(r'<input type="checkbox" name="tell"(?![^>]*checked)', form)
    assert 'name="tell"' not in send(ada, "check").content.decode()
    checked = send(ada, "check", tell="on").content.decode()
    assert '<input type="hidden" name="tell" value="on">' in checked
    assert "told by mail" in checked
    rows_of(send(ada, "import", tell="on"))
    assert list(Mail.objects.values_list("kind", "to")) == [("added", "anna@cedar.example")]
    too_many = "email\n" + "".join(f"p{n}@cedar.example\n" for n in range(51))
    for step in ("check", "import"):
        refused = send(ada, step, too_many, tell="on")
        assert refused.status_code == 429
        assert "51 people of this file would be told by mail, and only 49" in refused.content.decode()


def test_a_browser_that_goes_away_leaves_an_import_that_can_be_completed(world: World, ada: Client) -> None:
    answer = send(ada, "import")
    next(iter(answer.streaming_content))
    go_away(answer)
    source = Import.objects.get()
    assert source.finished_at is None
    assert "Send the same file again" in ada.get(f"{PAGE}/{source.id}").content.decode()
    assert [row["result"] for row in rows_of(send(ada, "import"))] == ["created", "refused", "created"]
    source.refresh_from_db()
    assert source.finished_at


def test_one_import_at_a_time_and_the_turn_comes_back(world: World, ada: Client) -> None:
    first = send(ada, "import")
    second = send(ada, "import", "username\nZed\n")
    assert second.status_code == 503
    assert "Another import is running on this server." in second.content.decode()
    go_away(first)
    assert rows_of(send(ada, "import", "username\nZed\n"))[0]["result"] == "created"
    assert not turn._turn.locked()


def test_progress_is_read_from_the_row(world: World, ada: Client) -> None:
    assert ada.get(f"{PAGE}/progress/{'0' * 64}").json() == {"rows": 0, "done": 0, "finished": False}
    rows_of(send(ada, "import"))
    identity = Import.objects.get().identity
    assert ada.get(f"{PAGE}/progress/{identity}").json() == {"rows": 3, "done": 3, "finished": True}
    assert signed_in(world.bob).get(f"/o/birch/users/add/csv/progress/{identity}").json()["rows"] == 0


def test_new_passwords_come_as_a_list_and_only_by_post(world: World, ada: Client) -> None:
    first = rows_of(send(ada, "import"))
    address = f"{PAGE}/{Import.objects.get().id}/passwords"
    assert ada.get(address).status_code == 405
    fresh = rows_of(ada.post(address))
    assert [row["sign_in"] for row in fresh] == [first[0]["sign_in"], first[2]["sign_in"]]
    assert fresh[0]["password"] not in ("", first[0]["password"])


def xlsx(rows: list[list[object]]) -> bytes:
    import xlsxwriter  # noqa: PLC0415

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    return buffer.getvalue()


BAD: list[tuple[str, Callable[[], str | bytes], str]] = [
    ("empty", lambda: b"", "The file is empty."),
    ("header only", lambda: "email,password,username\n", "The file has a header but no people."),
    ("no column", lambda: "birthday\n2016\n", "neither a column “email” nor “username”"),
    ("picture", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 400, "The file is not a list"),
    ("columns", lambda: ",".join(f"c{n}" for n in range(100_000)) + "\n1\n", "more than 64 columns"),
    ("rows", lambda: "username\n" + "x\n" * 200_001, "more than 200000 rows"),
    ("size", lambda: b"username\n" + b"x\n" * 30_000_000, "The file has 58 MB; 50 MB is the most."),
    ("quote", lambda: 'username\n"never closed\nx\n', "is never closed"),
    ("mixed", lambda: "username\nÅsa\n".encode() + "Öl\n".encode("cp1252"), "another encoding"),
]


@pytest.mark.parametrize("step", ["check", "import"])
@pytest.mark.parametrize(("content", "sentence"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_a_file_that_cannot_be_used_gets_one_sentence(
    ada: Client, step: str, content: Callable[[], str | bytes], sentence: str
) -> None:
    page = send(ada, step, content())
    text = page.content.decode()
    assert page.status_code in (400, 413)
    assert sentence in text
    assert text.count('class="next"') >= 1
    assert not Import.objects.exists()


def test_a_spreadsheet_is_read_with_its_numbers_as_text(ada: Client) -> None:
    rows = rows_of(
        send(ada, "import", xlsx([["username", "password"], ["Åsa", "abcdef123456"], ["4711", ""]]), "x.xlsx")
    )
    assert [row["username"] for row in rows] == ["Åsa", "4711"]


def test_without_a_file_the_form_says_so_and_keeps_the_choices(ada: Client) -> None:
    page = ada.post(f"{PAGE}/check", {"role": "teacher", "make_groups": "on"})
    text = page.content.decode()
    assert page.status_code == 400
    assert "Choose a file first." in text
    assert '<option value="teacher" selected' in text


def test_looks_at_who_has_an_account_are_counted_for_each_organisation(world: World, ada: Client) -> None:
    for _ in range(PREVIEWS.capacity):
        PREVIEWS.add(str(world.cedar.id))
    assert send(ada, "check").status_code == 429
    assert send(ada, "import").status_code == 429


def test_a_plan_without_groups_shows_none(world: World) -> None:
    mia = signed_in(world.mia)
    page = mia.get("/o/maple/users/add/csv").content.decode()
    assert 'name="group"' not in page
    assert 'name="make_groups"' not in page


def test_the_template_has_the_three_columns(ada: Client) -> None:
    answer = ada.get(f"{PAGE}/template.csv")
    assert answer.content == b"email,password,username\r\n"
    assert "attachment" in answer["Content-Disposition"]


def test_manual_creation_shows_the_passwords_once(world: World, ada: Client) -> None:
    page = ada.post("/o/cedar/users/add/manual", {"role": "student", "names": "Åsa Öberg\n李小龙\n"})
    text = page.content.decode()
    assert page.status_code == 200
    assert "2 people are in. They can sign in now." in text
    assert text.count('class="pass"') == 2
    row = next(csv.DictReader(io.StringIO(page.context["made"].as_csv(), newline="")))
    assert row["password"] in text
    assert Account.objects.get(sign_in_key=row["sign_in"]).check_password(row["password"])


def test_manual_creation_names_the_line_that_is_wrong_and_keeps_the_text(ada: Client) -> None:
    page = ada.post("/o/cedar/users/add/manual", {"role": "student", "names": "Åsa\n=evil\n"})
    text = page.content.decode()
    assert page.status_code == 400
    assert "Line 2:" in text
    assert "Åsa" in text
    assert not Account.objects.filter(username="Åsa").exists()


def test_a_manager_makes_accounts_for_his_own_group_alone(world: World) -> None:
    world.cedar.group("Year 6")
    tom = signed_in(world.tom)
    page = tom.get("/o/cedar/users/add/manual").content.decode()
    assert "Year 5" in page
    assert "Year 6" not in page
    assert '<option value="teacher"' not in page
    made = tom.post("/o/cedar/users/add/manual", {"role": "student", "group": "Year 5", "count": "2"})
    assert "2 people are in" in made.content.decode()
    for wrong in ({"group": "Year 6"}, {"group": "Year 5", "role": "teacher"}, {"group": ""}):
        refused = tom.post("/o/cedar/users/add/manual", {"role": "student", "count": "1", **wrong})
        assert refused.status_code in (400, 403)
    assert tom.get(PAGE).status_code == 403
