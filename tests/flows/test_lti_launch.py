"""Coming in from an LMS: who is let in, as what, and every launch that is not believed (security.md H1 to H8, H15)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from launches import activity, arrive, at, begin, connected, launch, query_of, said
from lms.defects import DEFECTS, POSITIVES, TOLERATED
from lms.platform import Lms
from world import World, signed_in

from usher.core import clock
from usher.events.types import OPERATOR
from usher.lifecycle.joiner import OPERATOR_RANK, By
from usher.lifecycle.leave import deactivate
from usher.lifecycle.move import move
from usher.methods.lti import attempts, connect, platforms
from usher.methods.lti.models import Attempt, Course, Deployment, Launch, Platform, PlatformUser, ResourceLink, Trip
from usher.organizations.models import Organization, SeatPool
from usher.people.models import Account, GroupMembership, Membership

BY = By(OPERATOR, OPERATOR_RANK)
pytestmark = pytest.mark.django_db


def user(subject: str) -> PlatformUser:
    return PlatformUser.objects.select_related("account").get(subject=subject)


def member(found: PlatformUser) -> Membership:
    return Membership.objects.get(account=found.account, organization=found.organization)


def last() -> Attempt:
    return Attempt.objects.order_by("-id")[0]


# Who comes in


def test_a_student_is_let_in_by_the_door(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    page = launch(Client(), lms, platform, tool, "student")
    assert at(page).startswith("/lti/at/")
    found = user(lms.user("student").id)
    joined = member(found)
    assert (joined.role, joined.method, found.account.username) == ("student", "lti", "Stina Berg")
    assert found.account.email == ""  # what an LMS says of an address proves nothing
    assert found.account.home_id == world.cedar.id
    assert "Biology 1" in joined.evidence
    assert last().result == "created"


def test_a_second_launch_is_the_same_person(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    for _ in range(2):
        at(launch(Client(), lms, platform, tool, "student"))
    assert PlatformUser.objects.count() == 1
    assert last().result == "signed_in"


@pytest.mark.parametrize(("who", "role"), [("teacher", "teacher"), ("ta", "teacher"), ("student", "student")])
def test_the_role_follows_from_the_course(world: World, lms: Lms, who: str, role: str) -> None:
    """Moodle calls its non-editing teachers instructors in launches."""
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, who))
    assert member(user(lms.user(who).id)).role == role


def test_an_admin_of_the_lms_is_no_admin_here(world: World, lms: Lms) -> None:
    """H6."""
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "admin"))
    assert member(user(lms.user("admin").id)).role in ("teacher", "student")


@pytest.mark.parametrize("name", POSITIVES)
def test_what_certification_wants_taken_is_taken(world: World, lms: Lms, name: str) -> None:
    platform, tool = connected(lms)
    changes = dict(POSITIVES[name])
    who = changes.pop("user")
    at(launch(Client(), lms, platform, tool, who, **changes))
    role = member(user(lms.user(who).id)).role
    least = who == "student" or "unknown role" in name or "no role" in name
    assert role == ("student" if least else "teacher")


@pytest.mark.parametrize("name", TOLERATED)
def test_what_is_odd_and_right_is_taken(world: World, lms: Lms, name: str) -> None:
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "student", **TOLERATED[name]))


def test_nobody_is_needed_by_name(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "student", name=None, given_name=None, family_name=None, email=None))
    assert user(lms.user("student").id).account.username == "Student 1001"


def test_the_test_person_of_the_lms_takes_no_seat(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    before = SeatPool.objects.get(organization=world.cedar.id, pool="student").used
    roles = [
        "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner",
        "http://purl.imsglobal.org/vocab/lti/system/person#TestUser",
    ]
    at(launch(Client(), lms, platform, tool, "student", roles=roles))
    assert not PlatformUser.objects.exists()
    assert SeatPool.objects.get(organization=world.cedar.id, pool="student").used == before
    assert last().result == "watched"


# What is not believed


@pytest.mark.parametrize("name", DEFECTS)
def test_no_defect_gets_in(world: World, lms: Lms, name: str) -> None:
    """H1 and H3; lists A and F."""
    platform, tool = connected(lms)
    lms.defect = name
    before = Account.objects.count()
    answer = launch(Client(), lms, platform, tool, "student")
    assert answer.status_code in (400, 403), (name, said(answer)[-800:])
    assert not Launch.objects.exists()
    assert Account.objects.count() == before
    attempt = last()
    assert attempt.result == "refused"
    assert attempt.detail or attempt.reason == "lti_not_approved"  # whoever mends it reads why


def test_a_launch_is_good_once(world: World, lms: Lms) -> None:
    """H2: the same form again, and the token in another state."""
    platform, tool = connected(lms)
    browser = Client()
    asked = query_of(begin(browser, platform, lms.login_parameters(tool, "student")))
    form = lms.answer(tool, asked)
    at(arrive(browser, platform, form))
    assert arrive(browser, platform, form).status_code == 400
    again = query_of(begin(browser, platform, lms.login_parameters(tool, "student")))
    assert arrive(browser, platform, {**form, "state": again["state"]}).status_code == 400


def test_a_launch_belongs_to_the_browser_that_began_it(world: World, lms: Lms) -> None:
    """H2 and H7: nobody is sent into another one's session."""
    platform, tool = connected(lms)
    asked = query_of(begin(Client(), platform, lms.login_parameters(tool, "student")))
    answer = arrive(Client(), platform, lms.answer(tool, asked))
    assert answer.status_code == 400
    assert not Launch.objects.exists()
    assert last().reason == "lti_over"


def test_a_state_lasts_ten_minutes(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    browser = Client()
    asked = query_of(begin(browser, platform, lms.login_parameters(tool, "student")))
    Trip.objects.update(created_at=clock.now() - timedelta(minutes=11), expires_at=clock.now())
    assert arrive(browser, platform, lms.answer(tool, asked)).status_code == 400


def test_an_error_of_the_lms_is_said(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    browser = Client()
    asked = query_of(begin(browser, platform, lms.login_parameters(tool, "student")))
    answer = arrive(browser, platform, lms.answer(tool, asked, user="teacher"))
    assert answer.status_code == 403
    assert last().reason == "lti_refused_there"


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example"},
        {"client_id": "somebody-else"},
        {"target_link_uri": "https://evil.example/"},
        {"target_link_uri": ""},
        {"login_hint": ""},
        {"login_hint": "x" * 5000},
        {"lti_message_hint": "x" * 5000},
    ],
)
def test_a_login_leads_to_this_lms_alone(world: World, lms: Lms, change: dict[str, str]) -> None:
    """H7."""
    platform, tool = connected(lms)
    answer = begin(Client(), platform, {**lms.login_parameters(tool, "student"), **change})
    assert answer.status_code == 400
    assert not Trip.objects.exists()


def test_a_login_by_get_is_as_good(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    browser = Client()
    answer = browser.get(f"/lti/{platform.id}/login", lms.login_parameters(tool, "student"))
    at(arrive(browser, platform, lms.answer(tool, query_of(answer))))


def test_keys_may_change_on_the_way(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "student"))
    lms.rotate_keys()
    at(launch(Client(), lms, platform, tool, "student"))


def test_a_flood_of_unknown_keys_asks_the_lms_once(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "student"))
    asked = len([one for one in lms.requests if "certs" in one.url])
    lms.defect = "unknown kid"
    for _ in range(4):
        assert launch(Client(), lms, platform, tool, "student").status_code == 400
    assert len([one for one in lms.requests if "certs" in one.url]) == asked + 1


@pytest.mark.parametrize("answer", ["down", "huge", "redirect", "garbage", "no_kid", "empty"])
def test_h11_keys_that_cannot_be_had_let_nobody_in(world: World, lms: Lms, answer: Any) -> None:
    """H11: and nothing inside is asked, wherever the LMS sends us on to."""
    platform, tool = connected(lms)
    lms.switches.jwks = answer
    assert launch(Client(), lms, platform, tool, "student").status_code in (400, 502)
    assert last().detail  # and whoever mends it reads what it was
    assert not Launch.objects.exists()


def test_h11_an_lms_at_a_private_address_is_not_asked(world: World, lms: Lms, settings: Any) -> None:
    platform, tool = connected(lms)
    settings.USHER_PRIVATE_HOSTS = ()
    asked = len(lms.requests)
    assert launch(Client(), lms, platform, tool, "student").status_code == 502
    assert len(lms.requests) == asked


def test_two_launches_at_once_are_two(world: World, lms: Lms) -> None:
    """In two tabs of one browser."""
    platform, tool = connected(lms)
    browser = Client()
    asked = [query_of(begin(browser, platform, lms.login_parameters(tool, "student"))) for _ in range(2)]
    pages = [at(arrive(browser, platform, lms.answer(tool, one))) for one in asked]
    assert len(set(pages)) == 2
    assert Launch.objects.count() == 2


# Whose it is


def test_another_organisation_with_the_same_registration_sees_nobody(world: World, lms: Lms) -> None:
    """H3 and H4: it can register the issuer with keys of its own, and gets people of its own."""
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "student"))
    theirs = Platform.objects.create(
        organization=Organization.objects.get(slug="birch"), issuer=platform.issuer, client_id=platform.client_id,
        auth_url=platform.auth_url, token_url=platform.token_url, jwks_url=platform.jwks_url, state="on",
    )  # fmt: skip
    browser = Client()
    asked = {**lms.login_parameters(tool, "student"), "target_link_uri": platforms.launch_url(theirs)}
    query = query_of(begin(browser, theirs, asked))
    assert query["redirect_uri"] == platforms.launch_url(theirs)
    answer = arrive(
        browser, theirs, {"state": query["state"], "id_token": lms.id_token("student", nonce=query["nonce"])}
    )
    assert answer.status_code in (400, 403)
    assert PlatformUser.objects.get().organization_id == world.cedar.id


def test_an_unknown_deployment_waits_for_an_admin(world: World, lms: Lms) -> None:
    """H4."""
    platform, tool = connected(lms)
    answer = launch(Client(), lms, platform, tool, "student", deployment_id="another")
    assert (answer.status_code, last().reason) == (403, "lti_not_approved")
    waiting = Deployment.objects.get(platform=platform, deployment_id="another")
    assert waiting.approved_at is None
    connect.approve_deployment(waiting, None, OPERATOR)
    at(launch(Client(), lms, platform, tool, "student", deployment_id="another"))


def test_a_shared_lms_leads_to_the_organisation_of_the_deployment(world: World, lms: Lms) -> None:
    platform, tool = connected(lms, slug="")
    assert launch(Client(), lms, platform, tool, "student").status_code == 403
    cedar = Organization.objects.select_related("license").get(slug="cedar")
    connect.approve_deployment(Deployment.objects.get(platform=platform), cedar, OPERATOR)
    at(launch(Client(), lms, platform, tool, "student"))
    assert PlatformUser.objects.get().organization_id == cedar.id


# Who is kept out


def test_somebody_deactivated_stays_out(world: World, lms: Lms) -> None:
    """H15."""
    platform, tool = connected(lms)
    browser = Client()
    page = at(launch(browser, lms, platform, tool, "student"))
    found = member(user(lms.user("student").id))
    deactivate(world.cedar.id, found.id, BY)
    assert browser.get(page).status_code == 403  # what is open ends too
    assert launch(Client(), lms, platform, tool, "student").status_code == 409
    assert last().reason == "member_inactive"


def test_a_connection_that_is_off_lets_nobody_in(world: World, lms: Lms) -> None:
    """H15."""
    platform, tool = connected(lms)
    browser = Client()
    page = at(launch(browser, lms, platform, tool, "student"))
    connect.switch(platform, on=False, actor=OPERATOR)
    assert browser.get(page).status_code == 403
    assert begin(Client(), platform, lms.login_parameters(tool, "student")).status_code == 403


def test_a_removed_deployment_lets_nobody_in(world: World, lms: Lms) -> None:
    """H15."""
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "student"))
    connect.remove_deployment(Deployment.objects.get(platform=platform), OPERATOR)
    assert launch(Client(), lms, platform, tool, "student").status_code == 403
    assert not Launch.objects.exists()


def test_a_suspended_organisation_lets_nobody_in(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "student"))
    Organization.objects.filter(slug="cedar").update(suspended_at=clock.now())
    answer = launch(Client(), lms, platform, tool, "student")
    assert (answer.status_code, last().reason) == (403, "organization_suspended")


def test_an_ended_licence_keeps_members_out_as_well(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "student"))
    license = Organization.objects.get(slug="cedar").license
    license.ends_on = clock.now().date().replace(year=2020)
    license.save()
    answer = launch(Client(), lms, platform, tool, "student")
    assert last().reason == "license_ended"
    assert "lti_errormsg" in said(answer)  # and the LMS hears it


def test_the_last_seat_is_the_last(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    pool = SeatPool.objects.get(organization=world.cedar.id, pool="student")
    SeatPool.objects.filter(id=pool.id).update(limit=pool.used + 1)
    at(launch(Client(), lms, platform, tool, "student"))
    answer = launch(Client(), lms, platform, tool, "student2")
    assert (answer.status_code, last().reason) == (409, "seats_taken")
    assert not Account.objects.filter(username="Åsa Öberg").exists()


def test_an_organisation_may_let_nobody_new_in(world: World, lms: Lms) -> None:
    platform, tool = connected(lms, lets_in=False)
    assert launch(Client(), lms, platform, tool, "student").status_code == 403
    assert last().reason == "lti_not_invited"


# Roles that follow


def test_a_teacher_who_is_a_student_elsewhere_stays_a_teacher(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "teacher"))
    other = lms.add_course("Staff training", who=("teacher",))
    other.roster[lms.user("teacher").id].role = "student"
    link = lms.add_link(tool, other, "Fire drill")
    at(launch(Client(), lms, platform, tool, "teacher", link=link, course=other))
    assert member(user(lms.user("teacher").id)).role == "teacher"


def test_a_teacher_of_nothing_any_more_is_a_student(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "teacher"))
    lms.course.roster[lms.user("teacher").id].role = "student"
    at(launch(Client(), lms, platform, tool, "teacher"))
    assert member(user(lms.user("teacher").id)).role == "student"


def test_what_an_admin_set_by_hand_stays(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "student"))
    found = member(user(lms.user("student").id))
    move(world.cedar.id, found.id, "teacher", BY)
    at(launch(Client(), lms, platform, tool, "student"))
    assert Membership.objects.get(id=found.id).role == "teacher"


# Courses


def test_a_course_makes_its_group(world: World, lms: Lms) -> None:
    platform, tool = connected(lms, makes_groups=True)
    at(launch(Client(), lms, platform, tool, "teacher"))
    at(launch(Client(), lms, platform, tool, "student"))
    group = Course.objects.get().group
    assert group is not None
    assert (group.name, group.used) == ("Biology 1", 2)
    rights = GroupMembership.objects.filter(group=group).order_by("right").values_list("right", flat=True)
    assert list(rights) == ["manager", "member"]


def test_a_course_never_takes_a_group_that_is_there(world: World, lms: Lms) -> None:
    """Whoever names a course in the LMS would be let into any group of that name, and manage it."""
    platform, tool = connected(lms, makes_groups=True)
    lms.course.title = "year 5"
    at(launch(Client(), lms, platform, tool, "teacher"))
    group = Course.objects.get().group
    assert group is not None
    assert group.id != world.year5.id
    assert group.name == "year 5 (BIO1)"


def test_a_link_opens_the_activity_it_names(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    lab = activity()
    link = lms.add_link(tool, lms.course, "Lab", custom={"activity": str(lab.id)})
    at(launch(Client(), lms, platform, tool, "student", link=link))
    assert Launch.objects.get().activity == lab
    assert ResourceLink.objects.get(link_id=link.id).activity == lab


def test_an_activity_of_another_house_opens_nowhere(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    foreign = activity("birch")
    link = lms.add_link(tool, lms.course, "Lab", custom={"activity": str(foreign.id)})
    answer = launch(Client(), lms, platform, tool, "student", link=link)
    assert (answer.status_code, last().reason) == (404, "unknown_activity")


def test_an_activity_for_staff_is_closed_to_students(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    lab = activity(audience="staff")
    link = lms.add_link(tool, lms.course, "Lab", custom={"activity": str(lab.id)})
    assert launch(Client(), lms, platform, tool, "student", link=link).status_code == 403
    at(launch(Client(), lms, platform, tool, "teacher", link=link))


# Sessions


def test_a_launch_never_touches_the_session_of_the_house(world: World, lms: Lms) -> None:
    """H8: Ada is signed in here, somebody launches."""
    platform, tool = connected(lms)
    browser = signed_in(world.ada)
    session = browser.cookies["usher_session"].value
    at(launch(browser, lms, platform, tool, "student"))
    assert browser.cookies["usher_session"].value == session
    assert b"Ada Ash" in browser.get("/o/cedar/").content


def test_a_launch_opens_no_page_of_the_house(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    browser = Client()
    at(launch(browser, lms, platform, tool, "teacher"))
    assert browser.get("/o/cedar/").status_code == 302


def test_the_next_one_at_a_shared_computer_finds_nothing(world: World, lms: Lms) -> None:
    """H8."""
    platform, tool = connected(lms)
    browser = Client()
    first = at(launch(browser, lms, platform, tool, "student"))
    second = at(launch(browser, lms, platform, tool, "student2"))
    assert browser.get(first).status_code == 403
    assert browser.get(second).status_code == 200
    assert Client().get(second).status_code == 403  # nor another browser that learns the address


def test_a_test_launch_lets_nobody_in(world: World, lms: Lms) -> None:
    platform, tool = connected(lms, state="draft")
    connect.set_test(platform, minutes=10)
    answer = launch(Client(), lms, platform, tool, "teacher")
    assert answer.status_code == 200
    assert not PlatformUser.objects.exists()
    assert last().result == "tested"


def test_what_anybody_may_send_does_not_wash_away_what_an_admin_looks_for(world: World, lms: Lms) -> None:
    platform, tool = connected(lms)
    at(launch(Client(), lms, platform, tool, "student"))
    for _ in range(25):
        arrive(Client(), platform, {"state": "x", "id_token": "x"})
    attempts.sweep(platform)
    assert Attempt.objects.filter(result="refused").count() == 20
    assert Attempt.objects.filter(result="created").exists()
