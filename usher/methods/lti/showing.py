"""Pages in the frame of an LMS: what they wear, who may show them, and how they lead on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csp.constants import SELF
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from usher.methods.lti import frames
from usher.methods.lti.models import Launch, Platform
from usher.methods.lti.platforms import is_origin, label_of, origin_of, origins_of
from usher.organizations.models import Organization

LMS_PERSON = ""  # the LMS's own test person has no name here


def clothes(platform: Platform, organization: Organization | None = None) -> dict[str, Any]:
    """What a page in a frame wears: the organisation's name and colour, and what the LMS is called."""
    owner = organization or platform.organization
    worn: dict[str, Any] = {"platform": platform, "label": label_of(platform)}
    return {**worn, "organization": owner, "accent_url": f"/o/{owner.slug}/accent.css" if owner else ""}


def show(
    request: HttpRequest, platform: Platform, name: str, more: Mapping[str, Any], posts_to: str = "", status: int = 200
) -> HttpResponse:  # fmt: skip
    """A page that the LMS alone may show."""
    response = render(request, f"lti/frame_{name}.html", {**clothes(platform), **more}, status=status)
    return frames.framed_by(response, origins_of(platform), posts_to)


def show_launch(
    request: HttpRequest, launch: Launch, name: str, more: Mapping[str, Any], posts_to: str = "", status: int = 200
) -> HttpResponse:  # fmt: skip
    """A page of a launch: it says who is here, as whom the activity will know him."""
    context = {**clothes(launch.deployment.platform, launch.organization), **here(launch), **more}
    return show(request, launch.deployment.platform, name, context, posts_to, status)


def here(launch: Launch) -> dict[str, Any]:
    return {"launch": launch, "person": launch.user.account.username if launch.user else LMS_PERSON, "is_here": True}


def go_on(request: HttpRequest, launch: Launch, url: str) -> HttpResponse:
    """Out of the house by a page of its own: what leads here may be a form, of the LMS or of ours, and browsers hold
    the whole way from a form to its ``form-action`` (Content Security Policy Level 3, section 6.4.1)."""
    return show_launch(request, launch, "on", {"url": url})


def with_pictures(response: HttpResponse, urls: list[str]) -> HttpResponse:
    """Let the page load these pictures, from where they are and from nowhere else."""
    places = sorted({origin for origin in map(origin_of, urls) if is_origin(origin)})
    if places:
        frames.allow(response, "img-src", [SELF, "data:", *places])
    return response
