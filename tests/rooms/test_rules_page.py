"""The rules of a connection, edited without a script: nothing typed is lost, and what is refused stands at its line."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client
from standins import StandIns
from trips import microsoft, plain, providers, rule, travel  # noqa: F401
from world import World, signed_in

from usher.events.types import EventType
from usher.methods.sso.models import Connection, Rule

pytestmark = pytest.mark.django_db
TEACHER, STUDENT = "role:teacher", "role:student"


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


@pytest.fixture
def tenant(world: World, providers: StandIns) -> Connection:  # noqa: F811
    return microsoft(world, providers)


def at(connection: Connection) -> str:
    return f"/o/cedar/settings/integrations/{connection.id}/rules"


def send(browser: Client, connection: Connection, do: str, *rows: tuple[str, str, str]) -> Any:
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    names = ("claim", "value", "gives")
    return browser.post(at(connection), {**dict(zip(names, map(list, columns), strict=True)), "do": do})


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def rows_in(answer: Any) -> list[tuple[str, str]]:
    """The values and gifts on the page, in order."""
    text = text_of(answer)
    values = re.findall(r'name="value"\s+value="([^"]*)"', text)
    gives = re.findall(r'name="gives">(.*?)</select>', text, re.DOTALL)
    chosen = [(re.findall(r'value="([^"]+)"\s+selected', one) or [""])[0] for one in gives]
    return list(zip(values, chosen, strict=True))


def kept(connection: Connection) -> list[tuple[str, str, str]]:
    found = Rule.objects.filter(connection=connection).order_by("position")
    return [(one.claim, one.value, one.role or str(one.group)) for one in found]


def test_rules_are_saved_whole_and_read_aloud(world: World, ada: Client, tenant: Connection) -> None:
    year5 = f"group:{world.year5.id}"
    rows = [("app_role", "Teacher", TEACHER), ("email", "y5*@cedar.example", year5), ("app_role", "", "")]
    answer = send(ada, tenant, "save", *rows)
    assert answer.status_code == 302
    assert kept(tenant) == [("app_role", "Teacher", "teacher"), ("email", "y5*@cedar.example", "Year 5")]
    text = text_of(ada.get(answer["Location"]))
    assert "Whoever has App role “Teacher” joins as Teacher; everybody else joins as Student." in text
    assert "Whoever has E-mail address “y5*@cedar.example” is put into Year 5." in text
    assert world.cedar.events(EventType.CONNECTION_CHANGED)[0].data["rules"] == 2


def test_without_rules_everybody_is_of_the_lowest_role(ada: Client, tenant: Connection) -> None:
    assert "Everybody joins as Student." in text_of(ada.get(at(tenant)))


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        ("up 2", ["B", "A", "C"]),
        ("down 2", ["A", "C", "B"]),
        ("remove 1", ["B", "C"]),
        ("add", ["A", "B", "C", ""]),
        ("up 1", ["A", "B", "C"]),
        ("down 3", ["A", "B", "C"]),
        ("remove 9", ["A", "B", "C"]),
        ("nonsense", ["A", "B", "C"]),
    ],
)
def test_buttons_move_lines_and_save_nothing(
    world: World, ada: Client, tenant: Connection, do: str, expected: list[str]
) -> None:
    answer = send(ada, tenant, do, *((("app_role"), value, TEACHER) for value in "ABC"))
    assert answer.status_code == 200
    assert [value for value, _gives in rows_in(answer)] == expected
    assert "Not saved yet." in text_of(answer)
    assert kept(tenant) == []
    assert not world.cedar.events(EventType.CONNECTION_CHANGED)


def test_a_no_stands_at_its_line_and_keeps_what_was_typed(ada: Client, tenant: Connection) -> None:
    rows = [("app_role", "Teacher", TEACHER), ("app_role", "Head", "role:admin"), ("app_role", "Odd", "")]
    answer = send(ada, tenant, "save", *rows)
    assert answer.status_code == 400
    text = text_of(answer)
    assert re.search(r'id="wrong-2">\s*<li>A rule cannot make somebody an admin\.', text)
    assert re.search(r'id="wrong-3">\s*<li>The rule “app_role = Odd” cannot be understood\.', text)
    assert 'id="wrong-1"' not in text
    assert [value for value, _gives in rows_in(answer)] == ["Teacher", "Head", "Odd"]
    assert kept(tenant) == []


def test_the_admins_role_and_groups_of_others_are_not_offered(world: World, ada: Client, tenant: Connection) -> None:
    foreign = world.birch.group("Birds")
    text = text_of(ada.get(at(tenant)))
    assert 'value="role:admin"' not in text
    assert str(foreign.id) not in text
    answer = send(ada, tenant, "save", ("app_role", "x", f"group:{foreign.id}"))
    assert answer.status_code == 400
    assert "Birds" not in text_of(answer)


def test_what_is_there_is_shown_and_an_empty_page_takes_all_away(ada: Client, tenant: Connection) -> None:
    rule(tenant, "group", "7e57", "teacher")
    assert rows_in(ada.get(at(tenant))) == [("7e57", TEACHER)]
    send(ada, tenant, "save")
    assert kept(tenant) == []


def test_of_an_openid_provider_any_claim_can_be_named(
    world: World, ada: Client, providers: StandIns, client: Client  # noqa: F811
) -> None:  # fmt: skip
    one = plain(world, providers)
    travel(client, providers, one, "kim")
    text = text_of(ada.get(at(one)))
    assert '<option value="groups"></option>' in text
    assert send(ada, one, "save", ("realm_access.roles", "staff", TEACHER)).status_code == 302
    assert kept(one) == [("realm_access.roles", "staff", "teacher")]
    assert [value for value, _gives in rows_in(send(ada, one, "save", ("", "staff", TEACHER)))] == ["staff"]


def test_too_many_are_refused_above_all(ada: Client, tenant: Connection) -> None:
    answer = send(ada, tenant, "save", *(("app_role", f"r{n}", STUDENT) for n in range(101)))
    assert answer.status_code == 400
    assert "There are 101 rules; 100 is the most." in text_of(answer)
    assert len(rows_in(answer)) == 101


def test_a_plan_without_groups_offers_none(world: World, providers: StandIns) -> None:  # noqa: F811
    one = plain(world, providers, "maple")
    text = text_of(signed_in(world.mia).get(f"/o/maple/settings/integrations/{one.id}/rules"))
    assert 'label="Role"' in text
    assert 'label="Group"' not in text
