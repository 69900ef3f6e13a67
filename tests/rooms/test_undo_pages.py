"""Imports and creations of the past as an admin and a manager see them, and the undo behind its question."""

from __future__ import annotations

import html
import re
import uuid
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from world import BY_OPERATOR, World, signed_in

from usher.lifecycle import move, undo
from usher.methods.bulk_accounts.models import CreationRun
from usher.methods.csv_import.models import Import
from usher.people.models import Membership

PAGE = "/o/cedar/imports"
LIST = "username,groups\nZoë,Year 5\nÅsa,Year 5\nBo,Choir\n,\nBroken\u200fName,\n"


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


def text_of(response: Any) -> str:
    """What a person reads of a page: no tags, one space between words."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def send(browser: Client, content: str = LIST, name: str = "pupils.csv") -> uuid.UUID:
    """An import through its page, read to its end."""
    file = SimpleUploadedFile(name, content.encode())
    facts = {"file": file, "role": "student", "make_groups": "on"}
    answer = browser.post("/o/cedar/users/add/csv/import", facts)
    assert b"".join(answer)
    return uuid.UUID(answer["X-Usher-Import"])


def make(browser: Client, names: str = "Åsa\nBo", group: str = "") -> CreationRun:
    answer = browser.post("/o/cedar/users/add/manual", {"role": "student", "names": names, "group": group})
    assert answer.status_code == 200
    return CreationRun.objects.latest("id")


def people() -> set[str]:
    return set(Membership.objects.values_list("account__username", flat=True))


def test_the_list_has_what_was_sent_and_made(world: World, ada: Client) -> None:
    assert "Nothing was imported or made yet" in text_of(ada.get(PAGE))
    send(ada)
    make(signed_in(world.tom), "Cy", "Year 5")
    text = text_of(ada.get(PAGE))
    assert text.index("1 account for Year 5") < text.index("pupils.csv")
    assert "Tom Thorn" in text
    assert "Ada Ash" in text


def test_the_pages_that_bring_people_lead_to_the_list_and_to_the_undo(ada: Client) -> None:
    source = send(ada)
    for address in ("/o/cedar/users/add", "/o/cedar/users/add/csv", "/o/cedar/users/add/manual"):
        assert f'href="{PAGE}"' in ada.get(address).content.decode(), address
    assert f'href="{PAGE}/{source}"' in ada.get(f"/o/cedar/users/add/csv/{source}").content.decode()
    made = ada.post("/o/cedar/users/add/manual", {"role": "student", "count": "2"})
    assert f'href="{PAGE}/{CreationRun.objects.get().id}"' in made.content.decode()


def test_first_who_goes_and_who_stays_then_the_undo(world: World, ada: Client) -> None:
    before, source = people(), send(ada)
    zoe = Membership.objects.get(account__username="Zoë")
    move.move(world.cedar.id, zoe.id, "teacher", BY_OPERATOR)
    asked = ada.get(f"{PAGE}/{source}/undo")
    text = text_of(asked)
    assert "This removes 2 people. 1 stays." in text
    assert "Remove 2 people" in text
    assert "Something was changed about the person since: Role changed." in text
    assert f'href="/o/cedar/users/{zoe.id}"' in asked.content.decode()
    assert people() > before, "a question removes nobody"
    done = ada.post(f"{PAGE}/{source}/undo", follow=True)
    assert done.redirect_chain == [(f"{PAGE}/{source}", 302)]
    text = text_of(done)
    assert "2 people are removed. 1 person stays." in text
    assert "Undone on" in text
    assert "See what an undo removes" not in text
    assert people() == before | {"Zoë"}
    stays = text_of(ada.get(f"{PAGE}/{source}/undo"))
    assert "Who stays of “pupils.csv”" in stays
    assert "Nobody can be removed. 1 stays." in stays


def test_the_import_page_says_that_it_is_undone(ada: Client) -> None:
    source = send(ada)
    page = f"/o/cedar/users/add/csv/{source}"
    assert "Undo (until" in text_of(ada.get(page))
    ada.post(f"{PAGE}/{source}/undo")
    text = text_of(ada.get(page))
    assert "This import has been undone." in text
    assert "Make new passwords" not in text
    assert "Undo (until" not in text
    assert "undone" in text_of(ada.get("/o/cedar/users/add/csv"))
    refused = ada.post(f"{page}/passwords")
    assert refused.status_code == 409
    assert "This import has been undone." in text_of(refused)


def test_after_thirty_days_there_is_no_button_and_no_undo(ada: Client, clock: time_machine.Traveller) -> None:
    source = send(ada)
    assert "until 1 Apr 2026, that day included" in text_of(ada.get(f"{PAGE}/{source}"))
    clock.move_to("2026-04-02T08:00:00+00:00")
    text = text_of(ada.get(f"{PAGE}/{source}"))
    assert "It could be undone until 1 Apr 2026." in text
    assert "See what an undo removes" not in text
    asked = ada.get(f"{PAGE}/{source}/undo").content.decode()
    assert "Remove 3 people" not in asked
    refused = ada.post(f"{PAGE}/{source}/undo")
    assert refused.status_code == 410
    assert "This could be undone until April 1, 2026." in text_of(refused)
    assert "Zoë" in people()


def test_an_undo_that_takes_long_goes_on_by_a_button(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before, source = people(), send(ada)
    monkeypatch.setattr(undo, "BATCH", 2)
    monkeypatch.setattr(undo, "ENOUGH", 0.0)
    page = ada.post(f"{PAGE}/{source}/undo", follow=True)
    assert "2 people are removed. The rest is still to come" in text_of(page)
    assert f'action="{PAGE}/{source}/undo"' in page.content.decode()
    assert "Half undone" in text_of(ada.get(PAGE))
    while not Import.objects.get(id=source).undone_at:
        ada.post(f"{PAGE}/{source}/undo")
    assert people() == before


def test_an_unfinished_import_can_be_undone(world: World, ada: Client) -> None:
    before, source = people(), send(ada)
    Import.objects.update(finished_at=None)
    assert "Or undo what it did so far." in text_of(ada.get(f"{PAGE}/{source}"))
    ada.post(f"{PAGE}/{source}/undo")
    assert people() == before


def test_where_nobody_can_go_there_is_no_button(world: World, ada: Client) -> None:
    run = make(ada, "Åsa")
    move.move(world.cedar.id, Membership.objects.get(account__username="Åsa").id, "teacher", BY_OPERATOR)
    page = ada.get(f"{PAGE}/{run.id}/undo")
    assert "Nobody can be removed. 1 stays." in text_of(page)
    assert "btn-bad" not in page.content.decode()
    refused = ada.post(f"{PAGE}/{run.id}/undo")
    assert refused.status_code == 409
    assert "Nobody whom this brought can be removed." in text_of(refused)


def test_a_manager_sees_and_undoes_his_own_creations_alone(world: World, ada: Client) -> None:
    tom = signed_in(world.tom)
    assert "You have made no accounts yet" in text_of(tom.get(PAGE))
    mine, others, source = make(tom, "Cy", "Year 5"), make(ada, "Di", "Year 5"), send(ada)
    text = text_of(tom.get(PAGE))
    assert "Accounts you made" in text
    assert "1 account for Year 5" in text
    assert "pupils.csv" not in text
    for run_id in (others.id, source):
        for answer in (
            tom.get(f"{PAGE}/{run_id}"),
            tom.get(f"{PAGE}/{run_id}/undo"),
            tom.post(f"{PAGE}/{run_id}/undo"),
        ):
            assert answer.status_code == 404
    assert tom.post(f"{PAGE}/{mine.id}/undo").status_code == 302
    assert "Cy" not in people()
    assert {"Di", "Zoë"} <= people()


def test_a_pupil_and_a_foreign_admin_see_nothing(world: World, ada: Client) -> None:
    source = send(ada)
    for person, status in ((world.pia, 403), (world.bob, 404)):
        browser = signed_in(person)
        for address in (PAGE, f"{PAGE}/{source}", f"{PAGE}/{source}/undo"):
            assert browser.get(address).status_code == status
        assert browser.post(f"{PAGE}/{source}/undo").status_code == status
    assert signed_in(world.bob).get(f"/o/birch/imports/{source}").status_code == 404
    assert "Zoë" in people()


def test_the_list_pages_on(ada: Client, world: World) -> None:
    for number in range(26):
        Import.objects.create(
            organization=world.cedar.organization,
            identity=f"{number}",
            file_name=f"list{number:02}.csv",
            pepper_id="x",
            rows=1,
            started_at=world.cedar.organization.created_at,
        )
    first = ada.get(PAGE)
    assert "list25.csv" in text_of(first)
    assert "list00.csv" not in text_of(first)
    (following,) = re.findall(r'rel="next"\s+href="([^"]+)"', first.content.decode())
    assert "list00.csv" in text_of(ada.get(html.unescape(following)))


def test_the_pages_ask_no_more_of_a_bigger_import(ada: Client) -> None:
    counts = []
    for size in (2, 150):
        source = send(ada, "username\n" + "".join(f"Pupil {n} of {size}\n" for n in range(size)))
        asked = []
        for address in (PAGE, f"{PAGE}/{source}", f"{PAGE}/{source}/undo"):
            with CaptureQueriesContext(connection) as queries:
                assert ada.get(address).status_code == 200
            asked.append(len(queries))
        counts.append(asked)
    assert counts[0] == counts[1]
