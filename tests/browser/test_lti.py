"""Launches from another site in Chromium: an LMS on 127.0.0.1 shows Usher, which is on localhost, in a frame; with the
cookies of other sites allowed, blocked but for partitioned ones, and blocked altogether (security.md H8, H9, H10)."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from conftest import FLAGS, NAMES, PATIENCE
from everybody import COLORS, too_wide, violations
from house import House, password_of, sign_in
from lms.platform import Lms
from lms.school import Link, Tool
from lms.server import Server
from playwright.sync_api import BrowserContext, FrameLocator, Page, Playwright, expect
from watch import Watch

ADA = "ada@cedar.example"
AMELIE = "amelie@cedar.example"
ALLOWED, BLOCKED, NONE = "allowed", "partitioned only", "none"
WALK: Final = 6  # moments on the best way through the chemistry room


@dataclass(frozen=True)
class Northfield:
    """The LMS, and what Cedar has connected with it. ``ids`` are those of the planted activities."""

    house: House
    lms: Lms
    tool: Tool
    ids: dict[str, str]

    def link(self, name: str = "", **more: Any) -> Link:
        """A new place in the course for an activity, with a column; without a name it says nothing of what it opens."""
        url = f"{self.tool.launch_url}?activity={self.ids[name]}" if name else self.tool.launch_url
        return self.lms.add_graded_link(self.tool, self.lms.course, f"Place {name}", url=url, **more)

    def student(self, given: str) -> str:
        """Somebody new in the course; returns the username."""
        self.lms.add_user(given.lower(), given, "Northman")
        self.lms.enroll(given.lower(), self.lms.course)
        return given.lower()

    def at(self, link: Link) -> str:
        return f"{self.lms.url}/course/{self.lms.course.id}/link/{link.id}"

    @property
    def picker(self) -> str:
        return f"{self.lms.url}/course/{self.lms.course.id}/add/{self.tool.client_id}"


@pytest.fixture(scope="module")
def northfield(house: House) -> Iterator[Northfield]:
    server = Server().start()
    ids = json.loads(house.plant_lms(server.url))
    base = f"{house.address}/lti/{ids['platform']}"
    keys = f"{house.address}/lti/jwks"
    tool = server.lms.register(
        f"{base}/login", f"{base}/launch", jwks_url=keys, client_id="usher-at-northfield", deployment_id="1"
    )
    yield Northfield(house, server.lms, tool, ids)
    server.stop()


@dataclass
class Browsers:
    """Each with a profile of its own: only there the cookies of other sites can be set."""

    playwright: Playwright
    folder: Path
    northfield: Northfield
    open: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def new(self, cookies: str = BLOCKED, **how: Any) -> Page:
        folder = self.folder / f"profile-{len(self.open)}-{cookies.partition(' ')[0]}"
        (folder / "Default").mkdir(parents=True)
        (folder / "Default" / "Preferences").write_text(json.dumps({"profile": self._cookies(cookies)}))
        path = os.environ.get("USHER_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
        if not path:
            pytest.skip("no Chromium; set USHER_CHROMIUM to where it is")
        context = self.playwright.chromium.launch_persistent_context(
            str(folder), executable_path=path, args=list(FLAGS), reduced_motion="reduce", **how
        )
        self.open.append(context)
        context.set_default_timeout(PATIENCE)
        watch = Watch(self.northfield.house.address, self.northfield.lms.url, self.complaints)
        context.on("page", watch.over)
        page = context.pages[0]
        watch.over(page)
        return page

    def _cookies(self, cookies: str) -> dict[str, Any]:
        if cookies != NONE:
            return {"cookie_controls_mode": 0 if cookies == ALLOWED else 1}
        pair = f"{self.northfield.house.address},{self.northfield.lms.url}"
        return {"content_settings": {"exceptions": {"cookies": {pair: {"setting": 2}}}}}

    def close(self) -> None:
        while self.open:
            self.open.pop().close()
        assert self.complaints == []


@pytest.fixture
def browsers(playwright: Playwright, tmp_path: Path, northfield: Northfield) -> Iterator[Browsers]:
    northfield.lms.switches.storage = None
    made = Browsers(playwright, tmp_path, northfield)
    yield made
    made.close()


def be(page: Page, lms: Lms, who: str) -> None:
    """Sign in at the LMS, as somebody else than before."""
    page.goto(f"{lms.url}/sign-out")
    page.locator(f'button[value="{who}"]').click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My courses")


def opened(page: Page, url: str) -> FrameLocator:
    page.goto(url)
    return page.frame_locator("iframe")


def heading(frame: FrameLocator | Page, text: str | re.Pattern[str]) -> None:
    expect(frame.get_by_role("heading", level=1)).to_have_text(text)


def walk(frame: FrameLocator) -> None:
    """The first choice each time, which is the best one."""
    for number in range(1, WALK + 1):
        expect(frame.get_by_text(f"moment {number}")).to_be_visible()
        frame.locator(".answers button").first.click()
    heading(frame, "Everybody is out, and you knew what to do")


# Cookies


@pytest.mark.parametrize("cookies", [ALLOWED, BLOCKED])
def test_a_launch_in_a_frame(browsers: Browsers, northfield: Northfield, cookies: str) -> None:
    page = browsers.new(cookies)
    be(page, northfield.lms, "student")
    frame = opened(page, northfield.at(northfield.link("walk")))
    heading(frame, "The door is open")
    expect(frame.get_by_text("You are here as")).to_contain_text("Stina Berg")


def test_h9_without_cookies_a_window_opens_the_same(browsers: Browsers, northfield: Northfield) -> None:
    page = browsers.new(NONE)
    be(page, northfield.lms, "student")
    frame = opened(page, northfield.at(northfield.link("walk")))
    heading(frame, "Your browser keeps no cookies inside other sites")
    with page.context.expect_page() as caught:
        frame.get_by_role("link", name="Open in a new window").click()
    window = caught.value
    heading(window, "The door is open")
    window.locator(".answers button").first.click()
    heading(window, "What you put on")


def test_h9_without_cookies_the_storage_of_the_lms_does(browsers: Browsers, northfield: Northfield) -> None:
    northfield.lms.switches.storage = True
    page = browsers.new(NONE)
    be(page, northfield.lms, "student")
    frame = opened(page, northfield.at(northfield.link("walk")))
    heading(frame, "The door is open")
    assert page.evaluate("seen") == ["lti.put_data", "lti.get_data"]
    walk(frame)


def test_h9_a_storage_that_does_not_answer_leads_to_a_window(browsers: Browsers, northfield: Northfield) -> None:
    northfield.lms.switches.storage = True
    page = browsers.new(NONE)
    be(page, northfield.lms, "student")
    page.add_init_script("window.addEventListener('message', (event) => event.stopImmediatePropagation(), true)")
    frame = opened(page, northfield.at(northfield.link("walk")))
    button = frame.get_by_role("link", name="Open in a new window")
    expect(button).to_be_visible()
    with page.context.expect_page() as caught:
        button.click()
    heading(caught.value, "The door is open")


# The whole way


def test_from_the_picker_to_the_grade(browsers: Browsers, northfield: Northfield) -> None:
    """A teacher puts an activity into the course; a pupil walks through it; the points stand in the gradebook."""
    lms, page = northfield.lms, browsers.new()
    be(page, lms, "teacher")
    frame = opened(page, northfield.picker)
    heading(frame, "Pick activities")
    frame.get_by_role("checkbox", name=re.compile("Before the lesson")).check()
    frame.get_by_label("Search activities").fill("acids")
    frame.get_by_label("Search activities").press("Enter")
    expect(frame.get_by_role("checkbox", name=re.compile("How a fire"))).to_have_count(0)
    expect(frame.get_by_role("checkbox", name=re.compile("Before the lesson"))).to_be_checked()
    frame.get_by_role("checkbox", name=re.compile("Acids and bases")).check()
    frame.get_by_role("button", name="Put them into my course").click()
    page.wait_for_url(f"{lms.url}/course/{lms.course.id}")
    place = page.get_by_role("link", name="Before the lesson: the chemistry room", exact=True)
    be(page, lms, pupil := northfield.student("Pelle"))
    page.goto(f"{lms.url}/course/{lms.course.id}")
    place.last.click()
    frame = page.frame_locator("iframe")
    walk(frame)
    expect(frame.get_by_text("14 of 14 points")).to_be_visible()

    def is_sent() -> bool:
        page.reload()
        return page.get_by_role("row", name=re.compile("Pelle")).get_by_text("20", exact=False).count() > 0

    page.goto(f"{lms.url}/course/{lms.course.id}/grades")
    until(page, is_sent)
    assert pupil in lms.users


def until(page: Page, is_so: Callable[[], bool]) -> None:
    """A worker of the house sends it: looked at again and again, for as long as we are patient."""
    for _ in range(PATIENCE // 250):
        if is_so():
            return
        page.wait_for_timeout(250)
    pytest.fail("It did not come to be so.")


def test_a_teacher_chooses_what_an_empty_link_opens(browsers: Browsers, northfield: Northfield) -> None:
    page, link = browsers.new(), northfield.link()
    be(page, northfield.lms, "student")
    frame = opened(page, northfield.at(link))
    expect(frame.get_by_text("Your teacher has not chosen an activity yet.")).to_be_visible()
    be(page, northfield.lms, "teacher")
    frame = opened(page, northfield.at(link))
    frame.get_by_role("radio", name=re.compile("Before the lesson")).check()
    frame.get_by_role("button", name="Open this from now on").click()
    heading(frame, "The door is open")
    be(page, northfield.lms, "student")
    heading(opened(page, northfield.at(link)), "The door is open")


def test_a_roster_is_looked_at_and_then_followed(browsers: Browsers, northfield: Northfield) -> None:
    lms, house = northfield.lms, northfield.house.address
    course = lms.add_course("Chemistry 2", who=("teacher", "student3", "student4"))
    link = lms.add_link(
        northfield.tool, course, "Walk", url=f"{northfield.tool.launch_url}?activity={northfield.ids['walk']}"
    )
    page = browsers.new()
    be(page, lms, "teacher")
    heading(opened(page, f"{lms.url}/course/{course.id}/link/{link.id}"), "The door is open")
    sign_in(page, ADA, password_of(ADA), f"{house}/o/cedar/sign-in")
    page.wait_for_url(re.compile("/o/cedar/$"))
    page.goto(f"{house}/o/cedar/settings/integrations/lti/{northfield.ids['platform']}/courses")
    page.get_by_role("link", name="Chemistry 2").first.click()
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_text("Sofia Rossi")).to_be_visible()
    page.get_by_role("button", name="Follow the roster now").click()
    expect(page.get_by_text("2 people came in, 0 left the group.")).to_be_visible()


# Who is who


def test_h8_a_launch_leaves_the_session_of_the_house_alone(browsers: Browsers, northfield: Northfield) -> None:
    """Amélie is signed in at the house, and Björn of the LMS launches in the same browser."""
    page = browsers.new(ALLOWED)
    house = northfield.house.address
    sign_in(page, AMELIE, password_of(AMELIE), f"{house}/o/cedar/sign-in")
    page.wait_for_url(re.compile("/o/cedar/$"))
    be(page, northfield.lms, northfield.student("Bosse"))
    frame = opened(page, northfield.at(northfield.link("walk")))
    heading(frame, "The door is open")
    expect(frame.get_by_text("You are here as")).to_contain_text("Bosse Northman")
    page.goto(f"{house}/account")
    expect(page.get_by_text("Amélie Dubois").first).to_be_visible()
    expect(page.get_by_text("Bosse")).to_have_count(0)


def test_h8_whoever_comes_later_ends_what_was_open(browsers: Browsers, northfield: Northfield) -> None:
    page, link = browsers.new(), northfield.link("walk")
    be(page, northfield.lms, "student")
    first = opened(page, northfield.at(link))
    heading(first, "The door is open")
    later = page.context.new_page()
    be(later, northfield.lms, northfield.student("Linus"))
    heading(opened(later, northfield.at(link)), "The door is open")
    first.locator(".answers button").first.click()
    heading(first, "This page has ended, or somebody else opened one in this browser.")


def test_whoever_resembles_somebody_proves_it(browsers: Browsers, northfield: Northfield) -> None:
    """By the password at once; by a code that is made in the house, in another window."""
    lms, link = northfield.lms, northfield.link("walk")
    lms.add_user("zoe", "Zoë", "Müller")
    lms.add_user("amelie", "Amélie", "Dubois", role="teacher")
    page = browsers.new(ALLOWED)
    for who in ("zoe", "amelie"):
        lms.enroll(who, lms.course)
    be(page, lms, "zoe")
    frame = opened(page, northfield.at(link))
    heading(frame, "Have you been here before?")
    frame.get_by_label("Sign-in name or e-mail").fill("zoe@cedar.example")
    frame.get_by_label("Password", exact=True).fill("meadow-otter-5316")
    frame.get_by_role("button", name="That is me").click()
    heading(frame, "The door is open")
    be(page, lms, "amelie")
    frame = opened(page, northfield.at(link))
    heading(frame, "Have you been here before?")
    frame.get_by_text("Yes: with a link code").click()
    frame.get_by_label("Link code").fill(_link_code(page, northfield.house.address))
    frame.get_by_role("button", name="Link my account").click()
    heading(frame, "The door is open")
    expect(frame.get_by_text("You are here as")).to_contain_text("Amélie Dubois")


def _link_code(page: Page, house: str) -> str:
    """Made in another window of the same browser, where she is signed in."""
    window = page.context.new_page()
    sign_in(window, AMELIE, password_of(AMELIE), f"{house}/o/cedar/sign-in")
    window.wait_for_url(re.compile("/o/cedar/$"))
    window.goto(f"{house}/account/lms")
    window.get_by_role("button", name="Make a link code").click()
    code = window.locator(".ticket .big")
    expect(code).to_have_text(re.compile(r"^\w{4} \w{4}$"))
    assert violations(window) == []
    return code.inner_text()


def test_h10_no_other_site_frames_a_launch(browsers: Browsers, northfield: Northfield) -> None:
    page = browsers.new(ALLOWED)
    be(page, northfield.lms, "student")
    frame = opened(page, northfield.at(northfield.link("walk")))
    heading(frame, "The door is open")
    inside = page.frame(name="contentframe")
    assert inside
    evil = Server().start()
    page.goto(evil.url)
    for url in (inside.url, f"{northfield.house.address}/account", f"{northfield.house.address}/o/cedar/sign-in"):
        with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
            page.set_content(f'<iframe src="{url}"></iframe>')
        expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_have_count(0)
    evil.stop()
    browsers.complaints.clear()  # they are what was looked for


# For everybody


def test_pages_in_a_frame_fit_everybody(browsers: Browsers, northfield: Northfield) -> None:
    """Each as a page of its own, which is what a frame is to axe: light, dark, narrow, low, and right to left."""
    page, lms = browsers.new(), northfield.lms
    be(page, lms, "teacher")
    opened(page, northfield.picker)
    _fits(page, "Pick activities")
    opened(page, northfield.at(northfield.link()))
    _fits(page, "Pick an activity")
    be(page, lms, northfield.student("Astrid"))
    opened(page, northfield.at(northfield.link()))
    _fits(page, re.compile("You are in"))
    frame = opened(page, northfield.at(northfield.link("words")))
    walk(frame)
    _fits(page, re.compile("Everybody is out"))
    lms.add_user("chloe", "Chloë", "Janssens")
    lms.enroll("chloe", lms.course)
    be(page, lms, "chloe")
    opened(page, northfield.at(northfield.link("walk")))
    _fits(page, "Have you been here before?")


def _fits(page: Page, title: str | re.Pattern[str]) -> None:
    heading(page.frame_locator("iframe"), title)
    frame = page.frame(name="contentframe")
    assert frame
    assert violations(frame) == []
    page.emulate_media(color_scheme="dark")
    assert violations(frame, *COLORS) == []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 320, "height": 300})
    assert too_wide(frame) == []
    frame.evaluate("document.documentElement.dir = 'rtl'")
    assert too_wide(frame) == []
    page.set_viewport_size({"width": 1280, "height": 720})
