"""The courses of an LMS: who is in them by its rosters, a look ahead, and the yes or no to many removals at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from usher.core.errors import UsherError
from usher.core.findings import Finding
from usher.core.reasons import Reason
from usher.core.work import NotNowError
from usher.lifecycle.visitor import by_visit
from usher.methods.lti import pull, roster_removals, roster_run, rosters
from usher.methods.lti.models import Course, Platform, RosterRun
from usher.methods.lti.platforms import label_of
from usher.methods.lti.roster_showing import Past, preview_of
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame


@lock(Lock.ADMIN)
@require_safe
def courses(request: HttpRequest, visit: Visit, platform_id: uuid.UUID) -> HttpResponse:
    """By title, each with its group, its people and its last look."""
    platform = _platform(visit, platform_id)
    page = 1
    with suppress(ValueError):
        page = min(max(int(request.GET.get("page", "")), 1), 10_000)
    rows, has_more = rosters.rows(visit.organization, platform, page)
    context = {
        **_frame(visit, platform),
        "rows": [(row, Past(row.state)) for row in rows],
        "back": page - 1 if page > 1 else 0,
        "next": page + 1 if has_more else 0,
    }
    return render(request, "lti/courses.html", context)


def _platform(visit: Visit, platform_id: uuid.UUID) -> Platform:
    try:
        return rosters.platform_of(visit.organization, platform_id)
    except UsherError as no:
        raise Http404 from no


def _own(visit: Visit, platform_id: uuid.UUID, course_id: uuid.UUID) -> Course:
    try:
        return rosters.own(visit.organization, _platform(visit, platform_id), course_id)
    except UsherError as no:
        raise Http404 from no


def _frame(visit: Visit, platform: Platform) -> dict[str, object]:
    return {**frame(visit, "settings"), "platform": platform, "platform_label": label_of(platform)}


# One of them


@lock(Lock.ADMIN)
@require_safe
def course(request: HttpRequest, visit: Visit, platform_id: uuid.UUID, course_id: uuid.UUID) -> HttpResponse:
    """Who waits for a yes, who did not come in, what was done."""
    return _show(request, visit, _own(visit, platform_id, course_id))


def _show(
    request: HttpRequest, visit: Visit, found: Course, findings: Sequence[Finding] = (), **more: Any
) -> HttpResponse:
    held, last = rosters.held(found), rosters.last_good(found)
    context = {
        **_frame(visit, found.deployment.platform),
        "course": found,
        "people": rosters.people_count(found),
        "held": held,
        "held_names": rosters.names_of(held) if held else [],
        "refused": rosters.refused(last, asked=False) if last else [],
        "asked": rosters.refused(last, asked=True) if last else [],
        "past": [Past(run.state, run) for run in rosters.past(found)],
        "is_waiting": rosters.is_queued(found),
        "findings": findings,
        **more,
    }
    return render(request, "lti/course.html", context, status=findings[0].reason.status if findings else 200)


@lock(Lock.ADMIN)
@require_POST
def preview(request: HttpRequest, visit: Visit, platform_id: uuid.UUID, course_id: uuid.UUID) -> HttpResponse:
    """What a pull would do now. Nothing is written."""
    found = _own(visit, platform_id, course_id)
    try:
        return _show(request, visit, found, preview=preview_of(found))
    except UsherError as no:
        return _show(request, visit, found, no.findings)


@lock(Lock.ADMIN)
@require_POST
def pull_now(request: HttpRequest, visit: Visit, platform_id: uuid.UUID, course_id: uuid.UUID) -> HttpResponse:
    """At once, or by a worker where there are too many people for somebody to wait."""
    found = _own(visit, platform_id, course_id)
    try:
        if rosters.is_large(found):
            pull.now(found)
            messages.success(request, _("The roster is being looked at. See here in a minute what came of it."))
        else:
            _say(request, found, roster_run.apply(found, by_visit(visit).actor))
    except NotNowError:
        return _show(request, visit, found, [Reason.LTI_UNREACHABLE(platform=label_of(found.deployment.platform))])
    except UsherError as no:
        return _show(request, visit, found, no.findings)
    return _back(visit, found)


def _say(request: HttpRequest, found: Course, run: RosterRun) -> None:
    """The run stands on the page; what went wrong is said above it."""
    if run.state == RosterRun.State.FAILED:
        raise UsherError(Reason.ROSTER_UNREADABLE(course=str(found), detail=run.detail))
    came = run.counts["created"] + run.counts["placed"]
    said = ngettext("{n} person came in, {left} left the group.", "{n} people came in, {left} left the group.", came)
    messages.success(request, said.format(n=came, left=run.counts["left"]))


def _back(visit: Visit, found: Course) -> HttpResponse:
    return redirect("lti:course", visit.organization.slug, found.deployment.platform_id, found.id)


@lock(Lock.ADMIN)
@require_POST
def decide(
    request: HttpRequest, visit: Visit, platform_id: uuid.UUID, course_id: uuid.UUID, run_id: uuid.UUID
) -> HttpResponse:
    """They go, or they stay."""
    found = _own(visit, platform_id, course_id)
    try:
        said = _decided(found, run_id, visit, is_yes=request.POST.get("do") == "yes")
    except UsherError as no:
        return _show(request, visit, found, no.findings)
    messages.success(request, said)
    return _back(visit, found)


def _decided(found: Course, run_id: uuid.UUID, visit: Visit, *, is_yes: bool) -> str:
    actor = by_visit(visit).actor
    if not is_yes:
        roster_removals.decline(found, run_id, actor)
        return _("They stay in the group.")
    done = roster_removals.approve(found, run_id, actor)
    if roster_removals.is_unfinished(found):
        return _("The first {n} have left the group; the others follow by themselves.").format(n=done)
    return ngettext("{n} person has left the group.", "{n} people have left the group.", done).format(n=done)
