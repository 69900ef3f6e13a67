"""Pages inside other sites: who may show them, and the cookie that browsers keep there.

Only pages of launches are framed, and only by the LMS they belong to; every other page of the house is framed by
nobody (security.md H10).
"""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import Morsel
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from csp.constants import SELF
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from usher.core.findings import Finding

COOKIE: Final = "__Host-lti" if settings.SESSION_COOKIE_SECURE else "usher_lti"
LASTS: Final = 24 * 3600  # seconds; it only says that two requests come from the same browser
R = TypeVar("R", bound=HttpResponseBase)

# Python 3.11 knows no such attribute (3.14 does), and Django passes none on. Without it browsers that block cookies
# of other sites send ours back in no frame: https://developer.mozilla.org/docs/Web/Privacy/Guides/Privacy_sandbox/Partitioned_cookies
_morsel = cast("Any", Morsel)
_morsel._reserved.setdefault("partitioned", "Partitioned")  # noqa: SLF001
_morsel._flags.add("partitioned")  # noqa: SLF001


def browser_of(request: HttpRequest) -> str:
    """The token of this browser, in the frames of this LMS; "" where it has none, or keeps none."""
    return request.COOKIES.get(COOKIE, "")


def remember(response: HttpResponseBase, browser: str) -> None:
    """Secure also without TLS: browsers take it from this very machine, and elsewhere an LMS needs TLS anyway."""
    response.set_cookie(COOKIE, browser, max_age=LASTS, secure=True, httponly=True, samesite="None")
    response.cookies[COOKIE]["partitioned"] = True


def is_framed(request: HttpRequest) -> bool:
    """Whether the browser says that the page goes into a frame (Fetch Metadata)."""
    return request.headers.get("Sec-Fetch-Dest", "") in ("iframe", "frame", "embed", "object")


def is_window(request: HttpRequest) -> bool:
    """Whether the browser says that the page has a window of its own, where it keeps our cookie or none at all."""
    return request.headers.get("Sec-Fetch-Dest", "") == "document"


def is_ours(request: HttpRequest) -> bool:
    """Whether the request comes from a page of our own, as the browser says; one that says nothing is not believed."""
    said = request.headers.get("Sec-Fetch-Site", "")
    return said == "same-origin" if said else request.headers.get("Origin", "") == settings.USHER_BASE_URL


def framed_by(response: R, origins: Iterable[str], posts_to: str = "") -> R:
    """Let the LMS show this page, and nobody else; its form may go to ``posts_to`` (an origin) too."""
    response.xframe_options_exempt = True  # type: ignore[attr-defined]  # frame-ancestors says it better
    changes: dict[str, list[str]] = {"frame-ancestors": [SELF, *origins]}
    if posts_to:
        changes["form-action"] = [SELF, posts_to]
    response._csp_replace = changes  # type: ignore[attr-defined]  # noqa: SLF001 - as csp.decorators.csp_replace does
    # The frame has no site session to lose; a window that the LMS opened may speak to it again.
    response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


def allow(response: HttpResponseBase, directive: str, places: list[str]) -> None:
    """Say of a framed page what else it may load or send to: Content Security Policy Level 3, section 6."""
    vars(response)["_csp_replace"][directive] = places


def with_message(return_url: str, finding: Finding) -> str:
    """The LMS's page, which shows what is in these parameters: LTI Core 1.3, section 5.4.4."""
    parts = urlsplit(return_url)
    said = {"lti_errormsg": f"{finding.sentence} {finding.next_step}", "lti_errorlog": finding.code}
    query = "&".join(filter(None, (parts.query, urlencode(said))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))
