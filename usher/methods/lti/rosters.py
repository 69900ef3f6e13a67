"""The courses of an LMS and what was made of their rosters, for pages and commands."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.methods.lti import platforms, roster_schedule
from usher.methods.lti.models import Course, CoursePlace, Platform, RosterRun
from usher.methods.lti.roster_run import runs_of
from usher.organizations.models import Organization

PAGE: Final = 100
RUNS: Final = 10
LARGE: Final = 1_000  # people
REASONS: Final = {reason.code: reason for reason in Reason}


def _courses() -> QuerySet[Course]:
    whole = Course.objects.select_related(
        "organization__license", "organization__logo", "deployment__platform", "group"
    )
    return whole.defer("organization__logo__content")


def by_id(course_id: uuid.UUID) -> Course | None:
    return _courses().filter(id=course_id).first()


def own(organization: Organization, platform: Platform, course_id: uuid.UUID) -> Course:
    """Raises UsherError: unknown_course."""
    found = _courses().filter(organization=organization, deployment__platform=platform, id=course_id).first()
    if found is None:
        raise UsherError(Reason.UNKNOWN_COURSE())
    return found


def typed(organization: Organization, text: str) -> Course:
    """By its id, the LMS's own id, title or label, where one course fits. Raises UsherError: unknown_course."""
    named = Q(context_id=text) | Q(title__iexact=text) | Q(label__iexact=text)
    with suppress(ValueError):
        named |= Q(id=uuid.UUID(text))
    found = list(_courses().filter(named, organization=organization)[:2])
    if len(found) != 1:
        raise UsherError(Reason.UNKNOWN_COURSE())
    return found[0]


def platform_of(organization: Organization, platform_id: uuid.UUID) -> Platform:
    """Its own, or one of the operator's that serves it. Raises UsherError: unknown_platform."""
    found = next((one for one in platforms.serving(organization) if one.id == platform_id), None)
    if found is None:
        raise UsherError(Reason.UNKNOWN_PLATFORM())
    return found


# The list


@dataclass(frozen=True, slots=True)
class Row:
    """A course, how many people of the LMS are in it, and how its last look at the roster ended ("" without one)."""

    course: Course
    people: int
    state: str
    at: Any

    @property
    def is_held(self) -> bool:
        return self.state == RosterRun.State.HELD


def rows(organization: Organization, platform: Platform | None = None, page: int = 1) -> tuple[list[Row], bool]:
    """A page of courses by title, and whether there is another one."""
    latest = RosterRun.objects.filter(course=OuterRef("id")).order_by("-at", "-id")
    held = RosterRun.objects.filter(course=OuterRef("id"), state=RosterRun.State.HELD)
    mine = _courses().filter(organization=organization)
    mine = mine.filter(deployment__platform=platform) if platform else mine
    told = mine.annotate(
        people=Count("places", filter=Q(places__dropped_at=None)),
        last_state=Subquery(latest.values("state")[:1]),
        last_at=Subquery(latest.values("at")[:1]),
        held_state=Subquery(held.values("state")[:1]),
    )
    start = (page - 1) * PAGE
    found: list[Any] = list(told.order_by("title", "id")[start : start + PAGE + 1])
    shown = [Row(one, one.people, one.held_state or one.last_state or "", one.last_at) for one in found[:PAGE]]
    return shown, len(found) > PAGE


# One course


def past(course: Course) -> list[RosterRun]:
    """The latest first."""
    return list(runs_of(course)[:RUNS])


def held(course: Course) -> RosterRun | None:
    """What waits for a yes or a no."""
    return runs_of(course).filter(state=RosterRun.State.HELD).first()


def last_good(course: Course) -> RosterRun | None:
    return runs_of(course).exclude(state=RosterRun.State.FAILED).first()


def people_count(course: Course) -> int:
    return CoursePlace.objects.filter(course=course, dropped_at=None).count()


def names_of(run: RosterRun) -> list[str]:
    """Of those whose removal waits, by name; who is in again is not among them."""
    places = CoursePlace.objects.filter(course=run.course_id, id__in=run.removals, dropped_at=None)
    return sorted(places.values_list("user__account__username", flat=True), key=str.casefold)


def refused(run: RosterRun, *, asked: bool) -> Sequence[tuple[str, Finding]]:
    """Who did not come in, by name, with the reason: those who are asked at their first launch, or all others."""
    code = Reason.ROSTER_ASKED.code
    found = [one for one in run.refused if (one["reason"] == code) is asked and one["reason"] in REASONS]
    return [(one["name"], Finding(REASONS[one["reason"]], one["facts"])) for one in found]


# Work


def is_large(course: Course) -> bool:
    """Whether a pull takes longer than somebody should wait for a page."""
    last = last_good(course)
    listed = last.counts.get("listed", 0) if last else 0
    return max(listed, people_count(course)) > LARGE


def is_queued(course: Course) -> bool:
    """Whether a worker is about to look at it."""
    return bool(roster_schedule.jobs().filter(course=course, dead_at=None, run_at__lte=clock.now()).exists())
