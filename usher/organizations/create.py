"""Making an organisation with its licence and seats, and changing what the licence allows; the operator's work."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.formats import date_format

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.alarms import rearm
from usher.organizations.models import License, OldSlug, Organization, SeatPool
from usher.organizations.plans import PLANS, Plan

SLUG = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")
LONGEST_NAME = 120
RESERVED = frozenset({"www", "api", "static", "admin", "usher", "new", "o"})

Dates = Mapping[str, dt.date | None]  # "starts_on" and "ends_on"; None for no such day


def create(
    slug: str,
    name: str,
    plan_slug: str,
    *,
    seats: Mapping[str, int] | None = None,
    dates: Dates | None = None,
    actor: Actor,
) -> Organization:
    """Make an organisation; ``seats`` by pool override the plan's own numbers.

    Raises UsherError: slug_not_allowed, slug_taken, unknown_plan, unknown_pool, license_ends_before_start, and what
    is wrong with the name. Records the event; call it inside a transaction when more belongs to it.
    """
    plan = find_plan(plan_slug)
    limits = {**plan.seats, **known_pools(plan, seats or {})}
    check_slug(slug)
    shown = " ".join(name.split()) or slug
    check_name(shown)
    try:
        with transaction.atomic():
            made = _write(Organization(slug=slug, name=shown), plan, limits, dates or {}, actor)
            # Asked after the insert, which waits for whoever is just giving this name up.
            if OldSlug.objects.filter(slug=slug).exists():
                raise UsherError(Reason.SLUG_TAKEN("slug", slug=slug))
            return made
    except IntegrityError as error:
        raise UsherError(Reason.SLUG_TAKEN("slug", slug=slug)) from error


def find_plan(slug: str) -> Plan:
    """Raises UsherError: unknown_plan."""
    if slug not in PLANS:
        raise UsherError(Reason.UNKNOWN_PLAN("plan", plan=slug, plans=", ".join(PLANS)))
    return PLANS[slug]


def known_pools(plan: Plan, seats: Mapping[str, int]) -> Mapping[str, int]:
    """The seats as given. Raises UsherError: unknown_pool."""
    for pool in seats:
        if pool not in plan.seats:
            raise UsherError(Reason.UNKNOWN_POOL("seats", pool=pool, pools=", ".join(plan.seats)))
    return seats


def check_slug(slug: str) -> None:
    """Raises UsherError (slug_not_allowed)."""
    if not SLUG.fullmatch(slug) or slug in RESERVED or "--" in slug:
        raise UsherError(Reason.SLUG_NOT_ALLOWED("slug", slug=slug))


def check_name(name: str) -> None:
    """Raises UsherError: name_too_long, name_hidden_characters."""
    if len(name) > LONGEST_NAME:
        raise UsherError(Reason.NAME_TOO_LONG("name", length=len(name), limit=LONGEST_NAME))
    if not name.isprintable():
        raise UsherError(Reason.NAME_HIDDEN_CHARACTERS("name"))


def _write(
    organization: Organization, plan: Plan, limits: Mapping[str, int], dates: Dates, actor: Actor
) -> Organization:
    organization.created_at = clock.now()
    organization.save(force_insert=True)
    license = License(organization=organization, plan_slug=plan.slug)
    _set_dates(license, dates)
    license.save(force_insert=True)
    for pool, limit in limits.items():
        SeatPool.objects.create(organization=organization, pool=pool, limit=limit)
    facts = {"slug": organization.slug, "plan": plan.slug, "seats": dict(limits), **_written(dates)}
    record.record(Draft(EventType.ORGANIZATION_CREATED, organization.id, actor, data=facts))
    return organization


# Changing


def change_license(
    organization: Organization, actor: Actor, *, seats: Mapping[str, int] | None = None, dates: Dates | None = None
) -> License:
    """Set seats and dates; what is not named stays. A lowered licence removes nobody.

    Raises UsherError: unknown_pool, license_ends_before_start.
    """
    with transaction.atomic():
        license = License.objects.select_for_update().get(organization=organization)
        wanted = known_pools(license.plan, seats or {})
        changed = {pool: limit for pool, limit in wanted.items() if _set_limit(organization, pool, limit)}
        rearm(organization.id)
        moved = {name: day for name, day in (dates or {}).items() if getattr(license, name) != day}
        _set_dates(license, moved)
        license.save(update_fields=["starts_on", "ends_on"])
        record_change(organization, actor, {**({"seats": changed} if changed else {}), **_written(moved)})
    return license


def _set_limit(organization: Organization, pool: str, limit: int) -> bool:
    """Whether it was another one before."""
    pools = SeatPool.objects.filter(organization=organization, pool=pool).exclude(limit=limit)
    return bool(pools.update(limit=limit))


def _set_dates(license: License, dates: Dates) -> None:
    for name, day in dates.items():
        setattr(license, name, day)
    if license.starts_on and license.ends_on and license.ends_on < license.starts_on:
        days = {"starts": date_format(license.starts_on, "j M Y"), "ends": date_format(license.ends_on, "j M Y")}
        raise UsherError(Reason.LICENSE_ENDS_BEFORE_START("ends_on", **days))


def _written(dates: Dates) -> dict[str, str | None]:
    return {name: day.isoformat() if day else None for name, day in dates.items()}


def record_change(organization: Organization, actor: Actor, changes: Mapping[str, Any]) -> None:
    """The event of a changed licence, unless nothing is different. Needs a transaction."""
    if changes:
        record.record(Draft(EventType.LICENSE_CHANGED, organization.id, actor, data=changes))
