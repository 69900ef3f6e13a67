"""Passkeys in a real browser with a made-up device: added, used instead of the password and beside it, and refused."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from conftest import ADA, Enter
from everybody import fits_everybody
from house import Row, bring, sign_in
from playwright.sync_api import CDPSession, Page, expect

from usher.people import totp

Visitor = tuple[Page, Row]


@dataclass
class Device:
    """Chromium's virtual authenticator, in one page."""

    session: CDPSession
    id: str

    @property
    def credentials(self) -> list[Any]:
        kept: list[Any] = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"]
        return kept


def device(page: Page, *, knows_its_owner: bool = True) -> Device:
    """A laptop that asks for a finger, or a plain security key that anybody can touch."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal" if knows_its_owner else "usb",
        "hasResidentKey": knows_its_owner,
        "hasUserVerification": knows_its_owner,
        "isUserVerified": knows_its_owner,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return Device(session, made["authenticatorId"])


@pytest.fixture
def newcomer(enter: Enter) -> Callable[[str], Visitor]:
    """A pupil of Cedar who is signed in for the first time."""

    def settle(username: str) -> Visitor:
        (row,) = bring(enter(ADA).context.request, "cedar", [{"username": username}])
        page = enter()
        come_in(page, row)
        return page, row

    return settle


def come_in(page: Page, row: Row) -> None:
    sign_in(page, row["sign_in"], row["password"])


def leave(page: Page) -> None:
    page.goto("/account/security")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def add_first_passkey(page: Page, name: str) -> None:
    """With the first one come recovery codes."""
    add_passkey(page, name)
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()


def add_passkey(page: Page, name: str) -> None:
    page.goto("/account/security")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add passkey").click()


def is_home(page: Page) -> None:
    expect(page).to_have_url(re.compile(r"/o/cedar/$"))


def test_a_passkey_instead_of_the_password(newcomer: Callable[[str], Visitor]) -> None:
    page, _ = newcomer("Kai Key")
    made = device(page)
    add_first_passkey(page, "My laptop")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "usher-recovery-codes.txt"
    assert len(download.value.path().read_text().split()) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("link", name="My laptop")).to_be_visible()
    assert len(made.credentials) == 1
    leave(page)
    page.goto("/o/cedar/sign-in?next=/account/sessions")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Where you are signed in")).to_be_visible()


def test_a_passkey_beside_the_password(newcomer: Callable[[str], Visitor]) -> None:
    page, row = newcomer("Kim Key")
    device(page, knows_its_owner=False)
    add_first_passkey(page, "Security key")
    leave(page)
    come_in(page, row)
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    fits_everybody(page)
    page.get_by_role("button", name="Use a passkey").click()
    is_home(page)


def test_without_finger_or_pin_the_password_is_needed(newcomer: Callable[[str], Visitor]) -> None:
    page, _ = newcomer("Kit Key")
    device(page, knows_its_owner=False)
    add_first_passkey(page, "No finger")
    leave(page)
    page.goto("/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The browser gave no passkey.")
    fits_everybody(page)
    expect(page).to_have_url("/")


def test_a_device_that_is_not_there_is_told(newcomer: Callable[[str], Visitor]) -> None:
    page, _ = newcomer("Kat Key")
    made = device(page)
    add_first_passkey(page, "Once")
    add_passkey(page, "Twice")
    expect(page.get_by_role("alert")).to_contain_text("The browser made no passkey.")
    fits_everybody(page)
    assert len(made.credentials) == 1


def test_once_more_by_passkey(newcomer: Callable[[str], Visitor]) -> None:
    page, _ = newcomer("Kea Key")
    device(page)
    add_first_passkey(page, "Again")
    page.goto("/sign-in/again?next=/account/security/codes")
    fits_everybody(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="New recovery codes")).to_be_visible()
    fits_everybody(page)
    page.get_by_role("button", name="Make 10 new codes").click()
    expect(page.locator("#codes li")).to_have_count(10)
    fits_everybody(page)


def test_renaming_and_removing(newcomer: Callable[[str], Visitor]) -> None:
    page, row = newcomer("Kobe Key")
    device(page)
    add_first_passkey(page, "Old name")
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="Old name").click()
    fits_everybody(page)
    page.get_by_role("textbox", name="Name").fill("New name")
    page.get_by_role("button", name="Save name").click()
    page.get_by_role("link", name="New name").click()
    page.get_by_role("button", name="Remove passkey").click()
    expect(page.get_by_role("status")).to_contain_text("The passkey “New name” is removed.")
    leave(page)
    come_in(page, row)
    is_home(page)


def test_an_authenticator_app_from_the_first_to_the_last(newcomer: Callable[[str], Visitor]) -> None:
    page, row = newcomer("Kay Key")
    page.goto("/account/security")
    fits_everybody(page)
    page.get_by_role("link", name="Set up app").click()
    fits_everybody(page)
    key = page.locator("#app-key").inner_text().replace(" ", "")
    page.get_by_label("Code from the app").fill(shown(key, -1))
    page.get_by_role("button", name="Turn on").click()
    codes = page.locator("#codes .code").all_inner_texts()
    leave(page)
    come_in(page, row)
    fits_everybody(page)
    page.get_by_label("Code from the app").fill(shown(key))
    page.get_by_role("button", name="Sign in").click()
    is_home(page)
    leave(page)
    come_in(page, row)
    page.get_by_role("link", name="Use a recovery code").click()
    fits_everybody(page)
    page.get_by_label("Recovery code").fill(codes[9])
    page.get_by_role("button", name="Sign in").click()
    is_home(page)
    page.goto("/account/security")
    expect(page.get_by_text("9 of 10 left")).to_be_visible()
    fits_everybody(page)
    page.get_by_role("link", name="Remove app").click()
    fits_everybody(page)
    page.get_by_role("button", name="Remove app").click()
    expect(page.get_by_role("link", name="Set up app")).to_be_visible()


def test_where_one_is_signed_in(newcomer: Callable[[str], Visitor], enter: Enter) -> None:
    page, row = newcomer("Kez Key")
    other = enter()
    come_in(other, row)
    is_home(other)
    page.goto("/account/sessions")
    expect(page.get_by_text("This browser")).to_have_count(1)
    fits_everybody(page)
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(page.get_by_role("status")).to_contain_text("1 other browser is signed out.")
    other.reload()
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_without_script_there_is_no_button_that_does_nothing(enter: Enter) -> None:
    page = enter(ADA, script=False)
    page.goto("/account/security/passkeys/add")
    expect(page.get_by_role("heading", name="Add a passkey")).to_be_visible()
    expect(page.get_by_role("button", name="Add passkey")).to_have_count(0)


def shown(key: str, ahead: int = 0) -> str:
    """What the app shows."""
    return totp.code(base64.b32decode(key), totp.step_now() + ahead)
