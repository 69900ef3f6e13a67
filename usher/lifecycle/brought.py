"""The people whom a run brought, in the database: what became of them since, and taking them back.

Fixed numbers of queries for any number of people.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import F

from usher.core import bulk
from usher.events import record
from usher.events.models import Event
from usher.events.types import Draft, EventType
from usher.lifecycle import alarms
from usher.lifecycle.admins import admins_who_can_sign_in
from usher.lifecycle.facts import House
from usher.lifecycle.stays import Brought
from usher.lifecycle.wordings import WORDINGS
from usher.organizations.models import SeatPool
from usher.organizations.plans import Method, Plan
from usher.people.models import Account, Group, GroupMembership, Membership

COLUMNS = (
    "id", "account_id", "role", "state", "last_seen_at", "account__username", "account__email",
    "account__sign_in_key", "account__claimed_at", "account__last_login",
)  # fmt: skip


def admins(organization_id: uuid.UUID, plan: Plan) -> set[uuid.UUID]:
    """The memberships of the admins who can sign in."""
    return set(admins_who_can_sign_in(organization_id, plan.admin.slug).values_list("id", flat=True))


def look(organization_id: uuid.UUID, lines: Sequence[tuple[int, uuid.UUID]], *, lock: bool) -> list[Brought]:
    """Those of these memberships that are still there, in the order given.

    With ``lock`` groups and accounts are held until the transaction ends, so that nobody signs in, is claimed or
    gets another password between the look and the pen. The licence row is held already.
    """
    ids = [membership_id for _, membership_id in lines]
    if lock:
        _hold(ids)
    members = Membership.objects.filter(organization_id=organization_id, id__in=ids).values_list(*COLUMNS)
    found = {row[0]: row for row in members}
    since = _since(organization_id, [row[1] for row in found.values()], ids)
    return [_brought(line, found[key], since) for line, key in lines if key in found]


def _hold(ids: Sequence[uuid.UUID]) -> None:
    """Lock order: the licence before, then groups, then accounts."""
    links = GroupMembership.objects.filter(membership__in=ids).values("group_id")
    list(Group.objects.select_for_update().filter(id__in=links).order_by("id").values_list("id"))
    mine = Membership.objects.filter(id__in=ids).values("account_id")
    list(Account.objects.select_for_update().filter(id__in=mine).order_by("id").values_list("id"))


@dataclass(frozen=True, slots=True)
class _Since:
    """What happened since: accounts that are members elsewhere, the first change of each, groups of memberships."""

    away: frozenset[uuid.UUID]
    changes: Mapping[uuid.UUID, str]
    groups: Mapping[uuid.UUID, frozenset[uuid.UUID]]


def _since(organization_id: uuid.UUID, accounts: Sequence[uuid.UUID], ids: Sequence[uuid.UUID]) -> _Since:
    elsewhere = Membership.objects.filter(account__in=accounts).exclude(organization_id=organization_id)
    groups: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    links = GroupMembership.objects.filter(membership__in=ids)
    for membership_id, group_id in links.values_list("membership_id", "group_id"):
        groups[membership_id].add(group_id)
    return _Since(
        frozenset(elsewhere.values_list("account_id", flat=True)),
        _changes(organization_id, accounts),
        {key: frozenset(value) for key, value in groups.items()},
    )


def _changes(organization_id: uuid.UUID, accounts: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The first thing that happened to each account, but for its joining, as the page of events calls it.

    What the run itself does to its people (new passwords for an import) is one event about the run. An invitation that
    came true by the run is a part of the joining; whoever opened one has an account of his own.
    """
    joining = (EventType.MEMBERSHIP_CREATED.value, EventType.INVITATION_ACCEPTED.value)
    told = Event.objects.filter(account_id__in=accounts).exclude(type__in=joining, organization_id=organization_id)
    changes: dict[uuid.UUID, str] = {}
    for account_id, kind in told.order_by("id").values_list("account_id", "type"):
        if account_id:
            changes.setdefault(account_id, _title(kind))
    return changes


def _title(kind: str) -> str:
    wording = WORDINGS.get(EventType(kind)) if kind in set(EventType) else None
    return str(wording.title) if wording else kind


def _brought(line: int, row: tuple[Any, ...], since: _Since) -> Brought:
    """From ``COLUMNS``: tens of thousands of models would take longer than their queries."""
    key, account_id, role, state, seen_at, username, email, sign_in_key, claimed_at, last_login = row
    change = since.changes.get(account_id, "")
    if not change and state != Membership.State.ACTIVE:
        change = str(Membership.State(state).label)
    return Brought(
        line,
        key,
        account_id,
        username,
        email or sign_in_key,
        sign_in_key,
        role,
        is_claimed=claimed_at is not None,
        has_signed_in=last_login is not None or seen_at is not None,
        is_elsewhere=account_id in since.away,
        change=change,
        groups=since.groups.get(key, frozenset()),
    )


# Taking back


def take_back(house: House, people: Sequence[Brought], method: Method, facts: Mapping[str, Any]) -> None:
    """Remove memberships and accounts with all that hangs on them; seats and places are free, events say so.

    ``people`` are what :func:`look` found under its lock. The counters of made names stay: no name is given twice.
    """
    if not people:
        return
    _free(house, people)
    accounts = [person.account_id for person in people]
    keys = UserSession.objects.filter(user__in=accounts).values_list("session_key", flat=True)
    Session.objects.filter(session_key__in=list(keys)).delete()
    bulk.delete(Membership, [person.membership_id for person in people])
    bulk.delete(Account, accounts)
    alarms.watch(house)
    record.record_many([_event(house, person, method, facts) for person in people])


def _free(house: House, people: Sequence[Brought]) -> None:
    """Everybody who is taken back is active, so each has a seat and a place in each of his groups."""
    roles = Counter(person.role for person in people)
    for role in house.plan.roles:
        house.pools[role.pool].used -= roles[role.slug]
        pools = SeatPool.objects.filter(organization_id=house.organization_id, pool=role.pool)
        pools.update(used=F("used") - roles[role.slug])
    places = Counter(group_id for person in people for group_id in person.groups)
    bulk.increase(Group, "used", {group_id: -n for group_id, n in sorted(places.items())})


def _event(house: House, person: Brought, method: Method, facts: Mapping[str, Any]) -> Draft:
    return Draft(
        EventType.MEMBERSHIP_UNDONE,
        house.organization_id,
        house.by.actor,
        account_id=person.account_id,
        address=person.key,
        method=method.value,
        data={"role": person.role, **facts},
    )
