"""The class window: a door opened for a lesson, seats that fill, who asks, and who is to come."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from doors import at_door, code_of, comes, mark, opened, text_of
from world import World, signed_in, somebody

from usher.core import clock as time
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.rows import new_id
from usher.events.types import EventType
from usher.lifecycle.joiner import Result
from usher.methods.invite_code import codes, find
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.wish import Wish
from usher.people import passwords
from usher.people.models import Group, Membership, Registration


@pytest.fixture
def tom(world: World) -> Client:
    return signed_in(world.tom)


def chairs(response: Any) -> list[tuple[str, str]]:
    """The seats drawn: the look and the name of each."""
    drawn = re.findall(r'<li class="chair ?([a-z]*)"[^>]*>(.*?)</li>', response.content.decode(), re.DOTALL)
    return [(look, "".join(re.findall(r"<bdi>([^<]*)</bdi>", inside))) for look, inside in drawn]


def news(response: Any) -> str:
    found = re.search(r'data-news="([^"]*)"', response.content.decode())
    assert found
    return found[1]


# The door


def test_a_manager_opens_the_door_with_one_press(world: World, tom: Client, clock: time_machine.Traveller) -> None:
    page = tom.get(at_door(world.year5))
    assert "No code yet for this group" in text_of(page)
    assert page.content.count(b"btn-primary") == 1
    answer = tom.post(at_door(world.year5, "/open"), {"minutes": "15"})
    assert answer["Location"] == at_door(world.year5)
    code = code_of(world.year5)
    assert (code.role, code.proof, code.organization_id) == ("student", "prove_first", world.cedar.id)
    assert code.ends_at == time.now() + dt.timedelta(minutes=15)
    said = text_of(tom.get(at_door(world.year5)))
    assert "Door open closes at 08:15" in said
    assert f"{code.code[:4]} {code.code[4:]}" in said
    assert 'data-left="900"' in tom.get(at_door(world.year5)).content.decode()


def test_five_more_minutes_close_and_open_again(world: World, tom: Client, clock: time_machine.Traveller) -> None:
    first = opened(world, 10)
    assert comes(world.year5, "Zoë").result is Result.CREATED
    tom.post(at_door(world.year5, "/more"))
    assert code_of(world.year5).ends_at == time.now() + dt.timedelta(minutes=15)
    assert "Door closed" in text_of(tom.post(at_door(world.year5, "/close"), follow=True))
    assert comes(world.year5, "Noah").reason == "code_ended"
    clock.shift(3600)
    tom.post(at_door(world.year5, "/more"))  # pressed a moment too late: five minutes from now
    assert code_of(world.year5).ends_at == time.now() + dt.timedelta(minutes=5)
    tom.post(at_door(world.year5, "/open"), {"minutes": "30"})
    assert (code_of(world.year5).id, code_of(world.year5).code) == (first.id, first.code)
    assert comes(world.year5, "Noah").result is Result.CREATED
    clock.shift(1800)
    assert comes(world.year5, "Ines").reason == "code_ended"


def test_opening_wakes_a_paused_code_and_one_that_is_yet_to_begin(
    world: World, tom: Client, clock: time_machine.Traveller
) -> None:
    wish = Wish(starts_on=dt.date(2026, 3, 9))
    code = codes.create(world.cedar.organization, wish, world.ada.by, world.year5.id)
    codes.pause(world.cedar.organization, code.id, world.ada.by)
    assert "Paused" in text_of(tom.get(at_door(world.year5)))
    codes.resume(world.cedar.organization, code.id, world.ada.by)
    assert "It opens by itself on 9 Mar 2026." in text_of(tom.get(at_door(world.year5)))
    codes.pause(world.cedar.organization, code.id, world.ada.by)
    assert "Door open" in text_of(tom.post(at_door(world.year5, "/open"), {"minutes": "5"}, follow=True))
    assert comes(world.year5, "Zoë").result is Result.CREATED


def test_a_door_without_an_end_and_one_for_weeks_are_not_counted_down(
    world: World, tom: Client, clock: time_machine.Traveller
) -> None:
    codes.create(world.cedar.organization, Wish(), world.ada.by, world.year5.id)
    page = tom.get(at_door(world.year5))
    assert "Door open until you close it" in text_of(page)
    assert b"data-left" not in page.content
    assert b"5 more minutes" not in page.content
    tom.post(at_door(world.year5, "/more"))
    assert code_of(world.year5).ends_at is None
    tom.post(at_door(world.year5, "/options"), {"ends_on": "2026-03-20", "at_end": "refuse", "proof": "prove_first"})
    assert "Door open until 20 Mar 2026" in text_of(tom.get(at_door(world.year5)))
    tom.post(at_door(world.year5, "/more"))
    assert code_of(world.year5).ends_at == dt.datetime(2026, 3, 21, tzinfo=dt.UTC)


def test_a_closed_door_may_let_people_ask(world: World, tom: Client) -> None:
    opened(world)
    tom.post(at_door(world.year5, "/options"), {"at_end": "ask", "proof": "prove_first"})
    tom.post(at_door(world.year5, "/close"))
    assert "Whoever comes now asks, and you decide." in text_of(tom.get(at_door(world.year5)))
    assert comes(world.year5, "Olivia").result is Result.WAITING


@pytest.mark.parametrize("minutes", ["", "0", "-5", "7", "100000", "soon"])
def test_a_door_opens_for_a_time_that_is_offered(world: World, tom: Client, minutes: str) -> None:
    assert tom.post(at_door(world.year5, "/open"), {"minutes": minutes}).status_code == 400
    assert find.of_group(world.year5) is None


@pytest.mark.parametrize("minutes", [0, 1441])
def test_no_lesson_is_longer_than_a_day(world: World, minutes: int) -> None:
    with pytest.raises(UsherError) as no:
        opened(world, minutes)
    assert [(one.reason, one.column) for one in no.value.findings] == [(Reason.DOOR_MINUTES, "minutes")]


def test_a_group_has_one_code(world: World) -> None:
    opened(world)
    with pytest.raises(UsherError) as no:
        codes.create(world.cedar.organization, Wish(), world.ada.by, world.year5.id)
    assert no.value.findings[0].reason is Reason.GROUP_HAS_CODE


def test_each_change_of_the_door_is_one_event(world: World, tom: Client, clock: time_machine.Traveller) -> None:
    for act, minutes in (("open", 15), ("more", 0), ("close", 0), ("close", 0), ("open", 5)):
        assert tom.post(at_door(world.year5, f"/{act}"), {"minutes": minutes}).status_code == 302
    events = world.cedar.events(EventType.CODE_CREATED, EventType.CODE_CHANGED)
    assert [event.data.get("ends_at", "")[11:16] for event in events] == ["08:15", "08:20", "08:00", "08:05"]
    assert {(event.data["group"], event.actor_id) for event in events} == {(str(world.year5.id), world.tom.account_id)}
    assert code_of(world.year5).code not in repr([event.data for event in events])


# Seats


def test_seats_fill_by_first_name_and_the_newest_are_lit(
    world: World, tom: Client, clock: time_machine.Traveller
) -> None:
    Group.objects.filter(id=world.year5.id).update(cap=6)
    opened(world)
    clock.shift(60)
    comes(world.year5, "Amélie Roux")
    comes(world.year5, "李小龙")
    page = tom.get(at_door(world.year5))
    before = [("t", "Tom"), ("t", "Pia"), ("new", "Amélie"), ("new", "李小龙"), ("", ""), ("", "")]
    assert chairs(page) == before
    assert "4 of 6 seated" in text_of(page)
    clock.shift(6)
    comes(world.year5, "Amélie Dubois")
    assert chairs(tom.get(at_door(world.year5))) == [
        ("t", "Tom"), ("t", "Pia"), ("t", "Amélie R."), ("t", "李小龙"), ("new", "Amélie D."), ("", ""),
    ]  # fmt: skip


def test_a_poll_that_finds_the_same_brings_nothing(world: World, tom: Client, clock: time_machine.Traveller) -> None:
    opened(world)
    page = tom.get(at_door(world.year5))
    same = tom.get(at_door(world.year5, f"/now?mark={mark(page)}"))
    assert (same.status_code, same.content) == (204, b"")
    comes(world.year5, "Björn")
    other = tom.get(at_door(world.year5, f"/now?mark={mark(page)}"))
    assert other.status_code == 200
    assert ("new", "Björn") in chairs(other)
    assert b"<html" not in other.content
    clock.shift(6)
    later = tom.get(at_door(world.year5, f"/now?mark={mark(other)}"))
    assert ("t", "Björn") in chairs(later)
    clock.shift(900)
    assert "Door closed" in text_of(tom.get(at_door(world.year5, f"/now?mark={mark(later)}")))


def test_arrivals_are_told_once_together(world: World, tom: Client, clock: time_machine.Traveller) -> None:
    Group.objects.filter(id=world.year5.id).update(cap=28)
    opened(world)
    said = time.now().isoformat()
    clock.shift(2)
    comes(world.year5, "Björn Ek")
    assert news(tom.get(at_door(world.year5, "/now"), {"said": said})) == "Björn is in. 3 of 28."
    clock.shift(2)
    comes(world.year5, "Amélie Roux")
    assert news(tom.get(at_door(world.year5, "/now"), {"said": said})) == "Björn and Amélie are in. 4 of 28."
    clock.shift(2)
    for name in ("Ines", "Kofi"):
        comes(world.year5, name)
    told = tom.get(at_door(world.year5, "/now"), {"said": said})
    assert news(told) == "Björn, Amélie and 2 more are in. 6 of 28."
    upto = re.search(r'data-said="([^"]+)"', told.content.decode())
    assert upto
    assert news(tom.get(at_door(world.year5, "/now"), {"said": upto[1]})) == ""
    assert news(tom.get(at_door(world.year5, "/now"), {"said": "0001-01-01T00:00:00+14:00"})) == ""


def test_a_poll_costs_the_same_however_many_came(world: World, tom: Client) -> None:
    opened(world)
    counts = []
    for number in (1, 30):
        world.cedar.add_many([somebody(f"Pupil {number} {n}", groups=("Year 5",)) for n in range(number)])
        comes(world.year5, f"Björn {number}")
        for n in range(number):
            registered(world, f"Yuki {n}")
        InviteCode.objects.update(needs_approval=True)
        for n in range(min(number, 9)):
            comes(world.year5, f"Olivia {number} {n}")
        InviteCode.objects.update(needs_approval=False)
        with CaptureQueriesContext(connection) as queries:
            assert tom.get(at_door(world.year5, "/now")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 12


def test_a_crowd_is_shown_by_the_last_who_came(world: World, tom: Client) -> None:
    opened(world)
    world.cedar.add_many([somebody(f"Pupil {n}", groups=("Year 5",)) for n in range(60)])
    comes(world.year5, "Björn")
    page = tom.get(at_door(world.year5))
    assert [name for _look, name in chairs(page)] == ["Björn"]
    assert "The last who came by the code:" in text_of(page)
    assert "63 seated" in text_of(page)


def test_whoever_left_has_no_seat(world: World, tom: Client) -> None:
    opened(world)
    comes(world.year5, "Björn")
    Membership.objects.filter(account__username="Pia Pine").update(state="inactive")
    assert [name for _look, name in chairs(tom.get(at_door(world.year5)))] == ["Tom", "Björn"]


# Who asks, and who is to come


def test_who_asks_is_let_in_or_refused(world: World, tom: Client) -> None:
    Group.objects.filter(id=world.year5.id).update(cap=28)
    code = opened(world)
    codes.change(world.cedar.organization, code.id, Wish(needs_approval=True), world.ada.by)
    olivia, omar = comes(world.year5, "Olivia Brandt"), comes(world.year5, "Omar Haddad")
    page = tom.get(at_door(world.year5))
    assert "2 ask to come in" in text_of(page)
    assert "olivia.<wbr>brandt" in page.content.decode()
    assert [look for look, _name in chairs(page)].count("ask") == 2
    assert [look for look, _name in chairs(page)].count("") == 24
    assert page.content.count(b"btn-primary") == 1
    answer = tom.post(at_door(world.year5, f"/asks/{olivia.membership_id}/let-in"), follow=True)
    assert "Olivia Brandt is in." in text_of(answer)
    answer = tom.post(at_door(world.year5, f"/asks/{omar.membership_id}/refuse"), follow=True)
    assert "Omar Haddad was not let in." in text_of(answer)
    assert (world.cedar.member(olivia).state, world.cedar.member(omar).state) == ("active", "inactive")
    again = tom.post(at_door(world.year5, f"/asks/{olivia.membership_id}/let-in"))
    assert again.status_code == 404


def test_a_refusal_is_a_note_in_the_window(world: World, tom: Client) -> None:
    code = opened(world)
    codes.change(world.cedar.organization, code.id, Wish(needs_approval=True), world.ada.by)
    olivia = comes(world.year5, "Olivia")
    Group.objects.filter(id=world.year5.id).update(cap=2)
    answer = tom.post(at_door(world.year5, f"/asks/{olivia.membership_id}/let-in"), follow=True)
    assert "All 2 places in the group “Year 5” are taken." in text_of(answer)
    assert world.cedar.member(olivia).state == "waiting"


def test_a_manager_decides_about_those_of_his_groups_alone(world: World, tom: Client) -> None:
    choir = world.cedar.group("Choir")
    opened(world)
    for groups in (frozenset[Any](), frozenset({choir.id})):
        code = code_of(world.year5)
        codes.change(world.cedar.organization, code.id, Wish(needs_approval=True, groups=groups), world.ada.by)
        comes(world.year5, f"Olivia {len(groups)}")
    both = Membership.objects.get(account__username="Olivia 1")
    page = tom.get(at_door(world.year5))
    assert "Olivia 0" in text_of(page)
    assert "Olivia 1" not in text_of(page)
    for act in ("let-in", "refuse"):
        for who in (both.id, world.pia.membership_id, world.bob.membership_id, new_id()):
            assert tom.post(at_door(world.year5, f"/asks/{who}/{act}")).status_code == 404
    both.refresh_from_db()
    assert both.state == "waiting"


def registered(world: World, name: str, **values: Any) -> None:
    given: dict[str, Any] = {
        "username": name,
        "email": "yuki@cedar.example",
        "address_key": "yuki@cedar.example",
        "password": passwords.UNUSABLE,
        "code_id": code_of(world.year5).id,
        "token_hash": new_id().hex,
        "browser_hash": "",
        "created_at": time.now(),
        "expires_at": time.now() + dt.timedelta(hours=1),
    }
    Registration.objects.create(**given | values)


def test_who_has_still_to_prove_the_address(world: World, tom: Client, clock: time_machine.Traveller) -> None:
    code = opened(world)
    registered(world, "Yuki Ito")
    registered(world, "Elif Kaya")
    registered(world, "Done Already", consumed_at=time.now())
    registered(world, "Too Late", expires_at=time.now(), created_at=time.now() - dt.timedelta(hours=2))
    registered(world, "Other Code", code_id=new_id())
    said = text_of(tom.get(at_door(world.year5)))
    assert "2 have still to prove their address Yuki, Elif" in said
    assert not [name for name in ("Done", "Late", "Other") if name in said]
    clock.shift(1)
    codes.rotate(world.cedar.organization, code.id, world.tom.by)
    assert "Not in yet" not in text_of(tom.get(at_door(world.year5)))
