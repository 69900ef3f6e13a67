"""Pages of a launch, in the frame of the LMS: the activity, and the one question. Their address holds the token that
opens them, so a form of theirs needs no other (no cookie of the house comes along in a frame)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from usher.core.errors import UsherError
from usher.methods.lti import arrival, choosing, frames, handing, launches, launching, playing, questions, showing
from usher.methods.lti.models import Launch, Question
from usher.methods.lti.showing import show
from usher.people.access import open_to_anyone

asks = require_http_methods(["GET", "HEAD", "POST"])
View = Callable[..., HttpResponseBase]


def framed(view: View) -> View:
    """A "no" is a page in the frame as well, with its way out."""

    @csrf_exempt
    @open_to_anyone
    @wraps(view)
    def shown(request: HttpRequest, token: str) -> HttpResponseBase:
        try:
            return view(request, token)
        except UsherError as error:
            context = {"finding": error.findings[0], "organization": None, "back": ""}
            response = render(request, "lti/frame_refused.html", context, status=error.status)
            return frames.framed_by(response, ["https:", "http:"])

    return shown


# An activity


@framed
@asks
def at(request: HttpRequest, token: str) -> HttpResponse:
    """What the launch opened: something to choose, to play, or an application of its own."""
    launch = launches.find(token, frames.browser_of(request))
    page = _page_of(launch)
    return page(request, launch, token)


def _page_of(launch: Launch) -> Callable[[HttpRequest, Launch, str], HttpResponse]:
    if launch.deep_linking is not None:
        return choosing.pick
    if launch.activity is None:
        return choosing.choose
    return playing.play if launch.activity.scenario else _hand_over


@require_safe
def _hand_over(request: HttpRequest, launch: Launch, token: str) -> HttpResponse:
    """On to the application; the LMS's own test person gets to see what it would be.

    Raises UsherError: unknown_activity, activity_not_yours. Both may have changed since the launch.
    """
    if launch.activity is not None:
        launches.check_activity(launch.activity, launches.member_of(launch), is_staff=False)
    if launch.activity is None or launch.user is None:
        return playing.watch(request, launch, token)
    return showing.go_on(request, launch, handing.address_of(launch, launch.activity.target_url))


# "Have you been here before?"


@framed
@asks
def question(request: HttpRequest, token: str) -> HttpResponse:
    found = questions.find(token, frames.browser_of(request))
    if request.method != "POST":
        return _ask(request, found)
    try:
        with launching.still_there():
            return _answer(request, found)
    except UsherError as error:
        return _ask(request, found, error)


def _ask(request: HttpRequest, found: Question, error: UsherError | None = None) -> HttpResponse:
    scene = questions.scene_of(found)
    context = {
        "caller": scene.caller,
        "organization": scene.place.organization,
        "typed": request.POST.get("name", ""),
        "finding": error.findings[0] if error else None,
        "way": request.POST.get("act", ""),
    }
    return show(request, scene.place.platform, "question", context, status=error.status if error else 200)


def _answer(request: HttpRequest, found: Question) -> HttpResponse:
    """By a password, by a code, or new. Raises UsherError: of the proof, and of what follows."""
    scene, act = questions.scene_of(found), request.POST.get("act", "")
    launching.check_on(scene.place.platform)
    if act == "new":
        arrived = arrival.create_after_question(scene)
    elif act == "code":
        arrived = arrival.join_account(scene, questions.by_code(request, request.POST.get("code", "")))
    elif act == "password":
        typed, password = request.POST.get("name", ""), request.POST.get("password", "")
        arrived = arrival.join_account(scene, questions.by_password(request, scene, typed, password))
    else:
        return _ask(request, found)
    questions.answer(found)
    return redirect("lti:at", launching.open_page(scene, arrived, frames.browser_of(request)))
