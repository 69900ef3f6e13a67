"""Five people are invited by mail and read it: somebody new, one with an account, the wrong one, a scanner, and one who
did not want it. Each page is for everybody: axe, dark, and 320 px (everybody.py)."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from html import unescape

import pytest
from conftest import ADA, AMELIE, Enter
from everybody import fits_everybody
from house import House, password_of, sign_in
from playwright.sync_api import Page, expect
from test_class import mailed_link

PASSWORD = "three small words"
NAMES = ("new", "known", "forwarded", "scanned", "unwanted")


@dataclass(frozen=True, slots=True)
class Mailed:
    """One of the five: the address, and the two links of the mail."""

    address: str
    invitation: str
    refusal: str


def read_mail(page: Page, address: str) -> Mailed:
    """The newest mail to this address that invites, as the demonstration keeps it."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for name in re.findall(r'href="(/_mail/[^"/]+\.eml)"', page.request.get("/_mail/").text())[:20]:
            text = unescape(page.request.get(name).text())
            found = [re.search(rf"/{way}/[\w-]{{43}}", text) for way in ("invitation", "not-for-me")]
            if address in text and found[0] and found[1]:
                return Mailed(address, found[0][0], found[1][0])
        time.sleep(0.5)
    raise AssertionError(f"no mail to {address}")


@pytest.fixture(scope="module")
def known(house: House, enter_once: Enter) -> str:
    """The address of somebody who has an account of her own, at another organisation."""
    code = json.loads(house.usher("code", "create", "--org", "birch", "--json"))["code"]
    page, address = enter_once(), f"nora.{time.time_ns()}@mail.example"
    page.goto(f"/register?code={code}")
    page.get_by_label("Your name").fill("Nora Nix")
    page.get_by_label("E-mail").fill(address)
    page.get_by_label("Choose a password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Register").click()
    page.goto(mailed_link(page, address))
    page.get_by_role("button", name="Confirm and sign in").click()
    page.wait_for_url(re.compile(r"/o/birch/$"))
    return address


@pytest.fixture(scope="module")
def five(enter_once: Enter, known: str) -> dict[str, Mailed]:
    """Invited by Ada, pasted as they come."""
    number = time.time_ns()
    addresses = {name: f"{name}.{number}@mail.example" for name in NAMES} | {"known": known}
    page = enter_once(ADA)
    page.goto("/o/cedar/users/invite")
    page.get_by_label("Addresses").fill("\n".join(f"{name.title()} Nix <{addresses[name]}>" for name in NAMES))
    page.get_by_role("button", name="Check the addresses").click()
    page.locator("button[name=confirm]").click()
    return {name: read_mail(page, address) for name, address in addresses.items()}


def test_somebody_new_reads_the_mail_and_is_in(enter: Enter, five: dict[str, Mailed]) -> None:
    page, mailed = enter(), five["new"]
    page.goto(mailed.invitation)
    expect(page.get_by_label("Your name")).to_have_value("New Nix")
    expect(page.get_by_text(mailed.address)).to_be_visible()
    fits_everybody(page)
    page.get_by_label("Choose a password", exact=True).fill("short")
    page.get_by_role("button", name="Join Cedar School").click()
    expect(page.get_by_text("at least 10 are needed")).to_be_visible()
    fits_everybody(page)
    page.get_by_label("Choose a password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Join Cedar School").click()
    expect(page.get_by_text("You are in Cedar School now, as Student.")).to_be_visible()
    page.goto(mailed.invitation)
    page.wait_for_url(re.compile(r"/o/cedar/$"))  # who is in goes on into the house
    later = enter()
    later.goto(mailed.invitation)
    expect(later.get_by_role("heading", name="This invitation was used.")).to_be_visible()
    fits_everybody(later)
    sign_in(later, mailed.address, PASSWORD)
    later.wait_for_url(re.compile(r"/o/cedar/$|/home$"))


def test_who_has_an_account_signs_in_and_comes_back(enter: Enter, five: dict[str, Mailed]) -> None:
    page, mailed = enter(), five["known"]
    page.goto(mailed.invitation)
    fits_everybody(page)
    page.get_by_role("link", name="Sign in to accept").click()
    page.get_by_label("Sign-in name or e-mail").fill(mailed.address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"**{mailed.invitation}")
    fits_everybody(page)
    page.get_by_role("button", name="Join Cedar School").click()
    expect(page.get_by_text("You are in Cedar School now, as Student.")).to_be_visible()
    page.go_back()
    page.wait_for_url(re.compile(r"/o/cedar/$"))  # not back to the button


def test_the_wrong_one_switches(enter: Enter, five: dict[str, Mailed]) -> None:
    """Without script, and by somebody whose own session must not be lost by looking."""
    page, mailed = enter(script=False), five["forwarded"]
    sign_in(page, AMELIE, password_of(AMELIE))
    page.wait_for_url(re.compile(r"/o/cedar/"))
    page.goto(mailed.invitation)
    expect(page.get_by_role("heading", name="This invitation is for somebody else")).to_be_visible()
    page.get_by_role("button", name="Sign out and go on").click()
    page.wait_for_url(f"**{mailed.invitation}")
    page.get_by_label("Choose a password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Join Cedar School").dblclick()
    page.wait_for_url(re.compile(r"/o/cedar/$"))


# What a program does that looks behind links: every form with every button, without a gesture and without typing.
SEND_EVERYTHING = """async () => {
  const answers = [];
  for (const form of document.forms) {
    for (const button of [null, ...form.querySelectorAll("button")]) {
      const sent = new URLSearchParams(new FormData(form, button?.type === "submit" ? button : null));
      const answer = await fetch(form.action, {method: form.method, body: form.method === "post" ? sent : undefined});
      answers.push(answer.status);
    }
  }
  return answers;
}"""


def test_c10_a_program_that_opens_and_sends_everything_changes_nothing(enter: Enter, five: dict[str, Mailed]) -> None:
    """C10: in a real browser, with its cookies and the token of the form; then the person still comes in."""
    mailed = five["scanned"]
    for path in (mailed.invitation, mailed.refusal):
        robot = enter()
        robot.goto(path)
        answers = robot.evaluate(SEND_EVERYTHING)
        assert len(answers) >= 2
        assert set(answers) <= {200, 400}
        robot.goto(path)
        with robot.expect_navigation():
            robot.evaluate("document.querySelector('main form').submit()")
    person = enter()
    person.goto(mailed.refusal)
    assert person.locator("input:checked").count() == 0
    expect(person.get_by_text("no more invitations to this address")).to_have_count(0)
    person.goto(mailed.invitation)
    person.get_by_label("Choose a password", exact=True).fill(PASSWORD)
    person.get_by_role("button", name="Join Cedar School").click()
    expect(person.get_by_text("You are in Cedar School now, as Student.")).to_be_visible()


def test_who_did_not_want_it_says_so_and_changes_the_mind(enter: Enter, five: dict[str, Mailed]) -> None:
    page, mailed = enter(), five["unwanted"]
    page.goto(mailed.refusal)
    fits_everybody(page)
    page.get_by_label("Nothing more from Cedar School").check()
    page.get_by_role("button", name="Stop this").click()
    expect(page.get_by_text("Cedar School sends no more invitations to this address.")).to_be_visible()
    fits_everybody(page)
    page.goto(mailed.invitation)
    expect(page.get_by_role("heading", name="This invitation does not work any more.")).to_be_visible()
    page.goto(mailed.refusal)
    page.get_by_label("Yes, invitations may come to this address again").check()
    fits_everybody(page)
    page.get_by_role("button", name="Invitations may come again").click()
    expect(page.get_by_role("heading", name="Invitations may come again")).to_be_visible()
    fits_everybody(page)


def test_a_copied_link_has_the_mail_sent(house: House, enter: Enter) -> None:
    address = f"copied.{time.time_ns()}@mail.example"
    printed = house.usher("invite", "--org", "cedar", address, "--no-mail", "--json")
    link = re.search(r"/invitation/[\w-]{43}", printed)
    assert link
    page = enter()
    page.goto(link[0])
    fits_everybody(page)
    page.get_by_role("button", name="Send the mail").click()
    expect(page.get_by_text("Look into your mail.")).to_be_visible()
    fits_everybody(page)
    assert read_mail(page, address).invitation != link[0]


def test_a_copied_link_without_proof_says_what_one_becomes(house: House, enter: Enter) -> None:
    address = f"unproved.{time.time_ns()}@mail.example"
    printed = house.usher("invite", "--org", "cedar", address, "--no-mail", "--unproved", "--role", "teacher", "--json")
    link = re.search(r"/invitation/[\w-]{43}", printed)
    assert link
    page = enter()
    page.goto(link[0])
    expect(page.get_by_text("so you join as Student, the lowest role")).to_be_visible()
    fits_everybody(page)
