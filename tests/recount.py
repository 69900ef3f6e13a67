"""A second opinion: what the counters, events and lines should be, counted anew without the product's checks."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence

from usher.core import checks
from usher.core.snapshot import snapshot
from usher.events.models import Event
from usher.events.types import EventType
from usher.methods.csv_import.models import Import, ImportLine
from usher.methods.invite_code.models import CodeUse, InviteCode
from usher.organizations.models import License, SeatPool
from usher.people.models import Account, Group, GroupMembership, Membership

BEGAN = (EventType.MEMBERSHIP_CREATED, EventType.MEMBERSHIP_ASKED, EventType.MEMBERSHIP_TAKEN)
GONE = (EventType.MEMBERSHIP_HANDED_OVER, EventType.MEMBERSHIP_UNDONE)


def faults(organization_id: uuid.UUID) -> list[str]:
    """All that is wrong in one organisation; empty when nothing is.

    Of one moment: PostgreSQL may still be committing for a process that was killed a moment ago.
    """
    with snapshot():
        return [
            *_counters(organization_id),
            *_members(organization_id),
            *_codes(organization_id),
            *_imports(organization_id),
        ]


def broken() -> list[str]:
    """What `usher check` finds wrong in the whole database."""
    return [case for verdict in checks.run(checks.everything()).invariants for case in verdict.cases]


def _counters(organization_id: uuid.UUID) -> Iterator[str]:
    plan = License.objects.get(organization_id=organization_id).plan
    active = Membership.objects.filter(organization_id=organization_id, state="active")
    taken = Counter(role.pool for member in active if (role := plan.role(member.role)))
    for pool in SeatPool.objects.filter(organization_id=organization_id):
        if pool.used != taken[pool.pool]:
            yield f"{pool.pool}: {pool.used} seats counted, {taken[pool.pool]} taken"
    for group in Group.objects.filter(organization_id=organization_id):
        places = group.members.filter(membership__state="active").count()
        if group.used != places:
            yield f"{group.name}: {group.used} places counted, {places} taken"


def _members(organization_id: uuid.UUID) -> Iterator[str]:
    members = list(Membership.objects.filter(organization_id=organization_id))
    accounts = [member.account_id for member in members]
    if len(set(accounts)) != len(accounts):
        yield "an account has two memberships"
    lost = Account.objects.filter(home_id=organization_id, claimed_at=None).exclude(id__in=accounts)
    if lost.exists():
        yield f"{lost.count()} accounts without a membership"
    came, gone = _told(organization_id, BEGAN), _told(organization_id, GONE)
    if came - gone != Counter(accounts) or gone - came:
        yield "the events of joining are not the members"
    silent = Membership.objects.filter(organization_id=organization_id, words=None)
    if silent.exists():
        yield f"{silent.count()} members cannot be found by any word"
    if GroupMembership.objects.exclude(membership__organization_id=organization_id).filter(
        group__organization_id=organization_id
    ):
        yield "a group holds a stranger"


def _told(organization_id: uuid.UUID, kinds: Sequence[EventType]) -> Counter[uuid.UUID | None]:
    """How many events of these kinds there are about each account."""
    events = Event.objects.filter(organization_id=organization_id, type__in=kinds)
    return Counter(events.values_list("account_id", flat=True))


def _codes(organization_id: uuid.UUID) -> Iterator[str]:
    for code in InviteCode.objects.filter(organization_id=organization_id):
        uses = CodeUse.objects.filter(code=code, asked=False)
        if code.used != uses.count():
            yield f"a code has {code.used} uses counted and {uses.count()} listed"
        if code.max_uses is not None and code.used > code.max_uses:
            yield f"a code of {code.max_uses} uses let {code.used} in"
        if uses.filter(membership__state="waiting").exists():
            yield "somebody who waits took a use"


def _imports(organization_id: uuid.UUID) -> Iterator[str]:
    for source in Import.objects.filter(organization_id=organization_id):
        lines = list(ImportLine.objects.filter(source=source))
        made = [str(line.membership_id) for line in lines if line.result == "created"]
        if any(line.membership_id for line in lines if line.result in ("refused", "undone")):
            yield "a line of nobody names a member"
        if len(set(made)) != len(made):
            yield "two lines made one member"
        if Membership.objects.filter(organization_id=organization_id, id__in=made).count() != len(made):
            yield "a line says created and nobody is there"
        if source.finished_at and len(lines) != source.rows:
            yield f"{len(lines)} of {source.rows} lines of a finished import are entered"
