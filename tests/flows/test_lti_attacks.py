"""LTI attacked by an LMS, by another organisation, by pupils and by strangers: rows H1 to H15 of security.md where they
fit. What is asked of a launch in itself stands in test_lti_launch.py."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from connecting import MOODLE, refused
from django.test import Client
from launches import activity, at, connected, launch
from lms.platform import Lms
from lms.words import LTI
from world import PASSWORD, World, signed_in

from usher.core import fetch
from usher.events.types import OPERATOR
from usher.lifecycle.erase import erase_some
from usher.lifecycle.joiner import OPERATOR_RANK, By
from usher.lifecycle.move import move
from usher.methods.lti import attempts, connect, roster_pages, services
from usher.methods.lti.connect import Wish
from usher.methods.lti.grade_urls import grades
from usher.methods.lti.models import (
    Attempt,
    Course,
    Deployment,
    LaunchCode,
    Platform,
    PlatformUser,
    ResourceLink,
    RosterRun,
)
from usher.methods.lti.roster_pages import RosterError
from usher.methods.lti.roster_urls import rosters
from usher.methods.lti.staff_urls import staff
from usher.organizations.models import Organization
from usher.people.models import Membership

BY = By(OPERATOR, OPERATOR_RANK)
TEST_PERSON = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
pytestmark = pytest.mark.django_db


# Another organisation

THEIRS: list[dict[str, Any]] = [
    {},
    {"token_url": "https://evil.example/token", "token_audience": MOODLE.token_url, "issuer": "https://evil.example"},
    {"client_id": MOODLE.client_id.lower(), "issuer": "https://evil.example"},  # MySQL, under Moodle, sees no case
    {"client_id": f" {MOODLE.client_id} ", "family": "canvas"},
]


@pytest.mark.parametrize("whose", ["cedar", ""])
def test_h3_h13_our_key_speaks_for_a_client_for_one_organisation_alone(world: World, whose: str) -> None:
    """Else its assertion, sent to a server of the second one, would open rosters and gradebooks of the first one."""
    connect.add(world.cedar.organization if whose else None, MOODLE, OPERATOR)
    birch = world.birch.organization
    blank = connect.add(birch, Wish(family="moodle"), OPERATOR)
    for one in THEIRS:
        wish = replace(MOODLE, **one)
        assert refused(lambda w=wish: connect.add(birch, w, OPERATOR)) == ["client_taken"]
        assert refused(lambda w=wish: connect.change(blank, w, OPERATOR)) == ["client_taken"]
    assert not Platform.objects.filter(organization=birch).exclude(client_id="").exists()


# A launch that goes on, when its person or its activity has changed


def test_h15_what_may_not_be_opened_any_more_is_not_opened_from_an_old_window(world: World, lms: Lms) -> None:
    """No code goes to the application: archived, made for others, and after a teacher became a student."""
    platform, tool = connected(lms)
    lab = activity(target_url="https://app.example/", audience="staff")
    link = lms.add_link(tool, lms.course, "Lab", custom={"activity": str(lab.id)})
    browser = Client()
    page = at(launch(browser, lms, platform, tool, "teacher", link=link))
    assert browser.get(page).status_code == 200
    LaunchCode.objects.all().delete()
    member = Membership.objects.get(account__lms_users__subject=lms.user("teacher").id)
    move(world.cedar.id, member.id, "student", BY)
    assert browser.get(page).status_code == 403
    move(world.cedar.id, member.id, "teacher", BY)
    type(lab).objects.update(state="archived")
    assert browser.get(page).status_code == 404
    assert not LaunchCode.objects.exists()


@pytest.mark.parametrize("what", [{"scenario": "chemistry_room"}, {"target_url": "https://app.example/secret"}])
def test_h6_a_test_person_sees_what_every_learner_sees(world: World, lms: Lms, what: dict[str, str]) -> None:
    """Whoever teaches a course may become one there."""
    platform, tool = connected(lms)
    roles = {"roles": [TEST_PERSON, "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"]}
    for closed in ({"audience": "staff"}, {"group_id": world.year5.id}):
        lab = activity(title=str(closed), **what, **closed)
        link = lms.add_link(tool, lms.course, "Lab", custom={"activity": str(lab.id)})
        answer = launch(Client(), lms, platform, tool, "student", link=link, **roles)
        assert (answer.status_code, Attempt.objects.latest("at").reason) == (403, "activity_not_yours")


def test_a_line_of_a_launch_says_what_was_decided_and_nothing_else(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    launch(Client(), lms, platform, tool, "student", deployment_id='1" verdict="created')
    assert attempts.line(Attempt.objects.get()).count(' verdict="') == 1


# A computer that several use


def test_h8_whoever_comes_next_ends_what_others_had_open_also_where_he_is_only_asked(world: World, lms: Lms) -> None:
    """And is not asked in their place: whoever answers that question would be them from then on."""
    platform, tool = connected(lms)
    browser = Client()
    page = at(launch(browser, lms, platform, tool, "student"))
    tabs = [at(launch(browser, lms, platform, tool, "student2", name="Pia Pine")) for _ in range(2)]
    assert browser.get(page).status_code == 403
    assert [browser.get(one).status_code for one in tabs] == [200, 200]  # of one person
    at(launch(browser, lms, platform, tool, "student3"))
    assert [browser.post(one, {"act": "new"}).status_code for one in tabs] == [403, 403]


# Somebody who is not let in any more


def test_h5_a_password_that_single_sign_on_replaced_links_nobody(world: World, lms: Lms) -> None:
    Organization.objects.filter(id=world.cedar.id).update(passwords_for="marked")
    platform, tool = connected(lms)
    browser = Client()
    page = at(launch(browser, lms, platform, tool, "student", name="Pia Pine"))
    given = {"act": "password", "name": world.pia.account.sign_in_key, "password": PASSWORD}
    assert browser.post(page, given).status_code == 403
    assert not PlatformUser.objects.exists()


# Ids of another organisation in one's own address, and a stranger's eyes


def test_h4_h14_nobody_but_its_own_admins_reaches_an_lms(world: World, lms: Lms) -> None:
    """Every page below an organisation: by another one's admin in both addresses, a teacher, a pupil, a stranger."""
    lab = activity()
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "student"))
    course = Course.objects.get()
    run = RosterRun.objects.create(organization=course.organization, course=course, state="held")
    ids = {
        "platform_id": platform.id, "deployment_id": Deployment.objects.get().id, "course_id": course.id,
        "run_id": run.id, "activity_id": lab.id,
    }  # fmt: skip
    kept: list[Any] = [Platform, Deployment, Course, RosterRun, PlatformUser]
    before = [list(model.objects.values()) for model in kept]
    pages = [one.pattern for one in (*staff, *rosters, *grades) if "platform_id" in str(one.pattern)]
    pages += [one.pattern for one in grades]
    bob, tom, pia = (signed_in(one) for one in (world.bob, world.tom, world.pia))
    for pattern in pages:
        path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda gap: str(ids.get(gap[1], "{slug}")), str(pattern))
        for browser, slug, noes in (
            (bob, "birch", (404, 405)),
            (bob, "cedar", (404,)),
            (tom, "cedar", (403,) if "settings" in path else (200, 302, 405)),
            (pia, "cedar", (403,)),
            (Client(), "cedar", (302,)),
        ):
            for answer in (browser.get(path.format(slug=slug)), browser.post(path.format(slug=slug), {"to": "off"})):
                assert answer.status_code in noes, (slug, path, answer.status_code)
    assert [list(model.objects.values()) for model in kept] == before


# What an LMS says

LONG = "https://lms.example/" + "x" * 2000
AGS, NRPS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint", "https://purl.imsglobal.org/spec/lti-nrps/claim/"
MUCH = {
    AGS: {"scope": ["x" * 500], "lineitems": LONG, "lineitem": LONG},
    f"{NRPS}namesroleservice": {"context_memberships_url": LONG, "service_versions": ["2.0"]},
    f"{LTI}launch_presentation": {"return_url": LONG, "locale": "x" * 500, "document_target": "x" * 500},
    f"{LTI}context": {"id": "x" * 255, "title": f"<script>alert(1)</script>\u202e\n{'ß' * 300}", "label": "ß" * 300},
    f"{LTI}resource_link": {"id": "𝕏" * 255, "title": "x" * 999},
    f"{LTI}tool_platform": {"name": "\x1b[31m\r\nBcc: eve@evil.example" * 9},
    "name": "=cmd|'/c calc'!A1" * 99,
    "email": f"{'x' * 400}@lms.example",
    "sub": "x" * 255,
}


def test_what_is_too_long_or_odd_breaks_neither_the_launch_nor_a_page_of_admins(world: World, lms: Lms) -> None:
    """Half an address is not kept: a roster or a grade would go nowhere."""
    platform, tool = connected(lms, makes_groups=True)
    browser = Client()
    assert browser.get(at(launch(browser, lms, platform, tool, "teacher", **MUCH))).status_code == 200
    (course,), (link,) = Course.objects.all(), ResourceLink.objects.all()
    assert (course.nrps_url, course.lineitems_url, link.lineitem_url) == ("", "", "")
    page = f"/o/cedar/settings/integrations/lti/{platform.id}"
    ada = signed_in(world.ada)
    for address in (f"{page}/", f"{page}/courses", f"{page}/courses/{course.id}", "/o/cedar/users", "/o/cedar/groups"):
        answer = ada.get(address)
        assert (answer.status_code, b"<script>alert" in answer.content) == (200, False)


def test_h14_a_roster_that_names_one_person_again_and_again_is_not_read_to_its_end(
    world: World, lms: Lms, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "teacher"))
    monkeypatch.setattr(roster_pages, "MOST_PEOPLE", 50)
    listed = {"user_id": "1", "roles": ["Learner"]}
    page = json.dumps({"members": [listed] * 51}).encode()
    monkeypatch.setattr(services, "call", lambda *_asked, **_more: fetch.Answer(200, {}, page))
    with pytest.raises(RosterError) as no:
        roster_pages.read(Course.objects.select_related("deployment__platform").get(), lambda: None)
    assert no.value.code == "roster_too_long"


# An organisation that is erased


def test_nothing_of_an_erased_organisation_stays_with_an_lms_of_the_operator(world: World, lms: Lms) -> None:
    """Whose other organisations keep theirs."""
    platform, tool = connected(lms, slug="")
    for house, name in ((world.cedar, "c"), (world.birch, "b")):
        connect.add_deployment(platform, name, house.organization, OPERATOR)
        at(launch(Client(), lms, platform, tool, "student", deployment_id=name))
    assert PlatformUser.objects.values("organization", "account").distinct().count() == 2  # one person, two people here
    while erase_some(world.cedar.id):
        pass
    assert [one.deployment_id for one in Attempt.objects.all()] == ["b"]
    assert [one.organization_id for one in PlatformUser.objects.all()] == [world.birch.id]
