"""What follows from a look at a roster: who comes to the door, who is asked first, who goes. Nothing is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.lifecycle.joiner import Joiner, NewAccount, Outcome, Result
from usher.methods.lti import roster_known, roster_pages
from usher.methods.lti.entry import enter_many
from usher.methods.lti.models import Course, Platform
from usher.methods.lti.platforms import label_of, role_for
from usher.methods.lti.roster_diff import Diff, Listed, Pair, compare
from usher.methods.lti.roster_pages import RosterError
from usher.organizations.plans import Method

Comer = Listed | Pair


@dataclass(frozen=True, slots=True)
class Plan:
    """``comers`` go through the door in this order. ``left_out`` are new and do not, each with the reason."""

    diff: Diff
    comers: tuple[Comer, ...]
    left_out: tuple[tuple[Listed, Finding], ...]
    asked_at: dt.datetime


def check(course: Course) -> None:
    """Whether the LMS can be asked at all. Raises UsherError: roster_not_offered, lti_off, lti_not_approved,
    organization_suspended."""
    platform = course.deployment.platform
    names = {"organization": course.organization.name, "platform": label_of(platform)}
    if course.organization.is_suspended:
        raise UsherError(Reason.ORGANIZATION_SUSPENDED())
    if platform.state != Platform.State.ON:
        raise UsherError(Reason.LTI_OFF(**names))
    if course.deployment.approved_at is None:
        raise UsherError(Reason.LTI_NOT_APPROVED(platform=names["platform"]))
    if not course.nrps_url:
        raise UsherError(Reason.ROSTER_NOT_OFFERED(course=str(course), platform=names["platform"]))


def look(course: Course, beat: Callable[[], None], ready: Callable[[], None] = lambda: None) -> Plan:
    """Ask the LMS, and compare. ``ready`` is called in between: the roster is whole, and now is the time to make what
    the people in it need. Raises RosterError, NotNowError, UsherError as :func:`check`."""
    check(course)
    asked_at = clock.now()
    roster = roster_pages.read(course, beat)
    if any(one.is_here for one in roster.values()):
        ready()
    known = roster_known.people(course, roster.keys(), asked_at, _group_at(course, asked_at))
    diff = compare(roster, known)
    if diff.before and not any(one.is_here for one in roster.values()):
        raise RosterError("roster_empty", f"The roster is empty, and {diff.before} people were in the course.")
    left_out = _left_out(course, diff)
    out = {one.subject for one, _finding in left_out}
    new = tuple(one for one in diff.new if one.subject not in out)
    return Plan(diff, (*new, *diff.placed), left_out, asked_at)


def _group_at(course: Course, asked_at: dt.datetime) -> dt.datetime | None:
    """When its group was made; in a preview it may have still to be."""
    if course.group:
        return course.group.created_at
    will_be = course.deployment.platform.makes_groups and course.organization.license.plan.groups
    return asked_at if will_be else None


def _left_out(course: Course, diff: Diff) -> tuple[tuple[Listed, Finding], ...]:
    platform = course.deployment.platform
    if not platform.lets_in:
        no = Reason.LTI_NOT_INVITED(organization=course.organization.name, platform=label_of(platform))
        return tuple((one, no) for one in diff.new)
    alike, asked = roster_known.alike(course, diff.new), Reason.ROSTER_ASKED()
    return tuple((one, asked) for one in diff.new if one.subject in alike)


# At the door


def joiners(course: Course, plan: Plan) -> list[Joiner]:
    """``line`` is the place in ``plan.comers``, from 1."""
    platform, organization = course.deployment.platform, course.organization
    groups = (course.group.name,) if course.group else ()
    evidence = f"the roster of {course} in {label_of(platform)}"[:200]

    def joiner(line: int, comer: Comer) -> Joiner:
        account = comer.known.account_id if isinstance(comer, Pair) else NewAccount(username=comer.name)
        role = role_for(platform, organization, comer.standing)
        return Joiner(Method.LTI, account, role, groups, evidence, line)

    return [joiner(line, comer) for line, comer in enumerate(plan.comers, 1)]


def foresee(course: Course, plan: Plan) -> list[Outcome]:
    """What the door would say of all of them; no lock is taken. Those who are members come in: whether their group
    has a place for them is seen when they do."""
    batches = enter_many(course.organization_id, joiners(course, plan), None)
    return [outcome for batch in batches for outcome in batch]


def name_of(comer: Comer) -> str:
    """For the admin's eyes; the LMS may keep names to itself."""
    listed = comer.listed if isinstance(comer, Pair) else comer
    return listed.name or listed.address or f"#{listed.subject}"


def refusals(plan: Plan, outcomes: list[Outcome]) -> list[tuple[str, Finding]]:
    """Who does not come in, by name, and why: first whom the door refuses."""
    at_door = [
        (name_of(plan.comers[outcome.joiner.line - 1]), outcome.findings[0])
        for outcome in outcomes
        if outcome.result is Result.REFUSED
    ]
    return at_door + [(name_of(one), finding) for one, finding in plan.left_out]
