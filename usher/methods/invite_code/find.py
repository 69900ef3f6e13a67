"""Finding codes: those of an organisation, that of a group, and who may handle one."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from usher.core.reasons import Finding, Reason
from usher.lifecycle.joiner import By
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.text import normal
from usher.organizations.models import Organization
from usher.organizations.plans import Plan
from usher.people.models import Group
from usher.people.names import name_key

PAGE = 20  # tickets
OFFERED = 500  # groups to tick; more are reached by the code of the group itself


@dataclass(frozen=True, slots=True)
class CodePage:
    """The codes of an organisation that belong to no group, the first made (the main one) first.

    ``back`` and ``next`` are the ids to page on from, None at the ends.
    """

    codes: Sequence[InviteCode]
    back: uuid.UUID | None = None
    next: uuid.UUID | None = None


def codes_of(organization: Organization) -> QuerySet[InviteCode]:
    """All codes of an organisation with their groups, the earliest first."""
    codes = InviteCode.objects.filter(organization=organization).select_related("group")
    return codes.prefetch_related("groups").order_by("id")


def page(
    organization: Organization, *, after: uuid.UUID | None = None, before: uuid.UUID | None = None, size: int = PAGE
) -> CodePage:
    """A page of the organisation's own codes."""
    codes = codes_of(organization).filter(group=None)
    if before:
        rows = list(codes.filter(id__lt=before).order_by("-id")[: size + 1])
        shown = rows[:size][::-1]
        return CodePage(shown, shown[0].id if len(rows) > size else None, shown[-1].id if shown else None)
    rows = list((codes.filter(id__gt=after) if after else codes)[: size + 1])
    return CodePage(
        rows[:size], rows[0].id if after and rows else None, rows[size - 1].id if len(rows) > size else None
    )


def own_code(organization: Organization, code_id: uuid.UUID) -> InviteCode | None:
    """A code of the organisation that belongs to no group."""
    return codes_of(organization).filter(group=None, id=code_id).first()


def of_group(group: Group) -> InviteCode | None:
    """The code of a group; its first, should there ever be several."""
    codes = InviteCode.objects.filter(organization_id=group.organization_id, group=group)
    return codes.select_related("group").prefetch_related("groups").order_by("id").first()


def typed(organization: Organization, text: str) -> InviteCode | None:
    """A code of this organisation by its letters, however typed, or by its id."""
    wanted = Q(code=normal(text) or "-")
    with suppress(ValueError):
        wanted |= Q(id=uuid.UUID(text))
    return codes_of(organization).filter(wanted).first()


def every(organization: Organization) -> Iterator[InviteCode]:
    """All codes of an organisation, read while they are walked through."""
    return codes_of(organization).iterator(chunk_size=500)


def refusal(code: InviteCode, further: Collection[uuid.UUID], plan: Plan, by: By) -> Finding | None:
    """Why somebody may not handle this code, nor see it: who has it gives what it gives.

    A manager handles codes for the lowest role that lead into his own groups alone.
    """
    if by.groups is not None and (code.group_id not in by.groups or not set(further) <= by.groups):
        return Reason.NOT_YOUR_GROUP()
    role = plan.role(code.role)
    return Reason.ROLE_ABOVE_YOURS("role", role=str(role.label)) if role and role.rank > by.rank else None


def may_handle(code: InviteCode, plan: Plan, by: By) -> bool:
    return refusal(code, [group.id for group in code.groups.all()], plan, by) is None


def groups_to_offer(organization: Organization, code: InviteCode | None) -> list[Group]:
    """The groups a code may lead into: the open ones, and those it leads into now."""
    if not organization.license.plan.groups:
        return []
    groups = Group.objects.filter(organization=organization)
    now = [group.id for group in code.groups.all()] if code else []
    wanted = groups.filter(Q(state=Group.State.OPEN) | Q(id__in=now))
    if code and code.group_id:
        wanted = wanted.exclude(id=code.group_id)
    return list(wanted.order_by("name_key")[:OFFERED])


def groups_named(organization: Organization, names: Sequence[str]) -> tuple[list[Group], list[Finding]]:
    """The groups of these names, in this order, and a finding for each that is not there."""
    keys = {name_key(name): name for name in names}
    found = {group.name_key: group for group in Group.objects.filter(organization=organization, name_key__in=keys)}
    lost = [Reason.UNKNOWN_GROUP("group", group=name) for key, name in keys.items() if key not in found]
    return [found[key] for key in keys if key in found], lost
