"""All organisations at a glance, for the operator: seats and dates, never a look at the members themselves."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from usher.core import clock
from usher.organizations.find import all_of_them
from usher.organizations.models import OldSlug, Organization
from usher.organizations.standing import Seats

PAGE = 50
ACTIVE, SUSPENDED, DELETING = "active", "suspended", "deleting"
STATES: Mapping[str, Q] = {
    ACTIVE: Q(suspended_at=None, delete_on=None),
    SUSPENDED: Q(suspended_at__isnull=False, delete_on=None),
    DELETING: Q(delete_on__isnull=False),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which organisations; empty means all. ``query`` is part of a name, or of a short name it has or had."""

    query: str = ""
    plan: str = ""
    state: str = ""

    @property
    def is_set(self) -> bool:
        return self != Filter()


@dataclass(frozen=True, slots=True)
class Summary:
    """One organisation as a row of the list shows it."""

    id: uuid.UUID
    slug: str
    name: str
    plan: str
    pools: Sequence[Seats]
    ends_on: dt.date | None
    has_ended: bool
    state: str
    is_trusted: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Organisations by short name. ``back`` and ``next`` are the short names to page on from, empty at the ends."""

    rows: Sequence[Summary]
    back: str = ""
    next: str = ""


def by_id(organization_id: uuid.UUID) -> Organization | None:
    return all_of_them().filter(id=organization_id).first()


def page(chosen: Filter, *, after: str = "", before: str = "", size: int = PAGE) -> Page:
    """A page of the list: the first, the one after a short name, or the one before it. Two queries."""
    found = _chosen(chosen)
    if before:
        rows = list(found.filter(slug__lt=before).order_by("-slug")[: size + 1])
        shown = [summary(one) for one in rows[:size][::-1]]
        return Page(shown, shown[0].slug if len(rows) > size else "", shown[-1].slug if shown else "")
    rows = list(found.filter(slug__gt=after)[: size + 1])
    shown = [summary(one) for one in rows[:size]]
    return Page(shown, shown[0].slug if after and shown else "", shown[-1].slug if len(rows) > size else "")


def _chosen(chosen: Filter) -> QuerySet[Organization]:
    found = all_of_them()
    if chosen.query:
        typed = chosen.query.lower()
        had = OldSlug.objects.filter(slug=typed).values("organization_id")
        found = found.filter(Q(slug__contains=typed) | Q(name__icontains=chosen.query) | Q(id__in=had))
    if chosen.plan:
        found = found.filter(license__plan_slug=chosen.plan)
    return found.filter(STATES[chosen.state]) if chosen.state else found


def summary(organization: Organization) -> Summary:
    """The counts are those of the seat pools: no query here grows with the members."""
    license = organization.license
    today = clock.now().astimezone(zoneinfo.ZoneInfo(organization.time_zone)).date()
    return Summary(
        id=organization.id,
        slug=organization.slug,
        name=organization.name,
        plan=str(license.plan.name),
        pools=_pools(organization),
        ends_on=license.ends_on,
        has_ended=license.ends_on is not None and license.ends_on < today,
        state=state_of(organization),
        is_trusted=organization.trusted_at is not None,
    )


def _pools(organization: Organization) -> list[Seats]:
    """In the order of the plan's roles: the largest crowd first."""
    plan, pools = organization.license.plan, {pool.pool: pool for pool in organization.pools.all()}
    return [
        Seats(str(plan.pool_labels.get(name, name)), pools[name].used, pools[name].limit)
        for name in dict.fromkeys(role.pool for role in plan.roles)
        if name in pools
    ]


def state_of(organization: Organization) -> str:
    """``active``, ``suspended`` or ``deleting``."""
    if organization.delete_on:
        return DELETING
    return SUSPENDED if organization.is_suspended else ACTIVE
