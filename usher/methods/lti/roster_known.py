"""What is known here of the people in a roster, and whom of the new ones somebody here resembles."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, TypeVar

from django.db.models import QuerySet

from usher.methods.lti.models import Course, CoursePlace, Platform, PlatformUser, RosterRun
from usher.methods.lti.roster_diff import Known, Listed, Seen, higher
from usher.people.models import GroupMembership, Membership
from usher.people.names import name_key, sort_key

AT_ONCE: Final = 2_000  # ids in one query
USER: Final = ("id", "subject", "account_id", "name", "address", "standing", "role", "proved_at")
PLACE: Final = ("user_id", "id", "standing", "proved_at", "listed_at", "dropped_at", "user__account_id")


T = TypeVar("T")


def pieces(many: Collection[T]) -> Iterator[list[T]]:
    """So many as one query takes."""
    whole = list(many)
    for start in range(0, len(whole), AT_ONCE):
        yield whole[start : start + AT_ONCE]


def people(
    course: Course, subjects: Collection[str], asked_at: dt.datetime, group_at: dt.datetime | None
) -> list[Known]:
    """All whom the LMS knows here and lists, and all with a place in the course; a few queries for each thousand.

    ``asked_at`` is when the roster was asked for: whoever launched since then is newer than it. ``group_at`` is when
    the course's group was made, None where it has none.
    """
    rows = {row[0]: row for row in _users(course, subjects)}
    places = _places(course, asked_at, group_at)
    elsewhere = _elsewhere(course, rows)
    return [_known(row, places.get(row[0]), elsewhere.get(row[0], "")) for row in rows.values()]


def _known(row: tuple[Any, ...], place: Seen | None, elsewhere: str) -> Known:
    user_id, subject, account_id, name, address, standing, role, proved_at = row
    return Known(
        user_id, subject, account_id, name, address, standing, role, proved_at is not None, elsewhere, place
    )  # fmt: skip


def _users(course: Course, subjects: Collection[str]) -> Iterator[tuple[Any, ...]]:
    mine = _of_platform(course)
    yield from mine.filter(places__course=course).values_list(*USER)
    for some in pieces(subjects):
        yield from mine.filter(subject__in=some).values_list(*USER)


def _of_platform(course: Course) -> QuerySet[PlatformUser]:
    return PlatformUser.objects.filter(
        platform=course.deployment.platform_id, organization=course.organization_id
    )  # fmt: skip


def _places(course: Course, asked_at: dt.datetime, group_at: dt.datetime | None) -> dict[uuid.UUID, Seen]:
    kept = _kept(course)
    in_group = _in_group(course)
    found = {}
    for user_id, place_id, standing, proved_at, listed_at, dropped_at, account_id in _rows(course):
        last = max(filter(None, (proved_at, listed_at)), default=None)
        found[user_id] = Seen(
            place_id,
            standing,
            is_proved=proved_at is not None,
            is_listed=listed_at is not None,
            is_dropped=dropped_at is not None,
            # Out of a group that is younger: he was never put into it. Else somebody took him out by hand.
            is_old=bool(group_at and (last is None or last < group_at)) and account_id not in in_group,
            is_kept=place_id in kept and (listed_at is None or listed_at <= kept[place_id]),
            is_new=proved_at is not None and proved_at >= asked_at,
        )
    return found


def _rows(course: Course) -> Iterable[tuple[Any, ...]]:
    return CoursePlace.objects.filter(course=course).values_list(*PLACE)


def _in_group(course: Course) -> frozenset[uuid.UUID]:
    if course.group is None:
        return frozenset()
    links = GroupMembership.objects.filter(group=course.group)
    return frozenset(links.values_list("membership__account_id", flat=True))


def _kept(course: Course) -> dict[uuid.UUID, dt.datetime]:
    """By place, when an admin last said that whoever has it stays."""
    declined = RosterRun.objects.filter(course=course, state=RosterRun.State.DECLINED).order_by("at")
    return {uuid.UUID(place): at for at, places in declined.values_list("at", "removals") for place in places}


def _elsewhere(course: Course, users: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The most that each is in other courses of the LMS."""
    found: dict[uuid.UUID, str] = {}
    others = CoursePlace.objects.filter(dropped_at=None).exclude(course=course)
    for some in pieces(users):
        for user_id, standing in others.filter(user__in=some).values_list("user_id", "standing"):
            found[user_id] = higher(found.get(user_id, ""), standing)
    return found


# Somebody alike


def alike(course: Course, new: Collection[Listed]) -> frozenset[str]:
    """The subjects of those who are asked at their first launch whether they have been here before (recognize.py):
    no roster makes an account beside the one that they may have."""
    if course.deployment.platform.asks == Platform.Asks.ALWAYS:
        return frozenset(one.subject for one in new)
    addresses = _addresses_here(course, {one.key for one in new if one.key})
    names = _names_here(course, {one.name for one in new if one.name})
    return frozenset(
        one.subject
        for one in new
        if one.key in addresses or (one.name and name_key(one.name) in names)
    )  # fmt: skip


def _others(course: Course) -> QuerySet[Membership]:
    """Members, also former ones, whom the LMS does not know yet."""
    linked = _of_platform(course).values("account")
    return Membership.objects.filter(organization=course.organization_id).exclude(account__in=linked)


def _addresses_here(course: Course, keys: Collection[str]) -> frozenset[str]:
    found: set[str] = set()
    for some in pieces(keys):
        named = _others(course).filter(account__sign_in_key__in=some)
        found.update(named.values_list("account__sign_in_key", flat=True))
    return frozenset(found)


def _names_here(course: Course, names: Collection[str]) -> frozenset[str]:
    """By the index of the list of members, whose key is cut; then by the whole name."""
    found: set[str] = set()
    for some in pieces({sort_key(name) for name in names}):
        named = _others(course).filter(sort_name__in=some)
        found.update(name_key(name) for name in named.values_list("account__username", flat=True))
    return frozenset(found)
