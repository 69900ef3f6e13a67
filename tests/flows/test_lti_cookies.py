"""Browsers that keep no cookie inside other sites: asked first, by the storage of the LMS, in a window of its own; and
never without the state (security.md H9)."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponseRedirect
from django.test import Client
from launches import FRAMED, arrive, at, begin, connected, query_of, said
from lms.platform import Lms
from lms.school import Tool
from world import World

from usher.methods.lti import trips
from usher.methods.lti.frames import COOKIE
from usher.methods.lti.launch_views import CHECKED, STORED
from usher.methods.lti.models import Launch, Platform, Trip

pytestmark = pytest.mark.django_db
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def canvas(world: World, make_lms: Any) -> tuple[Lms, Platform, Tool]:
    """An LMS that keeps data for its tools."""
    lms = make_lms("canvas")
    lms.switches.storage = True
    return (lms, *connected(lms))


def test_a_browser_is_tried_before_it_sets_off(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    asked = lms.login_parameters(tool, "student")
    answer = begin(Client(), platform, asked, **FRAMED)
    # By a redirect: after a page of ours the LMS's own session would not come along (SameSite=Lax).
    assert answer["Location"].startswith(f"/lti/{platform.id}/login?")
    assert query_of(answer) == {**asked, CHECKED: "1"}
    cookie = answer.cookies[COOKIE].OutputString()
    assert all(word in cookie for word in ("Partitioned", "Secure", "SameSite=None", "HttpOnly"))
    assert not Trip.objects.exists()


def test_one_that_keeps_the_cookie_goes_on(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    browser = Client()
    asked = lms.login_parameters(tool, "student")
    begin(browser, platform, asked, **FRAMED)
    query = query_of(begin(browser, platform, {**asked, CHECKED: "1"}, **FRAMED))
    at(arrive(browser, platform, lms.answer(tool, query), **FRAMED))


def test_one_that_keeps_none_gets_a_window(world: World, lms: Lms) -> None:
    """Before the LMS is asked: Moodle answers each launch once."""
    platform, tool = connected(lms)
    asked = {**lms.login_parameters(tool, "student"), CHECKED: "1"}
    answer = begin(Client(), platform, asked, **FRAMED)
    assert answer.status_code == 200
    assert 'target="_blank"' in said(answer)
    assert not Trip.objects.exists()


def test_in_a_window_nothing_is_asked(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    browser = Client()
    query = query_of(begin(browser, platform, lms.login_parameters(tool, "student"), **{"Sec-Fetch-Dest": "document"}))
    at(arrive(browser, platform, lms.answer(tool, query)))


def stored_form(canvas: tuple[Lms, Platform, Tool]) -> tuple[dict[str, str], str]:
    """What the LMS posts to a browser without cookies, and what its storage keeps for us."""
    lms, platform, tool = canvas
    asked = {**lms.login_parameters(tool, "student"), CHECKED: "1"}
    answer = begin(Client(), platform, asked, **FRAMED)
    assert answer.status_code == 200
    departure = answer.context["departure"]
    assert departure.stored in said(answer)
    form = lms.answer(tool, query_of(HttpResponseRedirect(departure.url)))
    return form, departure.stored


def test_the_storage_of_the_lms_does_as_well(canvas: tuple[Lms, Platform, Tool]) -> None:
    form, stored = stored_form(canvas)
    browser = Client()
    page = arrive(browser, canvas[1], form, **FRAMED)
    assert page.status_code == 200
    assert stored not in said(page)  # only the storage knows it
    assert trips.key_of(form["state"]) in said(page)
    assert Trip.objects.exists()
    opened = at(arrive(browser, canvas[1], {**form, STORED: stored}, **OURS))
    assert browser.get(opened).status_code == 200


@pytest.mark.parametrize(
    ("kept", "headers"),
    [
        ("wrong", OURS),
        ("", {"Sec-Fetch-Site": "cross-site"}),
        ("right", {"Sec-Fetch-Site": "cross-site"}),  # another site that knows it sends nobody in
        ("right", {"Sec-Fetch-Site": "same-site"}),
        ("right", {"Origin": "https://evil.example"}),
        ("right", {}),
    ],
)
def test_the_state_is_never_passed_over(
    canvas: tuple[Lms, Platform, Tool], kept: str, headers: dict[str, str]
) -> None:  # fmt: skip
    form, stored = stored_form(canvas)
    answer = arrive(Client(), canvas[1], {**form, STORED: stored if kept == "right" else kept}, **headers)
    assert answer.status_code in (200, 400)
    assert not Launch.objects.exists()


def test_without_storage_or_cookie_it_ends_in_a_sentence(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    query = query_of(begin(Client(), platform, lms.login_parameters(tool, "student")))
    answer = arrive(Client(), platform, lms.answer(tool, query), **FRAMED)
    assert answer.status_code == 400
    assert not Launch.objects.exists()
