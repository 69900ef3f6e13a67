"""Making an organisation with its first admin, all or nothing, and renewing an admin's set-up link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction

from usher.cli.entry import enter_admin
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events.types import OPERATOR
from usher.organizations.create import create
from usher.organizations.models import Organization
from usher.people.addresses import parse_address
from usher.people.links import make_setup_link
from usher.people.models import Account, Membership
from usher.people.operators import claimed_account


@dataclass(frozen=True, slots=True)
class Plot:
    """What the operator asks for. ``seats`` left out are the plan's own; an empty name is the slug."""

    slug: str
    name: str
    plan: str
    admin: str
    seats: Mapping[str, int] = field(default_factory=dict)
    admin_name: str = ""


@dataclass(frozen=True, slots=True)
class Founded:
    """The new organisation and its admin. ``link`` is empty for an admin who has an account of his own already."""

    organization: Organization
    admin: Account
    link: str


def found(plot: Plot) -> Founded:
    """Make it all in one transaction. Raises UsherError as create, parse_address and the door: nothing is left."""
    address = parse_address(plot.admin, "admin")
    with transaction.atomic():
        organization = create(plot.slug, plot.name, plot.plan, seats=plot.seats, actor=OPERATOR)
        known = claimed_account(address)
        outcome = enter_admin(organization, address, known, plot.admin_name)
        if outcome.findings:
            raise UsherError(*outcome.findings)
        admin = known or organization.memberships.select_related("account").get().account
        link = "" if known else make_setup_link(admin, organization.id, OPERATOR)
    return Founded(organization, admin, link)


def admins(organization: Organization) -> list[Membership]:
    """The active admins, the first one first."""
    members = organization.memberships.select_related("account").order_by("joined_at", "id")
    return list(members.filter(role=organization.license.plan.admin.slug, state=Membership.State.ACTIVE))


def renew_link(organization: Organization, address: str) -> Founded:
    """A new set-up link for the only admin, or for the one with this address. Raises UsherError: not_a_member."""
    key = parse_address(address, "admin").key if address else ""
    chosen = [one.account for one in admins(organization) if not key or one.account.sign_in_key == key]
    if not chosen:
        raise UsherError(Reason.NOT_A_MEMBER("admin", sign_in=address or organization.slug))
    with transaction.atomic():
        return Founded(organization, chosen[0], make_setup_link(chosen[0], organization.id, OPERATOR))
