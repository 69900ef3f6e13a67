"""The pages of people who come by a code or register, for everybody: axe, dark, and 320 px (everybody.py)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping

import pytest
from conftest import BOB, Enter
from everybody import fits_everybody
from house import House
from playwright.sync_api import Page, expect
from test_class import PASSWORD, fill_in, mailed_link

Show = Callable[[Page, Mapping[str, str]], None]


@pytest.fixture(scope="module")
def codes(house: House) -> Mapping[str, str]:
    """A code of each kind, by name."""

    def made(*words: str) -> str:
        return str(json.loads(house.usher("code", "create", "--org", "cedar", "--json", *words))["code"])

    paused = made()
    house.usher("code", "pause", "--org", "cedar", paused)
    return {
        "proved": made(),
        "at once": made("--in-at-once"),
        "asked": made("--in-at-once", "--approval"),
        "paused": paused,
    }


def at(kind: str) -> Show:
    return lambda page, codes: ignored(page.goto(f"/join/{codes[kind]}"))


def ignored(_answer: object) -> None:
    return None


def refused_child(page: Page, codes: Mapping[str, str]) -> None:
    at("at once")(page, codes)
    page.get_by_label("Your name").fill("Axel Axe")
    page.get_by_label("Make up a password", exact=True).fill("short")
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_text("at least 10 are needed")).to_be_visible()


def child_in(page: Page, codes: Mapping[str, str]) -> None:
    at("at once")(page, codes)
    # A name of her own each time: another child of one name is asked for more.
    fill_in(page, f"Maximiliana Featherstonehaugh-Cholmondeley {time.time_ns() % 1_000_000}")
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_text("Your sign-in name is")).to_be_visible()


def child_waits(page: Page, codes: Mapping[str, str]) -> None:
    at("asked")(page, codes)
    fill_in(page, "Axel Asks")
    page.get_by_role("button", name="Ask to come in").click()
    expect(page.get_by_role("heading", name="You asked to come in")).to_be_visible()


def register_page(page: Page, codes: Mapping[str, str]) -> None:
    page.goto(f"/register?code={codes['proved']}")


def refused_registration(page: Page, codes: Mapping[str, str]) -> None:
    register_page(page, codes)
    page.get_by_label("Your name").fill("Axel Axe")
    page.get_by_label("E-mail").fill("axel@mail.example")
    page.get_by_label("Choose a password", exact=True).fill("short")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text("at least 10 are needed")).to_be_visible()


def registered(page: Page, codes: Mapping[str, str]) -> None:
    sent(page, codes)
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()


def sent(page: Page, codes: Mapping[str, str]) -> str:
    address = f"maximiliana.featherstonehaugh-cholmondeley.{time.time_ns()}@mail.example"
    register_page(page, codes)
    page.get_by_label("Your name").fill("Maximiliana Featherstonehaugh-Cholmondeley")
    page.get_by_label("E-mail").fill(address)
    page.get_by_label("Choose a password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Register").click()
    return address


def confirming(page: Page, codes: Mapping[str, str]) -> None:
    page.goto(mailed_link(page, sent(page, codes)))


def confirming_elsewhere(page: Page, codes: Mapping[str, str]) -> None:
    link = mailed_link(page, sent(page, codes))
    page.context.clear_cookies()
    page.goto(link)


def dead_link(page: Page, codes: Mapping[str, str]) -> None:
    page.goto("/confirm/nothing-of-this-name")


def typed(page: Page, codes: Mapping[str, str]) -> None:
    page.goto("/join")


def dead_code(page: Page, codes: Mapping[str, str]) -> None:
    page.goto("/join/00000000")


def refused_join(page: Page, codes: Mapping[str, str]) -> None:
    at("proved")(page, codes)
    page.get_by_role("button", name="Join Cedar School").click()
    expect(page.get_by_role("link", name="Prove an e-mail address")).to_be_visible()


PAGES: list[tuple[str, str, Show]] = [
    ("", "a code, typed", typed),
    ("", "a dead code", dead_code),
    ("", "two ways", at("proved")),
    ("", "a child", at("at once")),
    ("", "a child, refused", refused_child),
    ("", "a child, in", child_in),
    ("", "a child that has to ask", at("asked")),
    ("", "a child that waits", child_waits),
    ("", "register", register_page),
    ("", "register, refused", refused_registration),
    ("", "registered", registered),
    ("", "confirm", confirming),
    ("", "confirm elsewhere", confirming_elsewhere),
    ("", "a dead link", dead_link),
    (BOB, "join", at("proved")),
    (BOB, "join, refused", refused_join),
    (BOB, "a paused code", at("paused")),
]


@pytest.mark.parametrize(("who", "name", "show"), [pytest.param(*row, id=row[1]) for row in PAGES])
def test_a_page_is_for_everybody(enter: Enter, codes: Mapping[str, str], who: str, name: str, show: Show) -> None:
    page = enter(who)
    show(page, codes)
    fits_everybody(page)
