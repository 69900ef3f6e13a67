"""Accounts made in advance: names in any script, all or nothing for bad input, passwords that open the door."""

from __future__ import annotations

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from world import BY_OPERATOR, World

from usher.core.errors import UsherError
from usher.lifecycle.desk import Choices
from usher.lifecycle.joiner import By
from usher.methods.bulk_accounts import names, run
from usher.methods.bulk_accounts.names import NamesError, Person
from usher.methods.bulk_accounts.order import Order
from usher.people import passwords
from usher.people.models import Account, Group, HashBatch, Membership

SCRIPTS = "Åsa Öberg\n李小龙\nمحمد الأمين\nO'Neil\n"


def order(
    world: World, text: str = SCRIPTS, *, role: str = "student", group: str = "", by: By = BY_OPERATOR, count: int = 0
) -> Order:
    people = names.numbered(count) if count else names.named(text)
    return Order(world.cedar.organization, people, Choices(role, group), by)


def table(made: run.Made) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(made.as_csv(), newline="")))


def test_names_in_any_script_become_people_who_can_sign_in(world: World) -> None:
    made = run.make(order(world, group="year 5"))
    assert made.report.as_json() | {"seconds": 0} == {
        "rows": 4, "created": 4, "unchanged": 0, "refused": 0, "reasons": {}, "seconds": 0,
    }  # fmt: skip
    rows = table(made)
    assert [row["sign_in"].partition("@")[0] for row in rows] == ["asa.oberg", "student.1001", "student.1002", "oneil"]
    for row in rows:
        account = Account.objects.get(sign_in_key=row["sign_in"])
        assert account.username == row["username"]
        assert account.email == row["email"] == ""
        assert account.check_password(row["password"])
        member = Membership.objects.get(account=account)
        assert (member.method, member.role) == ("bulk_accounts", "student")
        assert member.group_links.get().group == world.year5
        assert row["sign_in_at"].endswith("/o/cedar/sign-in")


def test_passwords_are_stored_as_digests_for_the_worker_to_harden(world: World) -> None:
    before = HashBatch.objects.count()
    made = run.make(order(world))
    stored = Account.objects.filter(email="")
    assert len(stored) == 4
    assert all(one.password.startswith(passwords.KEYED) for one in stored)
    assert not any(plain in one.password for one in stored for plain in made.passwords.values())
    assert HashBatch.objects.count() == before + 1


def test_nothing_shown_by_accident_holds_a_password(world: World) -> None:
    made = run.make(order(world))
    assert not any(plain in repr(made) for plain in made.passwords.values())


def test_each_run_makes_new_people(world: World) -> None:
    run.make(order(world, "Åsa Öberg"))
    again = run.make(order(world, "Åsa Öberg"))
    assert table(again)[0]["sign_in"] == "asa.oberg-2@cedar.usher.invalid"
    assert Account.objects.filter(username="Åsa Öberg").count() == 2


def test_a_count_makes_numbered_people(world: World) -> None:
    rows = table(run.make(order(world, count=3)))
    assert [(row["line"], row["sign_in"], row["username"]) for row in rows] == [
        (str(n), f"student.{1000 + n}@cedar.usher.invalid", f"Student {1000 + n}") for n in (1, 2, 3)
    ]
    assert len({row["password"] for row in rows}) == 3


def test_blank_lines_are_skipped_and_counted() -> None:
    assert names.named("\n Anna \r\n\r\n  \nBo\rCy") == (Person(2, "Anna"), Person(5, "Bo"), Person(6, "Cy"))


def test_all_bad_names_are_told_with_their_lines() -> None:
    text = "Anna\n=1+1\n\n\u202eevil\n" + "x" * 400 + "\nBo\n"
    with pytest.raises(NamesError) as caught:
        names.named(text)
    assert [(line, finding.code) for line, finding in caught.value.faults] == [
        (2, "name_looks_like_formula"), (4, "name_hidden_characters"), (5, "name_too_long"),
    ]  # fmt: skip
    assert all(finding.column == "names" for _, finding in caught.value.faults)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: names.named(""), "nobody_named"),
        (lambda: names.named(" \n\n"), "nobody_named"),
        (lambda: names.numbered(0), "nobody_named"),
        (lambda: names.numbered(-3), "nobody_named"),
        (lambda: names.numbered(2001), "too_many_accounts"),
        (lambda: names.named("Bo\n" * 2001), "too_many_accounts"),
        (lambda: names.named("=\n" * 2001), "too_many_accounts"),
        (lambda: names.read(b"x\n" * 3_000_000), "too_many_accounts"),
        (lambda: names.read(b"PK\x03\x04\0\0\0"), "file_not_a_list"),
        (lambda: names.read(b"\x81\x8d\xff"), "file_not_a_list"),
        (lambda: names.read(b"\xff\xfea"), "file_not_a_list"),
    ],
)
def test_lists_that_are_refused_whole(make: object, code: str) -> None:
    with pytest.raises(UsherError) as caught:
        make()  # type: ignore[operator]
    assert caught.value.findings[0].code == code


def test_two_thousand_are_allowed() -> None:
    assert len(names.named("Bo\n" * 2000)) == len(names.numbered(2000)) == 2000


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_a_list(codec: str) -> None:
    assert names.named(names.read("Åsa Öberg\r\nZoë\r\n".encode(codec))) == (Person(1, "Åsa Öberg"), Person(2, "Zoë"))


@pytest.mark.parametrize(
    ("role", "group", "code"),
    [
        ("king", "", "unknown_role"),
        ("student", "Year 9", "unknown_group"),
    ],
)
def test_what_would_refuse_everybody_stops_the_run(world: World, role: str, group: str, code: str) -> None:
    before = Account.objects.count()
    for act in (run.preview, run.make):
        with pytest.raises(UsherError) as caught:
            act(order(world, role=role, group=group))
        assert caught.value.findings[0].code == code
    assert Account.objects.count() == before


def test_a_plan_without_groups(world: World) -> None:
    press = Order(world.maple.organization, names.numbered(1), Choices("member", "Desk"), BY_OPERATOR)
    with pytest.raises(UsherError) as caught:
        run.make(press)
    assert caught.value.findings[0].code == "no_groups_in_plan"


def test_a_manager_makes_people_of_the_lowest_role_in_his_own_group_only(world: World) -> None:
    choir = world.cedar.group("Choir")
    tom = world.tom.by
    assert run.make(order(world, "Bo", group="Year 5", by=tom)).report.created == 1
    for role, group, code in (
        ("student", choir.name, "not_your_group"),
        ("student", "", "not_your_group"),
        ("teacher", "Year 5", "role_above_yours"),
    ):
        with pytest.raises(UsherError) as caught:
            run.make(order(world, "Bo", role=role, group=group, by=tom))
        assert caught.value.findings[0].code == code


def test_seats_that_run_out_refuse_the_rest_with_the_reason(world: World) -> None:
    world.cedar.seats("student", 3)  # Pia has one
    made = run.make(order(world))
    assert (made.report.created, made.report.refused, dict(made.report.reasons)) == (2, 2, {"seats_taken": 2})
    rows = table(made)
    assert [row["result"] for row in rows] == ["created", "created", "refused", "refused"]
    assert [bool(row["password"]) for row in rows] == [True, True, False, False]
    assert rows[2]["reason"].startswith("seats_taken: All 3 student seats are taken.")


def test_a_full_group_refuses_the_rest(world: World) -> None:
    Group.objects.filter(id=world.year5.id).update(cap=3)  # Tom and Pia are in
    made = run.make(order(world, group="Year 5"))
    assert dict(made.report.reasons) == {"group_full": 3}


def test_a_preview_says_the_same_and_writes_nothing(world: World) -> None:
    world.cedar.seats("student", 3)
    before = Account.objects.count(), len(world.cedar.events())
    seen = run.preview(order(world))
    assert (Account.objects.count(), len(world.cedar.events())) == before
    assert seen.passwords == {}
    made = run.make(order(world))
    shown = [(row["sign_in"], row["result"], row["reason"]) for row in table(seen)]
    assert shown == [(row["sign_in"], row["result"], row["reason"]) for row in table(made)]


def test_a_thousand_people_take_as_few_queries_as_ten(world: World) -> None:
    counts = []
    for size in (10, 600):
        with CaptureQueriesContext(connection) as queries:
            run.preview(order(world, count=size))
        counts.append(len(queries))
    assert counts[0] == counts[1]
