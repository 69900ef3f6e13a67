"""Groups: made, renamed, given a cap, closed and archived here; who is in one is the door's work."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.models import License, Organization
from usher.people.access import Visit
from usher.people.models import Group, GroupMembership, Membership
from usher.people.names import clean_group_name, name_key

PAGE = 100
OFFERED = 500  # groups in a drop-down list; more are reached through the Groups page


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Groups by name. ``back`` and ``next`` are the name keys to page on from, empty at the ends."""

    groups: Sequence[Group]
    back: str = ""
    next: str = ""


# Reading


def get(organization: Organization, group_id: uuid.UUID) -> Group | None:
    return Group.objects.filter(organization=organization, id=group_id).first()


def by_name(organization: Organization, name: str) -> Group:
    """Raises UsherError: no_such_group."""
    found = Group.objects.filter(organization=organization, name_key=name_key(name)).first()
    if found is None:
        raise UsherError(Reason.NO_SUCH_GROUP("group", group=name[:80]))
    return found


def offered(visit: Visit) -> list[Group]:
    """The groups a visitor may choose from: all that are not archived, or those he manages."""
    groups = Group.objects.filter(organization=visit.organization).exclude(state=Group.State.ARCHIVED)
    if not visit.is_admin:
        groups = groups.filter(id__in=visit.managed)
    return list(groups.order_by("name_key")[:OFFERED])


def page(visit: Visit, *, after: str = "", before: str = "", archived: bool = False, size: int = PAGE) -> GroupPage:
    """A page of the organisation's groups; of a manager's own, when he is no admin."""
    groups = Group.objects.filter(organization=visit.organization)
    groups = groups.filter(state=Group.State.ARCHIVED) if archived else groups.exclude(state=Group.State.ARCHIVED)
    if not visit.is_admin:
        groups = groups.filter(id__in=visit.managed)
    return _before(groups, before, size) if before else _after(groups, after, size)


def _after(groups: QuerySet[Group], after: str, size: int) -> GroupPage:
    rows = list(groups.filter(name_key__gt=after).order_by("name_key")[: size + 1])
    return GroupPage(
        rows[:size],
        back=rows[0].name_key if after and rows else "",
        next=rows[size - 1].name_key if len(rows) > size else "",
    )


def _before(groups: QuerySet[Group], before: str, size: int) -> GroupPage:
    rows = list(groups.filter(name_key__lt=before).order_by("-name_key")[: size + 1])
    shown = rows[:size][::-1]
    return GroupPage(
        shown, back=shown[0].name_key if len(rows) > size else "", next=shown[-1].name_key if shown else ""
    )


def of_member(membership: Membership) -> list[GroupMembership]:
    """The places a member has in groups, by the name of the group."""
    return list(membership.group_links.select_related("group").order_by("group__name_key"))


def managers(group: Group) -> list[Membership]:
    """Who manages the group, by name."""
    links = GroupMembership.objects.filter(group=group, right=GroupMembership.Right.MANAGER)
    members = Membership.objects.select_related("account").filter(group_links__in=links)
    return list(members.order_by("sort_name", "id"))


def own_place(visit: Visit, group: Group) -> GroupMembership | None:
    """The visitor's own place in a group, where he manages it."""
    links = GroupMembership.objects.filter(group=group, membership=visit.membership)
    return links.filter(right=GroupMembership.Right.MANAGER).first()


# Changing


def set_notify(visit: Visit, group_id: uuid.UUID, *, wanted: bool) -> bool:
    """Mail the visitor when people come into a group he manages, or stop. False where he manages none of that id.

    No event: nobody but he himself gains or loses anything by it.
    """
    links = GroupMembership.objects.filter(organization_id=visit.organization.id, group=group_id)
    mine = links.filter(membership=visit.membership, right=GroupMembership.Right.MANAGER)
    return bool(mine.update(notify=wanted))


@retrying
def create(organization: Organization, name: str, cap: int | None, actor: Actor) -> Group:
    """A new, open group. Raises UsherError: no_groups_in_plan, group_name_taken, the findings of the name."""
    cleaned = clean_group_name(name)
    try:
        with transaction.atomic():
            _lock(organization)
            group = Group.objects.create(organization=organization, name=cleaned, name_key=name_key(cleaned), cap=cap)
            _record(EventType.GROUP_CREATED, group, actor, {"name": cleaned, "cap": cap})
    except IntegrityError as error:
        raise UsherError(Reason.GROUP_NAME_TAKEN("name", group=cleaned)) from error
    return group


@retrying
def change(organization: Organization, group_id: uuid.UUID, name: str, cap: int | None, actor: Actor) -> Group:
    """Another name, another cap. A lowered cap removes nobody. Raises UsherError as :func:`create`, unknown_group."""
    cleaned = clean_group_name(name)
    try:
        with transaction.atomic():
            group = _locked(organization, group_id)
            wanted = {"name": cleaned, "cap": cap}
            changes = {key: value for key, value in wanted.items() if getattr(group, key) != value}
            _save(group, {**changes, "name_key": name_key(cleaned)})
            if changes:
                _record(EventType.GROUP_CHANGED, group, actor, changes)
    except IntegrityError as error:
        raise UsherError(Reason.GROUP_NAME_TAKEN("name", group=cleaned)) from error
    return group


@retrying
def set_state(organization: Organization, group_id: uuid.UUID, state: Group.State, actor: Actor) -> Group:
    """Open, close or archive a group; its people stay in the organisation. Raises UsherError: unknown_group."""
    with transaction.atomic():
        group = _locked(organization, group_id)
        if group.state != state:
            _save(group, {"state": state})
            _record(EventType.GROUP_CHANGED, group, actor, {"state": state.value})
    return group


def _lock(organization: Organization) -> None:
    """The licence row is the lock of the house: the door makes groups too, and counts on their state."""
    plan = License.objects.select_for_update().get(organization=organization).plan
    if not plan.groups:
        raise UsherError(Reason.NO_GROUPS_IN_PLAN(plan=str(plan.name)))


def _locked(organization: Organization, group_id: uuid.UUID) -> Group:
    _lock(organization)
    group = Group.objects.select_for_update().filter(organization=organization, id=group_id).first()
    if group is None:
        raise UsherError(Reason.UNKNOWN_GROUP(group=str(group_id)))
    return group


def _save(group: Group, values: dict[str, Any]) -> None:
    for column, value in values.items():
        setattr(group, column, value)
    group.save(update_fields=list(values))


def _record(kind: EventType, group: Group, actor: Actor, changes: dict[str, Any]) -> None:
    record.record(Draft(kind, group.organization_id, actor, data={"group": str(group.id), **changes}))
