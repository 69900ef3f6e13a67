"""What a table shows of a member: words and pictures in place of codes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from usher.lifecycle.telling import method_label
from usher.organizations.models import Organization
from usher.organizations.plans import Plan
from usher.people.listing import Listed
from usher.people.models import Membership

State = tuple[str, "str | Promise"]
ACTIVE: State = ("in", _("Active"))
NEVER: State = ("never", _("Never signed in"))
WAITING: State = ("ask", _("Waiting for approval"))
INACTIVE: State = ("off", _("Deactivated"))


@dataclass(frozen=True, slots=True)
class Row:
    """A member in a table."""

    id: uuid.UUID
    name: str
    sign_in: str
    role: str
    groups: str
    state: State
    way: tuple[str, str]
    seen: datetime | None
    is_manager: bool = False


def row_of(
    listed: Listed, organization: Organization, plan: Plan, *, managers: frozenset[uuid.UUID] = frozenset()
) -> Row:
    """What the table shows; ``managers`` are those who manage the group that is listed."""
    member = listed.member
    role = plan.role(member.role)
    return Row(
        id=member.id,
        name=member.account.username,
        sign_in=short_sign_in(member.account.sign_in, organization.names_under),
        role=str(role.label) if role else member.role,
        groups=", ".join(listed.groups),
        state=state_of(member),
        way=(member.method, method_label(member.method)),
        seen=member.last_seen_at,
        is_manager=member.id in managers,
    )


def state_of(member: Membership) -> State:
    if member.state == Membership.State.INACTIVE:
        return INACTIVE
    if member.state == Membership.State.WAITING:
        return WAITING
    return ACTIVE if member.last_seen_at else NEVER


def short_sign_in(sign_in: str, slug: str) -> str:
    """A made name without the part that all made names here share; that is all the organisation's own door wants."""
    return sign_in.removesuffix(f"@{slug}.usher.invalid")
