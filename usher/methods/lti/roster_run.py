"""A look at the roster of a course, from the question to what is written about it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from usher.core import clock, mail
from usher.core.mail import Envelope
from usher.core.reasons import Finding
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.lifecycle.joiner import OPERATOR_RANK, By, Outcome, Result
from usher.lifecycle.letters_shared import admins_of
from usher.methods.lti import roster_moves, roster_removals
from usher.methods.lti.courses import group_of
from usher.methods.lti.entry import enter_many
from usher.methods.lti.models import Course, CoursePlace, RosterRun
from usher.methods.lti.roster_book import Book
from usher.methods.lti.roster_diff import Pair
from usher.methods.lti.roster_known import pieces
from usher.methods.lti.roster_letters import LETTER
from usher.methods.lti.roster_pages import RosterError
from usher.methods.lti.roster_plan import Plan, joiners, look, refusals
from usher.organizations.plans import Method

SHOWN: Final = 200  # people who do not come in, by name
KEPT: Final = 30  # runs of a course
Beat = Callable[[], None]
State = RosterRun.State


def nothing() -> None:
    """For whoever has no lease to keep."""


def apply(course: Course, actor: Actor, beat: Beat = nothing) -> RosterRun:
    """Pull the roster and follow it. A roster that cannot be used changes nothing and is a run that failed.

    Everything is done in small transactions: killed anywhere, the next run goes on. Raises NotNowError, and UsherError
    as ``roster_plan.check``.
    """
    roster_removals.finish(course, beat)
    try:
        plan = look(course, beat, lambda: _make_group(course))
    except RosterError as error:
        return _failed(course, error)
    outcomes = _enter(course, plan, actor, beat)
    by = By(actor, OPERATOR_RANK)
    moved, not_moved = roster_moves.follow(course, plan.diff, by)
    roster_moves.note(course, plan.diff)
    places = [one.place.id for one in plan.diff.dropped if one.place]
    left = 0 if plan.diff.is_held else roster_removals.take_all(course, places, actor, beat)
    _note_listed(plan)
    counts = _counts(plan, outcomes) | {"moved": moved, "left": left}
    return _write(course, plan, counts, refusals(plan, outcomes) + not_moved, actor)


def _make_group(course: Course) -> None:
    course.group = group_of(course, course.deployment.platform)


def _enter(course: Course, plan: Plan, actor: Actor, beat: Beat) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for batch in enter_many(course.organization_id, joiners(course, plan), Book(course, plan), actor):
        outcomes += batch
        beat()
    return outcomes


def _note_listed(plan: Plan) -> None:
    """Those who were in the course and still are. Whoever is held, or kept although the LMS does not list him, is not
    among them; nor is whoever has still to find a place in the group."""
    stayed = [pair.known.place.id for pair in plan.diff.stayed if pair.known.place]
    now = clock.now()
    for some in pieces(stayed):
        CoursePlace.objects.filter(id__in=some).update(listed_at=now)


def _counts(plan: Plan, outcomes: list[Outcome]) -> dict[str, Any]:
    results = Counter(outcome.result for outcome in outcomes)
    return {
        "listed": len(plan.diff.new) + len(plan.diff.placed) + len(plan.diff.stayed),
        "before": plan.diff.before,
        "created": results[Result.CREATED],
        "placed": sum(results[one] for one in (Result.JOINED, Result.PLACED)) + _back(plan, outcomes),
        "renamed": len(plan.diff.renamed),
        "unchanged": len(plan.diff.stayed),
        "refused": results[Result.REFUSED],
        "asked": len(plan.left_out),
        "dropped": len(plan.diff.dropped),
    }


def _back(plan: Plan, outcomes: list[Outcome]) -> int:
    """Known people who needed nothing but their place in the course."""
    known = (plan.comers[outcome.joiner.line - 1] for outcome in outcomes if outcome.result is Result.UNCHANGED)
    return sum(isinstance(comer, Pair) for comer in known)


# What is written about it


@retrying
def _write(
    course: Course, plan: Plan, counts: dict[str, Any], refused: list[tuple[str, Finding]], actor: Actor
) -> RosterRun:
    held = [str(one.place.id) for one in plan.diff.dropped if one.place] if plan.diff.is_held else []
    with transaction.atomic():
        told = roster_removals.supersede(course)
        run = RosterRun.objects.create(
            organization=course.organization,
            course=course,
            state=State.HELD if held else State.APPLIED,
            counts=counts,
            refused=[_kept(name, finding) for name, finding in refused[:SHOWN]],
            removals=held,
            at=plan.asked_at,
        )
        Course.objects.filter(id=course.id).update(roster_at=clock.now())
        _tell(course, run, actor, is_news=bool(set(held) - told))
        _sweep(course)
    return run


def _tell(course: Course, run: RosterRun, actor: Actor, *, is_news: bool) -> None:
    counts = run.counts
    facts = {"course": str(course), "course_id": str(course.id)}
    came = counts["created"] + counts["placed"]
    if came or counts["left"] or counts["moved"]:
        _record(EventType.ROSTER_APPLIED, course, actor, {**facts, "came": came, "left": counts["left"]})
    if is_news:
        _record(EventType.ROSTER_HELD, course, actor, {**facts, "people": len(run.removals)})
        envelope = Envelope(course.organization_id, ref=run.id, data={"people": len(run.removals)})
        mail.post_many(LETTER, [(address, envelope) for address in admins_of(course.organization)])


def _record(kind: EventType, course: Course, actor: Actor, data: dict[str, Any]) -> None:
    record.record(Draft(kind, course.organization_id, actor, method=Method.LTI.value, data=data))


def _kept(name: str, finding: Finding) -> dict[str, Any]:
    return {"name": name, "reason": finding.code, "facts": dict(finding.facts)}


@retrying
def _failed(course: Course, error: RosterError) -> RosterRun:
    with transaction.atomic():
        run = RosterRun.objects.create(
            organization=course.organization,
            course=course,
            state=State.FAILED,
            reason=error.code,
            detail=error.detail[:500],
            counts={"retry": error.retry},
        )
        _sweep(course)
    return run


def _sweep(course: Course) -> None:
    """Forget all but the latest, and those that still say something."""
    done = runs_of(course).filter(state__in=[State.APPLIED, State.FAILED], removals=[])
    ids: list[uuid.UUID] = list(done.values_list("id", flat=True)[KEPT : KEPT + 100])
    RosterRun.objects.filter(id__in=ids).delete()


def runs_of(course: Course) -> QuerySet[RosterRun]:
    """The latest first."""
    return RosterRun.objects.filter(course=course).order_by("-at", "-id")
