"""Lists that were made to break something: what they name is cut, refused or left out, and the import goes on."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from world import World, signed_in

from usher.core import limits, work
from usher.core.errors import UsherError
from usher.events.models import Event
from usher.lifecycle import join, leave, move
from usher.lifecycle.lists.parse import read
from usher.methods.csv_import import reissue, run
from usher.methods.csv_import.models import Import, ImportLine
from usher.methods.csv_import.options import Options
from usher.people import correct, harden, passwords
from usher.people.access import Visit
from usher.people.models import Account, Group, HashBatch, Membership

PASSWORD = "sunny-meadow-77"


def imported(world: World, text: str, options: Options | None = None) -> list[dict[str, str]]:
    """The rows of userlist.csv for a file that Ada imports into Cedar."""
    order = run.Order(world.cedar.organization, read(text.encode()), options or Options("student"), world.ada.by)
    pieces = "".join(run.write(order, run.start(order)))
    return list(csv.DictReader(io.StringIO(pieces, newline="")))


def reasons(rows: list[dict[str, str]]) -> list[str]:
    return [row["reason"].partition(":")[0] or row["result"] for row in rows]


MAKING = Options("student", make_groups=True)


# Names of groups


@pytest.mark.parametrize(
    "name",
    ["x" * 81, "\ufdfa" * 30, "=1+1", "Ye\u202ear 5", "Year\u200b5"],
    ids=["long", "long when compared", "formula", "turned", "hidden"],
)
def test_a_list_makes_no_group_that_a_page_would_refuse(world: World, name: str) -> None:
    rows = imported(world, f"username,groups\nKim,{name}\nBo,Choir\n", MAKING)
    assert [row["result"] for row in rows] == ["refused", "created"]
    assert list(Group.objects.values_list("name", flat=True).order_by("name")) == ["Choir", "Year 5"]


def test_a_picked_group_that_a_page_would_refuse(world: World) -> None:
    with pytest.raises(UsherError):
        imported(world, "username\nKim\n", Options("student", group="x" * 81, make_groups=True))


def test_groups_that_differ_by_case_and_width_are_one(world: World) -> None:
    rows = imported(world, "username,groups\nKim,Ｃｈｏｉｒ|choir|CHOIR  \nBo,choir\n", MAKING)
    assert [row["result"] for row in rows] == ["created", "created"]
    (group,) = Group.objects.exclude(name="Year 5")
    assert group.used == 2


def test_a_thousand_groups_in_one_cell(world: World) -> None:
    cell = "|".join(str(n) for n in range(1000, 2500))
    rows = imported(world, f"username,groups\nKim,{cell}\nBo,\n", MAKING)
    assert [row["result"] for row in rows] == ["refused", "created"]
    assert Group.objects.count() == 1


# What is typed in the wrong column


def test_a_password_in_the_wrong_column_rests_nowhere(world: World) -> None:
    text = (
        f"email,password,username,role,groups\n{PASSWORD},kim@cedar.example,Kim,,\nkim@cedar.example,,Kim,{PASSWORD},\n"
    )
    assert [row["result"] for row in imported(world, text)] == ["refused", "refused"]
    kept = [f"{event.data} {event.personal}" for event in Event.objects.all()]
    assert not [text for text in kept if PASSWORD in text]


def test_a_role_of_ten_thousand_letters_is_not_kept(world: World) -> None:
    imported(world, f"username,role\nKim,{'x' * 9000}\n")
    assert max(len(f"{event.data} {event.personal}") for event in Event.objects.all()) < 2000


def test_a_file_with_a_long_name(world: World) -> None:
    rows = imported(world, "username\nKim\n", Options("student", file_name="n" * 196 + ".csv"))
    assert [row["result"] for row in rows] == ["created"]
    assert len(Membership.objects.get(account__username="Kim").evidence) <= 200


# New passwords for an import


def finished(world: World, text: str, role: str = "student") -> Import:
    imported(world, text, Options(role))
    return Import.objects.get()


def renewed(world: World, source: Import) -> list[dict[str, str]]:
    pieces = "".join(reissue.reissue(world.cedar.organization, source, world.ada.by))
    return list(csv.DictReader(io.StringIO(pieces, newline="")))


def test_new_passwords_live_as_long_as_the_first_ones(world: World, clock: time_machine.Traveller) -> None:
    source = finished(world, "email,username\nkim@cedar.example,Kim\n", "teacher")
    clock.shift(31 * 24 * 3600)
    (row,) = renewed(world, source)
    answer = Client().post("/o/cedar/sign-in", {"name": row["sign_in"], "password": row["password"]})
    assert answer.status_code == 302


def test_an_admin_takes_no_admins_account_by_new_passwords(world: World) -> None:
    source = finished(world, "email,username,role\nkim@cedar.example,Kim,admin\nbo@cedar.example,Bo,student\n")
    assert [row["username"] for row in renewed(world, source)] == ["Bo"]


def test_new_passwords_after_the_old_pepper_is_gone(world: World, settings: object) -> None:
    source = finished(world, "username\nKim\n")
    settings.USHER_PEPPER = ["another-pepper-0123456789-abcdefgh"]  # type: ignore[attr-defined]
    (row,) = renewed(world, source)
    assert passwords.verify(row["password"], Account.objects.get(username="Kim").password).ok


def test_a_list_sent_beside_its_new_passwords_has_no_dead_ones(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One tab is slow; the other one finishes the import and then makes new passwords for it."""
    monkeypatch.setattr(join, "BATCH", {"sqlite": 2, "postgresql": 2})
    text = "username\n" + "".join(f"Pupil {letter}\n" for letter in "abcdefgh")
    order = run.Order(world.cedar.organization, read(text.encode()), Options("student"), world.ada.by)
    slow = run.write(order, run.start(order))
    pieces = [next(slow), next(slow)]
    imported(world, text)
    fresh = {row["sign_in"]: row["password"] for row in renewed(world, Import.objects.get())}
    assert len(fresh) == 8
    rest = list(csv.DictReader(io.StringIO("".join([pieces[0], *slow]), newline="")))
    assert [row["password"] for row in rest] == [""] * 6
    for key, password in fresh.items():
        assert passwords.verify(password, Account.objects.get(sign_in_key=key).password).ok


# Rights and limits that end in the middle


@pytest.mark.parametrize("end", ["deactivated", "demoted"])
def test_an_import_ends_with_the_rights_of_its_admin(world: World, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setattr(join, "BATCH", {"sqlite": 2, "postgresql": 2})
    second = world.cedar.settle("Ann Alder", "admin")
    text = "username\n" + "".join(f"Pupil {letter}\n" for letter in "abcdefgh")
    order = run.Order(world.cedar.organization, read(text.encode()), Options("student"), second.by)
    pieces = run.write(order, run.start(order))
    next(pieces), next(pieces)
    if end == "deactivated":
        leave.deactivate(world.cedar.id, second.membership.id, world.ada.by)
    else:
        move.move(world.cedar.id, second.membership.id, "teacher", world.ada.by)
    with pytest.raises(UsherError):
        next(pieces)
    assert ImportLine.objects.count() == 2
    assert Import.objects.get().finished_at is None
    assert len(imported(world, text)) == 8


def test_a_licence_lowered_in_the_middle_counts_from_the_next_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join, "BATCH", {"sqlite": 2, "postgresql": 2})
    text = "username\n" + "".join(f"Pupil {letter}\n" for letter in "abcdef")
    order = run.Order(world.cedar.organization, read(text.encode()), Options("student"), world.ada.by)
    pieces = run.write(order, run.start(order))
    next(pieces), next(pieces)
    world.cedar.seats("student", 4)
    rows = list(csv.DictReader(io.StringIO("h\n" + "".join(pieces), newline=""), fieldnames=list("labcdefgh")))[1:]
    assert [row["f"] for row in rows] == ["created", "refused", "refused", "refused"]
    assert world.cedar.seats("student").used == 4


def test_an_upload_beyond_the_operators_limit_is_not_cut_short(world: World, settings: object) -> None:
    settings.USHER_IMPORT_MAX_BYTES = 60  # type: ignore[attr-defined]
    file = SimpleUploadedFile("people.csv", b"username\n" + b"".join(b"Pupil %d\n" % n for n in range(20)))
    answer = signed_in(world.ada).post("/o/cedar/users/add/csv/import", {"file": file, "role": "student"})
    assert answer.status_code == 413
    assert Membership.objects.filter(method="csv_import").count() == 0


def test_nobody_asks_for_addresses_all_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seats that are taken make nobody a member, but the list still says who has an account."""
    few = dataclasses.replace(limits.PREVIEWS, capacity=2)
    monkeypatch.setattr(run, "PREVIEWS", few)
    monkeypatch.setattr(correct, "PREVIEWS", few)
    world.cedar.seats("student", 1)
    email = world.eve.account.email
    assert reasons(imported(world, f"email\n{email}\n")) == ["has_account"]
    assert reasons(imported(world, f"email\n{email}\n")) == ["has_account"]  # the same import is no new look
    visit = Visit(world.ada.account, world.ada.membership)
    for reason in ("has_account", "too_many_tries"):
        with pytest.raises(UsherError) as no:
            correct.correct(visit, world.pia.membership.id, username="Pia", email=email)
        assert no.value.findings[0].code == reason
    with pytest.raises(UsherError):
        imported(world, f"email\nx@cedar.example\n{email}\n")


# Names that meet


COLLIDING = [
    "Ann Lee", "ann.lee", "ANN-LEE", "Ann_Lee", "Ann Lee 2", "ann.lee-2", "Ann-Lee-2", "Ann.Lee.2", "ann lee-2-3",
    "Student 1001", "student.1001", "Student-1001", "Student_1001", "student1001", "山田", "李", "Student 1002",
    "student 10010", "①⓪⓪①", "Student ①⓪⓪①", "Ｓｔｕｄｅｎｔ １００１", "Teacher 1001", "a-", "a--2", "2", "2-2",
    "a - 2", "x" * 60, "x" * 41, "x" * 40 + "-2", "x" * 38 + "-2", "...", "Å", "A", "a\u0301", "ﬀ", "ff", "İ", "i",
    "ß", "ss",
]  # fmt: skip


def test_no_two_people_get_one_name_to_sign_in_with(world: World) -> None:
    text = "username\n" + "".join(f'"{name}"\n' for name in COLLIDING * 3)
    rows = imported(world, text, Options("student", allow_same_name=True))
    made = [row["sign_in"] for row in rows if row["result"] == "created"]
    assert len(made) == len(set(made)) == 3 * len(COLLIDING), [row for row in rows if row["result"] != "created"]


# Digests and the worker


def test_one_bad_digest_does_not_stop_the_others(world: World) -> None:
    imported(world, "username\nKim\nBo\nCy\n")
    Account.objects.filter(username="Bo").update(password="keyed$rubbish")
    work.drain([HashBatch])
    assert not HashBatch.objects.exists()
    stored = dict(Account.objects.filter(username__in=("Kim", "Bo", "Cy")).values_list("username", "password"))
    assert {name: passwords.is_hardened(text) for name, text in stored.items()} == {
        "Kim": True,
        "Bo": False,
        "Cy": True,
    }


def test_a_range_of_digests_is_read_in_pieces(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harden, "PIECE", 2)
    imported(world, "username\n" + "".join(f"Pupil {n}\n" for n in range(7)))
    work.drain([HashBatch])
    assert not Account.objects.filter(password__startswith=passwords.KEYED, username__startswith="Pupil").exists()
