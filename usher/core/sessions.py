"""Sessions in the database, as Django keeps them, with fewer statements and two ends.

A session that nobody uses ends after ``USHER_SESSION_IDLE``; one in which somebody signed in ends after
``SESSION_COOKIE_AGE`` whatever happens (ASVS 5.0 7.3.1, 7.3.2). Its row says when it was last used: that is
``expire_date`` less the idle time, moved on at most every five minutes and without touching what is in it, so that
two requests at once never undo each other.
"""

from __future__ import annotations

import copy
import datetime as dt
from contextlib import suppress
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

from usher.core import clock

SINCE: Final = "usher.since"  # when somebody signed in here, in seconds since 1970
TOUCH_EVERY: Final = dt.timedelta(minutes=5)
PIECE: Final = 1_000


class SessionStore(db.SessionStore):
    """A new key at every sign-in, given when the session is stored; the old one ends in that moment."""

    _session: dict[str, Any]  # Django's: read from the database when somebody looks

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.last_used: dt.datetime | None = None  # as the row had it when it was read
        self._left: list[str] = []
        self._kept: dict[str, Any] | None = None

    def load(self) -> dict[str, Any]:
        row = self.model.objects.filter(session_key=self.session_key, expire_date__gt=clock.now()).first()
        data: dict[str, Any] = self.decode(row.session_data) if row else {}
        if row is None or is_too_old(data):
            self._session_key = None
            return {}
        self.last_used = row.expire_date - settings.USHER_SESSION_IDLE
        return data

    def get_expiry_date(self, **_: Any) -> dt.datetime:
        return clock.now() + settings.USHER_SESSION_IDLE

    def cycle_key(self) -> None:
        self._session_cache = self._session  # read before its key is gone
        self._leave()
        self.modified = True

    def flush(self) -> None:
        self._leave()
        self.clear()
        self._delete_left()  # an empty session is never stored

    def keep(self) -> None:
        """Store a session that has a new key, in the transaction of what it tells; nothing is written a second time
        at the end of the request unless it changes until then. May be repeated when that transaction is."""
        self._session_key = self._session_key or self._get_new_session_key()
        self._delete_left()
        self.create_model_instance(self._session).save(force_insert=True)
        self._kept = copy.deepcopy(self._session)

    def save(self, must_create: bool = False) -> None:
        if self._kept is not None and self._kept == self._session:
            return
        with transaction.atomic():
            self._delete_left()
            super().save(must_create)

    def _leave(self) -> None:
        if self.session_key:
            self._left.append(self.session_key)
        self._session_key = None

    def _delete_left(self) -> None:
        if self._left:
            self.model.objects.filter(session_key__in=self._left).delete()

    def _get_new_session_key(self) -> str:
        """165 random bits need no look whether they are taken; the INSERT would say so and be tried again."""
        return get_random_string(32, VALID_KEY_CHARS)

    @classmethod
    def clear_expired(cls) -> None:
        delete_piecewise(cls.get_model_class().objects.filter(expire_date__lt=clock.now()))


def is_too_old(data: dict[str, Any]) -> bool:
    """Whether somebody signed in here so long ago that he has to do it again."""
    since = data.get(SINCE)
    return since is not None and clock.now().timestamp() - since > settings.SESSION_COOKIE_AGE


def delete_piecewise(rows: QuerySet[Any]) -> None:
    """However many there are: SQLite's only write lock is free in between."""
    while ids := list(rows.values_list("pk", flat=True)[:PIECE]):
        rows.model._base_manager.filter(pk__in=ids).delete()


class Sessions(SessionMiddleware):
    """Django's, and a note that the session is in use."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        answer = super().process_response(request, response)
        # Whether or not the note can be written: the page is there, and it was asked for.
        with suppress(DatabaseError):
            _touch(request.session)
        return answer


def _touch(session: Any) -> None:
    """Only when it was read in this request anyway and somebody is signed in; one statement, beside its content."""
    used, now = session.last_used, clock.now()
    if used is None or session.modified or now - used < TOUCH_EVERY or SESSION_KEY not in session:
        return
    session.model.objects.filter(session_key=session.session_key).update(expire_date=now + settings.USHER_SESSION_IDLE)
