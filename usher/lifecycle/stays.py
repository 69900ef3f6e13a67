"""Who stays when a run is undone: one table, pure, read from top to bottom like the rules of the door."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from usher.core.reasons import Fact, Finding, Reason
from usher.lifecycle.joiner import By
from usher.organizations.plans import Plan, Role


@dataclass(frozen=True, slots=True)
class Brought:
    """Somebody whom a run brought, as he is now.

    ``change`` names the first thing that happened to him after he had come, empty when nothing did;
    ``key`` is what he types to sign in, as events compare it.
    """

    line: int
    membership_id: uuid.UUID
    account_id: uuid.UUID
    username: str
    sign_in: str
    key: str
    role: str
    is_claimed: bool = False
    has_signed_in: bool = False
    is_elsewhere: bool = False
    change: str = ""
    groups: frozenset[uuid.UUID] = frozenset()


@dataclass(slots=True)
class Desk:
    """Who undoes, and the admins there would be left: each who goes is taken out of them, like seats at the door."""

    plan: Plan
    by: By
    admins: set[uuid.UUID] = field(default_factory=set)  # memberships that can sign in

    def role_of(self, person: Brought) -> Role:
        return self.plan.role(person.role) or self.plan.lowest


Facts = dict[str, Fact]
Rule = Callable[[Brought, Desk], Facts | None]


def is_the_persons_own(person: Brought, _desk: Desk) -> Facts | None:
    return {} if person.is_claimed else None


def was_here(person: Brought, _desk: Desk) -> Facts | None:
    return {} if person.has_signed_in else None


def belongs_elsewhere_too(person: Brought, _desk: Desk) -> Facts | None:
    return {} if person.is_elsewhere else None


def was_changed(person: Brought, _desk: Desk) -> Facts | None:
    return {"change": person.change} if person.change else None


def is_above(person: Brought, desk: Desk) -> Facts | None:
    return {} if desk.role_of(person).rank > desk.by.rank else None


def is_in_groups_of_others(person: Brought, desk: Desk) -> Facts | None:
    if desk.by.groups is None:
        return None
    return None if person.groups and person.groups <= desk.by.groups else {}


def is_the_last_admin(person: Brought, desk: Desk) -> Facts | None:
    if desk.role_of(person) is not desk.plan.admin:
        return None
    return None if desk.admins - {person.membership_id} else {}


STAYS: tuple[tuple[Reason, Rule], ...] = (
    (Reason.STAYS_CLAIMED, is_the_persons_own),
    (Reason.STAYS_SIGNED_IN, was_here),
    (Reason.STAYS_ELSEWHERE, belongs_elsewhere_too),
    (Reason.STAYS_CHANGED, was_changed),
    (Reason.ABOVE_YOU, is_above),
    (Reason.NOT_IN_YOUR_GROUPS, is_in_groups_of_others),
    (Reason.LAST_ADMIN, is_the_last_admin),
)


def why_stays(person: Brought, desk: Desk) -> Finding | None:
    """Why this person cannot be taken back, or None: then the desk remembers that he goes."""
    for reason, stays in STAYS:
        facts = stays(person, desk)
        if facts is not None:
            return Finding(reason, facts)
    desk.admins.discard(person.membership_id)
    return None
