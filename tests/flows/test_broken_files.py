"""Lists that were made to break something: what they name is cut, refused or left out, and the import goes on."""

from __future__ import annotations

import csv
import io

import pytest
import time_machine
from django.test import Client
from world import World

from usher.core.errors import UsherError
from usher.events.models import Event
from usher.methods.csv_import import reissue, run
from usher.methods.csv_import.models import Import
from usher.methods.csv_import.options import Options
from usher.methods.csv_import.parse import read
from usher.people import passwords
from usher.people.models import Account, Group, Membership

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
