"""How a licence stands today: the seats of each kind, its dates, and what an admin should know of them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usher.core import clock
from usher.organizations.alarms import fullness
from usher.organizations.models import License, Organization, SeatPool, SeatReservation
from usher.organizations.plans import ALWAYS, METHOD_LABELS, Method

SOON = 30  # days before the end that are worth a word
SCARCE = 10  # less than a tenth of the seats free, and fewer than this many


@dataclass(frozen=True, slots=True)
class Seats:
    """The seats of one kind. ``kept`` are those that wait for people who are invited."""

    label: str
    used: int
    limit: int
    kept: int = 0

    @property
    def free(self) -> int:
        return max(0, self.limit - self.used - self.kept)

    @property
    def level(self) -> int:
        """80, 95 or 100 percent, when so much is taken; 0 below."""
        return fullness(self.used, self.limit)

    @property
    def advice(self) -> str:
        """The next step when few seats are left; empty when there are plenty."""
        if self.used > self.limit:
            return _("More people than seats. Nobody is removed; nobody new gets in.")
        if not self.free and self.used < self.limit:
            return _("The last seats are kept for people who are invited. Take one back, or ask for more.")
        if not self.free:
            return _("Deactivate someone, or ask the operator for more seats.")
        if self.free < SCARCE and self.free * 10 <= self.limit:
            left = ngettext("{n} left.", "{n} left.", self.free).format(n=self.free)
            return left + " " + _("Free a seat or ask for more.")
        return ""


@dataclass(frozen=True, slots=True)
class Caution:
    """Something about the licence that somebody should act on. ``kind`` is that of a note.

    ``can_wait``: worth a word where the licence is the matter, and a nuisance on a page that is opened all day.
    """

    kind: str
    title: str
    sentence: str
    can_wait: bool = False


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
    """Plan, dates, seats, ways in, and the warnings that follow from them; two queries."""
    license, plan = organization.license, organization.license.plan
    kept = _kept(organization)
    pools = [
        Seats(str(plan.pool_labels.get(pool.pool, pool.pool)), pool.used, pool.limit, kept.get(pool.pool, 0))
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


def _kept(organization: Organization) -> Mapping[str, int]:
    """How many seats of each kind are kept for somebody at this moment."""
    living = SeatReservation.objects.filter(organization=organization, until__gt=clock.now())
    return dict(living.values_list("pool").annotate(n=Count("id")).order_by())


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
    return [warning for pool in pools for warning in _warnings_of(pool)]


def _warnings_of(pool: Seats) -> list[Caution]:
    """What a mail has said at 80, 95 and 100 percent stands here for as long as it is so."""
    words = {"label": pool.label, "used": pool.used, "limit": pool.limit, "n": pool.free}
    if pool.used > pool.limit:
        title = _("{label}: {used} people on {limit} seats.").format(**words)
        sentence = _("Nobody is removed. Nobody new gets in until {n} seats are free or added.")
        return [Caution("warn", title, sentence.format(n=pool.used - pool.limit + 1))]
    if pool.level == 100:
        title = _("{label}: all {limit} seats are taken.").format(**words)
        sentence = _("Nobody new gets one. Deactivate people who have left, or ask the operator for more.")
        return [Caution("bad", title, sentence)]
    if pool.level:
        title = ngettext("{label}: {n} seat of {limit} is left.", "{label}: {n} seats of {limit} are left.", pool.free)
        sentence = _("Ask the operator for more before they run out, or deactivate people who have left.")
        kind, can_wait = ("warn", False) if pool.level == 95 else ("info", True)
        return [Caution(kind, title.format(**words), sentence, can_wait)]
    return []
