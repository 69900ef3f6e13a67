"""Every page for everybody: axe finds nothing in light and dark, and at 320 px nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from conftest import ADA, AMELIE, Enter
from house import bring, listed, sign_in
from playwright.sync_api import Page, expect

from usher.console.kit import ROOMS

Open = Callable[[Page], None]
ROOT = "root@usher.example"
ZOE = "zoe@cedar.example"
STRANGER = ""
COLORS = ("color-contrast", "link-in-text-block")


def at(path: str) -> Open:
    """The page at an address."""

    def opened(page: Page) -> None:
        page.goto(path)

    return opened


def wrong_password(page: Page) -> None:
    sign_in(page, "asa.oberg", "not the password")
    expect(page.get_by_role("alert")).to_be_visible()


def first_link(path: str) -> Open:
    """The page of the first one in a list."""

    def opened(page: Page) -> None:
        page.goto(path)
        page.goto(page.locator("main table a").first.get_attribute("href") or "")

    return opened


def drawer(page: Page) -> None:
    page.goto("/o/cedar/users?q=amelie")
    page.locator("#rows a").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def picked(page: Page) -> None:
    page.goto("/o/cedar/users")
    page.locator("[data-pick]").nth(2).check()


def question(act: str) -> Open:
    def opened(page: Page) -> None:
        picked(page)
        page.locator(f"button[name=do][value={act}]").click()
        page.wait_for_load_state()

    return opened


def group_dialog(page: Page) -> None:
    first_link("/o/cedar/groups")(page)
    page.get_by_role("link", name="New passwords").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def menu(page: Page) -> None:
    page.goto("/o/cedar/users")
    page.locator("summary", has_text="Role").click()


def refused_file(page: Page) -> None:
    send(page, b"neither,of,these\n1,2,3\n")
    expect(page.get_by_role("alert")).to_be_visible()


def send(page: Page, content: bytes) -> None:
    page.goto("/o/cedar/users/add/csv")
    page.get_by_label("File").set_input_files({"name": "axe.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Check the file").click()


def preview(page: Page) -> None:
    people = [{"username": "Axel Axe"}, {"email": ZOE, "username": "Zoë"}, {"email": "no@where", "username": "Nobody"}]
    send(page, listed(people).replace(b"groups", b"shoe size"))
    expect(page.locator("#rows")).to_be_visible()


def handed_out(page: Page) -> None:
    preview(page)
    with page.expect_download():
        page.locator("[data-import-write]").click()
    expect(page.locator("[data-import-refused]")).to_be_visible()


def manual_result(page: Page) -> None:
    page.goto("/o/cedar/users/add/manual")
    page.get_by_label("Usernames").fill("Åsa Axe\nمحمد الأمين\nMaximiliana Featherstonehaugh-Cholmondeley")
    with page.expect_download():
        page.get_by_role("button", name="Create accounts").click()


def new_password(page: Page) -> None:
    bring(page.context.request, "cedar", [{"username": "Alma Axe"}])
    page.goto("/o/cedar/users?q=alma")
    page.goto(page.locator("#rows a").first.get_attribute("href") or "")
    page.get_by_role("button", name="New password").click()
    expect(page.locator("#new-password")).to_be_visible()


def refused_person(page: Page) -> None:
    page.goto("/o/cedar/users?q=ada")
    page.goto(page.locator("#rows a").first.get_attribute("href") or "")
    page.get_by_role("button", name="Deactivate Ada Marsh").click()
    expect(page.get_by_role("alert")).to_be_visible()


PAGES: list[tuple[str, str, Open]] = [
    (STRANGER, "the common door", at("/")),
    (STRANGER, "sign-in", at("/o/cedar/sign-in")),
    (STRANGER, "wrong password", wrong_password),
    (STRANGER, "forgot", at("/o/cedar/forgot")),
    (STRANGER, "dead link", at("/set-up/nothing-of-this-name")),
    (STRANGER, "404", at("/nothing/here")),
    (ROOT, "home of an operator", at("/home")),
    (ZOE, "home of a pupil", at("/o/cedar/")),
    (ZOE, "password", at("/password")),
    (AMELIE, "403", at("/o/cedar/users")),
    (AMELIE, "home of a manager", at("/o/cedar/")),
    (AMELIE, "groups of a manager", at("/o/cedar/groups")),
    (ADA, "home", at("/o/cedar/")),
    (ADA, "users", at("/o/cedar/users")),
    (ADA, "users, a menu", menu),
    (ADA, "users, picked", picked),
    (ADA, "users, no match", at("/o/cedar/users?q=zzz")),
    (ADA, "person", first_link("/o/cedar/users?q=amelie")),
    (ADA, "person, refused", refused_person),
    (ADA, "person, drawer", drawer),
    (ADA, "person, new password", new_password),
    (ADA, "several, group", question("group")),
    (ADA, "several, deactivate", question("deactivate")),
    (ADA, "add", at("/o/cedar/users/add")),
    (ADA, "csv, choose", at("/o/cedar/users/add/csv")),
    (ADA, "csv, refused file", refused_file),
    (ADA, "csv, check", preview),
    (ADA, "csv, hand out", handed_out),
    (ADA, "manual", at("/o/cedar/users/add/manual")),
    (ADA, "manual, result", manual_result),
    (ADA, "groups", at("/o/cedar/groups")),
    (ADA, "group", first_link("/o/cedar/groups")),
    (ADA, "group, dialog", group_dialog),
    (ADA, "licence", at("/o/cedar/licence")),
    (ADA, "events", at("/o/cedar/events")),
    (ADA, "why", at("/o/cedar/why?sign_in=nobody@cedar.example")),
    *((STRANGER, f"kit, {room}", at(f"/_kit/?room={room}")) for room in ROOMS),
]


@pytest.fixture(scope="module")
def pages(enter_once: Enter) -> Callable[[str], Page]:
    """One browser window for each person, for all pages."""
    opened: dict[str, Page] = {}

    def page_of(who: str) -> Page:
        if who not in opened:
            opened[who] = enter_once(who)
        return opened[who]

    return page_of


@pytest.mark.parametrize(("who", "name", "show"), [pytest.param(*row, id=row[1]) for row in PAGES])
def test_a_page_is_for_everybody(pages: Callable[[str], Page], who: str, name: str, show: Open) -> None:
    page = pages(who)
    show(page)
    fits_everybody(page)


def test_a_first_password_page_is_for_everybody(enter: Enter, pages: Callable[[str], Page]) -> None:
    staff = [{"email": "axe.teacher@cedar.example", "username": "Abel Axe", "role": "teacher"}]
    (row,) = bring(pages(ADA).context.request, "cedar", staff)
    page = enter()
    sign_in(page, row["sign_in"], row["password"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose your own password")
    fits_everybody(page)


def fits_everybody(page: Page) -> None:
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, *COLORS) == []  # the page is the same, its colours are not
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 320, "height": 640})
    assert too_wide(page) == []
    page.set_viewport_size({"width": 1280, "height": 900})


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds against all its rules, or against these alone."""
    if page.evaluate("() => !window.axe"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found: list[str] = page.evaluate(
        """async (options) => (await axe.run(document, options)).violations.flatMap((one) =>
          one.nodes.map((node) => `${one.id}: ${one.help}: ${node.html.slice(0, 200)} ${node.failureSummary}`))""",
        options,
    )
    return found


def too_wide(page: Page) -> list[str]:
    """What makes the page scroll sideways; nothing where it does not."""
    return list(
        page.evaluate(
            """() => {
              const wide = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth <= wide) return [];
              const right = (one) => one.getBoundingClientRect().right;
              const parts = [...document.body.querySelectorAll("*")].filter((one) => right(one) > wide + 1);
              return parts.slice(0, 5).map((one) => one.outerHTML.slice(0, 120));
            }"""
        )
    )


def test_axe_would_find_something(pages: Callable[[str], Page]) -> None:
    page = pages(STRANGER)
    page.goto("/o/cedar/sign-in")
    page.evaluate("() => document.querySelectorAll('label').forEach((label) => label.remove())")
    assert any(line.startswith("label:") for line in violations(page))
    page.evaluate("() => { document.querySelector('h1').style.cssText = 'width: 4000px; color: #eee'; }")
    assert any(line.startswith("color-contrast:") for line in violations(page, *COLORS))
    assert too_wide(page)
