"""When rosters are pulled by themselves: some minutes after the first launch from a course, and every so many hours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.apps import apps
from django.db.models import Exists, OuterRef, QuerySet

from usher.core import clock
from usher.core.chores import EVERY, tidies
from usher.methods.lti.models import Course, Platform, RosterRun

AFTER_LAUNCH: Final = dt.timedelta(minutes=5)  # until then a class has come in by itself


def jobs() -> QuerySet[Any]:
    """By its name: the work (jobs.py) knows what is done, and that knows when."""
    return apps.get_model("lti", "RosterJob")._default_manager.all()


def soon(course: Course) -> None:
    """After the first launch from a course of which rosters are wanted; one look for each of the others."""
    if course.roster_at is not None or not course.nrps_url or jobs().filter(course=course, dead_at=None).exists():
        return
    wanted = Course.objects.filter(id=course.id, deployment__platform__roster_hours__gt=0)
    found = wanted.select_related("deployment").first()
    if found:
        _queue([(found, clock.now() + AFTER_LAUNCH)])


def now(course: Course) -> None:
    """As soon as a worker is free."""
    _queue([(course, clock.now())])


@tidies
def pull_rosters() -> None:
    """Work for every course whose time has come, spread over the hour so that no LMS is asked for all at once."""
    due = list(_due())
    step = EVERY / max(len(due), 1)
    _queue((course, clock.now() + step * number) for number, course in enumerate(due))


def _due() -> Iterable[Course]:
    """Counted from the last look, whether it found anything or not."""
    wanted = Platform.objects.filter(state=Platform.State.ON, roster_hours__gt=0)
    for platform_id, hours in wanted.values_list("id", "roster_hours"):
        since = clock.now() - dt.timedelta(hours=hours or 0)
        looks = RosterRun.objects.filter(course=OuterRef("id"), at__gt=since)
        courses = Course.objects.select_related("deployment").filter(
            deployment__platform=platform_id, deployment__approved_at__isnull=False
        )
        yield from courses.exclude(nrps_url="").exclude(Exists(looks)).order_by("id")


def _queue(wanted: Iterable[tuple[Course, dt.datetime]]) -> None:
    """One piece of work for each course; one that was given up begins anew, one that waits stays."""
    kind = jobs().model
    some = [
        kind(course_id=course.id, lane=course.deployment.platform_id, run_at=run_at) for course, run_at in wanted
    ]  # fmt: skip
    mine = jobs().filter(course__in=[one.course_id for one in some])
    mine.filter(dead_at__isnull=False).delete()
    kind._default_manager.bulk_create(some, batch_size=500, ignore_conflicts=True)
