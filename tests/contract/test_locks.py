"""Every URL has a lock, and the lock is kept: the rows of this table are made from the URL map itself."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from world import PASSWORD, World, signed_in, somebody

from usher.core import clock
from usher.methods.csv_import.models import Import
from usher.people.access import Lock

SIGN_IN = "to sign-in"
OPEN = "open"


@dataclass(frozen=True, slots=True)
class Route:
    """One address, with the lock of its view."""

    text: str
    names: tuple[str, ...]
    view: Callable[..., HttpResponseBase]

    @property
    def lock(self) -> Lock | None:
        return getattr(self.view, "usher_lock", None)

    def address(self, **values: object) -> str:
        """The address with its blanks filled in; what is left out becomes an id that nobody has."""
        text = self.text
        for name in self.names:
            value = values.get(name) or (uuid.uuid4() if name.endswith("_id") else "0" * 32)
            head, _, rest = text.partition("<")
            text = f"{head}{value}{rest.partition('>')[2]}"
        return f"/{text}"


def walk(patterns: list[URLPattern | URLResolver], before: str = "", names: tuple[str, ...] = ()) -> Iterator[Route]:
    for one in patterns:
        text, inside = before + str(one.pattern), (*names, *one.pattern.converters)
        if isinstance(one, URLResolver):
            yield from walk(one.url_patterns, text, inside)
        else:
            yield Route(text, inside, one.callback)


ROUTES = {route.text or "/": route for route in walk(get_resolver().url_patterns)}
LOCKED = {text: route for text, route in ROUTES.items() if route.lock not in (None, Lock.ANYONE)}
WITH_IDS = {text: route for text, route in LOCKED.items() if any(name.endswith("_id") for name in route.names)}
# What needs no key, each for a reason: one enters by it, or it shows nothing of anybody.
FOR_ANYONE = {
    "/", "o/<slug:slug>/sign-in", "o/<slug:slug>/forgot", "o/<slug:slug>/accent.css", "sign-out", "forgot",
    "set-up/<str:token>", "_kit/",
}  # fmt: skip


def test_there_are_routes_to_test() -> None:
    assert len(LOCKED) > 20


@pytest.mark.parametrize("text", ROUTES)
def test_every_route_has_a_lock(text: str) -> None:
    assert isinstance(ROUTES[text].lock, Lock), "write @lock(...) or @open_to_anyone above the view"


@pytest.mark.parametrize("text", [text for text in ROUTES if text not in LOCKED])
def test_what_is_open_to_anyone_is_on_the_list(text: str) -> None:
    assert text in FOR_ANYONE


@pytest.mark.parametrize("text", LOCKED)
def test_an_organisations_lock_stands_on_an_organisations_route(text: str) -> None:
    needs_slug = LOCKED[text].lock not in (Lock.SIGNED_IN, Lock.OPERATOR)
    assert needs_slug == ("slug" in LOCKED[text].names)


# Who opens what


def opens(lock: Lock, person: str, *, own_group: bool = True) -> int | str:
    """What the lock answers to one of Cedar's people, or to a stranger."""
    if person == "anonymous":
        return SIGN_IN
    if lock is Lock.SIGNED_IN:
        return OPEN
    if lock is Lock.OPERATOR:
        return OPEN if person == "olga" else 404
    if person in ("bob", "mia", "eve", "olga"):
        return 404
    opened = {
        "ada": {Lock.MEMBER, Lock.STAFF, Lock.MANAGER, Lock.ADMIN},
        "tom": {Lock.MEMBER, Lock.STAFF, *([Lock.MANAGER] if own_group else [])},
        "pia": {Lock.MEMBER},
    }[person]
    return OPEN if lock in opened else 403


@pytest.fixture
def browsers(world: World) -> dict[str, Client]:
    return {"anonymous": Client()} | {name: signed_in(person) for name, person in world.people.items()}


def answer(response: Any) -> int | str:
    """The views take GET or POST alone, so that OPTIONS meets the lock and then 405, and nothing happens."""
    if response.status_code == 302:
        return SIGN_IN if "next=" in response["Location"] or "sign-in" in response["Location"] else OPEN
    return OPEN if response.status_code == 405 else response.status_code


def values_of(world: World) -> dict[str, object]:
    return {"slug": "cedar", "member_id": world.pia.membership_id, "group_id": world.year5.id}


def test_every_lock_keeps_its_word_to_everybody(world: World, browsers: dict[str, Client]) -> None:
    wrong = []
    for text, route in LOCKED.items():
        assert route.lock
        address = route.address(**values_of(world))
        for person, browser in browsers.items():
            expected, got = opens(route.lock, person), answer(browser.options(address))
            if got != expected and not (person == "anonymous" and got == OPEN and not route.names):
                wrong.append(f"{person} at {text} ({route.lock.name}): {got}, not {expected}")
    assert wrong == []


def test_a_page_outside_every_organisation_asks_to_sign_in(world: World) -> None:
    for text, route in LOCKED.items():
        if "slug" not in route.names:
            response = Client().get(route.address())
            assert (response.status_code, response["Location"]) == (302, f"/?next=%2F{text}"), text


def test_a_manager_opens_his_own_groups_alone(world: World, browsers: dict[str, Client]) -> None:
    choir = world.cedar.group("Choir")
    for text, route in LOCKED.items():
        if "group_id" in route.names and route.lock is Lock.MANAGER:
            address = route.address(slug="cedar", group_id=choir.id)
            assert answer(browsers["tom"].options(address)) == 403, text
            assert answer(browsers["ada"].options(address)) == OPEN, text


def test_who_was_deactivated_is_a_stranger(world: World, browsers: dict[str, Client]) -> None:
    world.tom.account.memberships.update(state="inactive")
    for text, route in LOCKED.items():
        if "slug" in route.names:
            assert answer(browsers["tom"].options(route.address(**values_of(world)))) == 404, text


def test_nobody_goes_on_before_the_first_password(world: World) -> None:
    outcome = world.cedar.add(somebody("New Teacher", "teacher", email="new@cedar.example"))
    browser = Client()
    browser.force_login(world.cedar.account(outcome))
    for text, route in LOCKED.items():
        response = browser.options(route.address(**values_of(world)))
        if text == "first-password":
            assert response.status_code == 405
        else:
            assert (response.status_code, response["Location"]) == (302, "/first-password"), text


def test_a_slug_that_nobody_has_is_as_a_foreign_one(world: World, browsers: dict[str, Client]) -> None:
    for text, route in LOCKED.items():
        if "slug" in route.names:
            for slug in ("birch", "nobody-has-this"):
                assert answer(browsers["ada"].options(route.address(**values_of(world) | {"slug": slug}))) == 404, text


# What is behind the lock


@pytest.fixture
def foreign(world: World) -> dict[str, object]:
    """Ids of Birch, for an admin of Cedar to try."""
    source = Import.objects.create(
        organization=world.birch.organization,
        identity="f" * 64,
        file_name="people.csv",
        pepper_id="0" * 8,
        rows=1,
        started_at=clock.now(),
    )
    group = world.birch.group("Birds")
    return {"member_id": world.bob.membership_id, "group_id": group.id, "import_id": source.id, "identity": "f" * 64}


def test_a_foreign_id_is_as_one_that_nobody_has(world: World, foreign: dict[str, object]) -> None:
    browser = signed_in(world.ada)
    for text, route in WITH_IDS.items():
        for address in (route.address(slug="cedar", **foreign), route.address(slug="cedar")):
            for response in (browser.get(address), browser.post(address, data=FILLED)):
                assert response.status_code in (404, 405), text
                assert b"Birds" not in response.content, text
    assert (world.bob.membership.state, world.bob.membership.role) == ("active", "admin")


# Something in every field there is, so that a form does not stop the request before the id is looked up.
FILLED = {
    "role": "student", "username": "New Name", "name": "New Name", "email": "new@cedar.example", "state": "closed",
    "cap": "5", "password": PASSWORD, "action": "deactivate", "do": "deactivate", "right": "member",
}  # fmt: skip


def test_every_page_answers_those_who_may_see_it(world: World, browsers: dict[str, Client]) -> None:
    wrong = []
    for text, route in LOCKED.items():
        assert route.lock
        for person in ("ada", "tom", "pia"):
            status = browsers[person].get(route.address(**values_of(world))).status_code
            answers = (200, 302, 404, 405) if opens(route.lock, person) == OPEN else (403,)
            if status not in answers:
                wrong.append(f"{person} at {text}: {status}")
    assert wrong == []


def test_a_post_without_its_token_is_refused(world: World) -> None:
    ada = Client(enforce_csrf_checks=True)
    ada.force_login(world.ada.account)
    for browser in (Client(enforce_csrf_checks=True), ada):
        for text, route in ROUTES.items():
            assert browser.post(route.address(**values_of(world)), data=FILLED).status_code == 403, text


def test_a_pupil_changes_nothing_by_asking(world: World) -> None:
    before, browser = len(world.cedar.events()), signed_in(world.pia)
    for text, route in LOCKED.items():
        if "slug" in route.names:
            response = browser.post(route.address(**values_of(world)), data=FILLED)
            assert response.status_code in (403, 405), text
    assert len(world.cedar.events()) == before
