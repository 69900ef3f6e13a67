"""Grades on their way to an LMS: each person's into his own column, the last one wins, none lost and none forced."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from grading import SENT, WAITING, Gradebook, gradebook, scores_sent, work_off
from lms.fixtures import MakeLms
from lms.school import Result
from lms.words import LINEITEM, SCORE, SUBMISSION
from world import World

from usher.core import clock as clocks
from usher.core import work
from usher.core.errors import UsherError
from usher.methods.lti import sending, services
from usher.methods.lti.jobs import MOST_UNDER_WAY, ScoreJob
from usher.methods.lti.models import Delivery, Deployment, Platform, PlatformUser, ResourceLink

pytestmark = pytest.mark.usefixtures("tool_keys", "clock")


# What works


@pytest.mark.parametrize("family", ["moodle", "canvas", "blackboard", "brightspace"])
def test_a_score_arrives_in_the_column_of_its_link(world: World, make_lms: MakeLms, family: str) -> None:
    """Asked and sent as each LMS wants it: queries in addresses, exact media types, its own words and audience."""
    book = gradebook(world.cedar, make_lms(family))
    book.opened(world.pia, "student")
    book.put(world.pia, 7.5, comment="Well\ndone")
    assert book.states(world.pia) == [WAITING]
    assert work_off() == 1
    assert book.states(world.pia) == [SENT]
    result = book.result("student")
    assert result is not None
    assert result.score == 75
    sent = result.sent
    assert (sent["activityProgress"], sent["gradingProgress"]) == ("Completed", "FullyGraded")
    assert sent["timestamp"] == "2026-03-02T08:00:00.000Z"
    assert sent.get(SUBMISSION) == ({"new_submission": False} if family == "canvas" else None)
    assert sent["comment"] == ("Well<br/>done" if family == "blackboard" else "Well\ndone")


def test_the_same_score_once_more_is_not_sent_once_more(world: World, book: Gradebook) -> None:
    for _ in range(3):
        book.put(world.pia, 7)
        work_off()
    assert book.told("student") == [7]


def test_what_is_not_graded_goes_nowhere(world: World, book: Gradebook) -> None:
    book.put(world.pia, 7)
    Delivery.objects.all().delete()
    type(book.activity).objects.filter(id=book.activity.id).update(is_graded=False)
    with pytest.raises(UsherError):
        book.put(world.pia, 8)
    assert not Delivery.objects.exists()


# The last one wins


def test_the_last_score_wins(world: World, book: Gradebook) -> None:
    """Also while it waits: only what is true at the moment of sending is sent."""
    book.put(world.pia, 3)
    book.put(world.pia, 9)
    assert work_off() == 1
    book.put(world.pia, 1)
    assert work_off() == 1
    assert book.told("student") == [9, 1]
    assert book.states(world.pia) == [SENT]


def test_a_score_that_comes_while_another_is_sent_goes_too(
    world: World, book: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, late = services.call, [8.0]

    def call(*args: Any, **more: Any) -> Any:
        answer = real(*args, **more)
        if late:
            book.put(world.pia, late.pop())
        return answer

    monkeypatch.setattr(services, "call", call)
    book.put(world.pia, 2)
    assert work.run_one([ScoreJob])
    assert book.states(world.pia) == [WAITING]
    work_off()
    assert book.told("student") == [2, 8]
    one = book.delivery(world.pia)
    assert (one.state, one.version, one.sent_version) == ("sent", 2, 2)


def test_times_grow_by_whole_seconds(world: World, book: Gradebook) -> None:
    """Moodle compares seconds, and answers 409 to equal ones; the clock stands still here."""
    for given in (1, 2, 3):
        book.put(world.pia, given)
        work_off()
    assert book.told("student") == [1, 2, 3]
    times = [datetime.fromisoformat(sent["timestamp"]) for sent in book.column.posted]
    assert [later - earlier for earlier, later in pairwise(times)] == [timedelta(seconds=1)] * 2
    assert len(scores_sent(book.lms)) == 3


def test_times_do_not_run_ahead(world: World, book: Gradebook, clock: time_machine.Traveller) -> None:
    """Whoever is graded a hundred times in a second waits: the LMS would refuse what comes honestly afterwards."""
    book.put(world.pia, 1)
    Delivery.objects.update(stamped_at=datetime(2026, 3, 2, 8, 0, 30, tzinfo=UTC))
    assert work_off() == 1
    assert (book.states(world.pia), book.told("student")) == ([WAITING], [])
    clock.shift(2)
    work_off()
    assert (book.states(world.pia), book.told("student")) == ([SENT], [1])


def test_a_clock_that_was_wrong_is_forgotten(world: World, book: Gradebook) -> None:
    book.put(world.pia, 1)
    Delivery.objects.update(stamped_at=datetime(2031, 1, 1, tzinfo=UTC))
    work_off()
    assert book.column.posted[0]["timestamp"] == "2026-03-02T08:00:00.000Z"


# Conflicts


@pytest.mark.parametrize("family", ["moodle", "canvas"])
def test_an_equal_time_costs_one_more_message(world: World, make_lms: MakeLms, family: str) -> None:
    """As right after a teacher has touched the column."""
    book = gradebook(world.cedar, make_lms(family))
    book.opened(world.pia, "student")
    ahead = timedelta(seconds=0 if family == "moodle" else 1)
    theirs = datetime(2026, 3, 2, 8, 0, tzinfo=UTC) + ahead
    book.column.results[book.lms.user("student").id] = Result(50, theirs, "", {})
    book.put(world.pia, 9)
    work_off()
    assert (book.told("student"), book.states(world.pia)) == ([9], [SENT])
    assert len(scores_sent(book.lms)) == 2


def test_a_clock_of_the_lms_that_is_ahead_is_waited_for(
    world: World, book: Gradebook, clock: time_machine.Traveller
) -> None:
    theirs = datetime(2026, 3, 2, 8, 2, tzinfo=UTC)
    book.column.results[book.lms.user("student").id] = Result(50, theirs, "", {})
    book.put(world.pia, 9)
    for wait in (0, 10, 40, 130):
        clock.shift(wait)
        work_off()
    assert (book.told("student"), book.states(world.pia)) == ([9], [SENT])


def test_a_later_grade_there_stays_in_the_end(world: World, book: Gradebook, clock: time_machine.Traveller) -> None:
    theirs = datetime(2027, 1, 1, tzinfo=UTC)
    book.column.results[book.lms.user("student").id] = Result(50, theirs, "", {})
    book.put(world.pia, 9)
    for _ in range(sending.MOST_CONFLICTS):
        work_off()
        clock.shift(3700)
    assert book.states(world.pia) == [("refused", "grade_newer_there")]
    assert not ScoreJob.objects.exists()


# Refused


@pytest.mark.parametrize("family", ["moodle", "canvas", "blackboard", "brightspace"])
def test_who_is_no_learner_there_is_refused_with_the_reason(world: World, make_lms: MakeLms, family: str) -> None:
    book = gradebook(world.cedar, make_lms(family))
    book.opened(world.pia, "designer")  # not enrolled
    book.put(world.pia, 5)
    work_off()
    assert book.states(world.pia) == [("refused", "grade_unknown_there")]
    assert len(scores_sent(book.lms)) == 1
    assert not ScoreJob.objects.exists()


def test_a_teachers_own_score_is_not_sent(world: World, book: Gradebook) -> None:
    book.opened(world.tom, "teacher", "instructor")
    book.put(world.tom, 5)
    work_off()
    assert book.states(world.tom) == [("refused", "grade_not_learner")]
    assert scores_sent(book.lms) == []


def _off(book: Gradebook) -> None:
    Platform.objects.update(state=Platform.State.OFF)


def _unapproved(book: Gradebook) -> None:
    Deployment.objects.update(approved_at=None)


def _suspended(book: Gradebook) -> None:
    organization = book.house.organization
    type(organization).objects.filter(id=organization.id).update(suspended_at=datetime(2026, 3, 1, tzinfo=UTC))


def _relinked(book: Gradebook) -> None:
    PlatformUser.objects.update(account=book.house.settle("Ned Nettle", "student").account_id)


def _another_activity(book: Gradebook) -> None:
    ResourceLink.objects.update(activity=None)


def _no_scope(book: Gradebook) -> None:
    ResourceLink.objects.update(scopes=[LINEITEM])


def _no_column(book: Gradebook) -> None:
    ResourceLink.objects.update(lineitem_url="", scopes=[SCORE])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_off, "grade_switched_off"),
        (_unapproved, "grade_switched_off"),
        (_suspended, "organization_suspended"),
        (_relinked, "grade_other_person"),
        (_another_activity, "grade_other_activity"),
        (_no_scope, "grade_not_allowed"),
        (_no_column, "grade_no_column"),
    ],
)
def test_what_has_changed_since_is_looked_at_when_it_is_sent(
    world: World, book: Gradebook, change: Any, reason: str
) -> None:
    book.put(world.pia, 5)
    change(book)
    work_off()
    assert book.states(world.pia) == [("refused", reason)]
    assert book.lms.requests == []


def test_a_removed_deployment_takes_what_waits_with_it(world: World, book: Gradebook) -> None:
    book.put(world.pia, 5)
    book.deployment.delete()
    assert work_off() == 0
    assert book.lms.requests == []


# Later


@pytest.mark.parametrize(("family", "seconds"), [("moodle", 7), ("canvas", services.PAUSE)])
def test_an_lms_that_asks_us_to_be_slower_is_left_alone(
    world: World, make_lms: MakeLms, clock: time_machine.Traveller, family: str, seconds: float
) -> None:
    """Canvas says it with 403, and not for how long. Nobody else spends a try on it, nor asks anything meanwhile."""
    book = gradebook(world.cedar, make_lms(family))
    for person, username in ((world.pia, "student"), (world.tom, "student2"), (world.ada, "student3")):
        book.opened(person, username)
        book.put(person, 5)
    book.lms.switches.throttle_after = 1
    work_off()
    asked = len(book.lms.requests)
    assert sorted(ScoreJob.objects.values_list("attempts", flat=True)) == [0, 1]
    clock.shift(seconds - 1)
    work_off()
    assert len(book.lms.requests) == asked
    book.lms.switches.throttle_after = None
    clock.shift(2)
    work_off()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_however_many_workers_there_are_few_are_under_way(
    world: World, book: Gradebook, clock: time_machine.Traveller
) -> None:
    """Canvas counts what is under way at once; who is too much waits a second, and spends no try on it."""
    book.put(world.pia, 5)
    (job,) = ScoreJob.objects.all()
    others = [world.cedar.settle(f"Ned{n} Nettle", "student") for n in range(MOST_UNDER_WAY)]
    for n, person in enumerate(others):
        book.opened(person, f"student{n + 2}" if n < 4 else ("designer", "tester")[n - 4])
        book.put(person, 1)
    newest = ScoreJob.objects.order_by("id").last()
    assert newest
    in_hand = ScoreJob.objects.exclude(id=newest.id)
    in_hand.update(lease_until=clocks.now() + work.LEASE, lease_token=uuid.uuid4())
    assert work_off() == 1
    newest.refresh_from_db()
    assert (newest.attempts, newest.run_at) == (0, clocks.now() + timedelta(seconds=1))
    in_hand.filter(id=job.id).delete()
    clock.shift(1)
    assert work_off() == 1
    assert not ScoreJob.objects.filter(id=newest.id).exists()


@pytest.mark.parametrize("what", ["down", "garbage", "refused", "scores", "nobody"])
def test_an_lms_in_trouble_is_tried_again(
    world: World, book: Gradebook, clock: time_machine.Traveller, what: Any
) -> None:
    """Also where it gives no token: it may not reach our keys just now."""
    if what in ("down", "garbage", "refused"):
        book.lms.switches.token = what
    elif what == "scores":
        book.lms.switches.broken = {"/scores": 502}
    else:
        Platform.objects.update(token_url="http://127.0.0.1:9/token")
    book.put(world.pia, 5)
    work_off()
    assert book.states(world.pia) == [("waiting", "grade_later")]
    assert book.delivery(world.pia).detail.endswith(".")
    book.lms.switches.token, book.lms.switches.broken = "", {}
    Platform.objects.update(token_url=book.lms.token_url)
    clock.shift(6)
    work_off()
    assert (book.states(world.pia), book.told("student")) == ([SENT], [5])


def test_after_two_days_it_is_given_up_and_can_be_sent_again(world: World, book: Gradebook) -> None:
    book.put(world.pia, 5)
    book.lms.switches.broken = {"/scores": 502}
    ScoreJob.objects.update(attempts=ScoreJob.most_tries - 1)
    work_off()
    assert book.states(world.pia) == [("refused", "grade_given_up")]
    book.lms.switches.broken = {}
    book.put(world.pia, 5)
    work_off()
    assert book.states(world.pia) == [SENT]


def test_a_token_that_ended_early_is_renewed_once(world: World, book: Gradebook) -> None:
    book.put(world.pia, 5)
    work_off()
    book.lms.tokens.clear()
    book.put(world.pia, 6)
    work_off()
    assert book.told("student") == [5, 6]
    assert sum(one.path == book.lms.family.token for one in book.lms.requests) == 2


# Crashes and races


def test_killed_between_sending_and_writing_it_down(
    world: World, book: Gradebook, clock: time_machine.Traveller
) -> None:
    """Sent twice with the same value, each later than the one before; never lost."""
    book.put(world.pia, 5)
    item = work.claim(ScoreJob)
    assert item
    item.perform()  # and no more of this worker
    assert book.states(world.pia) == [WAITING]
    clock.shift(work.LEASE + timedelta(seconds=1))
    work_off()
    assert (book.told("student"), book.states(world.pia)) == ([5, 5], [SENT])


def test_of_two_workers_one_settles(world: World, book: Gradebook, clock: time_machine.Traveller) -> None:
    book.put(world.pia, 5)
    slow = work.claim(ScoreJob)
    assert slow
    clock.shift(work.LEASE + timedelta(seconds=1))
    work_off()
    book.put(world.pia, 6)
    slow.done()
    assert book.states(world.pia) == [WAITING]
    work_off()
    assert book.told("student") == [5, 6]
