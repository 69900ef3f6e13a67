"""Making an organisation with its licence and seats, and changing the licence; the operator's work."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from django.db import IntegrityError, transaction

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.models import License, Organization, SeatPool
from usher.organizations.plans import PLANS, Plan

SLUG = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")
LONGEST_NAME = 120
RESERVED = frozenset({"www", "api", "static", "admin", "usher", "new", "o"})


def create(
    slug: str, name: str, plan_slug: str, *, seats: Mapping[str, int] | None = None, actor: Actor
) -> Organization:
    """Make an organisation; ``seats`` by pool override the plan's own numbers.

    Raises UsherError: slug_not_allowed, slug_taken, unknown_plan, unknown_pool, and what is wrong with the name.
    Records the event;
    call it inside a transaction when more belongs to it.
    """
    plan = _plan(plan_slug)
    limits = {**plan.seats, **_known_pools(plan, seats or {})}
    _check_slug(slug)
    shown = " ".join(name.split()) or slug
    _check_name(shown)
    try:
        with transaction.atomic():
            return _write(slug, shown, plan, limits, actor)
    except IntegrityError as error:
        raise UsherError(Reason.SLUG_TAKEN("slug", slug=slug)) from error


def _plan(slug: str) -> Plan:
    if slug not in PLANS:
        raise UsherError(Reason.UNKNOWN_PLAN("plan", plan=slug, plans=", ".join(PLANS)))
    return PLANS[slug]


def _known_pools(plan: Plan, seats: Mapping[str, int]) -> Mapping[str, int]:
    for pool in seats:
        if pool not in plan.seats:
            raise UsherError(Reason.UNKNOWN_POOL("seats", pool=pool, pools=", ".join(plan.seats)))
    return seats


def _check_slug(slug: str) -> None:
    if not SLUG.fullmatch(slug) or slug in RESERVED or "--" in slug:
        raise UsherError(Reason.SLUG_NOT_ALLOWED("slug", slug=slug))


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise UsherError(Reason.NAME_TOO_LONG("name", length=len(name), limit=LONGEST_NAME))
    if not name.isprintable():
        raise UsherError(Reason.NAME_HIDDEN_CHARACTERS("name"))


def _write(slug: str, name: str, plan: Plan, limits: Mapping[str, int], actor: Actor) -> Organization:
    organization = Organization.objects.create(slug=slug, name=name, created_at=clock.now())
    License.objects.create(organization=organization, plan_slug=plan.slug)
    for pool, limit in limits.items():
        SeatPool.objects.create(organization=organization, pool=pool, limit=limit)
    record.record(
        Draft(
            EventType.ORGANIZATION_CREATED,
            organization.id,
            actor,
            data={"slug": slug, "plan": plan.slug, "seats": dict(limits)},
        )
    )
    return organization


def change_license(
    organization: Organization,
    actor: Actor,
    *,
    seats: Mapping[str, int] | None = None,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
) -> License:
    """Set seats and dates. A lowered licence removes nobody. Raises UsherError: unknown_pool."""
    with transaction.atomic():
        license = License.objects.select_for_update().get(organization=organization)
        changed = dict(_known_pools(license.plan, seats or {}))
        for pool, limit in changed.items():
            SeatPool.objects.filter(organization=organization, pool=pool).update(limit=limit)
        license.starts_on = starts_on or license.starts_on
        license.ends_on = ends_on or license.ends_on
        license.save()
        dates = {"starts_on": _iso(license.starts_on), "ends_on": _iso(license.ends_on)}
        record.record(Draft(EventType.LICENSE_CHANGED, organization.id, actor, data={"seats": changed, **dates}))
    return license


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
