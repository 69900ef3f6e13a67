"""A built-in activity in the frame of an LMS, walked step by step; and what the LMS's own test person gets to see."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from usher.activities import scenarios, scores
from usher.activities.models import Activity, Score
from usher.activities.scenarios import Scenario
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events.types import Actor
from usher.methods.lti import launches, showing
from usher.methods.lti.models import Delivery, Launch
from usher.protocols.lti13.roles import Standing

LONGEST_PATH = 200


@dataclass(frozen=True, slots=True)
class Told:
    """What becomes of the points at the end. ``state`` is that of the grade in the LMS, "" where none goes there."""

    score: Score | None
    state: str = ""


def play(request: HttpRequest, launch: Launch, token: str) -> HttpResponse:
    """The step that ``?path=`` leads to. A choice is posted, and the score counts when it ends the walk.

    Raises UsherError: unknown_activity, activity_not_yours, and as ``scores.put``.
    """
    activity, scenario = _story(launch)
    if request.method == "POST":
        path = _walked(scenario, request.POST.get("path", "") + request.POST.get("choice", ""))
        if path and scenario.at(path).is_end:
            _put(launch, activity, scenario, path)
        return redirect(f"{request.path}?{urlencode({'path': path})}" if path else request.path)
    return _show(request, launch, activity, scenario, _walked(scenario, request.GET.get("path", "")))


def _story(launch: Launch) -> tuple[Activity, Scenario]:
    activity = launch.activity
    scenario = scenarios.get(activity.scenario) if activity else None
    if activity is None or scenario is None:
        raise UsherError(Reason.UNKNOWN_ACTIVITY())
    launches.check_activity(activity, launches.member_of(launch), is_staff=False)
    return activity, scenario


def _walked(scenario: Scenario, path: str) -> str:
    """A path that can be walked; one that nobody can walk begins again."""
    try:
        scenario.at(path[:LONGEST_PATH])
    except LookupError:
        return ""
    return path[:LONGEST_PATH]


def counts(launch: Launch) -> bool:
    """Whether this person's score is kept: that of learners with an account. An LMS has no column for its teachers."""
    return launch.user is not None and launch.standing == Standing.LEARNER


def _put(launch: Launch, activity: Activity, scenario: Scenario, path: str) -> None:
    if launch.user is None or not (activity.is_graded and counts(launch)):
        return
    given, maximum = scenario.score(path)
    actor = Actor("account", launch.user.account_id)
    scores.put(activity, launch.user.account_id, given, actor, maximum=maximum)


def _show(
    request: HttpRequest, launch: Launch, activity: Activity, scenario: Scenario, path: str
) -> HttpResponse:  # fmt: skip
    taken, step = scenario.taken(path), scenario.at(path)
    context = {"activity": activity, "scenario": scenario, "path": path, "step": step, "taken": taken}
    context |= {"number": len(path) + 1, "last": taken[-1] if taken else None}
    if step.is_end:
        given, maximum = scenario.score(path)
        context |= {"given": f"{given:g}", "maximum": f"{maximum:g}", "told": _told(launch, activity)}
        context |= {"counts": counts(launch)}
    return showing.show_launch(request, launch, "play", context)


def _told(launch: Launch, activity: Activity) -> Told:
    if launch.user is None or not (activity.is_graded and counts(launch)):
        return Told(None)
    score = scores.get(activity, launch.user.account_id)
    sent = Delivery.objects.filter(score=score, link=launch.link_id).first() if score and launch.link_id else None
    return Told(score, sent.state if sent else "")


def watch(request: HttpRequest, launch: Launch, token: str) -> HttpResponse:
    """For the LMS's own test person, who has no account: an application gets nobody, so it opens without."""
    if launch.activity is None:
        raise UsherError(Reason.UNKNOWN_ACTIVITY())
    response = showing.show_launch(request, launch, "watch", {"activity": launch.activity})
    return showing.with_pictures(response, [launch.activity.picture_url])
