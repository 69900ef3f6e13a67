"""Who is no longer in a course leaves its group; account and membership stay. Too many at once wait for an admin."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, Final

from django.db import transaction

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import SYSTEM, Actor, Draft, EventType
from usher.lifecycle import move
from usher.lifecycle.joiner import OPERATOR_RANK, By
from usher.methods.lti import roster_schedule
from usher.methods.lti.models import Course, CoursePlace, RosterRun
from usher.organizations.models import License
from usher.organizations.plans import Method
from usher.people.models import Membership

AT_ONCE: Final = 200  # taken out while somebody waits for the page; the rest is work
State = RosterRun.State


@retrying
def take_out(course: Course, place_id: uuid.UUID, by: By, run: RosterRun | None = None) -> bool:
    """Out of the group, in one transaction with the place in the course. False for whoever is not to go any more:
    gone already, or by a launch or a later roster in the course again since the ``run``."""
    with transaction.atomic():
        License.objects.select_for_update().get(organization=course.organization_id)  # first in the lock order
        places = CoursePlace.objects.select_for_update(of=("self",)).select_related("user")
        place = places.filter(course=course, id=place_id, dropped_at=None).first()
        if place is None or (run and _is_back(place, run)):
            return False
        _leave(course, place, by)
        CoursePlace.objects.filter(id=place.id).update(dropped_at=clock.now())
    return True


def _is_back(place: CoursePlace, run: RosterRun) -> bool:
    return any(seen is not None and seen > run.at for seen in (place.proved_at, place.listed_at))


def _leave(course: Course, place: CoursePlace, by: By) -> None:
    member = Membership.objects.filter(organization=course.organization_id, account=place.user.account_id).first()
    if course.group_id and member:
        with suppress(UsherError):  # the plan has no groups any more
            move.remove_from_group(course.organization_id, member.id, course.group_id, by)


def take_all(course: Course, places: Collection[uuid.UUID], actor: Actor, beat: Callable[[], None]) -> int:
    """Those whom a roster that is believed does not list any more. Returns how many went."""
    by, done = By(actor, OPERATOR_RANK), 0
    for place_id in places:
        done += take_out(course, place_id, by)
        beat()
    return done


# Held, until an admin has said yes or no


def supersede(course: Course) -> set[str]:
    """A newer roster has been compared: what an older one held is decided by it. Returns whom they held.

    Needs a transaction.
    """
    held = RosterRun.objects.select_for_update().filter(course=course, state=State.HELD)
    found = {place for run in held for place in run.removals}
    held.update(state=State.APPLIED, removals=[])
    return found


def approve(course: Course, run_id: uuid.UUID, actor: Actor) -> int:
    """Yes: they go. Returns how many went at once; the others are work. Raises UsherError: roster_decided."""
    done = _finish(course, _approved(course, run_id, actor), actor, AT_ONCE)
    if is_unfinished(course):
        roster_schedule.now(course)
    return done


@retrying
def _approved(course: Course, run_id: uuid.UUID, actor: Actor) -> RosterRun:
    with transaction.atomic():
        run = _held(course, run_id)
        run.counts = {**run.counts, "approved": len(run.removals)}
        run.state = State.APPLIED
        run.save(update_fields=["state", "counts"])
        _record(EventType.ROSTER_APPLIED, course, actor, {"came": 0, "left": len(run.removals)})
    return run


@retrying
def decline(course: Course, run_id: uuid.UUID, actor: Actor) -> None:
    """No: they stay in the group, and are not asked about again unless the LMS lists them in between.

    Raises UsherError: roster_decided.
    """
    with transaction.atomic():
        run = _held(course, run_id)
        run.state, run.at = State.DECLINED, clock.now()
        run.save(update_fields=["state", "at"])
        _record(EventType.ROSTER_DECLINED, course, actor, {"people": len(run.removals)})


def _held(course: Course, run_id: uuid.UUID) -> RosterRun:
    run = RosterRun.objects.select_for_update().filter(course=course, id=run_id, state=State.HELD).first()
    if run is None:
        raise UsherError(Reason.ROSTER_DECIDED())
    return run


def finish(course: Course, beat: Callable[[], None]) -> None:
    """What was approved and not done to the end."""
    for run in RosterRun.objects.filter(course=course, state=State.APPLIED).exclude(removals=[]):
        while run.removals:
            _finish(course, run, SYSTEM, AT_ONCE)
            beat()


def is_unfinished(course: Course) -> bool:
    return RosterRun.objects.filter(course=course, state=State.APPLIED).exclude(removals=[]).exists()


def _finish(course: Course, run: RosterRun, actor: Actor, count: int) -> int:
    """Some of them. Killed in between, they are looked at once more and found to be gone."""
    some: Sequence[str] = run.removals[:count]
    by = By(actor, OPERATOR_RANK)
    done = sum(take_out(course, uuid.UUID(place), by, run) for place in some)
    run.removals = run.removals[count:]
    RosterRun.objects.filter(id=run.id).update(removals=run.removals)
    return done


def _record(kind: EventType, course: Course, actor: Actor, data: dict[str, Any]) -> None:
    facts = {"course": str(course), "course_id": str(course.id), **data}
    record.record(Draft(kind, course.organization_id, actor, method=Method.LTI.value, data=facts))
