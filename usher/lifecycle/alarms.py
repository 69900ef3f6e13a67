"""Whom a change at the door is news for: seats that run out, people who ask, people who came into a group.

Each is one mail however many people it is about: it is written when it is sent, and waits a little for more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from usher.core import mail
from usher.core.mail import Envelope
from usher.events import record
from usher.events.types import SYSTEM, Draft, EventType
from usher.lifecycle.facts import House, Pool
from usher.lifecycle.joiner import Outcome
from usher.organizations.alarms import fullness
from usher.organizations.models import SeatPool
from usher.people.models import GroupMembership
from usher.people.names import name_key

ASKS_WAIT = dt.timedelta(minutes=2)
NEWS_WAIT = dt.timedelta(minutes=15)  # about as long as a class takes to come in


def watch(house: House) -> None:
    """The admins are told at 80, 95 and 100 percent, once on the way up. Needs the licence lock."""
    for name, pool in house.pools.items():
        level = fullness(pool.used, pool.limit)
        if level == pool.told:
            continue
        SeatPool.objects.filter(organization_id=house.organization_id, pool=name).update(told=level)
        if level > pool.told:
            _tell(house, name, pool, level)
        pool.told = level


def _tell(house: House, name: str, pool: Pool, level: int) -> None:
    facts = {"pool": name, "level": level, "used": pool.used, "limit": pool.limit}
    record.record(Draft(EventType.LICENSE_FILLING, house.organization_id, SYSTEM, data=facts))
    # To nobody yet: the letter finds the admins when it is written.
    envelope = Envelope(house.organization_id, data=facts)
    mail.post_once("seats", "", envelope, key=f"seats:{house.organization_id}:{name}")


def asked(house: House, waiting: Sequence[Outcome]) -> None:
    """Somebody waits for an admin."""
    if waiting:
        envelope = Envelope(house.organization_id)
        mail.post_once("asks", "", envelope, key=f"asks:{house.organization_id}", delay=ASKS_WAIT)


def arrived(house: House, outcomes: Sequence[Outcome], since: dt.datetime) -> None:
    """People came into groups, or ask to, not before ``since``: managers who want to know are told."""
    groups = {house.groups[name_key(name)].id for outcome in outcomes for name in outcome.joiner.groups}
    if not groups:
        return
    managers = GroupMembership.objects.filter(group__in=groups, right=GroupMembership.Right.MANAGER)
    for group_id in set(managers.filter(notify=True).values_list("group_id", flat=True)):
        envelope = Envelope(house.organization_id, ref=group_id, data={"since": since.isoformat()})
        mail.post_once("group_news", "", envelope, key=f"group_news:{group_id}", delay=NEWS_WAIT)
