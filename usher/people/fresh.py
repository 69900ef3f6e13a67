"""Proving oneself again: what changes how an account is opened asks for a proof that is no older than ten minutes.

``@lock(...) @fresh def view(request, visit, ...)``; the page that asks is ``/sign-in/again``. Every sign-in is a
proof too, whatever the way (people/sessions.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme

from usher.core import clock
from usher.people import proved_by
from usher.people.access import Visit, go
from usher.people.models import Account, Membership

P = ParamSpec("P")

PROVED_AT = "usher.proved_at"  # in the session: seconds since 1970
SECONDS = 10 * 60
AGAIN = "/sign-in/again"
HOME = "/home"


def fresh(
    view: Callable[Concatenate[HttpRequest, Visit, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Stands under the lock. A form that was opened in time may be sent for ten minutes more: nothing typed is lost."""

    @wraps(view)
    def proved(request: HttpRequest, visit: Visit, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_fresh(request):
            return ask(request)
        return view(request, visit, *args, **kwargs)

    return proved


def is_fresh(request: HttpRequest) -> bool:
    if is_word_of_others(request):
        return False
    proved_at = float(request.session.get(PROVED_AT, 0))
    most = SECONDS if request.method in ("GET", "HEAD") else 2 * SECONDS
    return 0 <= clock.now().timestamp() - proved_at <= most


def is_word_of_others(request: HttpRequest) -> bool:
    """Whether only one organisation's provider speaks for somebody who has an account of his own in others too: what
    opens all of them is not changed on the word of one."""
    by, account = proved_by.only_by(request), request.user
    if not by or not isinstance(account, Account) or not account.is_proved:
        return False
    mine = Membership.objects.filter(account=account, state=Membership.State.ACTIVE)
    return mine.exclude(organization__in=[uuid.UUID(one) for one in by]).exists()


def mark(request: HttpRequest) -> None:
    """Somebody has just proved to be the account's owner."""
    request.session[PROVED_AT] = clock.now().timestamp()


def age(request: HttpRequest, seconds: float) -> None:
    """The proof lies so many seconds back: somebody else took it, and said when."""
    if PROVED_AT in request.session and seconds > 0:
        request.session[PROVED_AT] = clock.now().timestamp() - seconds


def ask(request: HttpRequest) -> HttpResponse:
    """To the page that asks, and back: to the page itself, or to the one whose form was sent too late."""
    return go(request, f"{AGAIN}?{urlencode({'next': _back(request)})}")


def _back(request: HttpRequest) -> str:
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, allowed_hosts={request.get_host()}):
        return HOME
    parts = urlsplit(referer)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or HOME
