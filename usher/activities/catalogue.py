"""Which activities there are, and who may open them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from usher.activities.models import Activity
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.organizations.models import Organization
from usher.people.models import GroupMembership, Membership
from usher.people.names import name_key

PAGE = 50
LONGEST_SEARCH = 150


@dataclass(frozen=True, slots=True)
class Page:
    """Activities by title. ``next`` is the cursor of what comes after them, empty at the end."""

    activities: Sequence[Activity]
    next: str = ""


# Finding


def of_organization(organization_id: uuid.UUID) -> QuerySet[Activity]:
    """All of them with their group, by title."""
    return Activity.objects.filter(organization_id=organization_id).select_related("group").order_by("title_key", "id")


def get(organization: Organization, activity_id: uuid.UUID) -> Activity | None:
    """None for one of another organisation too."""
    return of_organization(organization.id).filter(id=activity_id).first()


def find(organization: Organization, activity_id: uuid.UUID) -> Activity:
    """Raises UsherError: unknown_activity."""
    found = get(organization, activity_id)
    if found is None:
        raise UsherError(Reason.UNKNOWN_ACTIVITY())
    return found


def page(
    organization: Organization, *, search: str = "", state: str = Activity.State.OPEN, after: str = "", size: int = PAGE
) -> Page:
    """Those in a state ("" for any) whose title has all words of the search; ``after`` is a cursor of ours.

    A cursor is the id of an activity; one that is gone begins again.
    """
    found = _searched(of_organization(organization.id), search)
    if state:
        found = found.filter(state=state)
    last = get(organization, uuid.UUID(after)) if is_id(after) else None
    if last:
        found = found.filter(Q(title_key__gt=last.title_key) | Q(title_key=last.title_key, id__gt=last.id))
    rows = list(found[: size + 1])
    return Page(rows[:size], str(rows[size - 1].id) if len(rows) > size else "")


def count(organization: Organization) -> int:
    """How many there are, in whatever state."""
    return Activity.objects.filter(organization=organization).count()


def is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _searched(activities: QuerySet[Activity], search: str) -> QuerySet[Activity]:
    for word in name_key(search[:LONGEST_SEARCH].replace("\0", "")).split():
        activities = activities.filter(title_key__contains=word)
    return activities


# Who may open


def may_open(activity: Activity, member: Membership) -> bool:
    """Whether this member may do it now: nobody opens what is archived, and an admin all the rest.

    One query, for one that is for a group.
    """
    if activity.organization_id != member.organization_id or member.state != Membership.State.ACTIVE:
        return False
    if activity.state != Activity.State.OPEN:
        return False
    if _is_admin(member):
        return True
    if activity.audience == Activity.Audience.STAFF and not _is_staff(member):
        return False
    return activity.group_id is None or _places(member).filter(group=activity.group_id).exists()


def open_to(member: Membership, search: str = "", at_most: int = 100) -> list[Activity]:
    """What this member may open, by title: the rule of :func:`may_open` as a query."""
    if member.state != Membership.State.ACTIVE:
        return []
    found = _searched(of_organization(member.organization_id), search).filter(state=Activity.State.OPEN)
    if not _is_admin(member):
        found = found.filter(Q(group=None) | Q(group__in=_places(member).values("group")))
        if not _is_staff(member):
            found = found.filter(audience=Activity.Audience.EVERYONE)
    return list(found[:at_most])


def _places(member: Membership) -> QuerySet[GroupMembership]:
    """Members of a group and those who manage it alike."""
    return GroupMembership.objects.filter(membership=member)


def _is_admin(member: Membership) -> bool:
    return member.role == member.organization.license.plan.admin.slug


def _is_staff(member: Membership) -> bool:
    """A role that the plan does not know any more counts as its lowest."""
    plan = member.organization.license.plan
    return (plan.role(member.role) or plan.lowest) is not plan.lowest
