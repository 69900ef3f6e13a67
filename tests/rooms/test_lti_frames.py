"""What people meet inside an LMS: the picker and its one signed answer, a link without an activity, a walk with points,
and what the pages say to browsers that keep no cookies. Rows H10 and H12 of security.md by name."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import jwt
import pytest
import requests
from django.test import Client
from grading import tool_keys, work_off  # noqa: F401  # a fixture
from launches import activity, at, begin, connected, launch, said
from lms.fixtures import MakeLms
from lms.platform import Lms
from lms.school import Tool
from lms.words import DL, LTI, Json
from world import World

from usher.activities import scenarios
from usher.activities.models import Activity, Score
from usher.core import clock
from usher.methods.lti import frames, keys
from usher.methods.lti.models import Delivery, Launch, Platform, ResourceLink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tool_keys")]
FRAMED = {"Sec-Fetch-Dest": "iframe"}
STORY = scenarios.all_of_them()["chemistry_room"]
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"


class Desk:
    """An LMS that is connected with Cedar, and a browser of somebody who comes from it."""

    def __init__(self, lms: Lms, platform: Platform, tool: Tool) -> None:
        self.lms, self.platform, self.tool, self.browser = lms, platform, tool, Client()
        public = keys.jwks()  # read here: the LMS's own thread has no database
        tool.keyset = lambda: public

    def open(self, user: str = "student", **changes: Any) -> str:
        """The address of the page that a launch leads to."""
        return at(launch(self.browser, self.lms, self.platform, self.tool, user, **changes))

    def picker(self, user: str = "teacher", **settings: Any) -> str:
        """Where to pick; ``settings`` change those of the request."""
        key = f"{DL}deep_linking_settings"
        changed = {key: lambda claims: {**claims[key], **settings}}
        return self.open(user, message="deep_linking", **changed)

    def get(self, page: str, **query: Any) -> str:
        return said(self.browser.get(page, query))

    def titles(self, page: str, **query: Any) -> list[str]:
        return re.findall(
            r"<b><bdi>([^<]*)</bdi></b>\s*(?:<span class=\"about|<span class=\"small)", self.get(page, **query)
        )


@pytest.fixture
def desk(world: World, lms: Lms) -> Desk:
    return Desk(lms, *connected(lms))


def answered(page: Any) -> Json:
    """The claims of the answer that a page takes to the LMS, verified with our public keys."""
    token = re.search(r'name="JWT" value="([^"]+)"', said(page))
    assert token, said(page)[-900:]
    public = {one["kid"]: jwt.PyJWK(one) for one in keys.jwks()["keys"]}
    key = public[jwt.get_unverified_header(token[1])["kid"]]
    claims: Json = jwt.decode(token[1], key, algorithms=["RS256"], options={"verify_aud": False, "verify_iat": False})
    return claims


def policy(page: Any) -> dict[str, list[str]]:
    parts = (part.split() for part in page["Content-Security-Policy"].split(";"))
    return {name: places for name, *places in parts}


# Who may show them: H10


def test_h10_the_lms_alone_shows_pages_of_a_launch_and_nobody_any_other(desk: Desk) -> None:
    activity()
    for page in (desk.open("teacher"), desk.picker("teacher")):
        answer = desk.browser.get(page)
        assert policy(answer)["frame-ancestors"] == ["'self'", desk.lms.url]
        assert "X-Frame-Options" not in answer
        assert policy(answer)["form-action"] == ["'self'"]
    for page in ("/", "/o/cedar/sign-in"):
        answer = desk.browser.get(page)
        assert policy(answer)["frame-ancestors"] == ["'none'"]
        assert answer["X-Frame-Options"] == "DENY"


def test_h10_a_refused_login_can_be_read_in_the_frame(desk: Desk) -> None:
    answer = desk.browser.post(f"/lti/{desk.platform.id}/login", {"iss": "https://elsewhere.example"})
    assert answer.status_code == 400
    assert policy(answer)["frame-ancestors"] == ["'self'", desk.lms.url]
    assert "Close this and open it again from your LMS." in said(answer)


def test_a_refused_launch_leads_back_to_the_lms_which_hears_why(desk: Desk, world: World) -> None:
    gone = "01890000-0000-7000-8000-000000000000"
    answer = launch(Client(), desk.lms, desk.platform, desk.tool, "student", custom={"activity": gone})
    back = re.search(r'href="([^"]+)" target="_parent"', said(answer))
    assert answer.status_code == 404
    assert back
    assert html.unescape(back[1]).startswith(f"{desk.lms.url}/course/")
    assert "lti_errormsg=This+activity+is+not+here+any+more." in back[1]
    assert policy(answer)["frame-ancestors"] == ["'self'", desk.lms.url]


def test_a_test_launch_says_what_would_become_of_it(desk: Desk) -> None:
    Platform.objects.filter(id=desk.platform.id).update(test_until=clock.now() + timedelta(hours=1))
    page = said(launch(Client(), desk.lms, desk.platform, desk.tool, "student"))
    assert "The launch works" in page
    assert "would get an account and be in" in page
    assert not Launch.objects.exists()


# The picker: H12


def test_the_picked_go_to_the_lms_and_open_from_there(desk: Desk) -> None:
    chosen = [
        activity(title="Acids"),
        activity(title="Bases", is_graded=False, picture_url="https://pic.example/b.png"),
    ]
    page = desk.picker()
    answer = desk.browser.post(page, {"activity": [str(one.id) for one in chosen]})
    claims = answered(answer)
    first, second = claims[f"{DL}content_items"]
    named = str(chosen[0].id)
    assert first == {
        "type": "ltiResourceLink", "title": "Acids", "url": f"{desk.tool.launch_url}?activity={named}",
        "custom": {"activity": named}, "lineItem": {"scoreMaximum": 10.0, "label": "Acids", "resourceId": named},
    }  # fmt: skip
    assert "lineItem" not in second
    assert second["icon"] == {"url": "https://pic.example/b.png"}
    assert (claims["iss"], claims["aud"]) == (desk.tool.client_id, desk.lms.issuer)
    assert _action(answer).startswith(f"{desk.lms.url}/mod/lti/contentitem_return.php")


def _action(page: Any) -> str:
    found = re.search(r'<form method="post" action="([^"]+)" data-lti-send', said(page))
    assert found
    return html.unescape(found[1])


def test_h12_the_answer_goes_where_the_request_said_and_nowhere_else(desk: Desk, world: World) -> None:
    page = desk.picker(deep_link_return_url="https://lms.example:8443/back?a=1&b=2")
    answer = desk.browser.post(f"{page}?deep_link_return_url=https://evil.example/", {
        "activity": str(activity().id), "deep_link_return_url": "https://evil.example/", "return_url": "https://evil.example/",
    })  # fmt: skip
    assert _action(answer) == "https://lms.example:8443/back?a=1&b=2"
    assert policy(answer)["form-action"] == ["'self'", "https://lms.example:8443", desk.lms.url]
    assert "evil" not in said(answer)


def test_h12_data_comes_back_as_it_was_and_only_where_there_was_some(desk: Desk) -> None:
    chosen = str(activity().id)
    odd = "  <&\"'>\u202e {json: 1} ==  "
    with_data = answered(desk.browser.post(desk.picker(data=odd), {"activity": chosen}))
    assert with_data[f"{DL}data"] == odd
    assert f"{DL}data" not in answered(desk.browser.post(desk.picker(), {"activity": chosen}))
    assert with_data[f"{LTI}deployment_id"] == desk.tool.deployment_id


def test_h12_one_request_has_one_answer(desk: Desk) -> None:
    page, chosen = desk.picker(), {"activity": str(activity().id)}
    answered(desk.browser.post(page, chosen))
    again = desk.browser.post(page, chosen)
    assert again.status_code == 403
    assert "JWT" not in said(again)
    assert "This page has ended" in desk.get(page)


def test_h12_nobody_elses_browser_answers(desk: Desk) -> None:
    answer = Client().post(desk.picker(), {"activity": str(activity().id)})
    assert (answer.status_code, "JWT" in said(answer)) == (403, False)


def test_h12_an_activity_of_another_house_is_not_answered(desk: Desk) -> None:
    page, own = desk.picker(), activity()
    foreign = activity("birch", title="Theirs")
    answer = desk.browser.post(page, {"activity": [str(own.id), str(foreign.id)]})
    assert (answer.status_code, "JWT" in said(answer)) == (404, False)
    assert desk.titles(page) == ["A walk through the lab"]


@pytest.mark.parametrize("family", ["canvas", "brightspace", "blackboard"])
def test_other_lmss_take_the_answer(world: World, make_lms: MakeLms, family: str) -> None:
    """They check all that the specification asks for: audience, deployment, type, version, data, nonce."""
    lms = make_lms(family)
    platform, tool = connected(lms)
    desk = Desk(lms, platform, tool)
    desk.browser.cookies[frames.COOKIE] = "it-keeps-cookies"
    answer = desk.browser.post(desk.picker(), {"activity": str(activity().id)})
    form = {"JWT": re.search(r'name="JWT" value="([^"]+)"', said(answer))[1]}  # type: ignore[index]
    taken = requests.post(_action(answer), form, timeout=5)
    assert (taken.status_code, "A walk through the lab" in taken.text) == (200, True), taken.text
    assert [column.label for column in lms.columns.values()] == ["Practice", "A walk through the lab"]


@pytest.mark.parametrize(
    ("asks", "picked", "sentence"),
    [
        ({"accept_multiple": False}, 2, "Your LMS takes one activity at a time."),
        ({}, 0, "No activity is picked."),
        ({"accept_types": ["link", "html"]}, 1, "Your LMS takes no activity at this place."),
        ({"deep_link_return_url": "http://elsewhere.example/"}, 1, "in a way that cannot be read"),
    ],
)
def test_what_cannot_be_answered_is_said(desk: Desk, asks: Json, picked: int, sentence: str) -> None:
    ids = [str(activity(title=f"Number {n}").id) for n in range(2)]
    answer = desk.browser.post(desk.picker(**asks), {"activity": ids[:picked]})
    assert answer.status_code == 400
    assert sentence in said(answer)


def test_nothing_is_an_answer_too(desk: Desk) -> None:
    activity()
    claims = answered(desk.browser.post(desk.picker(), {"nothing": "1", "activity": "nonsense"}))
    assert claims[f"{DL}content_items"] == []


def test_a_learner_picks_what_he_may_open_and_makes_no_column(desk: Desk, world: World) -> None:
    graded, staff = activity(title="Open"), activity(title="For teachers", audience="staff")
    activity(title="Of Year 5", group_id=world.year5.id)
    activity(title="Gone", state="archived")
    page = desk.picker("student")
    assert desk.titles(page) == ["Open"]
    assert desk.browser.post(page, {"activity": str(staff.id)}).status_code == 404
    (item,) = answered(desk.browser.post(page, {"activity": str(graded.id)}))[f"{DL}content_items"]
    assert "lineItem" not in item


def test_no_column_where_the_lms_wants_none(desk: Desk) -> None:
    chosen = {"activity": str(activity().id)}
    (item,) = answered(desk.browser.post(desk.picker(accept_lineitem=False), chosen))[f"{DL}content_items"]
    assert "lineItem" not in item


def test_a_search_keeps_what_is_picked(desk: Desk) -> None:
    kept = activity(title="Acids")
    activity(title="Bases")
    activity(title="Salts")
    page = desk.picker()
    assert desk.titles(page) == ["Acids", "Bases", "Salts"]
    assert desk.titles(page, q="bas", activity=str(kept.id)) == ["Acids", "Bases"]
    found = desk.get(page, q="<i>nothing")
    assert "&lt;i&gt;nothing" in found
    assert "<i>nothing" not in found


def test_pictures_come_from_where_they_are_and_from_nowhere_else(desk: Desk) -> None:
    activity(title="A", picture_url="https://pic.example/a.png")
    activity(title="B", picture_url="https://pic.example;script-src*/b.png")
    assert policy(desk.browser.get(desk.picker()))["img-src"] == ["'self'", "data:", "https://pic.example"]


# A link that names nothing


def test_the_teacher_says_what_a_link_opens_once(desk: Desk) -> None:
    lab, other = activity(), activity(title="Something else")
    waiting = desk.open("student")
    assert "Your teacher has not chosen an activity yet." in desk.get(waiting)
    assert desk.browser.post(waiting, {"activity": str(lab.id)}).status_code == 200
    assert ResourceLink.objects.get().activity is None  # a learner chooses nothing
    teacher, first = Desk(desk.lms, desk.platform, desk.tool), None
    first, second = teacher.open("teacher"), teacher.open("teacher")
    assert teacher.titles(first) == ["A walk through the lab", "Something else"]
    assert at(teacher.browser.post(first, {"activity": str(lab.id)})) == first
    at(teacher.browser.post(second, {"activity": str(other.id)}))
    assert ResourceLink.objects.get().activity == lab
    assert at(desk.browser.get(waiting)) == waiting  # the page that waits looks again, and goes on
    assert "The door is open" in desk.get(waiting)


def test_who_comes_from_nowhere_is_told_who_he_is(desk: Desk) -> None:
    page = desk.get(desk.open("teacher", context=None))
    assert "in no course" in page
    assert "You are here as" in page


# A walk


def walk(desk: Desk, page: str) -> str:
    """The best way to an end; the page that it ends on."""
    path = ""
    while not (step := STORY.at(path)).is_end:
        choice = max(step.choices, key=lambda one: one.points)
        answer = desk.browser.post(page, {"path": path, "choice": choice.letter})
        path += choice.letter
        assert answer["Location"] == f"{page}?path={path}"
    return desk.get(page, path=path)


@pytest.fixture
def lab(desk: Desk) -> Activity:
    """What the link of the LMS opens."""
    link = desk.lms.link_of(desk.tool)
    assert link
    made = activity()
    link.url = f"{desk.tool.launch_url}?activity={made.id}"
    return made


def test_the_points_of_a_walk_go_to_the_lms(desk: Desk, lab: Activity) -> None:
    page = desk.open("student")
    assert "Actor" not in desk.get(page)
    assert not Score.objects.exists()
    end = walk(desk, page)
    assert "It is on its way to" in end
    score = Score.objects.get()
    assert (score.activity, score.given, score.maximum) == (lab, 10.0, 10.0)
    assert work_off() == 1
    assert "Your teacher sees it in" in walk(desk, page)
    assert Delivery.objects.get().state == "sent"


@pytest.mark.parametrize("user", ["teacher", "ta"])
def test_the_points_of_those_who_teach_are_not_sent(desk: Desk, lab: Activity, user: str) -> None:
    assert "You teach here, so your points are not sent" in walk(desk, desk.open(user))
    assert not Score.objects.exists()


def test_a_test_person_looks_and_leaves_nothing(desk: Desk, lab: Activity) -> None:
    roles = {"roles": [TEST_USER, "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"]}
    end = walk(desk, desk.open("student", **roles))
    assert "points are not kept" in end
    assert "test person of the LMS" in end
    assert not Score.objects.exists()
    Activity.objects.filter(id=lab.id).update(scenario="", target_url="https://app.example/drill?x=1")
    watched = desk.get(desk.open("student", **roles))
    assert 'href="https://app.example/drill?x=1"' in watched
    assert "usher_launch" not in watched


@pytest.mark.parametrize("path", ["zzz", "a" * 9000, "<b>", "aaaaaaaaaaaaaaaaaaaa"])
def test_a_way_that_nobody_can_walk_begins_again(desk: Desk, lab: Activity, path: str) -> None:
    page = desk.open("student")
    assert "The door is open" in desk.get(page, path=path)
    assert desk.browser.post(page, {"path": path, "choice": "a"})["Location"] == page
    assert not Score.objects.exists()


def test_only_looking_at_an_end_gives_no_points(desk: Desk, lab: Activity) -> None:
    path, _points = next(STORY.walks())
    assert "These points are not kept" in desk.get(desk.open("student"), path=path)
    assert not Score.objects.exists()


def test_an_application_is_opened_by_a_page_and_not_by_a_redirect(desk: Desk, lab: Activity) -> None:
    """A form may have led here, and its page's form-action would stop the browser on the way out."""
    Activity.objects.filter(id=lab.id).update(scenario="", target_url="https://app.example/drill?x=1")
    page = desk.get(desk.open("student"))
    found = re.search(r'http-equiv="refresh"\s+content="0;url=([^"]+)"', page)
    assert found
    assert html.unescape(found[1]).startswith("https://app.example/drill?x=1&usher_launch=")


# Browsers that keep no cookies


def test_a_browser_is_tried_and_then_led_to_a_window(desk: Desk) -> None:
    again = at(begin(desk.browser, desk.platform, desk.lms.login_parameters(desk.tool, "student"), **FRAMED))
    window = Client().get(again, headers=FRAMED)  # the cookie was not kept
    assert "Your browser keeps no cookies inside other sites" in said(window)
    led = re.search(r'href="([^"]+)"\s+target="_blank"', said(window))
    assert led
    asked = Client().get(html.unescape(led[1]), headers={"Sec-Fetch-Dest": "document"})
    assert asked["Location"].startswith(desk.lms.auth_url)
    assert desk.browser.get(again, headers=FRAMED)["Location"].startswith(desk.lms.auth_url)  # it was kept


def test_pages_that_ask_the_lms_name_its_one_origin(desk: Desk) -> None:
    login = desk.lms.login_parameters(desk.tool, "student") | {"lti_storage_target": "_parent", "usher_checked": "1"}
    page = said(begin(Client(), desk.platform, login, **FRAMED))
    assert f'data-origin="{desk.lms.url}"' in page
    assert 'data-target="_parent"' in page
    assert "Open in a new window" in page
    assert not Launch.objects.exists()
