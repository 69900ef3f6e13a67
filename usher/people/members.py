"""Finding memberships: one of an organisation, those of an account, and how many wait or never came."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from usher.organizations.plans import Method
from usher.people.access import Visit
from usher.people.credentials import is_managed_by
from usher.people.listing import counted, not_active
from usher.people.models import Account, Membership

MENU = 50  # organisations in the menu; the home page has them all


def find(visit: Visit, membership_id: uuid.UUID) -> Membership | None:
    """A member of the visitor's organisation, in whatever state."""
    members = Membership.objects.select_related("account").filter(organization=visit.organization)
    return members.filter(id=membership_id).first()


def admins(visit: Visit, most: int) -> list[Membership]:
    """Those who run the organisation, by name; the first of them."""
    members = Membership.objects.select_related("account").filter(organization=visit.organization)
    active = members.filter(role=visit.plan.admin.slug, state=Membership.State.ACTIVE)
    return list(active.order_by("sort_name", "id")[:most])


@dataclass(frozen=True, slots=True)
class Belongs:
    """Where an account is in, and where it waits for an admin's word."""

    active: Sequence[Membership]
    waiting: Sequence[Membership]


def where(account: Account) -> Belongs:
    """All memberships that count, by the name of the organisation. One query."""
    members = Membership.objects.select_related("account", "organization__license").filter(account=account)
    found = list(members.exclude(state=Membership.State.INACTIVE).order_by("organization__name", "id"))
    return Belongs(
        [member for member in found if member.state == Membership.State.ACTIVE],
        [member for member in found if member.state == Membership.State.WAITING],
    )


@dataclass(frozen=True, slots=True)
class Place:
    """An organisation in which somebody is in, as a menu shows it."""

    name: str
    slug: str


def places_of(account: Account) -> list[Place]:
    """Where the account can go, by name. One small query."""
    members = Membership.objects.filter(account=account, state=Membership.State.ACTIVE)
    pairs = members.order_by("organization__name").values_list("organization__name", "organization__slug")
    return [Place(name, slug) for name, slug in pairs[:MENU]]


def who_hears(account: Account) -> list[uuid.UUID | None]:
    """Whose events tell of a change of the account: the organisations that have it among their people, in whatever
    state; None, nobody's, where there are none."""
    members = Membership.objects.filter(account=account).order_by("organization_id")
    return list(members.values_list("organization_id", flat=True)) or [None]


def is_reached(member: Membership) -> bool:
    """Whether mails about the organisation may go to this member's address.

    It is proved to be the person's own, or the operator gave it; what an admin typed into a list is neither.
    """
    account = member.account
    return bool(account.email) and (account.is_claimed or member.method == Method.OPERATOR)


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
