""" "Have you been here before?" in the frame of an LMS: linked by proof alone, once (security.md H5)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from launches import at, connected, launch, said
from lms.platform import Lms
from world import PASSWORD, World, signed_in

from usher.events.types import OPERATOR
from usher.lifecycle.joiner import OPERATOR_RANK, By
from usher.lifecycle.leave import deactivate
from usher.methods.lti import questions
from usher.methods.lti.models import LinkCode, Platform, PlatformUser, Question
from usher.people import factors, totp
from usher.people.models import Account, Membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def pia_at(world: World, lms: Lms) -> tuple[Client, str]:
    """A browser in which the LMS says that it is Pia, and the page that asks."""
    browser = Client()
    return browser, asked(browser, world, lms)


def asked(browser: Client, world: World, lms: Lms, **says: Any) -> str:
    platform, tool = connected(lms)
    said_of = {"name": "Pia Pine", "email": "nobody@mail.example", **says}
    page = at(launch(browser, lms, platform, tool, "student", **said_of))
    assert page.startswith("/lti/question/")
    assert not PlatformUser.objects.exists()
    return page


@pytest.mark.parametrize("says", [{}, {"name": "pia  PINE"}, {"name": "P.", "email": "Ada@Cedar.example"}])
def test_whoever_resembles_a_member_is_asked(world: World, lms: Lms, says: dict[str, str]) -> None:
    Account.objects.filter(id=world.ada.account_id).update(email="ada@cedar.example", sign_in_key="ada@cedar.example")
    page = asked(browser := Client(), world, lms, **says)
    text = said(browser.get(page))
    assert "Ada Ash" not in text  # whom he resembles is not told


def test_a_stranger_elsewhere_is_nobody_here(world: World, lms: Lms) -> None:
    """Whether somebody has an account at all is not told by an LMS that may say any address."""
    platform, tool = connected(lms)
    says = {"name": "Somebody", "email": world.eve.account.email}
    assert at(launch(Client(), lms, platform, tool, "student", **says)).startswith("/lti/at/")


def test_by_the_password(world: World, pia_at: tuple[Client, str]) -> None:
    browser, page = pia_at
    name = world.pia.account.sign_in_key
    answer = browser.post(page, {"act": "password", "name": name, "password": PASSWORD})
    assert at(answer).startswith("/lti/at/")
    linked = PlatformUser.objects.get()
    assert (linked.account_id, linked.is_linked) == (world.pia.account_id, True)
    assert not Question.objects.exists()
    assert "usher_session" not in browser.cookies  # no session of the house begins by it


def test_a_wrong_password_links_nothing(world: World, pia_at: tuple[Client, str]) -> None:
    browser, page = pia_at
    answer = browser.post(page, {"act": "password", "name": world.pia.account.sign_in_key, "password": "wrong"})
    assert answer.status_code == 403
    assert not PlatformUser.objects.exists()
    assert browser.get(page).status_code == 200  # and may try again


def test_a_second_factor_is_not_passed_by(world: World, pia_at: tuple[Client, str]) -> None:
    browser, page = pia_at
    seed = totp.new_seed()
    factors.add_app(world.pia.account, seed, totp.code(totp.key(world.pia.account_id, seed), totp.step_now()))
    answer = browser.post(page, {"act": "password", "name": world.pia.account.sign_in_key, "password": PASSWORD})
    assert answer.status_code == 403
    assert not PlatformUser.objects.exists()


def test_by_a_code_of_the_account(world: World, pia_at: tuple[Client, str]) -> None:
    browser, page = pia_at
    code = questions.new_code(world.pia.account)
    assert at(browser.post(page, {"act": "code", "code": f"{code[:4].lower()} {code[4:]}"})).startswith("/lti/at/")
    assert PlatformUser.objects.get().account_id == world.pia.account_id
    assert not LinkCode.objects.exists()


def test_a_wrong_code_links_nothing(world: World, pia_at: tuple[Client, str]) -> None:
    browser, page = pia_at
    assert browser.post(page, {"act": "code", "code": "AAAA AAAA"}).status_code == 400
    assert not PlatformUser.objects.exists()


def test_somebody_new_gets_an_account_of_his_own(world: World, pia_at: tuple[Client, str]) -> None:
    browser, page = pia_at
    assert at(browser.post(page, {"act": "new"})).startswith("/lti/at/")
    made = PlatformUser.objects.get().account
    assert (made.id != world.pia.account_id, made.username) == (True, "Pia Pine")


def test_the_question_is_this_browsers(world: World, pia_at: tuple[Client, str]) -> None:
    _browser, page = pia_at
    assert Client().post(page, {"act": "new"}).status_code == 403
    assert not PlatformUser.objects.exists()


def test_it_is_answered_once(world: World, pia_at: tuple[Client, str]) -> None:
    browser, page = pia_at
    at(browser.post(page, {"act": "new"}))
    assert browser.post(page, {"act": "new"}).status_code == 403
    assert PlatformUser.objects.count() == 1


def test_one_account_is_one_person_of_the_lms(world: World, lms: Lms) -> None:
    page = asked(browser := Client(), world, lms)
    other = Client()
    platform = Platform.objects.get()
    tool = lms.tool
    second = at(launch(other, lms, platform, tool, "student2", name="Pia Pine"))
    given = {"act": "password", "name": world.pia.account.sign_in_key, "password": PASSWORD}
    at(browser.post(page, given))
    answer = other.post(second, given)
    assert answer.status_code == 409
    assert PlatformUser.objects.count() == 1


def test_somebody_sent_away_does_not_come_back_by_the_lms(world: World, lms: Lms) -> None:
    """H15: neither as himself nor as somebody new with the same address."""
    address = "pia@cedar.example"
    Account.objects.filter(id=world.pia.account_id).update(email=address, sign_in_key=address)
    deactivate(world.cedar.id, world.pia.membership.id, By(OPERATOR, OPERATOR_RANK))
    platform, tool = connected(lms)
    assert launch(Client(), lms, platform, tool, "student", email=address).status_code == 409
    assert Membership.objects.filter(organization=world.cedar.id, method="lti").count() == 0


def test_h15_whoever_was_deactivated_does_not_unlink_himself_and_come_back(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    browser, says = Client(), {"name": "Pia Pine", "email": "x@mail.example"}
    page = at(launch(browser, lms, platform, tool, "student", **says))
    at(browser.post(page, {"act": "password", "name": world.pia.account.sign_in_key, "password": PASSWORD}))
    deactivate(world.cedar.id, world.pia.membership.id, By(OPERATOR, OPERATOR_RANK))
    signed_in(world.pia).post("/account/lms/unlink", {"user": str(PlatformUser.objects.get().id)})
    assert launch(Client(), lms, platform, tool, "student", **says | {"name": "P. Pine"}).status_code == 409
