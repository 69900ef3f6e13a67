"""Finding memberships: one of an organisation, those of an account, and how many wait or never came."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from usher.people.access import Visit
from usher.people.credentials import is_managed_by
from usher.people.listing import counted, not_active
from usher.people.models import Account, Membership


def find(visit: Visit, membership_id: uuid.UUID) -> Membership | None:
    """A member of the visitor's organisation, in whatever state."""
    members = Membership.objects.select_related("account").filter(organization=visit.organization)
    return members.filter(id=membership_id).first()


def of_account(account: Account) -> list[Membership]:
    """Where the account is an active member, by the name of the organisation."""
    members = Membership.objects.select_related("organization__license").filter(account=account)
    return list(members.filter(state=Membership.State.ACTIVE).order_by("organization__name"))


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are in each corner; each counted to 1,000 and one beyond."""

    never: int
    waiting: int
    inactive: int

    @property
    def not_active(self) -> int:
        return self.waiting + self.inactive


def counts(visit: Visit) -> Counts:
    """The numbers on the chips of the Users page."""
    members = Membership.objects.filter(organization=visit.organization)
    outside = not_active(members)
    return Counts(
        never=counted(members.filter(last_seen_at__isnull=True)),
        waiting=counted(outside.filter(state=Membership.State.WAITING)),
        inactive=counted(outside.filter(state=Membership.State.INACTIVE)),
    )


@dataclass(frozen=True, slots=True)
class Powers:
    """What a visitor may do to a member, so that a page offers nothing that would be refused."""

    is_self: bool
    may_change: bool  # role, groups, coming and going
    may_correct: bool
    may_reset: bool


def powers(visit: Visit, member: Membership) -> Powers:
    """An admin changes his equals, but writes name, address and password of lower ranks alone."""
    rank = (visit.plan.role(member.role) or visit.plan.lowest).rank
    is_self = member.account_id == visit.account.id
    managed = is_managed_by(member.account, member.organization_id)
    lower = rank < visit.role.rank
    return Powers(
        is_self=is_self,
        may_change=visit.is_admin and rank <= visit.role.rank,
        may_correct=visit.is_admin and managed and (lower or is_self),
        may_reset=visit.is_admin and managed and lower and member.state == Membership.State.ACTIVE,
    )
