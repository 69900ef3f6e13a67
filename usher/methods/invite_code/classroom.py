"""What a class window shows of a group in this moment, in a fixed number of queries: who sits, asks, and is to come.

Only what the door may tell: no wrong guesses, and nothing about accounts that people may have elsewhere.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usher.core import clock
from usher.methods.invite_code import days
from usher.methods.invite_code.models import CodeUse, InviteCode, Standing
from usher.organizations.models import Organization
from usher.people import asks
from usher.people.access import Visit
from usher.people.made_names import short
from usher.people.models import Group, GroupMembership, Membership, Registration

CHAIRS: Final = 60  # drawn at the most: two classes
NAMED: Final = 12  # of those who ask or are to come
SPOKEN: Final = 3  # names in one announcement
LIT: Final = dt.timedelta(seconds=5)  # how long a new arrival is lit; the window looks every two seconds
LESSON: Final = dt.timedelta(hours=3)  # an end so near is counted down
MEMORY: Final = dt.timedelta(minutes=1)  # an announcement tells no older news


@dataclass(frozen=True, slots=True)
class Chair:
    """Somebody in the group. ``look``: ``t`` taken, ``new`` lit, ``ask`` waiting for somebody to decide."""

    name: str
    username: str
    look: str = "t"


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who waits to be let in."""

    membership_id: uuid.UUID
    username: str
    sign_in: str


@dataclass(frozen=True, slots=True)
class Room:
    """The group as the window draws it. ``newest_only``: too many to draw them all."""

    chairs: Sequence[Chair]
    free: int
    seated: int
    cap: int | None
    newest_only: bool
    askers: Sequence[Asker]
    more_ask: bool
    coming: Sequence[str]
    coming_count: int
    said: str

    @property
    def is_full(self) -> bool:
        return self.cap is not None and self.seated >= self.cap

    @property
    def more_come(self) -> int:
        return self.coming_count - len(self.coming)


@dataclass(frozen=True, slots=True)
class Door:
    """When the door closes (or opens): in words that stay true on paper, and in seconds where it is soon."""

    words: str
    seconds: int | None = None


def door_of(code: InviteCode, organization: Organization) -> Door:
    """The end of a code as a lesson sees it; of one that is yet to open, its beginning."""
    now, zone = clock.now(), days.zone_of(organization)
    if code.starts_at and code.starts_at > now:
        return Door(_("on {day}").format(day=days.start_text(code.starts_at, zone)))
    if code.ends_at is None:
        return Door(_("until you close it"))
    if code.ends_at - now > LESSON:
        return Door(_("until {day}").format(day=days.end_text(code.ends_at, zone)))
    return Door(
        _("closes at {hour}").format(hour=days.clock_text(code.ends_at, zone)),
        max(0, int((code.ends_at - now).total_seconds())),
    )


def room(visit: Visit, group: Group, code: InviteCode | None, said: dt.datetime) -> Room:
    """Everything about the people; ``said`` is the moment up to which arrivals were announced."""
    now = clock.now()
    arrivals = _arrivals(code, min(said, now - LIT)) if code else []
    lit = {use.membership_id for use in arrivals if use.at > now - LIT}
    seated = _seated(group, code)
    asking = list(asks.in_group(visit, group)[: NAMED + 1])
    names = [member.account.username for member in (*seated, *asking)]
    shown = dict(zip(names, first_names(names), strict=True))
    coming = _coming(code) if code else []
    chairs = [_chair(member, shown, "new" if member.id in lit else "t") for member in seated]
    chairs += [_chair(member, shown, "ask") for member in asking[:NAMED]]
    return Room(
        chairs=chairs,
        free=_free(group, len(chairs) - len(seated), len(chairs)),
        seated=group.used,
        cap=group.cap,
        newest_only=group.used > len(seated),
        askers=[_asker(visit, one) for one in asking[:NAMED]],
        more_ask=len(asking) > NAMED,
        coming=first_names(coming[:NAMED]),
        coming_count=len(coming),
        said=_news(group, [use for use in arrivals if use.at > said], [one for one in asking if one.joined_at > said]),
    )


def _chair(member: Membership, shown: dict[str, str], look: str) -> Chair:
    return Chair(shown[member.account.username], member.account.username, look)


def _asker(visit: Visit, member: Membership) -> Asker:
    sign_in = short(member.account.sign_in, visit.organization.names_under)
    return Asker(member.id, member.account.username, sign_in)


def _seated(group: Group, code: InviteCode | None) -> list[Membership]:
    """The active people of a group in the order of their coming; of a crowd, the last who came by the code."""
    if group.used <= CHAIRS:
        links = GroupMembership.objects.filter(group=group, membership__state=Membership.State.ACTIVE)
        return [link.membership for link in links.select_related("membership__account").order_by("id")[:CHAIRS]]
    if code is None:
        return []
    newest = CodeUse.objects.filter(code=code, membership__state=Membership.State.ACTIVE)
    uses = newest.select_related("membership__account").order_by("-at", "-id")[:CHAIRS]
    return list({use.membership_id: use.membership for use in reversed(uses)}.values())


def _free(group: Group, asking: int, drawn: int) -> int:
    """Free places to draw, without those that people ask for; a group without a limit has none to show."""
    return max(0, min(group.cap - group.used - asking, CHAIRS - drawn)) if group.cap else 0


def _arrivals(code: InviteCode, since: dt.datetime) -> list[CodeUse]:
    uses = CodeUse.objects.filter(code=code, asked=False, at__gt=since).select_related("membership__account")
    return list(uses.order_by("at", "id")[:CHAIRS])


def asks_for(visit: Visit, group: Group, membership_id: uuid.UUID) -> Membership | None:
    """Somebody who asks to come into this group, and whom the visitor may let in."""
    return asks.in_group(visit, group).filter(id=membership_id).first()


def _coming(code: InviteCode) -> list[str]:
    """Those who registered with this code and have still to prove the address; nobody who used an older value."""
    now = clock.now()
    pending = Registration.objects.filter(code_id=code.id, consumed_at=None, expires_at__gt=now)
    if code.rotated_at:
        pending = pending.filter(created_at__gte=code.rotated_at)
    return list(pending.order_by("created_at").values_list("username", flat=True)[:CHAIRS])


def first_names(usernames: Sequence[str]) -> list[str]:
    """What a class calls each of them: the first name, and a letter more where two have the same."""
    words = [name.split() or [""] for name in usernames]
    same = Counter(parts[0] for parts in words)
    return [f"{one[0]} {one[-1][0]}." if same[one[0]] > 1 and len(one) > 1 else one[0] for one in words]


def _news(group: Group, arrivals: Sequence[CodeUse], asking: Sequence[Membership]) -> str:
    """What a screen reader says: “Björn and Amélie are in. 19 of 28.”"""
    parts = []
    if arrivals:
        names = first_names([use.membership.account.username for use in arrivals])
        parts.append(ngettext("{names} is in.", "{names} are in.", len(names)).format(names=_few(names)))
        total = _("{seated} of {cap}.") if group.cap else _("{seated} seated.")
        parts.append(total.format(seated=group.used, cap=group.cap))
    if asking:
        names = first_names([member.account.username for member in asking])
        words = ngettext("{names} asks to come in.", "{names} ask to come in.", len(names))
        parts.append(words.format(names=_few(names)))
    return " ".join(parts)


def _few(names: Sequence[str]) -> str:
    if len(names) <= SPOKEN:
        return str(get_text_list(list(names), _("and")))
    more = _("{n} more").format(n=len(names) - SPOKEN + 1)
    return str(get_text_list([*names[: SPOKEN - 1], more], _("and")))


def read_said(text: str) -> dt.datetime:
    """The moment up to which a window has announced arrivals: now for nonsense, a minute ago at the earliest."""
    now = clock.now()
    try:
        return min(now, max(now - MEMORY, dt.datetime.fromisoformat(text).astimezone(dt.UTC)))
    except (ValueError, OverflowError):
        return now


def mark_of(group: Group, code: InviteCode | None, standing: Standing | None, seen: Room | None) -> str:
    """Changes when the window looks different: a poll that finds the same is answered with nothing."""
    row = (code.code, code.ends_at, code.starts_at, code.at_end, code.max_uses) if code else None
    people = (seen.chairs, seen.free, seen.seated, seen.cap, seen.askers, seen.coming, seen.coming_count) if seen else 0
    told = repr((group.name, group.state, row, standing, people))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]
