"""Rosters: a course's people pulled from the LMS and followed, and nothing taken away by a roster in doubt."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from lms.platform import Lms
from roster_class import Class, shrink
from world import World, somebody

from usher.core import clock as our_clock
from usher.core.errors import UsherError
from usher.core.models import Mail
from usher.core.work import drain
from usher.events.types import EventType
from usher.lifecycle.move import move as move_member
from usher.methods.lti import roster_removals, rosters
from usher.methods.lti.jobs import RosterJob
from usher.methods.lti.models import Course, Platform, PlatformUser, RosterRun
from usher.methods.lti.roster_diff import Listed, is_too_many, merged
from usher.organizations.models import SeatPool
from usher.people.models import Account, Group, GroupMembership, Membership

pytestmark = pytest.mark.django_db
State = RosterRun.State

ENROLLED = ("teacher", "ta", "student", "student2", "student3", "student4", "student5", "teacher2")


@pytest.fixture
def biology(world: World, lms: Lms) -> Class:
    return Class(world, lms)


@pytest.fixture
def shrunk(biology: Class) -> Class:
    return shrink(biology)


# Coming in


def test_everybody_of_a_course_comes_in_with_role_group_and_a_reason(world: World, biology: Class) -> None:
    run = biology.pull()
    assert (run.state, run.counts["created"], run.counts["listed"]) == (State.APPLIED, 8, 8)
    assert biology.here.group
    assert biology.here.group.name == "Biology 1"
    assert biology.group == {biology.lms.user(one).name for one in biology.lms.users if one in ENROLLED}
    assert [biology.member(one).role for one in ("teacher", "ta", "student")] == ["teacher", "student", "student"]
    member = biology.member("student")
    assert (member.method, member.evidence) == ("lti", "the roster of Biology 1 in Moodle")
    account = member.account
    assert (account.email, account.claimed_at, account.has_usable_password()) == ("", None, False)
    user = biology.user("student")
    assert (user.name, user.address) == ("Stina Berg", "student@northfield.example")
    assert (user.is_linked, user.proved_at) == (False, None)
    assert world.cedar.seats("student").used == 7  # Pia, and all but the two teachers
    (event,) = world.cedar.events(EventType.ROSTER_APPLIED)
    assert event.data == {"course": "Biology 1", "course_id": str(biology.id), "came": 8, "left": 0}


def test_a_second_pull_changes_nothing_and_says_nothing(world: World, biology: Class) -> None:
    biology.pull()
    before = biology.group, Account.objects.count()
    run = biology.pull()
    assert (biology.group, Account.objects.count()) == before
    assert (run.counts["unchanged"], run.counts["created"], run.counts["placed"]) == (8, 0, 0)
    assert len(world.cedar.events(EventType.ROSTER_APPLIED)) == 1


def test_late_joiners_come_and_leavers_go_but_stay_members(world: World, biology: Class) -> None:
    biology.pull()
    biology.lms.enroll(biology.lms.add_user("late", "Lea", "Late"), biology.there)
    biology.there.roster[biology.lms.user("student3").id].status = "Inactive"
    biology.drop("student")
    run = biology.pull()
    assert (run.state, run.counts["created"], run.counts["left"]) == (State.APPLIED, 1, 2)
    assert "Lea Late" in biology.group
    assert not {"Stina Berg", "Sam Okafor"} & biology.group
    assert biology.place("student").dropped_at
    assert biology.member("student").state == "active"
    assert Group.objects.get(id=biology.group_id).used == 7
    assert world.cedar.events(EventType.GROUP_LEFT)


def test_who_comes_back_is_placed_again_in_the_same_account(biology: Class) -> None:
    biology.pull()
    who = biology.member("student").id
    place = biology.there.roster[biology.lms.user("student").id]
    biology.drop("student")
    biology.pull()
    biology.there.roster[biology.lms.user("student").id] = place
    run = biology.pull()
    assert (run.counts["placed"], biology.member("student").id) == (1, who)
    assert "Stina Berg" in biology.group
    assert biology.place("student").dropped_at is None


def test_who_was_taken_out_by_hand_is_not_put_back(world: World, biology: Class) -> None:
    biology.pull()
    GroupMembership.objects.filter(membership=biology.member("student")).delete()
    biology.pull()
    assert "Stina Berg" not in biology.group


def test_a_group_made_later_gets_those_who_were_in_the_course_before(world: World, lms: Lms) -> None:
    biology = Class(world, lms, makes_groups=False)
    assert biology.pull().counts["created"] == 8
    assert biology.here.group is None
    Platform.objects.update(makes_groups=True)
    assert biology.pull().counts["placed"] == 8
    assert len(biology.group) == 8


def test_people_without_names_and_addresses_come_in_too(biology: Class) -> None:
    biology.tool.names = biology.tool.emails = False
    assert biology.pull().counts["created"] == 8
    names = set(Membership.objects.filter(method="lti").values_list("account__username", flat=True))
    assert len(names) == 8
    assert all(name.startswith(("Student ", "Teacher ")) for name in names)
    biology.tool.names = True
    assert biology.pull().counts["renamed"] == 8
    assert biology.user("student").name == "Stina Berg"
    biology.tool.names = False
    biology.pull()
    assert biology.user("student").name == "Stina Berg"


def test_the_test_person_and_former_people_are_nobody(biology: Class) -> None:
    biology.lms.family = type(biology.lms.family)(**{**vars(biology.lms.family), "short_roles": False})
    biology.lms.enroll("tester", biology.there)
    biology.lms.enroll(biology.lms.add_user("gone", "Gus", "Gone"), biology.there, status="Deleted")
    assert biology.pull().counts["created"] == 8


def test_who_resembles_somebody_here_is_asked_at_the_first_launch(world: World, biology: Class) -> None:
    world.cedar.settle("Stina Berg", "student")
    world.cedar.add(somebody("Other Name", email="student2@northfield.example"))
    run = biology.pull()
    assert (run.counts["created"], run.counts["asked"]) == (6, 2)
    assert [name for name, _no in rosters.refused(run, asked=True)] == ["Stina Berg", "Åsa Öberg"]
    assert not PlatformUser.objects.filter(name__in=["Stina Berg", "Åsa Öberg"]).exists()


@pytest.mark.parametrize(
    ("platform", "code"), [({"asks": "always"}, "roster_asked"), ({"lets_in": False}, "lti_not_invited")]
)
def test_where_everybody_is_asked_or_nobody_new_let_in_no_account_is_made(
    world: World, lms: Lms, platform: dict[str, Any], code: str
) -> None:
    run = Class(world, lms, **platform).pull()
    assert run.counts["created"] == 0
    assert {one["reason"] for one in run.refused} == {code}
    assert not PlatformUser.objects.exists()


def test_seats_that_run_out_in_the_middle_stop_nobody_who_has_one(world: World, biology: Class) -> None:
    world.cedar.seats("student", 4)
    run = biology.pull()
    assert (run.state, run.counts["created"], run.counts["refused"]) == (State.APPLIED, 5, 3)
    assert {finding.code for _name, finding in rosters.refused(run, asked=False)} == {"seats_taken"}
    world.cedar.seats("student", 40)
    assert biology.pull().counts["created"] == 3


def test_a_closed_group_is_told_by_name_and_tried_again(biology: Class) -> None:
    biology.pull()
    biology.lms.enroll(biology.lms.add_user("late", "Lea", "Late"), biology.there)
    Group.objects.filter(id=biology.group_id).update(state="closed")
    run = biology.pull()
    assert [(name, no.code) for name, no in rosters.refused(run, asked=False)] == [("Lea Late", "group_closed")]
    Group.objects.filter(id=biology.group_id).update(state="open")
    biology.pull()
    assert "Lea Late" in biology.group


# Roles


def test_a_role_that_changes_in_the_lms_changes_here(biology: Class) -> None:
    biology.pull()
    place = biology.there.roster[biology.lms.user("student").id]
    place.role = "teacher"
    assert biology.pull().counts["moved"] == 1
    assert (biology.member("student").role, biology.place("student").standing) == ("teacher", "instructor")
    place.role = "student"
    biology.pull()
    assert (biology.member("student").role, biology.user("student").standing) == ("student", "learner")


def test_nrps_never_demotes_what_a_launch_has_proved(biology: Class) -> None:
    """Moodle launches an assistant as an instructor and lists him as a learner (lti.md, 4)."""
    biology.pull()
    biology.launched("ta", "instructor")
    move_member(biology.here.organization_id, biology.member("ta").id, "teacher", biology.world.ada.by)
    PlatformUser.objects.filter(id=biology.user("ta").id).update(role="teacher")
    assert biology.pull().counts["moved"] == 0
    assert (biology.member("ta").role, biology.place("ta").standing) == ("teacher", "instructor")
    assert biology.user("ta").standing == "instructor"


def test_what_an_admin_set_by_hand_stays(biology: Class) -> None:
    biology.pull()
    move_member(biology.here.organization_id, biology.member("teacher").id, "student", biology.world.ada.by)
    biology.pull()
    assert biology.member("teacher").role == "student"


def test_a_raise_without_a_free_seat_is_told_and_tried_again(world: World, biology: Class) -> None:
    biology.pull()
    SeatPool.objects.filter(organization=world.cedar.id, pool="teacher").update(limit=1)
    biology.there.roster[biology.lms.user("student").id].role = "teacher"
    run = biology.pull()
    assert [no.code for _name, no in rosters.refused(run, asked=False)] == ["seats_taken"]
    SeatPool.objects.filter(organization=world.cedar.id, pool="teacher").update(limit=50)
    assert biology.pull().counts["moved"] == 1


# H14: a roster in doubt takes nobody away, and brings nobody


@pytest.mark.parametrize(
    ("switch", "code"),
    [
        ("truncated", "bad_roster"),
        ("error_in_the_middle", "server_error"),
        ("loop", "roster_loop"),
        ("huge", "too_large"),
        ("garbage", "bad_roster"),
        ("foreign_next", "foreign_page"),
    ],
)
def test_h14_a_roster_that_is_not_whole_changes_nothing(biology: Class, switch: Any, code: str) -> None:
    biology.pull()
    before = biology.now
    biology.lms.switches.page_size = 3
    biology.lms.enroll(biology.lms.add_user("late", "Lea", "Late"), biology.there)
    biology.drop("student")
    biology.lms.switches.nrps = switch
    run = biology.pull()
    assert (run.state, run.reason) == (State.FAILED, code)
    assert biology.now == before
    biology.lms.switches.nrps = ""
    assert biology.pull().counts["left"] == 1


def test_h14_an_empty_roster_where_people_were_changes_nothing(biology: Class) -> None:
    biology.pull()
    before = biology.now
    biology.there.roster.clear()
    run = biology.pull()
    assert (run.state, run.reason) == (State.FAILED, "roster_empty")
    assert biology.now == before


def test_h14_the_roster_of_another_course_changes_nothing(biology: Class) -> None:
    biology.pull()
    before = biology.now
    other = biology.lms.add_course("Physics", who=("student", "teacher"))
    Course.objects.update(nrps_url=biology.lms.members_url(biology.tool, other))
    run = biology.pull()
    assert (run.state, run.reason, biology.now) == (State.FAILED, "other_course", before)


def test_h14_a_next_page_that_cannot_be_followed_is_not_taken_for_the_end(biology: Class) -> None:
    biology.lms.switches.nrps, biology.lms.switches.redirect_to = "foreign_next", "memberships?from=3"
    assert biology.pull().reason == "bad_next_page"
    assert not PlatformUser.objects.exists()


def test_somebody_listed_once_for_each_section_is_one_person() -> None:
    """Gone from one section is not gone, and of two places the higher counts."""
    here = Listed("5", "learner")
    gone = Listed("5", "instructor", is_here=False)
    assert merged([here, gone]) == merged([gone, here]) == {"5": here}
    assert merged([here, Listed("5", "assistant")])["5"].standing == "assistant"


def test_many_pages_make_one_roster(biology: Class) -> None:
    biology.lms.switches.page_size = 3
    assert biology.pull().counts["created"] == 8
    assert sum("memberships" in one.path for one in biology.lms.requests) == 3


def test_the_token_is_never_shown_to_another_server(biology: Class) -> None:
    biology.lms.switches.nrps = "foreign_next"
    assert biology.pull().reason == "foreign_page"


def test_an_lms_that_does_not_answer_is_asked_again_by_the_worker(biology: Class) -> None:
    biology.lms.switches.token = "down"
    RosterJob.objects.create(course_id=biology.id)
    drain([RosterJob])
    job = RosterJob.objects.get()
    assert (job.attempts, job.dead_at) == (1, None)
    assert RosterRun.objects.get().state == State.FAILED


# Too many removals


def test_removals_above_the_limit_are_held_while_additions_go_through(world: World, shrunk: Class) -> None:
    run = shrunk.pull()
    assert (run.state, len(run.removals), run.counts["created"]) == (State.HELD, 3, 1)
    assert {"Stina Berg", "Åsa Öberg", "Sam Okafor", "Lea Late"} <= shrunk.group
    assert rosters.names_of(run) == ["Sam Okafor", "Stina Berg", "Åsa Öberg"]
    (event,) = world.cedar.events(EventType.ROSTER_HELD)
    assert event.data["people"] == 3
    assert list(Mail.objects.filter(kind="roster_held").values_list("to", flat=True)) == ["ada@cedar.example"]
    shrunk.pull()
    assert Mail.objects.filter(kind="roster_held").count() == 1
    assert RosterRun.objects.filter(state=State.HELD).count() == 1


def test_approved_they_go_but_for_who_launched_meanwhile(world: World, shrunk: Class) -> None:
    run = shrunk.pull()
    shrunk.launched("student2", "learner", our_clock.now() + dt.timedelta(seconds=1))
    assert roster_removals.approve(shrunk.here, run.id, world.ada.actor) == 2
    assert "Åsa Öberg" in shrunk.group
    assert not {"Stina Berg", "Sam Okafor"} & shrunk.group
    with pytest.raises(UsherError) as no:
        roster_removals.approve(shrunk.here, run.id, world.ada.actor)
    assert no.value.findings[0].code == "roster_decided"


def test_declined_they_stay_and_are_not_asked_about_again(world: World, shrunk: Class) -> None:
    run = shrunk.pull()
    roster_removals.decline(shrunk.here, run.id, world.ada.actor)
    again = shrunk.pull()
    assert (again.state, again.counts["dropped"]) == (State.APPLIED, 0)
    assert {"Stina Berg", "Åsa Öberg", "Sam Okafor"} <= shrunk.group
    assert world.cedar.events(EventType.ROSTER_DECLINED)


def test_what_was_held_is_forgotten_when_they_are_listed_again(world: World, shrunk: Class) -> None:
    run = shrunk.pull()
    for username in ("student", "student2", "student3"):
        shrunk.lms.enroll(username, shrunk.there)
    assert shrunk.pull().state == State.APPLIED
    with pytest.raises(UsherError):
        roster_removals.approve(shrunk.here, run.id, world.ada.actor)
    assert "Stina Berg" in shrunk.group


@pytest.mark.parametrize(
    ("people", "gone", "held"), [(10, 2, False), (15, 3, False), (14, 3, True), (100, 10, False), (100, 11, True)]
)
def test_the_limit_is_ten_people_or_a_fifth_of_the_course(people: int, gone: int, held: bool) -> None:
    assert is_too_many(gone, people) is held


def test_many_approved_removals_go_on_as_work(world: World, shrunk: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster_removals, "AT_ONCE", 1)
    run = shrunk.pull()
    assert roster_removals.approve(shrunk.here, run.id, world.ada.actor) == 1
    drain([RosterJob])
    assert not {"Stina Berg", "Åsa Öberg", "Sam Okafor"} & shrunk.group
    assert not roster_removals.is_unfinished(shrunk.here)
