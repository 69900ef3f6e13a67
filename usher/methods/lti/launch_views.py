"""What an LMS calls: a login that it begins, and the launch that comes back. Both come from its pages, without a cookie
of the house's session, and are bound to this browser by a cookie of their own, or by the storage of the LMS."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from usher.core import tokens
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.methods.lti import frames, launching, platforms, showing, trips
from usher.methods.lti.launching import LaunchError, Onward
from usher.methods.lti.models import Platform, Trip
from usher.people.access import open_to_anyone
from usher.protocols.lti13 import launch as protocol
from usher.protocols.lti13.errors import LtiError, RefusedByPlatformError
from usher.protocols.lti13.login import Login

CHECKED = "usher_checked"  # a field of ours among those of the LMS: the browser was asked to keep a cookie
STORED = "usher_stored"  # what the storage of the LMS gave back


@csrf_exempt
@open_to_anyone
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest, platform_id: uuid.UUID) -> HttpResponse:
    """The LMS begins: off to its own sign-in. In a frame a browser that we do not know yet is tried first."""
    platform = _platform(platform_id)
    parameters = {**dict(request.GET.lists()), **dict(request.POST.lists())}
    was_checked = parameters.pop(CHECKED, None) is not None
    try:
        launching.check_on(platform)
        asked = trips.read(platform, parameters)
    except UsherError as error:
        return _refused(request, platform, launching.noted(platform, error, getattr(error, "detail", "")))
    browser = frames.browser_of(request)
    if frames.is_framed(request) and not browser and not was_checked:
        return _try_cookie(request, asked)
    if frames.is_framed(request) and not browser and not asked.storage_target:
        return _page(request, platform, "window", {"fields": _fields(asked), "url": request.path})
    return _depart(request, platform, asked, browser)


def _try_cookie(request: HttpRequest, asked: Login) -> HttpResponse:
    """Once more to this address, with a cookie that the browser keeps or not. By redirects alone: after a page of ours
    the way to the LMS would begin in another site, and browsers would leave its own session (SameSite=Lax) behind."""
    response = redirect(f"{request.path}?{urlencode([*_fields(asked), (CHECKED, '1')])}")
    frames.remember(response, tokens.new_token())
    return response


def _depart(request: HttpRequest, platform: Platform, asked: Login, browser: str) -> HttpResponse:
    """Straight there where the browser keeps our cookie; else over a page that lets the LMS keep our state."""
    token = browser or tokens.new_token()
    departure = trips.depart(platform, asked, token)
    if asked.storage_target and not browser and not frames.is_window(request):
        keeps = {
            "departure": departure,
            "target": asked.storage_target,
            "origin": platforms.origin_of(platform.auth_url),
        }
        keeps |= {"fields": _fields(asked), "login_url": request.path}
        response = _page(request, platform, "store", keeps)
    else:
        response = redirect(departure.url)
    frames.remember(response, token)
    return response


def _fields(asked: Login) -> list[tuple[str, str]]:
    """What the LMS began with, to be sent once more by a page of ours."""
    told = {
        "iss": asked.issuer,
        "login_hint": asked.login_hint,
        "target_link_uri": asked.target_link_uri,
        "lti_message_hint": asked.message_hint,
        "client_id": asked.client_id,
        "lti_deployment_id": asked.deployment_id,
        "lti_storage_target": asked.storage_target,
    }
    return [(name, value) for name, value in told.items() if value]


@csrf_exempt
@open_to_anyone
@require_POST
def launch(request: HttpRequest, platform_id: uuid.UUID) -> HttpResponse:
    """The LMS sends somebody: verified, let in, and on to the page of the activity."""
    platform = _platform(platform_id)
    try:
        given = protocol.read_answer(dict(request.POST.lists()))
    except RefusedByPlatformError as error:
        return _refused(request, platform, launching.refused_there(platform, error))
    except LtiError as error:
        no = UsherError(Reason.LTI_NOT_TRUSTED(platform=platforms.label_of(platform)))
        return _refused(request, platform, launching.noted(platform, no, error.detail))
    trip = trips.find(platform, given.state)
    if trip is None:
        return _refused(request, platform, launching.noted(platform, UsherError(Reason.LTI_OVER()), _NO_TRIP))
    browser = frames.browser_of(request)
    if not trips.is_of_browser(trip, browser):
        return _without_cookie(request, platform, trip, given)
    return _come_back(request, platform, trip, given, browser)


_NO_TRIP = "The state is unknown, used or older than ten minutes."
_OTHER = "The state belongs to another browser, or the browser keeps no cookie in frames."


def _without_cookie(
    request: HttpRequest, platform: Platform, trip: Trip, given: protocol.Answer
) -> HttpResponse:  # fmt: skip
    """By the storage of the LMS, which only this browser can read; without it, never."""
    stored = request.POST.get(STORED, "")
    if trip.storage_target and stored:
        if frames.is_ours(request) and trips.is_stored(trip, stored):
            return _come_back(request, platform, trip, given, "")
    elif trip.storage_target:
        kept: dict[str, Any] = {"key": trips.key_of(given.state), "target": trip.storage_target, "field": STORED}
        kept |= {"origin": platforms.origin_of(platform.auth_url), "given": given, "url": request.path}
        kept |= {"fields": _fields(Login(**trip.login)), "login_url": platforms.login_url(platform)}
        return _page(request, platform, "stored", kept)
    no = launching.noted(platform, UsherError(Reason.LTI_OVER()), _OTHER)
    return _refused(request, platform, no)


def _come_back(
    request: HttpRequest, platform: Platform, trip: Trip, given: protocol.Answer, browser: str
) -> HttpResponse:  # fmt: skip
    try:
        onward = launching.come_back(platform, trip, given, browser)
    except LaunchError as error:
        return _refused(request, platform, error)
    return _go(request, platform, onward)


def _go(request: HttpRequest, platform: Platform, onward: Onward) -> HttpResponse:
    if onward.tested:
        return _page(request, platform, "tested", {"found": onward.tested})
    return redirect("lti:question", onward.question) if onward.question else redirect("lti:at", onward.launch)


# Pages in the frame


def _platform(platform_id: uuid.UUID) -> Platform:
    found = platforms.by_id(platform_id)
    if found is None:
        raise UsherError(Reason.LTI_UNKNOWN())
    return found


def _page(request: HttpRequest, platform: Platform, name: str, more: dict[str, Any], status: int = 200) -> HttpResponse:
    context = {**showing.clothes(platform), **more}
    response = render(request, f"lti/frame_{name}.html", context, status=status)
    return frames.framed_by(response, platforms.origins_of(platform))


def _refused(request: HttpRequest, platform: Platform, error: LaunchError) -> HttpResponse:
    """Why, what to do, and the way back to the LMS, which hears the sentence too."""
    context = {**showing.clothes(platform), "finding": error.findings[0], "back": back_to(error)}
    response = render(request, "lti/frame_refused.html", context, status=error.status)
    return frames.framed_by(response, platforms.origins_of(platform))


def back_to(error: LaunchError) -> str:
    """The LMS's own page with the sentence: LTI Core 1.3, section 5.4.4 (lti_errormsg)."""
    if not error.return_url:
        return ""
    return frames.with_message(error.return_url, error.findings[0])
