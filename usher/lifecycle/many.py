"""One change to several members: each on its own, so that one refusal does not stop the others."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from usher.core.errors import UsherError
from usher.core.reasons import Finding
from usher.lifecycle import approve as decide
from usher.lifecycle import leave, move
from usher.lifecycle.joiner import By
from usher.people.models import Membership

MOST = 500  # people in one request


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one member: changed, left as he was, or refused with the reasons."""

    membership_id: uuid.UUID
    name: str
    sign_in: str
    changed: bool
    findings: tuple[Finding, ...] = ()


def add_to_group(organization_id: uuid.UUID, members: Sequence[uuid.UUID], group_id: uuid.UUID, by: By) -> list[Done]:
    """Put each of them into the group."""
    return _each(organization_id, members, lambda key: move.add_to_group(organization_id, key, group_id, by))


def remove_from_group(
    organization_id: uuid.UUID, members: Sequence[uuid.UUID], group_id: uuid.UUID, by: By
) -> list[Done]:
    """Take each of them out of the group."""
    return _each(organization_id, members, lambda key: move.remove_from_group(organization_id, key, group_id, by))


def set_group_right(
    organization_id: uuid.UUID, members: Sequence[uuid.UUID], group_id: uuid.UUID, right: str, by: By
) -> list[Done]:
    """Make each of them a manager of the group, or a plain member again."""

    def act(key: uuid.UUID) -> bool:
        move.set_group_right(organization_id, key, group_id, right, by)
        return True

    return _each(organization_id, members, act)


def deactivate(organization_id: uuid.UUID, members: Sequence[uuid.UUID], by: By) -> list[Done]:
    """Deactivate each of them."""
    return _each(organization_id, members, lambda key: leave.deactivate(organization_id, key, by))


def approve(organization_id: uuid.UUID, members: Sequence[uuid.UUID], by: By) -> list[Done]:
    """Let each of those who wait in."""
    return _each(organization_id, members, lambda key: decide.approve(organization_id, key, by))


def decline(organization_id: uuid.UUID, members: Sequence[uuid.UUID], by: By) -> list[Done]:
    """Say no to each of those who wait."""
    return _each(organization_id, members, lambda key: decide.decline(organization_id, key, by))


def _each(organization_id: uuid.UUID, members: Sequence[uuid.UUID], act: Callable[[uuid.UUID], bool]) -> list[Done]:
    """Names first, in one query; then one transaction each. Ids that are no members here are left out."""
    known = Membership.objects.select_related("account").filter(
        organization_id=organization_id, id__in=list(members)[:MOST]
    )
    return [_one(member, act) for member in known.order_by("sort_name", "id")]


def _one(member: Membership, act: Callable[[uuid.UUID], bool]) -> Done:
    account = member.account
    try:
        return Done(member.id, account.username, account.sign_in, act(member.id))
    except UsherError as no:
        return Done(member.id, account.username, account.sign_in, changed=False, findings=no.findings)
