"""Correcting the name and address of somebody the organisation brought in."""

from __future__ import annotations

import pytest
from django.test import Client
from world import PASSWORD, Person, World, known, signed_in, somebody

from usher.core import clock
from usher.core.errors import UsherError
from usher.events.models import Event
from usher.events.types import OPERATOR
from usher.people import links
from usher.people.access import Visit
from usher.people.correct import correct
from usher.people.models import Account, SearchWord


def fix(who: Person, whom: Person, username: str = "Pia Pine", email: str = "pia@cedar.example") -> Account:
    return correct(Visit(who.account, who.membership), whom.membership.id, username=username, email=email)


def codes(who: Person, whom: Person, username: str = "Pia Pine", email: str = "pia@cedar.example") -> list[str]:
    with pytest.raises(UsherError) as refused:
        fix(who, whom, username, email)
    return [finding.code for finding in refused.value.findings]


def test_the_new_address_signs_in_with_the_old_password(world: World) -> None:
    browser = signed_in(world.pia)
    fix(world.ada, world.pia, "Pia Pine-Lee", "Pia.Lee@Cedar.example")
    account = world.pia.account
    assert (account.username, account.email, account.sign_in_key) == (
        "Pia Pine-Lee",
        "Pia.Lee@Cedar.example",
        "pia.lee@cedar.example",
    )
    assert browser.get("/password").status_code == 200
    assert opens("pia.lee@cedar.example")
    assert not opens("pia@cedar.example")


def test_a_made_name_gets_an_address(world: World) -> None:
    outcome = world.cedar.add(somebody("Lea"))
    assert outcome.account_id
    lea = Person(outcome.account_id, outcome.membership_id)
    fix(world.ada, lea, "Lea Lind", "")
    assert opens("lea")
    fix(world.ada, lea, "Lea Lind", "lea@cedar.example")
    assert opens("lea@cedar.example")


def test_the_person_is_found_and_sorted_by_what_is_right_now(world: World) -> None:
    fix(world.ada, world.pia, "Zora Pine", "zora@cedar.example")
    words = set(SearchWord.objects.filter(membership=world.pia.membership).values_list("word", flat=True))
    assert words == {"zora", "pine", "zora@cedar.example"}
    assert world.pia.membership.sort_name == "zora pine"


def test_it_is_written_down_with_the_names_apart(world: World) -> None:
    fix(world.ada, world.pia, "Pia Lee")
    event = Event.objects.get(type="account:corrected")
    assert event.personal == {
        "from": {"username": "Pia Pine", "sign_in": "pia@cedar.example"},
        "to": {"username": "Pia Lee", "sign_in": "pia@cedar.example"},
    }
    assert event.data == {}
    fix(world.ada, world.pia, "Pia Lee")
    assert Event.objects.filter(type="account:corrected").count() == 1


def test_links_on_their_way_die(world: World) -> None:
    token = links.make_setup_link(world.pia.account, world.cedar.id, OPERATOR).rpartition("/")[2]
    fix(world.ada, world.pia, email="pia.lee@cedar.example")
    assert Client().get(f"/set-up/{token}").status_code == 410


def test_everything_wrong_is_said_at_once(world: World) -> None:
    assert codes(world.ada, world.pia, "", "pia@") == ["name_missing", "address_incomplete"]
    assert codes(world.ada, world.pia, "Pia", "") == ["address_incomplete"]
    assert codes(world.ada, world.pia, "Pia", "pia@cedar.usher.invalid") == ["address_made_up"]


def test_an_address_that_is_not_free(world: World) -> None:
    assert codes(world.ada, world.pia, email="Tom@cedar.example") == ["address_taken"]
    eve = world.eve.account.email
    assert codes(world.ada, world.pia, email=eve) == ["has_account"]
    world.cedar.add(known(world.eve))
    assert codes(world.ada, world.pia, email=eve) == ["address_taken"]
    fix(world.ada, world.pia, email="bob@birch.example")  # another organisation's, unseen from here
    assert world.bob.account.sign_in_key == world.pia.account.sign_in_key == "bob@birch.example"


def test_whom_one_may_correct(world: World) -> None:
    ben = world.cedar.settle("Ben Bay", "admin")
    assert codes(world.ada, ben, email="mine@cedar.example") == ["not_below_you"]
    assert codes(world.tom, world.pia) == ["not_below_you"]
    assert codes(world.ada, world.bob) == ["not_a_member"]
    fix(world.ada, world.ada, "Ada Ash", "ada.ash@cedar.example")
    Account.objects.filter(id=world.pia.account_id).update(home=None, claimed_at=clock.now())
    assert codes(world.ada, world.pia, email="mine@cedar.example") == ["not_managed_here"]


def opens(name: str) -> bool:
    return Client().post("/o/cedar/sign-in", {"name": name, "password": PASSWORD}).status_code == 302
