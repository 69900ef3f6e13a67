"""Move: another role, other groups. The member stays; seats and caps are kept as exactly as at the door."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db import transaction
from django.db.models import F

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events.types import EventType
from usher.lifecycle import alarms
from usher.lifecycle.change import Change, begin
from usher.lifecycle.joiner import By
from usher.organizations.models import SeatPool
from usher.organizations.plans import Role
from usher.people.models import Group, GroupMembership, Membership


@retrying
def move(organization_id: uuid.UUID, membership_id: uuid.UUID, role_slug: str, by: By) -> Membership:
    """Give a member another role.

    Raises UsherError: unknown_role, role_above_yours, above_you, last_admin, no_password_left, seats_taken.
    """
    with transaction.atomic():
        change = begin(organization_id, membership_id, by)
        role = _grantable(change, role_slug)
        if role is change.role:
            return change.membership
        change.keep_an_admin()
        if change.membership.state == Membership.State.ACTIVE and role.pool != change.role.pool:
            _change_seat(change, role)
        # Only admins are marked as keeping a password; whoever becomes one again is marked anew.
        Membership.objects.filter(id=membership_id).update(role=role.slug, keeps_password=False)
        change.record(EventType.MEMBERSHIP_MOVED, {"from": change.role.slug, "to": role.slug})
    change.membership.role = role.slug
    return change.membership


def _grantable(change: Change, slug: str) -> Role:
    role = change.house.plan.role(slug)
    if role is None:
        roles = ", ".join(known.slug for known in change.house.plan.roles)
        raise UsherError(Reason.UNKNOWN_ROLE(role=slug, roles=roles))
    if role.rank > change.by.rank:
        raise UsherError(Reason.ROLE_ABOVE_YOURS(role=str(role.label)))
    return role


def _change_seat(change: Change, role: Role) -> None:
    left, pool = change.house.pools[change.role.pool], change.house.pools[role.pool]
    if pool.used + pool.kept >= pool.limit:
        raise UsherError(Reason.SEATS_TAKEN(limit=pool.limit, pool=role.pool))
    pools = SeatPool.objects.filter(organization_id=change.house.organization_id)
    pools.filter(pool=change.role.pool).update(used=F("used") - 1)
    pools.filter(pool=role.pool).update(used=F("used") + 1)
    left.used, pool.used = left.used - 1, pool.used + 1
    alarms.watch(change.house)


@retrying
def add_to_group(organization_id: uuid.UUID, membership_id: uuid.UUID, group_id: uuid.UUID, by: By) -> bool:
    """Put a member into a group; False when already there.

    Raises UsherError: no_groups_in_plan, unknown_group, not_your_group, group_closed, group_full, above_you.
    """
    with transaction.atomic():
        change = begin(organization_id, membership_id, by)
        group = _group(change, group_id)
        if GroupMembership.objects.filter(group=group, membership=change.membership).exists():
            return False
        if group.state != Group.State.OPEN:
            raise UsherError(Reason.GROUP_CLOSED(group=group.name))
        if group.cap is not None and group.used >= group.cap:
            raise UsherError(Reason.GROUP_FULL(group=group.name, cap=group.cap))
        GroupMembership.objects.create(organization_id=organization_id, group=group, membership=change.membership)
        _count(change, group, 1)
        change.record(EventType.GROUP_JOINED, {"group": str(group.id), "name": group.name})
    return True


@retrying
def remove_from_group(organization_id: uuid.UUID, membership_id: uuid.UUID, group_id: uuid.UUID, by: By) -> bool:
    """Take a member out of a group; False when not there. Raises UsherError as :func:`add_to_group`."""
    with transaction.atomic():
        change = begin(organization_id, membership_id, by)
        group = _group(change, group_id)
        gone, _ = GroupMembership.objects.filter(group=group, membership=change.membership).delete()
        if not gone:
            return False
        _count(change, group, -1)
        change.record(EventType.GROUP_LEFT, {"group": str(group.id), "name": group.name})
    return True


@retrying
def set_group_right(
    organization_id: uuid.UUID, membership_id: uuid.UUID, group_id: uuid.UUID, right: str, by: By
) -> None:
    """Make somebody of the group its manager, or a plain member again; admins' work alone.

    Raises UsherError: not_a_member, not_your_group, unknown_group.
    """
    with transaction.atomic():
        change = begin(organization_id, membership_id, by)
        if by.groups is not None:
            raise UsherError(Reason.NOT_YOUR_GROUP())
        group = _group(change, group_id)
        links = GroupMembership.objects.filter(group=group, membership=change.membership)
        if not links.exists():
            raise UsherError(Reason.NOT_A_MEMBER(sign_in=change.membership.account.sign_in))
        if not links.exclude(right=right).update(right=GroupMembership.Right(right)):
            return
        change.record(EventType.GROUP_JOINED, {"group": str(group.id), "name": group.name, "right": right})


@retrying
def change_groups(organization_id: uuid.UUID, membership_id: uuid.UUID, wanted: Collection[uuid.UUID], by: By) -> None:
    """Make the member's groups exactly ``wanted``. Raises UsherError as the single steps; all or nothing."""
    with transaction.atomic():
        links = GroupMembership.objects.filter(organization_id=organization_id, membership_id=membership_id)
        now = set(links.values_list("group_id", flat=True))
        for group_id in sorted(now - set(wanted)):
            remove_from_group(organization_id, membership_id, group_id, by)
        for group_id in sorted(set(wanted) - now):
            add_to_group(organization_id, membership_id, group_id, by)


def _group(change: Change, group_id: uuid.UUID) -> Group:
    if not change.house.plan.groups:
        raise UsherError(Reason.NO_GROUPS_IN_PLAN(plan=str(change.house.plan.name)))
    groups = Group.objects.select_for_update().filter(organization_id=change.house.organization_id)
    group = groups.filter(id=group_id).first()
    if group is None:
        raise UsherError(Reason.UNKNOWN_GROUP(group=str(group_id)))
    if change.by.groups is not None and group_id not in change.by.groups:
        raise UsherError(Reason.NOT_YOUR_GROUP())
    return group


def _count(change: Change, group: Group, step: int) -> None:
    """A group's count is of its active members."""
    if change.membership.state == Membership.State.ACTIVE:
        Group.objects.filter(id=group.id).update(used=F("used") + step)
