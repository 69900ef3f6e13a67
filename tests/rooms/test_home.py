"""Where one belongs: the home page, the organisations of an account, offers, leaving, and the menu in the rail."""

from __future__ import annotations

import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from world import BY_OPERATOR, PASSWORD, Person, World, known, signed_in, somebody

from usher.core.errors import UsherError
from usher.events.models import Event
from usher.lifecycle.joiner import Outcome
from usher.lifecycle.leave import deactivate, leave
from usher.people import passwords
from usher.people.addresses import parse_address
from usher.people.claim import claim
from usher.people.models import Account, Membership


@pytest.fixture
def eve(world: World) -> Client:
    return signed_in(world.eve)


@pytest.fixture
def offered(world: World) -> tuple[Person, uuid.UUID]:
    """Pia has proved her address; Birch made an account for it before she did."""
    twin = world.birch.add(somebody("Pia P.", "learner", email="pia@cedar.example"))
    claim(world.pia.account, parse_address("pia@cedar.example"), passwords.digest(PASSWORD))
    assert twin.membership_id
    return world.pia, twin.membership_id


def stand(outcome: Outcome, state: str) -> None:
    Membership.objects.filter(id__in=[outcome.membership_id]).update(state=state)


# Home


def test_one_place_is_where_one_goes(world: World) -> None:
    assert signed_in(world.pia).get("/home")["Location"] == "/o/cedar/"


def test_somebody_nowhere_can_use_a_code(world: World, eve: Client) -> None:
    page = eve.get("/home").content.decode()
    assert "You sit in no organisation yet" in page
    form = page[page.index('action="/join"') :]
    assert 'name="code"' in form
    assert 'method="get"' in page[: page.index('action="/join"') + 200]


def test_several_places_are_shown_with_the_role(world: World, eve: Client) -> None:
    world.cedar.add(known(world.eve))
    world.birch.add(known(world.eve, "creator"))
    page = eve.get("/home").content.decode()
    assert page.index("Birch") < page.index("Cedar School")
    for words in ("Creator", "Student", 'href="/o/birch/"', 'href="/o/cedar/"'):
        assert words in page


def test_who_waits_and_who_is_wanted_is_not_sent_past_it(world: World, offered: tuple[Person, uuid.UUID]) -> None:
    pia, offer = offered
    page = signed_in(pia).get("/home").content.decode()
    assert "Offered to you" in page
    assert f"/account/offers/{offer}/take" in page


def test_waiting_is_shown_and_opens_nothing(world: World, eve: Client) -> None:
    outcome = world.cedar.add(known(world.eve))
    stand(outcome, "waiting")
    page = eve.get("/home").content.decode()
    assert "an admin decides" in page
    assert 'href="/o/cedar/"' not in page
    assert "An admin decides" in eve.get("/account/organizations").content.decode()


# Why am I here


def test_every_place_says_why_since_when_and_by_which_way(world: World) -> None:
    page = signed_in(world.tom).get("/account/organizations").content.decode()
    for words in ("Cedar School", "Teacher", "Year 5", "brought Tom Thorn in"):
        assert words in page


def test_nobody_elses_places_are_shown(world: World, eve: Client) -> None:
    page = eve.get("/account/organizations").content.decode()
    assert "Cedar" not in page
    assert "Birch" not in page


# Offers


def test_taking_what_is_offered(world: World, offered: tuple[Person, uuid.UUID]) -> None:
    pia, offer = offered
    browser = signed_in(pia)
    page = browser.get("/account/organizations").content.decode()
    assert "Birch" in page
    answer = browser.post(f"/account/offers/{offer}/take", {"next": "/home"})
    assert (answer.status_code, answer["Location"]) == (302, "/home")
    assert Membership.objects.get(id=offer).account_id == pia.account_id
    assert "You are in Birch now" in browser.get("/home").content.decode()
    assert browser.get("/o/birch/").status_code == 200


def test_saying_no_to_it(world: World, offered: tuple[Person, uuid.UUID]) -> None:
    pia, offer = offered
    used = world.birch.seats("learner").used
    answer = signed_in(pia).post(f"/account/offers/{offer}/end")
    assert answer["Location"] == "/account/organizations"
    assert Membership.objects.get(id=offer).state == "inactive"
    assert world.birch.seats("learner").used == used - 1


@pytest.mark.parametrize("act", ["take", "end"])
def test_an_offer_is_for_its_owner_alone(world: World, offered: tuple[Person, uuid.UUID], act: str) -> None:
    for person in (world.tom, world.bob, world.eve):
        browser = signed_in(person)
        assert browser.post(f"/account/offers/{offered[1]}/{act}").status_code == 404
        assert browser.get(f"/account/offers/{offered[1]}/{act}").status_code == 405
    assert Membership.objects.get(id=offered[1]).state == "active"
    assert (
        signed_in(offered[0]).post(f"/account/offers/{offered[1]}/{act}", {"next": "//evil.example"})["Location"]
        == "/home"
    )


# Leaving


def test_leaving_frees_the_seat_and_closes_the_door(world: World, eve: Client) -> None:
    outcome = world.cedar.add(known(world.eve, groups=("Year 5",)))
    used = world.cedar.seats("student").used
    path = f"/account/leave/{outcome.membership_id}"
    assert path in eve.get("/account/organizations").content.decode()
    page = eve.get(path).content.decode()
    assert "Leave <bdi>Cedar School</bdi>" in page
    assert eve.get("/o/cedar/").status_code == 200, "looking is not leaving"
    assert eve.post(path)["Location"] == "/account/organizations"
    assert eve.get("/o/cedar/").status_code == 404
    assert world.cedar.seats("student").used == used - 1
    event = Event.objects.get(type="membership:deactivated")
    assert (event.actor_id, event.account_id) == (world.eve.account_id, world.eve.account_id)
    assert eve.post(path).status_code == 404, "only once"


def test_one_can_stop_waiting(world: World, eve: Client) -> None:
    outcome = world.cedar.add(known(world.eve))
    used = world.cedar.seats("student").used
    stand(outcome, "waiting")
    path = f"/account/leave/{outcome.membership_id}"
    assert "Stop waiting" in eve.get(path).content.decode()
    assert eve.post(path).status_code == 302
    assert world.cedar.member(outcome).state == "inactive"
    assert world.cedar.seats("student").used == used, "who waits has no seat"


def refusal(account: Account, membership_id: uuid.UUID | None) -> str:
    assert membership_id
    with pytest.raises(UsherError) as refused:
        leave(account, membership_id)
    return refused.value.findings[0].code


def test_the_last_admin_stays(world: World) -> None:
    outcome = world.maple.add(known(world.eve, "admin"))
    deactivate(world.maple.id, world.mia.membership.id, BY_OPERATOR)
    assert refusal(world.eve.account, outcome.membership_id) == "last_admin"
    answer = signed_in(world.eve).post(f"/account/leave/{outcome.membership_id}")
    assert answer.status_code == 409
    assert "Make another person admin first" in answer.content.decode()


def test_an_account_that_nobody_proved_stays_at_home(world: World) -> None:
    assert refusal(world.pia.account, world.pia.membership_id) == "home_stays"
    page = signed_in(world.pia).get("/account/organizations").content.decode()
    assert "/account/leave/" not in page
    assert "Prove an address of yours" in page


def test_nobody_ends_the_membership_of_another(world: World, eve: Client) -> None:
    for method in (eve.get, eve.post):
        assert method(f"/account/leave/{world.pia.membership_id}").status_code == 404
    assert world.pia.membership.state == "active"


def test_one_may_leave_a_suspended_organisation(world: World, eve: Client) -> None:
    outcome = world.birch.add(known(world.eve, "learner"))
    world.birch.organization.suspended_at = world.birch.organization.created_at
    world.birch.organization.save()
    assert eve.post(f"/account/leave/{outcome.membership_id}").status_code == 302


# The menu beside the organisation's name


def menu(html: str) -> list[str]:
    """The addresses in the menu of the rail."""
    rail = html[html.index('class="nameplate"') :]
    return re.findall('href="(/[^"#]+)"', rail[: rail.index("</details>")])


def test_the_menu_leads_to_the_other_organisations(world: World, eve: Client) -> None:
    for house, role in ((world.cedar, "student"), (world.birch, "learner")):
        house.add(known(world.eve, role))
    inactive = world.maple.add(known(world.eve, "member"))
    stand(inactive, "inactive")
    page = eve.get("/o/cedar/").content.decode()
    assert menu(page) == ["/o/cedar/", "/o/birch/", "/o/cedar/", "/join", "/account/organizations"]
    assert 'href="/account"' in page


def test_the_menu_costs_one_small_query(world: World) -> None:
    for person, path in ((world.ada, "/o/cedar/users"), (world.tom, "/o/cedar/"), (world.pia, "/o/cedar/")):
        with CaptureQueriesContext(connection) as queries:
            assert signed_in(person).get(path).status_code == 200
        mine = [query["sql"] for query in queries if "organizations_organization" in query["sql"]]
        menus = [sql for sql in mine if sql.startswith('SELECT "organizations_organization"."name"')]
        assert len(menus) == 1, menus
