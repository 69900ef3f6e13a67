"""The page of an activity's grades, its file and its command: who sees what, and sends it again."""

from __future__ import annotations

import csv
from collections.abc import Callable

import pytest
from command import run
from django.test import Client
from grading import SENT, Gradebook, work_off
from world import Person, World

from usher.methods.lti import deliveries
from usher.methods.lti.models import Course, Delivery

pytestmark = pytest.mark.usefixtures("tool_keys")
ClientOf = Callable[[Person], Client]


@pytest.fixture
def mixed(world: World, book: Gradebook) -> Gradebook:
    """Pia's 5 has arrived, the 6 of another pupil was refused, Tom's 7 waits."""
    book.put(world.pia, 5)
    other = world.cedar.settle("=Ned Nettle", "student")
    book.opened(other, "designer")
    book.put(other, 6)
    work_off()
    book.opened(world.tom, "student2")
    book.put(world.tom, 7)
    return book


def page_of(book: Gradebook) -> str:
    return f"/o/cedar/activities/{book.activity.id}/grades"


def test_how_each_stands(world: World, mixed: Gradebook, client_of: ClientOf) -> None:
    client = client_of(world.ada)
    page = client.get(page_of(mixed)).content.decode()
    for said in ("Pia Pine", "5 of 10", "Biology 1", "Sent", "Refused", "Enroll the person there", "Northfield LMS"):
        assert said in page
    refused = client.get(f"{page_of(mixed)}?state=refused").content.decode()
    assert "Ned Nettle" in refused
    assert "Pia Pine" not in refused


def test_nothing_yet(world: World, book: Gradebook, client_of: ClientOf) -> None:
    page = client_of(world.ada).get(page_of(book)).content.decode()
    assert "No grade has been given to somebody from an LMS yet." in page


def test_page_by_page(world: World, mixed: Gradebook, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
    first = deliveries.page(mixed.house.organization, mixed.activity, size=2)
    rest = deliveries.page(mixed.house.organization, mixed.activity, size=2, after=first.next)
    assert ([row.given for row in first.rows], [row.given for row in rest.rows]) == ([5, 6], [7])
    assert (first.total, rest.next) == (3, None)
    page = client_of(world.ada).get(f"{page_of(mixed)}?after={first.next}").content.decode()
    assert "Tom Thorn" in page
    assert "5 of 10" not in page


def test_one_is_sent_again(world: World, mixed: Gradebook, client_of: ClientOf) -> None:
    one = mixed.delivery(world.pia)
    answer = client_of(world.ada).post(f"{page_of(mixed)}/again", {"grade": str(one.id)}, follow=True)
    assert "1 grade is sent again." in answer.content.decode()
    work_off()
    assert mixed.told("student") == [5, 5]
    assert mixed.states(world.pia) == [SENT]


def test_all_that_were_refused_are_sent_again(world: World, mixed: Gradebook, client_of: ClientOf) -> None:
    mixed.lms.enroll("designer", mixed.lms.course, "student")
    client_of(world.ada).post(f"{page_of(mixed)}/again")
    work_off()
    assert mixed.told("designer") == [6]
    assert mixed.told("student") == [5]
    assert not Delivery.objects.exclude(state="sent").exists()


@pytest.mark.parametrize("sent", ["nonsense", "", "00000000-0000-0000-0000-000000000001"])
def test_a_grade_that_is_not_here(world: World, mixed: Gradebook, client_of: ClientOf, sent: str) -> None:
    assert client_of(world.ada).post(f"{page_of(mixed)}/again", {"grade": sent}).status_code == 404


def test_who_sees_them(world: World, mixed: Gradebook, client_of: ClientOf) -> None:
    """Tom manages Year 5: he sees the courses that made it, and no others."""
    one = mixed.delivery(world.pia)
    for person, status in ((world.pia, 403), (world.bob, 404), (world.tom, 200)):
        assert client_of(person).get(page_of(mixed)).status_code == status
    tom = client_of(world.tom)
    assert "Pia Pine" not in tom.get(page_of(mixed)).content.decode()
    assert tom.post(f"{page_of(mixed)}/again", {"grade": str(one.id)}).status_code == 404
    assert "Pia" not in b"".join(tom.get(f"{page_of(mixed)}/file")).decode()
    Course.objects.update(group=world.year5)
    assert "Pia Pine" in tom.get(page_of(mixed)).content.decode()
    assert tom.post(f"{page_of(mixed)}/again", {"grade": str(one.id)}).status_code == 302
    elsewhere = page_of(mixed).replace("cedar", "birch")
    assert client_of(world.bob).get(elsewhere).status_code == 404


def test_the_file(world: World, mixed: Gradebook, client_of: ClientOf) -> None:
    answer = client_of(world.ada).get(f"{page_of(mixed)}/file?state=refused")
    rows = list(csv.DictReader(b"".join(answer).decode().splitlines()))
    (row,) = rows
    assert (row["person"], row["score"], row["maximum"], row["state"]) == ("'=Ned Nettle", "6", "10", "refused")
    assert row["reason"].startswith("grade_unknown_there: The LMS does not know")


def test_the_command(world: World, mixed: Gradebook) -> None:
    ran = run("grades", "--org", "cedar", "--json")
    assert ran.code == 0, ran.err
    listed = ran.document
    assert [(one["given"], one["state"], one["reason"]) for one in listed] == [
        (5, "sent", ""), (6, "refused", "grade_unknown_there"), (7, "waiting", ""),
    ]  # fmt: skip
    done = run("grades", "--org", "cedar", "--activity", str(mixed.activity.id), "--resend", "--json")
    assert done.document == {"sent_again": 1}
    assert run("grades", "--org", "birch", "--activity", mixed.activity.id).code == 2
