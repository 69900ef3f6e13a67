"""Set-up link, first password, change of password: from the link or the card to the first page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from world import PASSWORD, Person, World, somebody

from usher.core import clock as clocks
from usher.events.models import Event
from usher.events.types import OPERATOR
from usher.lifecycle.leave import deactivate
from usher.people import links
from usher.people.models import Account

OWN = "four words in a row"


def chosen(password: str = OWN, again: str | None = None) -> dict[str, str]:
    return {"password": password, "again": password if again is None else again}


def is_in(client: Client) -> bool:
    return client.get("/password").status_code == 200


def set_up_path(person: Person) -> str:
    address = links.make_setup_link(person.account, person.account.home_id, OPERATOR)
    return address[address.index("/set-up/") :]


# The set-up link


def test_a_set_up_link_from_the_mail_to_the_first_page(world: World) -> None:
    path, client = set_up_path(world.ada), Client()
    page = client.get(path)
    assert page.status_code == 200
    assert "ada@cedar.example" in page.content.decode()
    answer = client.post(path, chosen())
    assert (answer.status_code, answer.headers["Location"]) == (302, "/home")
    assert is_in(client)
    assert world.ada.account.check_password(OWN)
    assert not world.ada.account.is_claimed  # it proves no mailbox


def test_looking_at_the_link_uses_nothing_up(world: World) -> None:
    path = set_up_path(world.ada)
    for method in ("get", "head", "get"):
        assert getattr(Client(), method)(path).status_code == 200
    assert Client().post(path, chosen("short")).status_code == 400
    assert Client().post(path, chosen(OWN, "something else")).status_code == 200
    assert Client().post(path, chosen()).status_code == 302


def test_the_link_works_once_and_ends_other_sessions(world: World, client_of: Callable[[Person], Client]) -> None:
    before, path = client_of(world.ada), set_up_path(world.ada)
    Client().post(path, chosen())
    assert not is_in(before)
    for answer in (Client().get(path), Client().post(path, chosen("another one of mine"))):
        assert answer.status_code == 410
    assert world.ada.account.check_password(OWN)


def test_dead_links(world: World, clock: time_machine.Traveller) -> None:
    older, path = set_up_path(world.ada), set_up_path(world.ada)
    assert Client().get(older).status_code == 410
    assert Client().get(path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 410
    clock.shift(timedelta(days=7, seconds=-1))
    assert Client().get(path).status_code == 200
    clock.shift(timedelta(seconds=1))
    assert Client().post(path, chosen()).status_code == 410


def test_a_link_of_somebody_deactivated_is_dead(world: World) -> None:
    path = set_up_path(world.pia)
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert Client().post(path, chosen()).status_code == 410


def test_a_link_needs_our_own_form(world: World) -> None:
    path = set_up_path(world.ada)
    assert Client(enforce_csrf_checks=True).post(path, chosen()).status_code == 403
    assert Client().get(path).status_code == 200


# The first password


@pytest.fixture
def una(world: World) -> Person:
    """A teacher out of a file: her first password is for one sign-in."""
    outcome = world.cedar.add(somebody("Una Urn", "teacher", email="una@cedar.example"))
    assert outcome.account_id
    return Person(outcome.account_id, outcome.membership_id)


def test_a_first_password_is_changed_before_anything_else(world: World, una: Person) -> None:
    client = Client()
    client.post("/", {"name": "una@cedar.example", "password": PASSWORD})
    answer = client.get("/password")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/first-password")
    assert client.get("/first-password").status_code == 200
    assert client.post("/first-password", chosen(PASSWORD)).status_code == 400
    assert client.post("/first-password", chosen(OWN, "other")).status_code == 200
    assert client.post("/first-password", chosen()).headers["Location"] == "/home"
    assert is_in(client)
    assert not una.account.must_change_password
    assert Event.objects.filter(type="password:changed", account_id=una.account_id).exists()


def test_it_expires_unused_and_not_once_used(world: World, una: Person, clock: time_machine.Traveller) -> None:
    Account.objects.filter(id=una.account_id).update(password_expires_at=clocks.now() + timedelta(days=30))
    with_time = {"name": "una@cedar.example", "password": PASSWORD}
    clock.shift(timedelta(days=30, seconds=-1))
    assert Client().post("/", with_time).status_code == 302
    clock.shift(timedelta(days=2))
    assert Client().post("/", with_time).status_code == 302
    assert una.account.password_expires_at is None


def test_too_late_is_refused_like_a_wrong_password(world: World, una: Person, clock: time_machine.Traveller) -> None:
    Account.objects.filter(id=una.account_id).update(password_expires_at=clocks.now() + timedelta(days=30))
    clock.shift(timedelta(days=30))
    assert Client().post("/", {"name": "una@cedar.example", "password": PASSWORD}).status_code == 403


def test_the_lowest_role_keeps_its_password(world: World) -> None:
    world.cedar.add(somebody("Lea", email="lea@cedar.example"))
    client = Client()
    client.post("/", {"name": "lea@cedar.example", "password": PASSWORD})
    assert is_in(client)
    assert client.get("/first-password").headers["Location"] == "/home"


# The change


def test_changing_the_password_keeps_this_browser_alone(world: World, client_of: Callable[[Person], Client]) -> None:
    here, there = client_of(world.pia), client_of(world.pia)
    key = here.session.session_key
    answer = here.post("/password", {"old": PASSWORD, **chosen()})
    assert answer.headers["Location"] == "/home"
    assert is_in(here)
    assert here.session.session_key != key
    assert not is_in(there)


@pytest.mark.parametrize(
    ("given", "field", "status"),
    [
        ({"old": "wrong", **chosen()}, "old", 403),
        ({"old": PASSWORD, **chosen("short")}, "password", 400),
        ({"old": PASSWORD, **chosen(OWN, "other")}, "again", 200),
        ({"old": PASSWORD, **chosen(PASSWORD)}, "password", 400),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    world: World, client_of: Callable[[Person], Client], given: dict[str, str], field: str, status: int
) -> None:
    answer = client_of(world.pia).post("/password", given)
    assert answer.status_code == status
    page = answer.content.decode()
    assert f'id="id_{field}_wrong"' in page
    assert not any(f'value="{value}"' in page for value in given.values())


@pytest.mark.parametrize("path", ["/password", "/first-password"])
def test_strangers_are_asked_to_sign_in(world: World, path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/?next=%2F{path[1:]}")
