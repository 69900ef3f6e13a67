"""How a licence stands today: the seats of each kind, its dates, and what an admin should know of them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usher.core import clock
from usher.organizations.models import License, Organization, SeatPool
from usher.organizations.plans import ALWAYS, METHOD_LABELS, Method

SOON = 30  # days before the end that are worth a word
SCARCE = 10  # less than a tenth of the seats free, and fewer than this many


@dataclass(frozen=True, slots=True)
class Seats:
    """The seats of one kind."""

    label: str
    used: int
    limit: int

    @property
    def free(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def advice(self) -> str:
        """The next step when few seats are left; empty when there are plenty."""
        if self.used > self.limit:
            return _("More people than seats. Nobody is removed; nobody new gets in.")
        if not self.free:
            return _("Deactivate someone, or ask the operator for more seats.")
        if self.free < SCARCE and self.free * 10 <= self.limit:
            left = ngettext("{n} left.", "{n} left.", self.free).format(n=self.free)
            return left + " " + _("Free a seat or ask for more.")
        return ""


@dataclass(frozen=True, slots=True)
class Caution:
    """Something about the licence that somebody should act on. ``kind`` is that of a note."""

    kind: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The licence as a page shows it."""

    plan: str
    starts_on: dt.date | None
    ends_on: dt.date | None
    pools: Sequence[Seats]
    methods: Sequence[tuple[str, str, bool]]  # code, label, whether the plan includes it
    groups: bool
    cautions: Sequence[Caution]

    @property
    def used(self) -> int:
        return sum(pool.used for pool in self.pools)


def standing(organization: Organization) -> Standing:
    """Plan, dates, seats, ways in, and the warnings that follow from them; one query."""
    license, plan = organization.license, organization.license.plan
    pools = [
        Seats(str(plan.pool_labels.get(pool.pool, pool.pool)), pool.used, pool.limit)
        for pool in sorted(SeatPool.objects.filter(organization=organization), key=_order(organization))
    ]
    return Standing(
        plan=str(plan.name),
        starts_on=license.starts_on,
        ends_on=license.ends_on,
        pools=pools,
        methods=[
            (method.value, str(METHOD_LABELS[method][0]), method in plan.methods)
            for method in Method
            if method not in ALWAYS
        ],
        groups=plan.groups,
        cautions=[*_date_warnings(license, _today(organization)), *_seat_warnings(pools)],
    )


def _order(organization: Organization) -> Callable[[SeatPool], int]:
    """Pools in the order of the plan's roles: the largest crowd first."""
    slugs = [role.pool for role in organization.license.plan.roles]
    return lambda pool: slugs.index(pool.pool) if pool.pool in slugs else len(slugs)


def _today(organization: Organization) -> dt.date:
    return clock.now().astimezone(zoneinfo.ZoneInfo(organization.time_zone)).date()


def _date_warnings(license: License, today: dt.date) -> list[Caution]:
    if license.ends_on and today > license.ends_on:
        return [
            Caution(
                "bad",
                _("The licence ended on {day}.").format(day=date_format(license.ends_on, "j M Y")),
                _("Nobody new gets in. Everybody who is in stays in. Ask the operator to renew it."),
            )
        ]
    if license.starts_on and today < license.starts_on:
        day = date_format(license.starts_on, "j M Y")
        return [Caution("info", _("The licence starts on {day}.").format(day=day), _("Until then nobody new gets in."))]
    return _end_is_near(license, today)


def _end_is_near(license: License, today: dt.date) -> list[Caution]:
    if license.ends_on is None or (license.ends_on - today).days > SOON:
        return []
    days = (license.ends_on - today).days
    left = ngettext("{n} day left.", "{n} days left.", days).format(n=days) if days else _("Today is the last day.")
    return [Caution("warn", left, _("After that nobody new gets in. Ask the operator to renew the licence."))]


def _seat_warnings(pools: Sequence[Seats]) -> list[Caution]:
    return [
        Caution(
            "warn",
            _("{label}: {used} people on {limit} seats.").format(label=pool.label, used=pool.used, limit=pool.limit),
            _("Nobody is removed. Nobody new gets in until {n} seats are free or added.").format(
                n=pool.used - pool.limit + 1
            ),
        )
        for pool in pools
        if pool.used > pool.limit
    ]
