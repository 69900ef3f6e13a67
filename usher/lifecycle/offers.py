"""Offers: memberships that organisations made for an address before its owner proved it; he takes or ends each."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import F

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.alarms import rearm
from usher.organizations.models import License, SeatPool
from usher.people.claim import offers_to
from usher.people.models import Account, Group, Membership
from usher.people.search import reindex


def listed(account: Account) -> list[Membership]:
    """What waits for the account's yes or no, by the name of the organisation."""
    waiting = offers_to(account).select_related("account", "organization__license")
    return list(waiting.order_by("organization__name", "id"))


@retrying
def take(account: Account, membership_id: uuid.UUID) -> Membership:
    """The membership becomes the account's own, with its role, seat and groups.

    Raises UsherError: not_a_member, organization_suspended.

    Where the account is a member already, the offer ends instead, and its seat is free.
    """
    with transaction.atomic():
        offer = _locked(account, membership_id)
        if offer.organization.is_suspended:
            raise UsherError(Reason.ORGANIZATION_SUSPENDED())
        mine = Membership.objects.filter(account=account, organization=offer.organization_id).first()
        if mine:
            _end(account, offer)
            return mine
        shell = offer.account
        Membership.objects.filter(id=offer.id).update(account=account)
        offer.account = account
        reindex(account)
        record.record_many(
            [
                _event(EventType.MEMBERSHIP_HANDED_OVER, account, offer, shell.id),
                _event(EventType.MEMBERSHIP_TAKEN, account, offer, account.id),
            ]
        )
        # Without a membership, and with nothing that signs in: nobody's any more.
        shell.delete()
    return offer


@retrying
def end(account: Account, membership_id: uuid.UUID) -> None:
    """Say no to an offer: the membership ends as if its admin had deactivated it. Raises UsherError: not_a_member."""
    with transaction.atomic():
        _end(account, _locked(account, membership_id))


def _locked(account: Account, membership_id: uuid.UUID) -> Membership:
    """The offer under the licence lock of its organisation."""
    offer = offers_to(account).filter(id=membership_id).first()
    if offer is None:
        raise UsherError(Reason.NOT_A_MEMBER(sign_in=account.sign_in))
    License.objects.select_for_update().get(organization=offer.organization_id)
    still = offers_to(account).select_related("account", "organization__license").filter(id=membership_id).first()
    if still is None:
        raise UsherError(Reason.NOT_A_MEMBER(sign_in=account.sign_in))
    return still


def _end(account: Account, offer: Membership) -> None:
    plan = offer.organization.license.plan
    role = plan.role(offer.role) or plan.lowest
    Membership.objects.filter(id=offer.id).update(state=Membership.State.INACTIVE)
    SeatPool.objects.filter(organization=offer.organization_id, pool=role.pool).update(used=F("used") - 1)
    rearm(offer.organization_id)
    Group.objects.filter(members__membership_id=offer.id).update(used=F("used") - 1)
    record.record(_event(EventType.MEMBERSHIP_DEACTIVATED, account, offer, offer.account_id))


def _event(kind: EventType, account: Account, offer: Membership, about: uuid.UUID) -> Draft:
    return Draft(
        kind,
        offer.organization_id,
        Actor("account", account.id),
        account_id=about,
        address=account.sign_in_key,
        method=offer.method,
        data={"role": offer.role, "evidence": "the address was proved"},
    )
