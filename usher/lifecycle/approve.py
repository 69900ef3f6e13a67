"""Those who wait: an admin lets them in by the rules of the door, or declines."""

from __future__ import annotations

import uuid

from django.db import transaction

from usher.core import mail
from usher.core.errors import UsherError
from usher.core.mail import Envelope
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events.types import EventType
from usher.lifecycle import house as houses
from usher.lifecycle import pen
from usher.lifecycle.change import Change, begin
from usher.lifecycle.joiner import By, Joiner, Result, Terms
from usher.lifecycle.walk import consider
from usher.organizations.plans import Method
from usher.people.models import Group, GroupMembership, Membership


@retrying
def approve(organization_id: uuid.UUID, membership_id: uuid.UUID, by: By) -> bool:
    """Let somebody in who waits: now a seat and places are taken. False when nobody waits there any more.

    Raises UsherError: not_a_member, above_you, not_in_your_groups, and the door's own (seats_taken, ...).
    """
    with transaction.atomic():
        change = _begin(organization_id, membership_id, by)
        member = change.membership
        if member.state != Membership.State.WAITING:
            return False
        groups = Group.objects.filter(members__membership_id=membership_id)
        joiner = Joiner(
            Method.CONSOLE, member.account_id, change.role.slug, tuple(groups.values_list("name", flat=True))
        )
        change.house.terms = Terms(approving=True)
        houses.look_up(change.house, [joiner], lock=True)
        outcome = consider(joiner, change.house)
        if outcome.result is Result.REFUSED:
            raise UsherError(*outcome.findings)
        pen.bring_back(change.house, outcome)
        change.record(EventType.MEMBERSHIP_APPROVED, {"role": change.role.slug})
        _write(change, "approved")
    return True


@retrying
def decline(organization_id: uuid.UUID, membership_id: uuid.UUID, by: By) -> bool:
    """Say no to somebody who waits; he stays listed as deactivated, so that an admin can change his mind.

    False when nobody waits there any more. Raises UsherError: not_a_member, above_you, not_in_your_groups.
    """
    with transaction.atomic():
        change = _begin(organization_id, membership_id, by)
        if change.membership.state != Membership.State.WAITING:
            return False
        Membership.objects.filter(id=membership_id).update(state=Membership.State.INACTIVE)
        change.record(EventType.MEMBERSHIP_DECLINED, {"role": change.role.slug})
        _write(change, "declined")
    return True


def _begin(organization_id: uuid.UUID, membership_id: uuid.UUID, by: By) -> Change:
    """A manager decides about those who asked for his groups alone."""
    change = begin(organization_id, membership_id, by)
    if by.groups is not None:
        wanted = set(GroupMembership.objects.filter(membership_id=membership_id).values_list("group_id", flat=True))
        if not wanted or not wanted <= by.groups:
            raise UsherError(Reason.NOT_IN_YOUR_GROUPS())
    return change


def _write(change: Change, kind: str) -> None:
    """Tell the person, where the address is proved; a made name reaches nobody."""
    account = change.membership.account
    if account.is_claimed and account.email:
        mail.post(kind, account.email, Envelope(change.house.organization_id, ref=change.membership.id))
