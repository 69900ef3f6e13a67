"""Everybody in an organisation, one after the other, in a few queries for each thousand of them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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


def entries(organization: Organization) -> Iterator[Entry]:
    """All members, the earliest first; read page by page, so that a million of them need no memory."""
    members = Membership.objects.select_related("account").filter(organization=organization).order_by("id")
    page = list(members[:PAGE])
    while page:
        yield from _told(page)
        page = list(members.filter(id__gt=page[-1].id)[:PAGE])


def _told(page: Sequence[Membership]) -> Iterator[Entry]:
    groups = _groups(page)
    for member in page:
        account = member.account
        yield Entry(
            sign_in=account.sign_in,
            username=account.username,
            email=account.email,
            role=member.role,
            method=member.method,
            groups=tuple(groups.get(member.id, ())),
            state=member.state,
            claimed=account.is_claimed,
        )


def _groups(page: Sequence[Membership]) -> Mapping[uuid.UUID, list[str]]:
    links = GroupMembership.objects.filter(membership_id__in=[member.id for member in page])
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    for member_id, name in links.order_by("group__name_key").values_list("membership_id", "group__name"):
        found[member_id].append(name)
    return found
