"""The files the console hands out: the list of users, new passwords, and what happened."""

from __future__ import annotations

import csv
import io
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language, override

from usher.console.forms import sentence
from usher.core.cells import guard
from usher.events import reading
from usher.events.models import Event
from usher.events.reading import EventFilter
from usher.lifecycle import userlist
from usher.lifecycle.telling import Told, tell
from usher.lifecycle.userlist import COLUMNS
from usher.organizations.models import Organization
from usher.people.credentials import Reset
from usher.people.listing import Listed

EXPORTED = ("sign_in", "username", "email", "role", "groups", "state", "method", "claimed", "joined", "last_seen")
EVENT_COLUMNS = ("at", "type", "what", "person", "sign_in", "by", "way", "reason", "details")
PIECE = 500
R = TypeVar("R", HttpResponse, StreamingHttpResponse)


def exported(organization: Organization, people: Iterable[Listed]) -> StreamingHttpResponse:
    """Everybody in the list as CSV, written while it is read."""
    response = StreamingHttpResponse(
        userlist.whole(_pieces(people), len(EXPORTED)), content_type="text/csv; charset=utf-8"
    )
    return attached(response, f"{organization.slug}-users.csv")


def _pieces(people: Iterable[Listed]) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(EXPORTED)
    for number, listed in enumerate(people, 1):
        writer.writerow([guard(cell) for cell in _cells(listed)])
        if number % PIECE == 0:
            yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> str:
    piece = text.getvalue()
    text.seek(0)
    text.truncate()
    return piece


def _cells(listed: Listed) -> Sequence[str]:
    member, account = listed.member, listed.member.account
    return (
        account.sign_in,
        account.username,
        account.email,
        member.role,
        "|".join(listed.groups),
        member.state,
        member.method,
        "yes" if account.is_claimed else "no",
        member.joined_at.isoformat(timespec="seconds"),
        member.last_seen_at.isoformat(timespec="seconds") if member.last_seen_at else "",
    )


def exported_events(organization: Organization, chosen: EventFilter) -> StreamingHttpResponse:
    """What happened as CSV, newest first, written while it is read."""
    pieces = userlist.whole(_event_pieces(organization, chosen, get_language() or "en"), len(EVENT_COLUMNS))
    response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    return attached(response, f"{organization.slug}-events.csv")


def _event_pieces(organization: Organization, chosen: EventFilter, language: str) -> Iterator[str]:
    yield ",".join(EVENT_COLUMNS) + "\r\n"
    for page in reading.every(organization.id, chosen):
        yield _event_lines(organization, page, language)


def _event_lines(organization: Organization, page: Sequence[Event], language: str) -> str:
    """In the language and the time of the page that asked: by now its request is over."""
    text = io.StringIO()
    writer = csv.writer(text)
    with override(language), timezone.override(zoneinfo.ZoneInfo(organization.time_zone)):
        writer.writerows([guard(cell) for cell in _event_cells(told)] for told in tell(organization, page))
    return text.getvalue()


def _event_cells(told: Told) -> Sequence[str]:
    return (
        timezone.localtime(told.at).isoformat(timespec="seconds"),
        told.type,
        told.title,
        told.subject,
        told.sign_in,
        told.actor,
        told.method,
        told.reason,
        told.sentence,
    )


def password_file(organization: Organization, resets: Sequence[Reset]) -> HttpResponse:
    """New passwords in the columns of every result file; those who got none with the reason."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    sign_in_at = f"{settings.USHER_BASE_URL}/o/{organization.slug}/sign-in"
    for line, reset in enumerate(resets, 1):
        writer.writerow(_reset_row(line, reset, sign_in_at))
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return attached(response, f"{organization.slug}-new-passwords.csv")


def _reset_row(line: int, reset: Reset, sign_in_at: str) -> tuple[str | int, ...]:
    why_not = " ".join(f"{finding.code}: {sentence(finding)}" for finding in reset.findings)
    result = "refused" if reset.findings else "new_password"
    return (
        line, reset.sign_in, guard(reset.username), guard(reset.email), reset.password, reset.role, result,
        guard(why_not), sign_in_at,
    )  # fmt: skip


def attached(response: R, name: str) -> R:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
