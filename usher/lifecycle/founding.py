"""Making an organisation with its first admin, all or nothing, and renewing an admin's set-up link."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events.types import OPERATOR, Actor
from usher.lifecycle.join import join
from usher.lifecycle.joiner import OPERATOR_RANK, By, Joiner, NewAccount, Outcome
from usher.organizations.create import Dates, create
from usher.organizations.models import Organization
from usher.organizations.plans import Method
from usher.people.addresses import Address, parse_address
from usher.people.credentials import is_managed_by
from usher.people.links import make_setup_link
from usher.people.models import Account, Membership
from usher.people.operators import claimed_account

BY_OPERATOR = By(OPERATOR, OPERATOR_RANK)


@dataclass(frozen=True, slots=True)
class Plot:
    """What the operator asks for. ``seats`` left out are the plan's own; an empty name is the slug."""

    slug: str
    name: str
    plan: str
    admin: str
    seats: Mapping[str, int] = field(default_factory=dict)
    admin_name: str = ""
    dates: Dates = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Founded:
    """The organisation and its admin. ``link`` is empty for an admin who has an account of his own already."""

    organization: Organization
    admin: Account
    link: str = field(repr=False)


@retrying
def found(plot: Plot, actor: Actor = OPERATOR) -> Founded:
    """Make it all in one transaction. Raises UsherError as create, parse_address and the door: nothing is left."""
    address = parse_address(plot.admin, "admin")
    with transaction.atomic():
        organization = create(plot.slug, plot.name, plot.plan, seats=plot.seats, dates=plot.dates, actor=actor)
        known = claimed_account(address)
        outcome = _enter(organization, address, known, plot.admin_name, actor)
        if outcome.findings:
            raise UsherError(*outcome.findings)
        admin = known or organization.memberships.select_related("account").get().account
        link = "" if known else make_setup_link(admin, organization.id, actor)
    return Founded(organization, admin, link)


def _enter(organization: Organization, address: Address, known: Account | None, name: str, actor: Actor) -> Outcome:
    """Take the admin through the door: by the account that has proved the address, else as somebody new."""
    joiner = Joiner(
        method=Method.OPERATOR,
        account=known.id if known else NewAccount(name, address.original, address.key),
        role=organization.license.plan.admin.slug,
        evidence="named when the organisation was made",
    )
    return join(organization.id, joiner, By(actor, OPERATOR_RANK))


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
    return _renew(organization, chosen[0], OPERATOR)


def renew_link_of(organization: Organization, member_id: uuid.UUID, actor: Actor) -> Founded:
    """The same for one admin, chosen on a page. Raises UsherError: not_a_member, not_managed_here.

    Whoever holds the link chooses the password: an account that is the person's own, and has one, gets none here.
    """
    account = next((one.account for one in admins(organization) if one.id == member_id), None)
    if account is None:
        raise UsherError(Reason.NOT_A_MEMBER(sign_in=str(member_id)))
    if not may_renew(organization, account):
        raise UsherError(Reason.NOT_MANAGED_HERE())
    return _renew(organization, account, actor)


def may_renew(organization: Organization, account: Account) -> bool:
    """Whether a set-up link would take nothing from the person: an account of this organisation, or one never used."""
    return is_managed_by(account, organization.id) or not account.has_usable_password()


@retrying
def _renew(organization: Organization, account: Account, actor: Actor) -> Founded:
    with transaction.atomic():
        return Founded(organization, account, make_setup_link(account, organization.id, actor))
