"""What rooms that bring many people at once share: the choices for all of them, and where they will sign in."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle.joiner import By
from usher.lifecycle.visitor import by_visit
from usher.organizations.models import Organization
from usher.organizations.plans import Role
from usher.people.access import Visit
from usher.people.models import Group
from usher.people.names import clean_group_name, name_key


@dataclass(frozen=True, slots=True)
class Choices:
    """The role and the group picked for everybody; ``group`` is empty for none."""

    role: str
    group: str = ""
    make_groups: bool = False


def check(organization: Organization, choices: Choices, by: By) -> Role:
    """What would refuse everybody stops the run before it begins; returns the role.

    Raises UsherError: unknown_role, role_above_yours, no_groups_in_plan, unknown_group, not_your_group,
    and what is wrong with the name of a group that is to be made.
    """
    plan = organization.license.plan
    role = plan.role(choices.role)
    if role is None:
        known = ", ".join(known.slug for known in plan.roles)
        raise UsherError(Reason.UNKNOWN_ROLE("role", role=choices.role, roles=known))
    if role.rank > by.rank:
        raise UsherError(Reason.ROLE_ABOVE_YOURS("role", role=str(role.label)))
    if choices.group and not plan.groups:
        raise UsherError(Reason.NO_GROUPS_IN_PLAN("group", plan=str(plan.name)))
    _check_group(organization, choices, by)
    return role


def _check_group(organization: Organization, choices: Choices, by: By) -> None:
    groups = Group.objects.filter(organization=organization, name_key=name_key(choices.group))
    group = groups.first() if choices.group else None
    if by.groups is not None and (group is None or group.id not in by.groups):
        raise UsherError(Reason.NOT_YOUR_GROUP("group"))
    if choices.group and group is None:
        if not choices.make_groups:
            raise UsherError(Reason.UNKNOWN_GROUP("group", group=choices.group))
        clean_group_name(choices.group, "group")


def groups_to_pick(visit: Visit) -> list[str]:
    """The names of the open groups that this visitor may bring people into, in order."""
    groups = Group.objects.filter(organization=visit.organization, state=Group.State.OPEN)
    if not visit.is_admin:
        groups = groups.filter(id__in=visit.managed)
    return list(groups.order_by("name_key").values_list("name", flat=True))


def roles_to_pick(visit: Visit) -> list[tuple[str, str]]:
    """The roles that this visitor may give, from the lowest, as (slug, label)."""
    rank = by_visit(visit).rank
    return [(role.slug, str(role.label)) for role in visit.plan.roles if role.rank <= rank]


def sign_in_at(organization: Organization) -> str:
    """The organisation's own sign-in page, as written on lists and cards."""
    return f"{settings.USHER_BASE_URL}/o/{organization.slug}/sign-in"
