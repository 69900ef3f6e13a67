"""``/lti/register/TOKEN``: what an LMS opens in a frame of its own while its admin adds Usher there."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from usher.core.errors import UsherError
from usher.lifecycle.letters_shared import page_of
from usher.methods.lti import registration
from usher.methods.lti.frames import framed_by
from usher.methods.lti.models import Platform
from usher.methods.lti.platforms import is_origin, label_of, origin_of
from usher.people.access import open_to_anyone

asks = require_http_methods(["GET", "HEAD", "POST"])


@csrf_exempt  # the token in the address is the credential, and no cookie counts here
@open_to_anyone
@asks
def register(request: HttpRequest, token: str) -> HttpResponse:
    """Says what will happen, and does it when that is sent. Only the LMS that is being connected may frame it."""
    given = request.POST if request.method == "POST" else request.GET
    url, theirs = given.get("openid_configuration", "").strip(), given.get("registration_token", "").strip()
    origin = origin_of(url)
    try:
        link, call = registration.link_of(token), registration.read_call(url, theirs)
        context: dict[str, object] = {"organization": link.organization, "call": call}
        if request.method == "POST":
            context |= _done(registration.register(link, call))
        response = render(request, "lti/register.html", context)
    except UsherError as no:
        response = render(request, "lti/register.html", {"findings": no.findings}, status=no.status)
    return framed_by(response, [origin] if is_origin(origin) else [])


def _done(platform: Platform) -> dict[str, object]:
    organization = platform.organization
    rest = f"settings/integrations/lti/{platform.id}/"
    return {"label": label_of(platform), "page": page_of(organization, rest) if organization else ""}
