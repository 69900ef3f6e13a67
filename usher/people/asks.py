"""Who waits to be let in: everybody for an admin; for a manager those whom he may decide about."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from usher.people.access import Visit
from usher.people.listing import Cursor, counted, not_active
from usher.people.models import Group, GroupMembership, Membership

PAGE = 50


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who waits, and for which groups."""

    member: Membership
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AskPage:
    """A page of them by name, with the places to page on from."""

    people: Sequence[Asking]
    back: Cursor | None = None
    next: Cursor | None = None


def count(visit: Visit) -> int:
    """How many wait for this visitor; counted to 1,000 and one beyond. One query, and none for who decides nothing."""
    if not visit.is_admin and not visit.managed:
        return 0
    return counted(_waiting(visit))


def page(visit: Visit, cursor: Cursor | None = None, size: int = PAGE) -> AskPage:
    """Those who wait, by name: the first, or the ones beyond a place."""
    back = bool(cursor and cursor.back)
    ordered = _waiting(visit).order_by(*(("-sort_name", "-id") if back else ("sort_name", "id")))
    found = list((ordered.filter(_beyond(cursor)) if cursor else ordered).select_related("account")[: size + 1])
    more, shown = len(found) > size, found[:size]
    if back:
        shown.reverse()
    before = _place(shown[0], back=True) if shown and (more if back else cursor) else None
    after = _place(shown[-1]) if shown and (more or back) else None
    return AskPage(_with_groups(shown), before, after)


def in_group(visit: Visit, group: Group) -> QuerySet[Membership]:
    """Those who ask to come into one group, whoever asked first standing first."""
    here = _waiting(visit).filter(group_links__group=group)
    return here.select_related("account").order_by("joined_at", "id")


def _waiting(visit: Visit) -> QuerySet[Membership]:
    """A manager lets in whoever asked for groups of his and for no other, in the lowest role."""
    here = not_active(Membership.objects.filter(organization=visit.organization))
    asking = here.filter(state=Membership.State.WAITING)
    if visit.is_admin:
        return asking
    wanted = GroupMembership.objects.filter(membership=OuterRef("id"))
    mine, others = wanted.filter(group__in=visit.managed), wanted.exclude(group__in=visit.managed)
    return asking.filter(Exists(mine), ~Exists(others), role=visit.plan.lowest.slug)


def _beyond(place: Cursor) -> Q:
    """The range first, which the index knows, then those of the very same name."""
    name = place.sort_name.replace("\0", "")
    if place.back:
        return Q(sort_name__lte=name) & (Q(sort_name__lt=name) | Q(id__lt=place.id))
    return Q(sort_name__gte=name) & (Q(sort_name__gt=name) | Q(id__gt=place.id))


def _place(member: Membership, *, back: bool = False) -> Cursor:
    return Cursor(member.sort_name, member.id, back=back)


def _with_groups(members: Sequence[Membership]) -> list[Asking]:
    groups: dict[uuid.UUID, list[str]] = {}
    links = GroupMembership.objects.filter(membership__in=[member.id for member in members])
    for member_id, name in links.order_by("group__name_key").values_list("membership_id", "group__name"):
        groups.setdefault(member_id, []).append(name)
    return [Asking(member, tuple(groups.get(member.id, ()))) for member in members]
