"""Asking the services of an LMS: a token for what is to be done, then the request (1EdTech Security Framework 1.0,
section 4). Tokens are kept in this process; an LMS that asks us to be slower is left alone, by all processes.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from django.db.models import Q

from usher.core import clock, fetch, tokens
from usher.core.fetch import Answer
from usher.core.work import NotNowError
from usher.methods.lti import keys
from usher.methods.lti.models import Platform
from usher.protocols.lti13.services import AccessToken, is_throttled, read_token, retry_after, token_request

SPARE: Final = 60.0  # seconds before its end in which a token is not used any more
PATIENCE: Final = 15.0  # seconds for one request: gradebooks are slow
# Seconds that an LMS is left alone which is throttling: when it does not say for how long, at least, at most.
PAUSE: Final = 30.0
SHORTEST: Final = 5.0
LONGEST: Final = 3600.0
MOST: Final = 500  # tokens
LONGEST_URL: Final = 2000  # characters, as the columns of addresses have

Key = tuple[uuid.UUID, str, str, str, frozenset[str]]


@dataclass(slots=True)
class _Slot:
    """The lock is for asking: of many threads that need a token one asks for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: AccessToken | None = None


class _Shelf:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.slots: dict[Key, _Slot] = {}

    def slot(self, key: Key) -> _Slot:
        with self.lock:
            if len(self.slots) >= MOST and key not in self.slots:
                del self.slots[next(iter(self.slots))]
            return self.slots.setdefault(key, _Slot())

    def drop(self, platform_id: uuid.UUID) -> None:
        with self.lock:
            self.slots = {key: slot for key, slot in self.slots.items() if key[0] != platform_id}


_shelf = _Shelf()


# Tokens


def token(platform: Platform, scopes: Sequence[str]) -> str:
    """A token for these scopes, kept until a minute before its end.

    Raises ServiceError (of ``protocols.lti13``), FetchError.
    """
    named = (platform.id, platform.client_id, platform.token_url, platform.token_audience, frozenset(scopes))
    slot = _shelf.slot(named)
    with slot.lock:
        if slot.token is None or slot.token.expires_at - SPARE <= clock.now().timestamp():
            slot.token = _asked(platform, scopes)
        return slot.token.value


def forget(platform: Platform) -> None:
    """Keep no token of this LMS."""
    _shelf.drop(platform.id)


def _asked(platform: Platform, scopes: Sequence[str]) -> AccessToken:
    asked = token_request(
        token_url=platform.token_url,
        audience=platform.token_audience,
        client_id=platform.client_id,
        scopes=sorted(scopes),
        private_key=keys.private_key(),
        now=clock.now().timestamp(),
        jti=tokens.new_token(),
    )
    answer = fetch.post_form(asked.url, asked.form, seconds=PATIENCE)
    if is_throttled(answer.status, answer.headers):
        pause(platform, answer)
    return read_token(answer.status, answer.body, clock.now().timestamp())


def _begin_anew() -> None:
    """A forked process must not inherit a lock that another thread held at that moment."""
    global _shelf  # noqa: PLW0603
    _shelf = _Shelf()


os.register_at_fork(after_in_child=_begin_anew)


# Requests


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    accept: str
    body: bytes
    content_type: str
    limit: int

    def by(self, bearer: str) -> Answer:
        """Send it, once."""
        told = {"Authorization": f"Bearer {bearer}", **({"Accept": self.accept} if self.accept else {})}
        if self.method == "GET":
            return fetch.get(self.url, headers=told, limit=self.limit, seconds=PATIENCE)
        return fetch.send(
            self.method, self.url, self.body, content_type=self.content_type, headers=told, limit=self.limit,
            seconds=PATIENCE,
        )  # fmt: skip


def call(  # noqa: PLR0913 - what a request is made of
    platform: Platform, scopes: Sequence[str], method: str, url: str, *, accept: str = "", body: bytes = b"",
    content_type: str = "", limit: int = 1_000_000,
) -> Answer:  # fmt: skip
    """What the service answers, whatever its status; at most ``limit`` bytes.

    ``url`` is one that the LMS signed, or ``is_beside`` one of those. A 401 costs one token more: some end early.
    Raises NotNowError while the LMS wants to be left alone, ServiceError (no token), FetchError.
    """
    if platform.paused_until is not None and platform.paused_until > clock.now():
        raise NotNowError(platform.paused_until)
    asked = _Request(method, url, accept, body, content_type, limit)
    answer = asked.by(token(platform, scopes))
    if answer.status == 401:
        forget(platform)
        answer = asked.by(token(platform, scopes))
    if is_throttled(answer.status, answer.headers):
        pause(platform, answer)
    return answer


def is_beside(url: str, signed: str) -> bool:
    """Does an address that came in an answer lie with the service that was asked? No token goes anywhere else. One
    that is too long to be kept is none."""
    one, other = urlsplit(url), urlsplit(signed)
    is_there = (one.scheme, one.netloc.lower()) == (other.scheme, other.netloc.lower())
    return is_there and len(url) <= LONGEST_URL


def pause(platform: Platform, answer: Answer) -> dt.datetime:
    """Leave the LMS alone for as long as it asks; returns until when."""
    told = retry_after(answer.headers)
    seconds = min(max(told if told is not None else PAUSE, SHORTEST), LONGEST)
    until = clock.now() + dt.timedelta(seconds=seconds)
    found = Platform.objects.filter(id=platform.id)
    found.filter(Q(paused_until=None) | Q(paused_until__lt=until)).update(paused_until=until)
    platform.paused_until = until
    return until
