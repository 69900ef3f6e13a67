"""Leave and come back: deactivating frees the seat, reactivation passes the door."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import F

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events.types import Actor, EventType
from usher.lifecycle import house as houses
from usher.lifecycle import pen
from usher.lifecycle.change import begin
from usher.lifecycle.joiner import OPERATOR_RANK, By, Joiner, Result, Terms
from usher.lifecycle.walk import consider
from usher.organizations.alarms import rearm
from usher.organizations.models import Organization, SeatPool
from usher.organizations.plans import Method
from usher.people.models import Account, Group, Membership


@retrying
def deactivate(organization_id: uuid.UUID, membership_id: uuid.UUID, by: By) -> bool:
    """End a membership for now: seat and places are free, groups are remembered. False when it was ended already.

    Raises UsherError: not_a_member, above_you, last_admin, no_password_left.
    """
    with transaction.atomic():
        change = begin(organization_id, membership_id, by)
        if change.membership.state == Membership.State.INACTIVE:
            return False
        change.keep_an_admin()
        Membership.objects.filter(id=membership_id).update(state=Membership.State.INACTIVE)
        if change.membership.state == Membership.State.ACTIVE:
            pools = SeatPool.objects.filter(organization_id=organization_id, pool=change.role.pool)
            pools.update(used=F("used") - 1)
            rearm(organization_id)
            Group.objects.filter(members__membership_id=membership_id).update(used=F("used") - 1)
        change.record(EventType.MEMBERSHIP_DEACTIVATED, {"role": change.role.slug})
    return True


@retrying
def reactivate(organization_id: uuid.UUID, membership_id: uuid.UUID, by: By) -> bool:
    """Let a deactivated member in again, by the rules of the door. False when not deactivated.

    Raises UsherError with the door's reason (seats_taken, license_ended, group_full, ...).
    """
    with transaction.atomic():
        change = begin(organization_id, membership_id, by)
        member = change.membership
        if member.state != Membership.State.INACTIVE:
            return False
        # A plan that has lost its groups keeps nobody out who is in one.
        groups = Group.objects.filter(members__membership_id=membership_id) if change.house.plan.groups else None
        names = tuple(groups.values_list("name", flat=True)) if groups is not None else ()
        joiner = Joiner(Method.CONSOLE, member.account_id, change.role.slug, names)
        change.house.terms = Terms(returning=True)
        houses.look_up(change.house, [joiner], lock=True)
        outcome = consider(joiner, change.house)
        if outcome.result is Result.REFUSED:
            raise UsherError(*outcome.findings)
        pen.bring_back(change.house, outcome)
        change.record(EventType.MEMBERSHIP_REACTIVATED, {"role": change.role.slug})
    return True


def leave(account: Account, membership_id: uuid.UUID) -> Organization:
    """End one's own membership, or stop waiting for one; the seat is free. Returns the organisation that was left.

    An account that nobody proved is its organisation's: without that membership it opens no door any more, so its
    person does not end it alone. Raises UsherError: not_a_member, home_stays, last_admin, no_password_left.
    """
    mine = Membership.objects.select_related("organization").filter(account=account, id=membership_id)
    member = mine.exclude(state=Membership.State.INACTIVE).first()
    if member is None:
        raise UsherError(Reason.NOT_A_MEMBER(sign_in=account.sign_in))
    if not account.is_claimed:
        raise UsherError(Reason.HOME_STAYS(organization=member.organization.name))
    deactivate(member.organization_id, membership_id, By(Actor("account", account.id), OPERATOR_RANK))
    return member.organization
