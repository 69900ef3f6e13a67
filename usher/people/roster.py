"""Everybody in an organisation, one after the other, in a few queries for each thousand of them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from usher.organizations.models import Organization
from usher.people.models import GroupMembership, Membership

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as a program or a list sees it."""

    sign_in: str
    username: str
    email: str
    role: str
    method: str
    groups: tuple[str, ...]
    state: str
    claimed: bool


_COLUMNS = (
    "id", "role", "method", "state", "account__username", "account__email", "account__sign_in_key",
    "account__claimed_at",
)  # fmt: skip


def entries(organization: Organization) -> Iterator[Entry]:
    """All members, the earliest first; read page by page, so that a million of them need no memory."""
    members = Membership.objects.filter(organization=organization).order_by("id").values_list(*_COLUMNS)
    page = list(members[:PAGE])
    while page:
        groups = _groups([row[0] for row in page])
        yield from (_entry(row, groups) for row in page)
        page = list(members.filter(id__gt=page[-1][0])[:PAGE])


def _entry(row: tuple[Any, ...], groups: Mapping[uuid.UUID, list[str]]) -> Entry:
    member_id, role, method, state, username, email, sign_in_key, claimed_at = row
    return Entry(
        sign_in=email or sign_in_key,
        username=username,
        email=email,
        role=role,
        method=method,
        groups=tuple(groups.get(member_id, ())),
        state=state,
        claimed=claimed_at is not None,
    )


def _groups(member_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, list[str]]:
    links = GroupMembership.objects.filter(membership_id__in=member_ids)
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    for member_id, name in links.order_by("group__name_key").values_list("membership_id", "group__name"):
        found[member_id].append(name)
    return found
