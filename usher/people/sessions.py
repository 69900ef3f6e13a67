"""Where an account is signed in: one row for each browser, written with its session in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, logout, update_session_auth_hash
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from usher.core import clock
from usher.core.limits import network_of
from usher.core.middleware import client_ip
from usher.core.retry import retrying
from usher.core.sessions import SINCE, SessionStore, is_too_old
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.people import devices, fresh
from usher.people.models import Account

NOWHERE = "0.0.0.0"  # noqa: S104 - where a request came from that had no address
LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A browser in which the account is signed in. ``browser`` and ``system`` are empty when they are not known."""

    id: int
    browser: str
    system: str
    network: str
    since: dt.datetime
    last_used: dt.datetime
    is_here: bool


# Beginning


def keep(request: HttpRequest, account: Account) -> None:
    """Store the session in which somebody has just signed in, and where that was. Needs a transaction."""
    store: Any = request.session
    store.keep()
    now = clock.now()
    UserSession(
        user=account,
        session_key=store.session_key,
        ip=network_of(client_ip(request)).partition("/")[0] or NOWHERE,
        user_agent=request.headers.get("User-Agent", "")[:LONGEST_AGENT],
        created_at=now,
        last_seen_at=now,
    ).save(force_insert=True)


def _on_sign_in(request: HttpRequest, **_: Any) -> None:
    """Whatever the way in: from now on the session grows old, and for a while its proof is fresh."""
    request.session[SINCE] = clock.now().timestamp()
    fresh.mark(request)


user_logged_in.connect(_on_sign_in, dispatch_uid="usher.people.sessions")


# Looking


def places(request: HttpRequest, account: Account) -> list[Place]:
    """Where the account is signed in, this browser first, then by last use. Two queries."""
    notes = {note.session_key: note for note in UserSession.objects.filter(user=account)}
    found = [
        _place(notes[row.session_key], row, here=row.session_key == request.session.session_key)
        for row in Session.objects.filter(session_key__in=notes, expire_date__gt=clock.now())
        if _opens(row, account)
    ]
    return sorted(found, key=lambda place: (place.is_here, place.last_used), reverse=True)


def _opens(row: Session, account: Account) -> bool:
    """Not when it was of another password, or is too old; those end by themselves when they are used."""
    data = SessionStore().decode(row.session_data)
    return constant_time_compare(data.get(HASH_SESSION_KEY, ""), account.get_session_auth_hash()) and not is_too_old(
        data
    )


def _place(note: UserSession, row: Session, *, here: bool) -> Place:
    return Place(
        id=note.pk,
        browser=devices.browser_of(note.user_agent),
        system=devices.system_of(note.user_agent),
        network="" if note.ip == NOWHERE else f"{note.ip}/64" if ":" in note.ip else note.ip,
        since=note.created_at,
        last_used=row.expire_date - settings.USHER_SESSION_IDLE,
        is_here=here,
    )


def called(request: HttpRequest) -> str:
    """What one would call the device this request comes from: “Firefox, Windows”; empty when it says nothing known."""
    agent = request.headers.get("User-Agent", "")
    return ", ".join(filter(None, (devices.browser_of(agent), devices.system_of(agent))))


# Ending


@retrying
def end(request: HttpRequest, account: Account, place_id: int) -> bool:
    """End one of the account's other sessions; False when there is none of this number."""
    with transaction.atomic():
        return bool(_end(account, _others(request, account).filter(pk=place_id)))


@retrying
def end_others(request: HttpRequest, account: Account) -> int:
    """Every session but this one is dead at its next request. Returns how many browsers that signed out."""
    with transaction.atomic():
        return _end(account, _others(request, account))


def sign_out(request: HttpRequest) -> None:
    """End this session."""
    UserSession.objects.filter(session_key=request.session.session_key or "").delete()
    logout(request)


def renew(request: HttpRequest, account: Account) -> None:
    """The password is another one: this session goes on under a new key, all others are ended by the new password."""
    _move(request, account, request.session.session_key or "", alone=True)


def prove_again(request: HttpRequest, account: Account) -> None:
    """Whoever is signed in here has proved it again: the session goes on under a new key (ASVS 5.0 7.2.4)."""
    _move(request, account, request.session.session_key or "", alone=False)


@retrying
def _move(request: HttpRequest, account: Account, before: str, *, alone: bool) -> None:
    store: Any = request.session
    with transaction.atomic():
        if alone:
            _delete(UserSession.objects.filter(user=account).exclude(session_key=before).values_list("session_key"))
        update_session_auth_hash(request, account)
        fresh.mark(request)
        store.keep()
        UserSession.objects.filter(session_key=before).update(session_key=store.session_key)


def _others(request: HttpRequest, account: Account) -> Any:
    return UserSession.objects.filter(user=account).exclude(session_key=request.session.session_key or "")


def _end(account: Account, notes: Any) -> int:
    count = _delete(notes.values_list("session_key"))
    if count:
        actor = Actor("account", account.id)
        facts = {"count": count}
        record.record(Draft(EventType.SESSION_ENDED, account.home_id, actor, account_id=account.id, data=facts))
    return count


def _delete(keys: Iterable[tuple[str]]) -> int:
    """The sessions of these keys and what was noted about them; counts those that were alive."""
    ended = [key for (key,) in keys]
    alive = Session.objects.filter(session_key__in=ended, expire_date__gt=clock.now()).count() if ended else 0
    Session.objects.filter(session_key__in=ended).delete()
    UserSession.objects.filter(session_key__in=ended).delete()
    return alive
