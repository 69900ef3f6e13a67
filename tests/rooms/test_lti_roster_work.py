"""Rosters as work: looked at beforehand, killed in the middle, two at once, by themselves; many removals."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from lms.platform import Lms
from roster_class import Class, shrink
from world import World

from usher.core.errors import UsherError
from usher.core.work import drain
from usher.events.types import SYSTEM
from usher.methods.lti import pull, roster_book, roster_run
from usher.methods.lti.jobs import RosterJob
from usher.methods.lti.models import CoursePlace, Platform, PlatformUser, RosterRun
from usher.methods.lti.roster_plan import foresee, look
from usher.methods.lti.roster_schedule import pull_rosters
from usher.people.models import Membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def biology(world: World, lms: Lms) -> Class:
    return Class(world, lms)


@pytest.fixture
def shrunk(biology: Class) -> Class:
    return shrink(biology)


def test_a_preview_says_the_same_and_writes_nothing(world: World, biology: Class) -> None:
    world.cedar.seats("student", 4)
    plan = look(biology.here, roster_run.nothing)
    outcomes = foresee(biology.here, plan)
    assert [outcome.reason for outcome in outcomes].count("seats_taken") == 3
    assert not PlatformUser.objects.exists()
    assert not RosterRun.objects.exists()
    assert biology.here.group is None
    assert biology.pull().counts["refused"] == 3


def test_killed_in_the_middle_it_goes_on_and_makes_nobody_twice(
    biology: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usher.lifecycle.join.BATCH", {"sqlite": 3, "postgresql": 3})
    real, calls = roster_book.Book._place, []

    def killed(book: Any, came: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("killed")
        real(book, came)

    monkeypatch.setattr(roster_book.Book, "_place", killed)
    with pytest.raises(RuntimeError):
        biology.pull()
    assert (PlatformUser.objects.count(), CoursePlace.objects.count()) == (3, 3)
    assert Membership.objects.filter(method="lti").count() == 3
    run = biology.pull()
    assert (run.counts["created"], Membership.objects.filter(method="lti").count()) == (5, 8)
    assert len(biology.group) == 8


def test_of_two_pulls_at_once_each_makes_nobody_twice(biology: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second compares before the first has written."""
    plan = look(biology.here, roster_run.nothing)
    biology.pull()
    monkeypatch.setattr(roster_run, "look", lambda *_: plan)
    run = roster_run.apply(biology.here, SYSTEM)
    assert run.counts["created"] == 0
    assert Membership.objects.filter(method="lti").count() == PlatformUser.objects.count() == 8


def test_by_itself_a_roster_is_pulled_when_its_hours_have_passed(
    world: World, lms: Lms, clock: time_machine.Traveller
) -> None:
    biology = Class(world, lms, roster_hours=6)
    pull_rosters()
    assert drain([RosterJob]) == 1
    assert len(biology.group) == 8
    clock.shift(dt.timedelta(hours=5))
    pull_rosters()
    assert not RosterJob.objects.exists()
    clock.shift(dt.timedelta(hours=2))
    pull_rosters()
    assert RosterJob.objects.get().lane == biology.platform.id


@pytest.mark.parametrize(("hours", "jobs"), [(6, 1), (None, 0)])
def test_after_the_first_launch_from_a_course_its_roster_follows(
    world: World, lms: Lms, hours: int | None, jobs: int
) -> None:
    biology = Class(world, lms, roster_hours=hours)
    pull.soon(biology.here)
    pull.soon(biology.here)
    assert RosterJob.objects.count() == jobs
    biology.pull()
    RosterJob.objects.all().delete()
    pull.soon(biology.here)
    assert not RosterJob.objects.exists()


def test_an_lms_that_is_off_is_not_asked(biology: Class) -> None:
    Platform.objects.update(state="off")
    with pytest.raises(UsherError) as no:
        biology.pull()
    assert no.value.findings[0].code == "lti_off"
    pull.pull(biology.id, roster_run.nothing)
    assert not biology.lms.requests
