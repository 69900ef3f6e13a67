"""Where somebody is signed in: seen, ended one by one or all at once, and ended by itself."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from world import PASSWORD, Person, World, signed_in

from usher.core import chores
from usher.core import sessions as store
from usher.events.types import EventType
from usher.people import devices, passwords, sessions

LIST, END, OTHERS = "/account/sessions", "/account/sessions/end", "/account/sessions/end-others"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
    "Mobile/15E148 Safari/604.1"
)


@pytest.fixture(autouse=True)
def monday(clock: time_machine.Traveller) -> time_machine.Traveller:
    return clock


def enter(person: Person, agent: str = FIREFOX, address: str = "203.0.113.9") -> Client:
    """A browser in which this person signs in by the page."""
    browser = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    sent = {"name": person.account.sign_in_key, "password": PASSWORD}
    assert browser.post("/", sent).status_code == 302
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/password").status_code == 200


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def place_of(person: Person, agent: str) -> int:
    return int(UserSession.objects.get(user=person.account_id, user_agent=agent).pk)


# Seeing


def test_every_browser_is_on_the_list(world: World) -> None:
    here = enter(world.pia)
    enter(world.pia, IPHONE, "2001:db8:7:7:1:2:3:4")
    enter(world.tom)
    text = text_of(here.get(LIST))
    assert re.search(r"Firefox, Windows\s+This browser\s+From 203\.0\.113\.9", text)
    assert re.search(r"Safari, iPhone\s+From 2001:db8:7:7::/64", text), "of IPv6 the network alone"
    assert text.count("last used") == 2


def test_a_failed_sign_in_is_on_no_list(world: World) -> None:
    Client().post("/", {"name": "pia@cedar.example", "password": "not the password"})
    assert not UserSession.objects.exists()


def test_an_address_that_nobody_knows_is_none(world: World) -> None:
    here = enter(world.pia, address="")
    assert "From" not in text_of(here.get(LIST))


def test_a_browser_that_was_left_is_not_on_the_list(world: World) -> None:
    here, other = enter(world.pia), enter(world.pia, IPHONE)
    other.post("/sign-out")
    assert "iPhone" not in text_of(here.get(LIST))
    assert UserSession.objects.count() == 1


@pytest.mark.parametrize(
    ("agent", "browser", "system"),
    [
        (FIREFOX, "Firefox", "Windows"),
        (IPHONE, "Safari", "iPhone"),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
            "Chrome",
            "ChromeOS",
        ),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome", "Android"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge", "Windows"),
        ("curl/8.5", "", ""),
        ("", "", ""),
    ],
)
def test_browsers_have_names_that_people_know(agent: str, browser: str, system: str) -> None:
    assert (devices.browser_of(agent), devices.system_of(agent)) == (browser, system)


# Ending


def test_one_browser_is_signed_out(world: World) -> None:
    here, other, third = enter(world.pia), enter(world.pia, IPHONE), enter(world.pia, "x")
    here.post(END, {"place": place_of(world.pia, IPHONE)})
    assert [is_in(browser) for browser in (here, other, third)] == [True, False, True]


def test_everywhere_else(world: World) -> None:
    here, others = enter(world.pia), [enter(world.pia, f"browser {number}") for number in range(4)]
    tom = enter(world.tom)
    answer = here.post(OTHERS, follow=True)
    assert "4 other browsers are signed out." in text_of(answer)
    assert [is_in(browser) for browser in others] == [False] * 4
    assert is_in(here)
    assert is_in(tom)
    (event,) = world.cedar.events(EventType.SESSION_ENDED)
    assert (event.account_id, event.data) == (world.pia.account_id, {"count": 4})
    assert "You were signed in nowhere else." in text_of(here.post(OTHERS, follow=True))


def test_nobody_ends_the_sessions_of_others(world: World) -> None:
    here, tom = enter(world.pia), enter(world.tom, "tom's")
    for place in (place_of(world.tom, "tom's"), "0", "-1", "x", "", "9" * 30):
        here.post(END, {"place": place})
    assert is_in(tom)


def test_ending_asks_for_a_fresh_proof(world: World, monday: time_machine.Traveller) -> None:
    here, other = enter(world.pia), enter(world.pia)
    monday.shift(timedelta(minutes=21))
    for path in (END, OTHERS):
        assert here.post(path)["Location"].startswith("/sign-in/again")
    assert is_in(other)


def test_another_password_ends_all_others(world: World) -> None:
    here, other = enter(world.pia), enter(world.pia, IPHONE)
    new = "a password of my own"
    here.post("/password", {"old": PASSWORD, "password": new, "again": new})
    assert [is_in(here), is_in(other)] == [True, False]
    text = text_of(here.get(LIST))
    assert ("This browser" in text, "iPhone" in text) == (True, False)
    assert UserSession.objects.count() == 1


def test_another_password_set_elsewhere_takes_browsers_off_the_list(world: World) -> None:
    here = enter(world.pia)
    account = world.pia.account
    account.set_password("something else 77")
    account.save()
    assert not is_in(here)
    again = Client()
    again.post("/", {"name": "pia@cedar.example", "password": "something else 77"})
    assert text_of(again.get(LIST)).count("last used") == 1


# Ending by itself


def test_a_session_that_nobody_uses_ends_after_a_fortnight(world: World, monday: time_machine.Traveller) -> None:
    unused, used = enter(world.pia), enter(world.pia)
    for _ in range(3):
        monday.shift(timedelta(days=5))
        assert is_in(used)
    assert not is_in(unused)


def test_a_session_ends_after_ninety_days_whatever_happens(world: World, monday: time_machine.Traveller) -> None:
    browser = enter(world.pia)
    for _ in range(9):
        monday.shift(timedelta(days=10))
        assert is_in(browser)
    assert "last used" in text_of(browser.get(LIST))
    monday.shift(timedelta(seconds=1))
    assert not is_in(browser)


def test_the_cookie_lives_as_long_as_the_session_may(world: World) -> None:
    cookie = enter(world.pia).cookies["usher_session"]
    assert cookie["max-age"] == 90 * 24 * 3600


def test_being_here_is_written_down_every_five_minutes_at_most(world: World, monday: time_machine.Traveller) -> None:
    browser = enter(world.pia)
    written = []
    for _ in range(12):
        monday.shift(timedelta(minutes=1))
        with CaptureQueriesContext(connection) as queries:
            browser.get("/password")
        written += [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    assert len(written) == 2
    assert all("session_data" not in sql for sql in written), "what is in a session is never written over by it"


def test_the_list_says_when_a_browser_was_last_used(world: World, monday: time_machine.Traveller) -> None:
    here = enter(world.pia)
    other = enter(world.pia, IPHONE)
    monday.shift(timedelta(hours=1))
    other.get("/password")
    monday.shift(timedelta(hours=2))
    assert "last used today 09:00" in text_of(here.get(LIST))


def test_a_page_is_shown_although_nothing_can_be_written(
    world: World, monday: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = enter(world.pia)
    monday.shift(timedelta(hours=1))

    def full(*_: Any) -> None:
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr(store, "_touch", full)
    assert is_in(browser)


def test_what_is_over_is_thrown_away(world: World, monday: time_machine.Traveller) -> None:
    enter(world.pia)
    enter(world.tom)
    monday.shift(timedelta(days=10))
    enter(world.ada)
    monday.shift(timedelta(days=5))
    chores.run_all()
    assert (Session.objects.count(), UserSession.objects.get().user_id) == (1, world.ada.account_id)


# The store


def test_one_insert_for_a_session_and_none_at_the_end_of_the_request(world: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        enter(world.pia)
    writes = [query["sql"] for query in queries if "django_session" in query["sql"]]
    assert [sql.split()[0] for sql in writes] == ["INSERT"]


def test_signing_in_again_ends_the_session_before(world: World) -> None:
    browser = enter(world.pia)
    before = browser.cookies["usher_session"].value
    browser.post("/", {"name": "tom@cedar.example", "password": PASSWORD})
    assert browser.cookies["usher_session"].value != before
    assert not Session.objects.filter(session_key=before).exists()
    assert UserSession.objects.filter(session_key=browser.cookies["usher_session"].value).exists()


def test_a_sign_in_that_is_refused_late_leaves_no_session(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password changes between the check and the writing: the browser stays a stranger's."""
    real = sessions.keep

    def too_late(*_: Any) -> None:
        raise AssertionError("no session may begin")

    monkeypatch.setattr(sessions, "keep", too_late)
    account = world.pia.account
    stale = type(account).objects.filter(id=account.id)
    browser = Client()

    def change(*args: Any, **kwargs: Any) -> Any:
        account.set_password("changed meanwhile 1")
        stale.update(password=account.password)
        return verdict(*args, **kwargs)

    verdict = passwords.verify
    monkeypatch.setattr(passwords, "verify", change)
    assert browser.post("/", {"name": "pia@cedar.example", "password": PASSWORD}).status_code == 403
    monkeypatch.setattr(sessions, "keep", real)
    assert not is_in(browser)
    assert not Session.objects.exists()


def test_a_page_is_told_apart_by_its_session(world: World) -> None:
    assert "Cookie" in signed_in(world.pia).get(LIST)["Vary"]
