"""Whether somebody has signed in with this browser before, so that the owner hears of one that is new.

The browser keeps it in a cookie: for each account a keyed hash of its id, which tells nothing and opens nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from usher.core import pepper
from usher.people.models import Account

COOKIE: Final = "__Host-known" if settings.SESSION_COOKIE_SECURE else "usher_known"
MOST: Final = 12  # accounts that one browser remembers; a family shares one
LASTS: Final = 400 * 24 * 3600  # seconds; browsers keep none longer
_BETWEEN: Final = "."
_NOTE: Final = "usher.known"  # where the request carries the cookie to be set


def meet(request: HttpRequest, account: Account) -> bool:
    """Whether this browser knows the account; from now on it does."""
    mark, known = _mark(account), request.COOKIES.get(COOKIE, "").split(_BETWEEN)
    others = [one for one in known if one and one != mark]
    request.META[_NOTE] = _BETWEEN.join([mark, *others][:MOST])
    return mark in known


def _mark(account: Account) -> str:
    return hmac.digest(pepper.subkey("browsers"), account.id.bytes, "sha256").hex()[:24]


class KnownBrowsers:
    """Middleware: sets the cookie of whoever has just signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if known := request.META.get(_NOTE):
            secure = settings.SESSION_COOKIE_SECURE
            response.set_cookie(COOKIE, known, max_age=LASTS, secure=secure, httponly=True, samesite="Lax")
        return response
