"""Who is told of what: seats that run out, people who ask, people who came; each once, and nobody for nothing."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Sequence

import pytest
import time_machine
from asking import ask, asking_code
from crew import Act, Crew
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from world import BY_OPERATOR, House, World, class_list, somebody

from usher.core import clock as clocks
from usher.core.models import Mail
from usher.core.work import drain
from usher.events.types import OPERATOR, EventType
from usher.lifecycle.approve import approve, decline
from usher.lifecycle.leave import deactivate
from usher.lifecycle.move import add_to_group, move, set_group_right
from usher.organizations.create import change_license
from usher.organizations.models import Organization, SeatPool
from usher.people.access import Visit
from usher.people.groups import set_notify
from usher.people.models import Group, GroupMembership, Membership

MINUTE = dt.timedelta(minutes=1)


def delivered(*, all_of_them: bool = False) -> list[EmailMultiAlternatives]:
    """What the worker sends now; what waits for more people as well, if told so."""
    mail.outbox.clear()
    if all_of_them:
        Mail.objects.update(run_at=clocks.now())
    drain()
    return [one for one in mail.outbox if isinstance(one, EmailMultiAlternatives)]


def sent(*, all_of_them: bool = False) -> list[tuple[str, str]]:
    """To whom, and about what."""
    return sorted((one.to[0], str(one.subject)) for one in delivered(all_of_them=all_of_them))


def filled(house: House, count: int, start: int) -> None:
    house.add_many(class_list(count, start=start))


def told(house: House) -> list[int]:
    return [event.data["level"] for event in house.events(EventType.LICENSE_FILLING)]


# Seats


def test_the_admins_are_told_at_each_step_once(world: World) -> None:
    world.cedar.seats("student", 100)  # Pia has one of them
    filled(world.cedar, 78, 100)
    assert sent() == []
    filled(world.cedar, 1, 200)
    assert sent() == [("ada@cedar.example", "Students: 20 seats are left")]
    filled(world.cedar, 14, 300)
    assert sent() == []
    filled(world.cedar, 1, 400)
    assert sent() == [("ada@cedar.example", "Students: 5 seats are left")]
    filled(world.cedar, 5, 500)
    assert sent() == [("ada@cedar.example", "Students: all seats are taken")]
    filled(world.cedar, 5, 600)
    assert sent() == []
    assert told(world.cedar) == [80, 95, 100]


def test_steps_that_are_passed_together_are_one_mail(world: World) -> None:
    world.cedar.seats("student", 100)
    filled(world.cedar, 80, 100)
    filled(world.cedar, 19, 200)
    assert sent() == [("ada@cedar.example", "Students: all seats are taken")]
    assert sent() == []


def fall_by_leaving(world: World) -> None:
    deactivate(world.cedar.id, world.pia.membership.id, BY_OPERATOR)


def fall_by_moving(world: World) -> None:
    move(world.cedar.id, world.pia.membership.id, "teacher", BY_OPERATOR)


def fall_by_a_larger_licence(world: World) -> None:
    change_license(world.cedar.organization, OPERATOR, seats={"student": 11})
    world.cedar.seats("student", 10)


@pytest.mark.parametrize("fall", [fall_by_leaving, fall_by_moving, fall_by_a_larger_licence])
def test_after_falling_they_are_told_again(world: World, fall: object) -> None:
    world.cedar.seats("student", 10)
    filled(world.cedar, 9, 100)
    assert len(sent()) == 1
    assert callable(fall)
    fall(world)
    assert sent() == []
    SeatPool.objects.filter(organization_id=world.cedar.id, pool="student").update(
        used=Membership.objects.filter(organization_id=world.cedar.id, role="student", state="active").count()
    )
    world.cedar.seats("student", world.cedar.seats("student").used + 1)
    filled(world.cedar, 1, 200)
    assert sent() == [("ada@cedar.example", "Students: all seats are taken")]


def test_moving_fills_too(world: World) -> None:
    world.cedar.seats("teacher", 3)
    move(world.cedar.id, world.pia.membership.id, "teacher", BY_OPERATOR)
    assert sent() == [("ada@cedar.example", "Teachers: all seats are taken")]


def test_a_mail_that_waited_tells_what_is_true_by_then(world: World) -> None:
    world.cedar.seats("student", 100)
    filled(world.cedar, 79, 100)
    filled(world.cedar, 10, 200)
    assert sent() == [("ada@cedar.example", "Students: 10 seats are left")]
    world.cedar.seats("student", 95)
    filled(world.cedar, 3, 300)
    change_license(world.cedar.organization, OPERATOR, seats={"student": 1000})
    assert sent() == [], "there are plenty again"


def test_only_an_address_that_is_proved_or_the_operators_is_written_to(world: World) -> None:
    world.cedar.add(somebody("Typed Admin", "admin", email="typed@cedar.example"))
    ann = world.cedar.settle("Ann Alder", "admin")
    assert ann.membership.method == "operator"
    world.cedar.seats("student", 1)
    world.cedar.add(somebody("One Too Many"))
    assert [to for to, _subject in sent()] == ["ada@cedar.example", "ann@cedar.example"]


def test_nobody_sees_who_else_is_told(world: World) -> None:
    world.cedar.settle("Ann Alder", "admin")
    world.cedar.seats("student", 1)
    world.cedar.add(somebody("One Too Many"))
    mails = delivered()
    assert [len(one.recipients()) for one in mails] == [1, 1]
    for one in mails:
        others = {"ada@cedar.example", "ann@cedar.example"} - {one.to[0]}
        assert not any(other in str(one.message()) for other in others)


def test_a_suspended_organisation_is_told_nothing(world: World) -> None:
    world.cedar.seats("student", 2)
    filled(world.cedar, 1, 100)
    Organization.objects.filter(id=world.cedar.id).update(suspended_at=clocks.now())
    assert sent() == []
    assert not Mail.objects.exists()


# Parallel joins


def test_parallel_joins_tell_each_step_once(crew: Crew) -> None:
    for number in range(5):
        dice = random.Random(number)
        limit = dice.randint(20, 40)
        ids = crew.found(seats={"student": limit, "teacher": 50})
        here = {"organization": ids["organization"]}
        acts: list[Act] = [("join_one", {**here, "number": person}) for person in range(limit + 5)]
        dice.shuffle(acts)
        crew.deal(acts)
        after = crew.do("look", organization=ids["organization"])
        assert after["used"]["student"] == limit
        assert sorted(after["told"]) == [80, 95, 100], number
        assert after["seat_mails"] == 1, "one waits, and tells of all"


# People who ask


def test_the_admins_are_told_how_many_ask(world: World) -> None:
    code = asking_code(world.cedar)
    for name in ("Zoë", "Yan", "Xia"):
        ask(code, name)
    assert sent() == [], "it waits a little for more"
    assert sent(all_of_them=True) == [("ada@cedar.example", "3 people ask to come in")]


def test_half_an_hour_is_quiet_and_then_tells_of_the_rest(world: World, clock: time_machine.Traveller) -> None:
    code = asking_code(world.cedar)
    ask(code, "Zoë")
    clock.shift(2 * MINUTE)
    assert len(sent()) == 1
    ask(code, "Yan")
    clock.shift(29 * MINUTE)
    assert sent() == []
    clock.shift(1 * MINUTE)
    assert sent() == [("ada@cedar.example", "2 people ask to come in")]
    clock.shift(30 * MINUTE)
    assert sent() == [], "nobody has asked since"
    assert not Mail.objects.exists()
    ask(code, "Xia")
    clock.shift(2 * MINUTE)
    assert sent() == [("ada@cedar.example", "3 people ask to come in")]


def test_whoever_is_let_in_before_is_not_told_of(world: World) -> None:
    waiting = ask(asking_code(world.cedar), "Zoë")
    approve(world.cedar.id, waiting.id, world.ada.by)
    assert sent(all_of_them=True) == []


def test_the_mail_leads_to_the_page_and_names_nobody(world: World) -> None:
    ask(asking_code(world.cedar), "Zoë Secret")
    (one,) = delivered(all_of_them=True)
    assert "/o/cedar/asks" in str(one.body)
    assert "Zoë" not in str(one.body) + str(one.alternatives)


# The person


def test_the_person_hears_what_was_decided(world: World) -> None:
    code = asking_code(world.cedar, world.year5)
    zoe, yan = ask(code, "Zoë", "Zoe@mail.example"), ask(code, "Yan", "yan@mail.example")
    approve(world.cedar.id, zoe.id, world.ada.by)
    decline(world.cedar.id, yan.id, world.ada.by)
    Mail.objects.filter(kind__in=("asks", "group_news")).delete()
    mails = {one.to[0]: one for one in delivered()}
    assert mails.keys() == {"Zoe@mail.example", "yan@mail.example"}
    assert "as Student" in str(mails["Zoe@mail.example"].body)
    assert "Year 5" in str(mails["Zoe@mail.example"].body)
    assert "has not let you in" in str(mails["yan@mail.example"].body)


def test_a_change_of_mind_makes_a_mail_pointless(world: World) -> None:
    zoe = ask(asking_code(world.cedar), "Zoë", "zoe@mail.example")
    approve(world.cedar.id, zoe.id, world.ada.by)
    deactivate(world.cedar.id, zoe.id, world.ada.by)
    assert sent(all_of_them=True) == []


def test_a_made_name_reaches_nobody(world: World) -> None:
    zoe = ask(asking_code(world.cedar), "Zoë")
    approve(world.cedar.id, zoe.id, world.ada.by)
    assert sent(all_of_them=True) == []


# News of a group


@pytest.fixture
def tom_wants_mail(world: World) -> Group:
    assert set_notify(visit_of(world), world.year5.id, wanted=True)
    return world.year5


def visit_of(world: World) -> Visit:
    return Visit(world.tom.account, world.tom.membership)


def into(group: Group, names: Sequence[str], world: World) -> None:
    world.cedar.add_many([somebody(name, groups=(group.name,)) for name in names])


@pytest.mark.usefixtures("tom_wants_mail")
def test_a_manager_hears_who_came(world: World) -> None:
    into(world.year5, ["Zoë", "Yan"], world)
    into(world.year5, ["Xia"], world)
    (one,) = delivered(all_of_them=True)
    assert (one.to, one.subject) == (["tom@cedar.example"], "3 people came into Year 5")
    text = str(one.body)
    assert [name in text for name in ("Zoë", "Yan", "Xia", "Pia")] == [True, True, True, False]
    assert sent(all_of_them=True) == []


@pytest.mark.usefixtures("tom_wants_mail")
def test_the_first_twenty_are_named(world: World) -> None:
    names = [f"Child {number:02}" for number in range(25)]
    into(world.year5, names, world)
    (one,) = delivered(all_of_them=True)
    named = re.findall(r"^- (Child \d\d)$", str(one.body), re.MULTILINE)
    assert named == names[:20]
    assert "and 5 more" in str(one.body)


@pytest.mark.usefixtures("tom_wants_mail")
def test_a_manager_hears_who_asks(world: World) -> None:
    ask(asking_code(world.cedar, world.year5), "Zoë")
    Mail.objects.filter(kind="asks").delete()
    (one,) = delivered(all_of_them=True)
    assert (one.to, one.subject) == (["tom@cedar.example"], "1 person asks to come into Year 5")
    assert "/o/cedar/asks" in str(one.body)


def test_who_did_not_ask_for_it_hears_nothing(world: World) -> None:
    into(world.year5, ["Zoë"], world)
    assert not Mail.objects.exists()


@pytest.mark.usefixtures("tom_wants_mail")
def test_who_manages_it_no_more_hears_nothing(world: World) -> None:
    into(world.year5, ["Zoë"], world)
    set_group_right(world.cedar.id, world.tom.membership.id, world.year5.id, "member", BY_OPERATOR)
    assert sent(all_of_them=True) == []


@pytest.mark.usefixtures("tom_wants_mail")
def test_who_left_again_is_not_named(world: World) -> None:
    outcome = world.cedar.add(somebody("Zoë", groups=("Year 5",)))
    deactivate(world.cedar.id, world.cedar.member(outcome).id, BY_OPERATOR)
    assert sent(all_of_them=True) == []


@pytest.mark.usefixtures("tom_wants_mail")
def test_only_proved_managers_are_written_to(world: World) -> None:
    dana = world.cedar.member(world.cedar.add(somebody("Dana", "teacher", email="dana@cedar.example")))
    add_to_group(world.cedar.id, dana.id, world.year5.id, BY_OPERATOR)
    GroupMembership.objects.filter(membership=dana).update(right="manager", notify=True)
    into(world.year5, ["Zoë"], world)
    assert [to for to, _subject in sent(all_of_them=True)] == ["tom@cedar.example"]


# What strangers put into mails


def test_names_make_no_links_and_no_markup(world: World) -> None:
    assert set_notify(visit_of(world), world.year5.id, wanted=True)
    Group.objects.filter(id=world.year5.id).update(name="Go to evil.example", name_key="go to evil.example")
    Organization.objects.filter(id=world.cedar.id).update(name="<img src=x onerror=alert(1)> http://evil.example")
    world.cedar.add(somebody("Win www.evil.example", groups=("Go to evil.example",)))
    ask(asking_code(world.cedar), "Yan")
    zoe = ask(asking_code(world.cedar), "Zoë", "zoe@mail.example")
    approve(world.cedar.id, zoe.id, world.ada.by)
    mails = delivered(all_of_them=True)
    assert {one.to[0] for one in mails} == {"ada@cedar.example", "tom@cedar.example", "zoe@mail.example"}
    for one in mails:
        html = str(one.alternatives[0][0])
        assert "<img" not in html
        assert "evil.example" not in html + str(one.body) + one.subject
        assert set(re.findall(r'href="([^"/]*//[^/"]*)', html)) == {"http://127.0.0.1:8000"}
