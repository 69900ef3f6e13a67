"""The mails of a demonstration, which are files and go nowhere. Mounted at /_mail/ in demo mode only."""

from __future__ import annotations

from typing import Final

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from usher.core import mailbox

SHOWN: Final = 200
# A mail has its own look inside it, and nothing else: no script, no picture, nobody else's frame.
AS_A_MAIL: Final = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "base-uri": [SELF],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
}


@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """All of them, the newest first."""
    found = [mail for mail in map(mailbox.read, mailbox.names()[:SHOWN]) if mail]
    return render(request, "console/mails.html", {"mails": found, "shown": SHOWN})


@require_safe
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: its picture in a frame, and its plain text with links to click."""
    return render(request, "console/mail.html", {"mail": _find(name)})


@require_safe
@xframe_options_sameorigin
def picture(request: HttpRequest, name: str) -> HttpResponseBase:
    """The HTML part; its links open in the whole window."""
    html = _find(name).html.replace("<head>", '<head><base target="_top">', 1)
    return csp_replace(AS_A_MAIL)(lambda _request: HttpResponse(html))(request)


def _find(name: str) -> mailbox.Shown:
    found = mailbox.read(name)
    if found is None:
        raise Http404
    return found
