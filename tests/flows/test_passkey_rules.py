"""Passkeys: added, used with and without a password, and refused in every way in which an answer can be wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from softkey import FLAG, ORIGIN, SoftKey, asked_on, turned
from world import PASSWORD, Person, World, signed_in

from usher.core.work import drain
from usher.events.types import EventType
from usher.people import factors, passkeys
from usher.people.claim import wipe

ADD, SECOND, AGAIN = "/account/security/passkeys/add", "/sign-in/second", "/sign-in/again"
REFUSED = "This passkey did not work."


@pytest.fixture(autouse=True)
def with_a_name(settings: Any, clock: time_machine.Traveller) -> time_machine.Traveller:
    """Browsers have passkeys for host names alone. The clock goes on by itself, as challenges want it to."""
    settings.USHER_BASE_URL = ORIGIN
    return clock


def add(person: Person, key: SoftKey | None = None, name: str = "Blue key") -> SoftKey:
    key, browser = key or SoftKey(), signed_in(person)
    asked = asked_on(browser.get(ADD).content.decode())
    answer = browser.post(ADD, {"name": name, "credential": key.create(asked)})
    assert answer.status_code in (200, 302), answer.content.decode()
    return key


@pytest.fixture
def key(world: World, with_a_name: time_machine.Traveller) -> SoftKey:
    key = add(world.pia)
    with_a_name.shift(timedelta(seconds=1))
    return key


def door(at: str = "/") -> tuple[Client, dict[str, Any]]:
    """A new browser at the door, and what it is asked for."""
    browser = Client()
    return browser, asked_on(browser.get(at).content.decode())


def first_step(person: Person) -> tuple[Client, dict[str, Any]]:
    browser = Client()
    assert browser.post("/", {"name": person.account.sign_in_key, "password": PASSWORD}).status_code == 302
    return browser, asked_on(browser.get(SECOND).content.decode())


def is_in(browser: Client) -> bool:
    return browser.get("/account/security").status_code == 200


# Adding


def test_adding_one(world: World, key: SoftKey) -> None:
    page = signed_in(world.pia).get("/account/security").content.decode()
    assert "Blue key" in page
    assert "10 of 10 left" in page
    kinds = [(event.type, event.data) for event in world.cedar.events(EventType.FACTOR_ADDED)]
    assert kinds == [("factor:added", {"factors": ["webauthn"]})]


def test_the_same_device_is_added_once(world: World, key: SoftKey) -> None:
    browser = signed_in(world.pia)
    asked = asked_on(browser.get(ADD).content.decode())
    assert [one["id"] for one in asked["excludeCredentials"]] == [json.loads(key.get(asked))["id"]]
    assert browser.post(ADD, {"name": "again", "credential": key.create(asked)}).status_code == 409
    assert len(factors.of(world.pia.account).passkeys) == 1


def test_an_answer_adds_one_passkey_alone(world: World) -> None:
    browser, key = signed_in(world.pia), SoftKey()
    sent = {"name": "one", "credential": key.create(asked_on(browser.get(ADD).content.decode()))}
    assert [browser.post(ADD, sent).status_code for _ in range(2)] == [200, 409]


def test_twenty_are_enough(world: World) -> None:
    for number in range(factors.MOST_PASSKEYS):
        add(world.pia, name=f"key {number}")
    browser = signed_in(world.pia)
    sent = {"name": "more", "credential": SoftKey().create(asked_on(browser.get(ADD).content.decode()))}
    answer = browser.post(ADD, sent)
    assert (answer.status_code, "You have 20 passkeys" in answer.content.decode()) == (409, True)


def test_the_owner_hears_of_it(world: World) -> None:
    add(world.eve, name="St.Mary's https://evil.example")
    drain()
    (told,) = mail.outbox
    assert told.subject == "A passkey was added"
    assert "https://evil.example" not in told.body


WRONG_WHEN_ADDING: dict[str, dict[str, Any]] = {
    "another site": {"origin": "https://evil.example"},
    "a subdomain": {"origin": "http://sub.localhost:8000"},
    "another port": {"origin": "http://localhost:9000"},
    "for another host": {"host": "evil.example"},
    "in a frame of others": {"cross_origin": True},
    "nobody there": {"flags": FLAG.UV},
}


@pytest.mark.parametrize("wrong", WRONG_WHEN_ADDING.values(), ids=WRONG_WHEN_ADDING)
def test_a_wrong_answer_adds_nothing(world: World, wrong: dict[str, Any]) -> None:
    browser, key = signed_in(world.pia), SoftKey(**wrong)
    asked = asked_on(browser.get(ADD).content.decode())
    answer = browser.post(ADD, {"name": "x", "credential": key.create(asked)})
    assert (answer.status_code, REFUSED in answer.content.decode()) == (403, True)
    assert not Authenticator.objects.exists()


def test_a_challenge_of_another_account_adds_nothing(world: World) -> None:
    asked = asked_on(signed_in(world.tom).get(ADD).content.decode())
    browser = signed_in(world.pia)
    browser.get(ADD)
    assert browser.post(ADD, {"name": "x", "credential": SoftKey().create(asked)}).status_code == 403


def test_renaming_and_removing(world: World, key: SoftKey) -> None:
    browser = signed_in(world.pia)
    (mine,) = factors.of(world.pia.account).passkeys
    page = f"/account/security/passkeys/{mine.id}"
    assert signed_in(world.tom).get(page).status_code == 404
    assert signed_in(world.tom).post(page, {"do": "remove"}).status_code == 404
    browser.post(page, {"name": "Red key"})
    assert "Red key" in browser.get("/account/security").content.decode()
    assert browser.post(page, {"name": " "}).status_code == 400
    browser.post(page, {"do": "remove"})
    assert not Authenticator.objects.exists(), "with the last one the recovery codes go"
    at_door, asked = door()
    assert at_door.post("/", {"credential": key.get(asked)}).status_code == 403


# Without a password


def test_signing_in_without_a_password(world: World, key: SoftKey) -> None:
    browser, asked = door()
    assert asked["userVerification"] == "required"
    assert asked["allowCredentials"] == [], "nobody is told who has one"
    answer = browser.post("/", {"credential": key.get(asked), "next": "/o/cedar/"})
    assert answer["Location"] == "/o/cedar/"
    assert is_in(browser)
    (event,) = world.cedar.events(EventType.ACCOUNT_SIGNED_IN)
    assert event.data == {"way": "passkey", "factors": ["webauthn"]}
    assert factors.of(world.pia.account).passkeys[0].used_at


def test_it_opens_the_doors_that_the_password_opens(world: World, key: SoftKey) -> None:
    for at, status in (("/o/cedar/sign-in", 302), ("/o/birch/sign-in", 403)):
        browser, asked = door(at)
        assert browser.post(at, {"credential": key.get(asked)}).status_code == status, at


def test_who_left_does_not_come_in(world: World, key: SoftKey) -> None:
    world.pia.account.memberships.update(state="inactive")
    browser, asked = door()
    assert browser.post("/", {"credential": key.get(asked)}).status_code == 403


def test_a_finger_or_a_pin_is_needed(world: World, key: SoftKey) -> None:
    key.flags = FLAG.UP
    browser, asked = door()
    assert browser.post("/", {"credential": key.get(asked)}).status_code == 403
    browser, asked = first_step(world.pia)
    assert browser.post(SECOND, {"credential": key.get(asked)}).status_code == 302, "beside the password it is not"


WRONG_ANSWERS: dict[str, dict[str, Any]] = {
    "another site": {"origin": "https://evil.example"},
    "another port": {"origin": "http://localhost:9000"},
    "for another host": {"host": "evil.example"},
    "in a frame of others": {"cross_origin": True},
    "nobody there": {"flags": FLAG.UV},
    "not this device": {"id": b"some other device"},
}


@pytest.mark.parametrize("wrong", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_a_wrong_answer_opens_nothing(world: World, key: SoftKey, wrong: dict[str, Any]) -> None:
    for name, value in wrong.items():
        setattr(key, name, value)
    browser, asked = door()
    answer = browser.post("/", {"credential": key.get(asked)})
    assert (answer.status_code, REFUSED in answer.content.decode()) == (403, True)
    assert not is_in(browser)


@pytest.mark.parametrize("part", ["signature", "authenticatorData", "clientDataJSON"])
def test_every_part_is_signed(world: World, key: SoftKey, part: str) -> None:
    browser, asked = door()
    sent = json.loads(key.get(asked))
    sent["response"][part] = turned(sent["response"][part])
    assert browser.post("/", {"credential": json.dumps(sent)}).status_code == 403


def test_a_key_opens_no_account_of_others(world: World, key: SoftKey) -> None:
    other = add(world.tom)
    browser, asked = door()
    for mixed in (
        key.get(asked, userHandle=other.owner),
        key.get(asked, userHandle="AAAA"),
        key.get(asked, userHandle=""),
    ):
        assert browser.post("/", {"credential": mixed}).status_code == 403


# The challenge


def test_an_answer_counts_once(world: World, key: SoftKey) -> None:
    browser, asked = door()
    sent = {"credential": key.get(asked)}
    twin = Client()
    twin.cookies["usher_csrf"] = browser.cookies["usher_csrf"].value
    assert browser.post("/", sent).status_code == 302
    assert twin.post("/", sent).status_code == 403
    assert not is_in(twin)


def test_an_answer_counts_in_its_own_browser(world: World, key: SoftKey) -> None:
    _, asked = door()
    other, _ = door()
    assert other.post("/", {"credential": key.get(asked)}).status_code == 403


def test_an_answer_counts_for_ten_minutes(world: World, key: SoftKey, with_a_name: time_machine.Traveller) -> None:
    browser, asked = door()
    with_a_name.shift(timedelta(minutes=10, seconds=1))
    assert browser.post("/", {"credential": key.get(asked)}).status_code == 403


def test_a_challenge_for_one_thing_is_for_nothing_else(world: World, key: SoftKey) -> None:
    browser, for_the_door = door()
    browser.post("/", {"name": "pia@cedar.example", "password": PASSWORD})
    assert browser.post(SECOND, {"credential": key.get(for_the_door)}).status_code == 403
    for_second = asked_on(browser.get(SECOND).content.decode())
    assert browser.post("/", {"credential": key.get(for_second)}).status_code == 403
    made_up = {**for_second, "challenge": turned(for_second["challenge"])}
    assert browser.post(SECOND, {"credential": key.get(made_up)}).status_code == 403
    assert browser.post(SECOND, {"credential": key.get(for_second)}).status_code == 302


def test_a_counter_that_does_not_rise_tells_of_a_copy(world: World, with_a_name: time_machine.Traveller) -> None:
    key = add(world.pia, SoftKey(counter=7))
    for counter, status in ((20, 302), (20, 403), (5, 403), (21, 302)):
        with_a_name.shift(timedelta(seconds=1))
        key.counter = counter - 1  # it counts before it answers
        browser, asked = door()
        assert browser.post("/", {"credential": key.get(asked)}).status_code == status, counter


# As the second step, and once more


def test_password_and_passkey(world: World, key: SoftKey) -> None:
    browser, asked = first_step(world.pia)
    assert len(asked["allowCredentials"]) == 1
    assert browser.post(SECOND, {"credential": key.get(asked)}).status_code == 302
    assert is_in(browser)


def test_with_a_passkey_the_password_alone_opens_nothing(world: World, key: SoftKey) -> None:
    browser, _ = first_step(world.pia)
    assert not is_in(browser)
    assert b"Use a recovery code" in browser.get(SECOND).content


def test_the_passkey_of_another_is_no_second_step(world: World, key: SoftKey) -> None:
    other = add(world.tom)
    browser, asked = first_step(world.pia)
    for answer in (other.get(asked), other.get(asked, userHandle=key.owner)):
        assert browser.post(SECOND, {"credential": answer}).status_code == 403


def test_a_passkey_proves_again(world: World, key: SoftKey, with_a_name: time_machine.Traveller) -> None:
    browser = signed_in(world.pia)
    with_a_name.shift(timedelta(minutes=11))
    asked = asked_on(browser.get(f"{AGAIN}?next={ADD}").content.decode())
    assert asked["userVerification"] == "required"
    assert browser.post(AGAIN, {"credential": key.get(asked), "next": ADD})["Location"] == ADD
    assert browser.get(ADD).status_code == 200


# Taken away


def test_a_claim_takes_the_passkeys(world: World, key: SoftKey) -> None:
    wipe([world.pia.account])
    browser, asked = door()
    assert browser.post("/", {"credential": key.get(asked)}).status_code == 403


# Where there are none


@pytest.mark.parametrize(
    ("address", "possible"),
    [
        ("https://usher.school.example", True),
        ("http://localhost:8000", True),
        ("http://usher.localhost", True),
        ("http://127.0.0.1:8000", False),
        ("https://192.0.2.7", False),
        ("https://[2001:db8::1]", False),
    ],
)
def test_an_ip_address_has_no_passkeys(world: World, settings: Any, address: str, possible: bool) -> None:
    settings.USHER_BASE_URL = address
    assert passkeys.are_possible() == possible
    assert (b"data-passkey" in Client().get("/").content) == possible
    assert signed_in(world.pia).get(ADD).status_code == (200 if possible else 404)


# Nonsense

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=8,
)
PARTS = ("id", "rawId", "type", "response")
INSIDE = ("clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject")


@how(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    part=st.sampled_from([*PARTS, *INSIDE]),
    value=JSON | st.binary(max_size=80).map(lambda raw: raw.hex()),
    adding=st.booleans(),
)
def test_nonsense_is_refused_and_breaks_nothing(
    world: World, key: SoftKey, part: str, value: Any, adding: bool
) -> None:
    browser = signed_in(world.pia) if adding else Client()
    asked = asked_on(browser.get(ADD if adding else "/").content.decode())
    sent = json.loads(key.create(asked) if adding else key.get(asked))
    place = sent if part in PARTS else sent["response"]
    if part not in place or place[part] == value:
        return
    place[part] = value
    answer = browser.post(ADD if adding else "/", {"name": "x", "credential": json.dumps(sent)})
    # The type and the id are what the browser says beside what is signed.
    assert answer.status_code in (403, 409) or part in ("id", "type", "userHandle"), answer.status_code


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "1", "{", '{"response": []}', "[" * 9_000, "x" * 30_000])
def test_what_is_no_answer_is_refused(world: World, text: str) -> None:
    browser, _ = door()
    assert browser.post("/", {"credential": text}).status_code in (200, 403)
    assert not is_in(browser)
