"""A second factor that an organisation asks for: until there is one, nothing of it opens."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from app_codes import code_of, codes_on, key_on, seed_on
from by_provider import comes_by_provider, give_back, request_of, rule
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from doors import text_of
from world import PASSWORD, World, known, signed_in

from usher.core.rows import new_id
from usher.events.types import EventType
from usher.people import factors, sign_in

CEDAR, SECURITY = "/o/cedar/", "/account/security"
SET_UP, SECOND = "/account/security/app", "/sign-in/second"
WANTED = "Cedar School asks for a second factor."
ADMINS, STAFF = {"second_factor_for": "admins"}, {"second_factor_for": "staff"}


@pytest.fixture(autouse=True)
def monday(clock: time_machine.Traveller) -> time_machine.Traveller:
    """The clock stands: a code is of a time."""
    return clock


def is_sent_to_set_up(browser: Client, page: str = CEDAR) -> bool:
    answer: Any = browser.get(page)
    if (answer.status_code, answer.headers.get("Location", "").partition("?")[0]) != (302, SECURITY):
        return False
    return WANTED in text_of(browser.get(answer["Location"]))


def has_app(world: World, name: str) -> None:
    Authenticator.objects.create(user=world.people[name].account, type=factors.APP, data={})


@pytest.mark.parametrize(
    ("policy", "asked"),
    [({"second_factor_for": "nobody"}, ""), (ADMINS, "ada"), (STAFF, "ada tom")],
    ids=["nobody", "admins", "staff"],
)
def test_the_policy_says_of_whom(world: World, policy: dict[str, str], asked: str) -> None:
    rule(world.cedar, **policy)
    found = [name for name in ("ada", "tom", "pia") if is_sent_to_set_up(signed_in(world.people[name]))]
    assert found == asked.split()


def test_whoever_has_one_goes_in(world: World) -> None:
    rule(world.cedar, **STAFF)
    has_app(world, "tom")
    assert signed_in(world.tom).get(CEDAR).status_code == 200


def test_nothing_of_it_opens_meanwhile_and_all_else_does(world: World) -> None:
    world.birch.add(known(world.eve, "learner"))
    world.cedar.add(known(world.eve, "teacher"))
    rule(world.cedar, **STAFF)
    browser = signed_in(world.eve)
    for page in (CEDAR, "/o/cedar/groups", "/o/cedar/asks", "/o/cedar/users/add"):
        assert is_sent_to_set_up(browser, page), page
    assert browser.post("/o/cedar/asks/decide", {"do": "x"})["Location"] == SECURITY
    assert browser.get("/o/birch/").status_code == 200
    assert browser.get("/account").status_code == 200


def test_by_setting_it_up_one_comes_back_to_where_one_was_going(world: World) -> None:
    rule(world.cedar, **ADMINS)
    browser = signed_in(world.ada)
    browser.get(browser.get("/o/cedar/users?q=pia")["Location"])
    page = browser.get(SET_UP).content.decode()
    answer = browser.post(SET_UP, {"seed": seed_on(page), "code": code_of(key_on(page))})
    assert codes_on(answer.content.decode())
    page = browser.get(SECURITY).content.decode()
    assert WANTED not in page
    assert 'href="/o/cedar/users?q=pia"' in page
    assert browser.get("/o/cedar/users?q=pia").status_code == 200
    assert 'href="/o/cedar/users?q=pia"' not in browser.get(SECURITY).content.decode(), "said once"


def test_the_page_leads_nowhere_else(world: World) -> None:
    rule(world.cedar, **ADMINS)
    browser = signed_in(world.ada)
    browser.get(f"{SECURITY}?next=https://evil.example/")
    has_app(world, "ada")
    assert "evil.example" not in browser.get(SECURITY).content.decode()


def test_who_takes_it_away_is_asked_again(world: World) -> None:
    rule(world.cedar, **ADMINS)
    has_app(world, "ada")
    browser = signed_in(world.ada)
    assert browser.get(CEDAR).status_code == 200
    factors.remove_app(world.ada.account)
    assert is_sent_to_set_up(browser)


def test_what_the_organisations_own_provider_saw_is_enough(world: World) -> None:
    rule(world.cedar, **ADMINS)
    assert comes_by_provider(world.cedar, world.ada.account, is_strong=True).get(CEDAR).status_code == 200
    assert is_sent_to_set_up(comes_by_provider(world.cedar, world.ada.account))
    assert is_sent_to_set_up(comes_by_provider(world.birch, world.ada.account, is_strong=True))


def test_what_a_provider_saw_stands_for_no_factor_of_the_account(world: World) -> None:
    """It guards the other organisations too, and they do not trust this provider: waited for, and noted through it."""
    rule(world.cedar, passwords_for="marked", **ADMINS)
    phone = signed_in(world.ada)
    rule(world.cedar, passwords_for="everyone", second_factor_for="nobody")
    page = phone.get(SET_UP).content.decode()
    key = key_on(page)
    phone.post(SET_UP, {"seed": seed_on(page), "code": code_of(key, -1)})
    rule(world.cedar, passwords_for="marked", **ADMINS)
    browser = Client()
    request = request_of(browser)
    assert not sign_in.sign_in_by_provider(
        request, world.ada.account, world.cedar.organization, new_id(), "oidc", is_strong=True
    )
    give_back(browser, request)
    assert browser.get(CEDAR)["Location"].startswith(SECOND)
    assert browser.post(SECOND, {"code": code_of(key)}).status_code == 302
    assert browser.get(CEDAR).status_code == 200, "the word of the provider was kept through the second step"
    (event,) = world.cedar.events(EventType.ACCOUNT_SIGNED_IN)
    assert (event.data["way"], event.data["factors"]) == ("oidc", ["totp"])


def test_the_second_step_of_a_password_is_no_word_of_a_provider(world: World) -> None:
    page = (browser := signed_in(world.ada)).get(SET_UP).content.decode()
    key = key_on(page)
    browser.post(SET_UP, {"seed": seed_on(page), "code": code_of(key, -1)})
    browser = Client()
    assert browser.post("/", {"name": "ada@cedar.example", "password": PASSWORD})["Location"] == SECOND
    browser.post(SECOND, {"code": code_of(key)})
    rule(world.cedar, passwords_for="marked")
    assert browser.get(CEDAR)["Location"].startswith("/o/cedar/sign-in")


def test_no_question_is_asked_where_there_is_no_policy(world: World) -> None:
    browser, counts = signed_in(world.pia), []
    for policy in ({"second_factor_for": "nobody"}, STAFF):
        rule(world.cedar, **policy)
        with CaptureQueriesContext(connection) as queries:
            browser.get(CEDAR)
        counts.append(len(queries))
    assert counts[0] == counts[1], "nor of whom it is not asked"
