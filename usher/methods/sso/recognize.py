"""Whom a verified person is here: known, somebody the organisation made or has, somebody alike, or new.

An address leads to an account only where the organisation answers for it, and even then to its own people alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q

from usher.methods.sso.identities import identity_of, others
from usher.methods.sso.models import Connection
from usher.methods.sso.person import Person
from usher.organizations import domains
from usher.people.addresses import domain_key
from usher.people.models import Account, Identity, Membership


class Standing(StrEnum):
    """What the person is to this organisation."""

    KNOWN = "known"  # by this connection
    MADE_HERE = "made_here"  # the organisation made an account for that address: it is his, silently
    SAME = "same"  # a member who proved the mailbox, and the organisation proved the domain
    LEFT = "left"  # a member with that address was deactivated: coming back is an admin's act
    ALIKE = "alike"  # there is an account with that address: ask
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Recognition:
    """Who it is, and the account where there is one."""

    standing: Standing
    identity: Identity | None = None
    account: Account | None = None


def recognize(connection: Connection, person: Person) -> Recognition:
    """Two to four short queries; writes nothing."""
    identity = identity_of(connection, person)
    if identity:
        return Recognition(Standing.KNOWN, identity, identity.account)
    account = _with_address(connection, person)
    if account is None:
        return Recognition(Standing.NEW)
    if left := _who_was_sent_away(connection, person):
        return Recognition(Standing.LEFT, account=left)
    if _is_his_silently(connection, person, account):
        standing = Standing.SAME if account.is_claimed else Standing.MADE_HERE
        return Recognition(standing, account=account)
    return Recognition(Standing.ALIKE, account=account)


def _with_address(connection: Connection, person: Person) -> Account | None:
    """Who has this address: its owner wherever he belongs, or an account of this organisation.

    Of an address that nobody answers for, only this organisation's own people: whether somebody else has an account
    is nobody's business who can make his provider say any address.
    """
    if not person.address:
        return None
    here = Q(home=connection.organization) | Q(memberships__organization=connection.organization)
    whose = here | Q(claimed_at__isnull=False) if person.is_vouched else here
    found = Account.objects.filter(whose, sign_in_key=person.key).distinct()
    return min(found, key=lambda one: (not one.is_claimed, one.id), default=None)


def _is_his_silently(connection: Connection, person: Person, account: Account) -> bool:
    """Only where both sides proved the address; a subject that follows another one never (a domain that lapsed)."""
    if not person.is_vouched or others(connection, person, account).exists():
        return False
    if not account.is_claimed:
        return True
    mine = Membership.objects.filter(account=account, organization=connection.organization)
    is_member = mine.filter(state=Membership.State.ACTIVE).exists()
    return (
        is_member
        and account.vouched_by_organization is None
        and domains.answers_for(connection.organization_id, domain_key(person.address))
    )


def _who_was_sent_away(connection: Connection, person: Person) -> Account | None:
    """Whom the organisation deactivated, and who has this address and no account there that is in.

    Not where the provider knew him as another person: then the address was given to somebody else.
    """
    here = Membership.objects.select_related("account").filter(
        organization=connection.organization, account__sign_in_key=person.key
    )
    members = list(here.order_by("id"))
    if not members or any(one.state != Membership.State.INACTIVE for one in members):
        return None
    accounts = [one.account for one in members]
    return None if any(others(connection, person, one).exists() for one in accounts) else accounts[0]
