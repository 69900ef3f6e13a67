"""The organisation's own pages in a real browser: colour and logo as they will be, who waits, and hostile names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from conftest import ADA, Enter
from everybody import fits_everybody
from house import ROOT, House, bring
from playwright.sync_api import Page, expect

TESTS = Path(__file__).resolve().parents[1]
WAITING = """
import django; django.setup()
from types import SimpleNamespace
from asking import ask, asking_code
from usher.organizations.models import Organization
code = asking_code(SimpleNamespace(organization=Organization.objects.get(slug="cedar")))
ask(code, "Waldo Wait", "waldo@mail.example")
ask(code, "Wilma Wait")
"""


@pytest.fixture(scope="module")
def waiting(house: House) -> None:
    """Two people ask to come in to Cedar."""
    environ = house.environ | {
        "DJANGO_SETTINGS_MODULE": "usher.settings",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(TESTS))),
    }
    subprocess.run([sys.executable, "-c", WAITING], cwd=ROOT, env=environ, check=True, capture_output=True)


def ground(page: Page, selector: str) -> str:
    color: str = page.locator(selector).first.evaluate("(one) => getComputedStyle(one).backgroundColor")
    return color


# Settings


def test_the_colour_is_seen_before_it_is_saved(enter: Enter) -> None:
    page = enter(ADA)
    page.goto("/o/cedar/settings")
    expect(page.locator(".sample")).to_be_visible()
    before = ground(page, ".sample")
    page.get_by_label("Colour").fill("#7f7f7f")
    expect(page.locator("#accent-sample .hint")).to_contain_text("darker than #7f7f7f")
    page.wait_for_function(
        "(old) => getComputedStyle(document.querySelector('.sample')).backgroundColor !== old", arg=before
    )
    assert ground(page, ".sample") != "rgb(127, 127, 127)"
    page.reload()
    assert ground(page, ".sample") == before


def test_a_city_is_found_by_a_part_of_its_name(enter: Enter) -> None:
    page = enter(ADA)
    page.goto("/o/cedar/settings")
    page.get_by_label("Find a city").fill("buenos ai")
    expect(page.get_by_label("Time zone")).to_have_value("America/Argentina/Buenos_Aires")
    page.get_by_label("Find a city").fill("nowhere at all")
    expect(page.get_by_label("Time zone")).to_have_value("America/Argentina/Buenos_Aires")


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_a_picture_made_by_a_real_program_hangs_in_the_rail(enter: Enter, kind: Literal["png", "jpeg"]) -> None:
    page = enter(ADA)
    page.goto("/o/cedar/settings")
    picture = page.screenshot(type=kind, clip={"x": 0, "y": 0, "width": 120, "height": 120})
    page.get_by_label("Picture").set_input_files({"name": "logo", "mimeType": "text/html", "buffer": picture})
    page.get_by_role("button", name="Use this picture").click()
    expect(page.get_by_text("The logo is changed.")).to_be_visible()
    shown = page.locator(".rail .logo img")
    assert shown.evaluate("(one) => one.complete && one.naturalWidth") == 120
    fits_everybody(page)
    page.get_by_role("button", name="Remove logo").click()
    expect(page.locator(".rail .logo img")).to_have_count(0)


@pytest.mark.parametrize("path", ["/o/cedar/settings", "/o/cedar/asks", "/o/cedar/licence"])
def test_the_pages_are_for_everybody(enter: Enter, path: str) -> None:
    page = enter(ADA)
    page.goto(path)
    fits_everybody(page)


def test_the_events_of_a_person_are_for_everybody(enter: Enter) -> None:
    page = enter(ADA)
    page.goto("/o/cedar/users?q=amelie")
    page.goto(page.locator("#rows a").first.get_attribute("href") or "")
    page.get_by_role("link", name="All events about Amélie Dubois").click()
    page.get_by_label("From").fill("2020-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("person=.*since=2020-01-01"))
    expect(page.get_by_role("link", name="About Amélie Dubois")).to_be_visible()
    fits_everybody(page)
    with page.expect_download() as taken:
        page.get_by_role("button", name="Export these").click()
    assert "Amélie Dubois" in taken.value.path().read_text()


# Who waits


@pytest.mark.usefixtures("waiting")
def test_who_waits_is_decided_one_by_one_and_together(enter: Enter) -> None:
    page = enter(ADA)
    page.goto("/o/cedar/")
    page.get_by_role("link", name=re.compile("people ask to come in")).click()
    fits_everybody(page)
    page.get_by_role("button", name="Let in Waldo Wait").click()
    expect(page.get_by_text("1 person is in.")).to_be_visible()
    page.get_by_label("Select Wilma Wait").check()
    expect(page.locator(".bulk")).to_contain_text("1 person selected")
    page.locator(".bulk").get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("1 person is refused.")).to_be_visible()
    expect(page.get_by_label("Select Wilma Wait")).to_have_count(0)


# Hostile names

RUN = "window.hacked=1"
PAGES = ("", "users", "users/add/csv", "users/add/manual", "groups", "asks", "licence", "events")
POLYGLOTS = (
    f"<script>{RUN}</script>",
    f"\"'><img src=x onerror={RUN}>",
    f"</title></textarea></style></script><svg onload={RUN}>",
    f"'-{RUN}-' \" onfocus={RUN} autofocus x=\"",
    f"{{{{7*7}}}}{{% now %}} ${{{RUN}}} javascript:{RUN}",
    f'<a href=javascript:{RUN}>x</a><iframe srcdoc="<script>parent.{RUN}</script>">',
)


def test_hostile_names_run_nowhere(house: House, enter: Enter) -> None:
    """In the names of organisation, groups and people; the watch complains of whatever the policy had to stop."""
    page = enter()
    page.on("dialog", lambda dialog: pytest.fail(f"it opened a dialog: {dialog.message}"))
    words = ("poly", "--name", "Poly", "--plan", "school", "--admin", "poly@poly.example")
    link = next(word for word in house.usher("org", "create", *words).split() if "/set-up/" in word)
    page.goto(link)
    page.get_by_label("New password", exact=True).fill("lantern-meadow-2604")
    page.get_by_label("New password once more").fill("lantern-meadow-2604")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/o/poly/")
    people = [
        {"username": f"P{number} {hostile}", "groups": f"G{number} {hostile}"[:75]}
        for number, hostile in enumerate(POLYGLOTS)
    ]
    made = bring(page.context.request, "poly", people, make_groups="on")
    assert [row["result"] for row in made] == ["created"] * len(POLYGLOTS)
    for hostile in POLYGLOTS:
        page.goto("/o/poly/settings")
        page.get_by_label("Name", exact=True).fill(hostile)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
        unhacked(page)
    for path in (*PAGES, "sign-in", "settings/codes"):
        page.goto(f"/o/poly/{path}")
        unhacked(page)
    for path in ("users", "groups"):
        for link in hrefs(page, f"/o/poly/{path}"):
            page.goto(link)
            unhacked(page)
    page.goto("/o/poly/users")
    page.locator("#rows a").last.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    unhacked(page)


def hrefs(page: Page, path: str) -> list[str]:
    page.goto(path)
    found: list[str] = page.locator("main table a").evaluate_all("(all) => all.map((one) => one.href)")
    assert len(found) >= len(POLYGLOTS)
    return found


def unhacked(page: Page) -> None:
    assert page.evaluate("window.hacked") is None, page.url
