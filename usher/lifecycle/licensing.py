"""What the operator changes about an organisation, all or nothing: plan, seats, dates, ways in, the trusted mark."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Count

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events.types import Actor
from usher.organizations.create import Dates, change_license, find_plan, known_pools, record_change
from usher.organizations.models import License, Organization, SeatPool
from usher.organizations.plans import Method, Plan
from usher.organizations.suspend import set_trusted
from usher.people.models import Membership


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be different; what is left out stays. ``seats`` are those of the new plan, where there is one."""

    plan: str = ""
    seats: Mapping[str, int] = field(default_factory=dict)
    dates: Dates = field(default_factory=dict)
    trusted: bool | None = None


@retrying
def change(organization: Organization, wanted: Wanted, actor: Actor) -> None:
    """Change all of it in one transaction.

    Raises UsherError: unknown_plan, plan_lacks_roles, unknown_pool, license_ends_before_start.
    """
    with transaction.atomic():
        if wanted.plan:
            _change_plan(organization, find_plan(wanted.plan), wanted.seats, actor)
        change_license(organization, actor, seats=wanted.seats, dates=wanted.dates)
        if wanted.trusted is not None:
            set_trusted(organization, actor, trusted=wanted.trusted)


def _change_plan(organization: Organization, plan: Plan, seats: Mapping[str, int], actor: Actor) -> None:
    """Nobody is given a role that he did not have: the new plan must know the roles of all who are here.

    It begins with its own seats and ways in; what the operator overrode was overridden in the other one.
    """
    license = License.objects.select_for_update().get(organization=organization)
    if license.plan_slug == plan.slug:
        return
    _check_roles(organization, plan)
    license.plan_slug, license.overrides = plan.slug, {}
    license.save(update_fields=["plan_slug", "overrides"])
    limits = {**plan.seats, **known_pools(plan, seats)}
    _remake_pools(organization, plan, limits)
    record_change(organization, actor, {"plan": plan.slug, "seats": limits})


def _check_roles(organization: Organization, plan: Plan) -> None:
    """Deactivated members count too: they can come back, and only with the role they had."""
    members = Membership.objects.filter(organization=organization)
    unknown = members.exclude(role__in=[role.slug for role in plan.roles])
    counts = unknown.values_list("role").annotate(n=Count("id")).order_by("role")
    if counts:
        said = ", ".join(f"{count} × {role}" for role, count in counts)
        raise UsherError(Reason.PLAN_LACKS_ROLES("plan", plan=str(plan.name), roles=said))


def _remake_pools(organization: Organization, plan: Plan, limits: Mapping[str, int]) -> None:
    """Another plan has other kinds of seats; whoever is here takes one of the new kind."""
    active = Membership.objects.filter(organization=organization, state=Membership.State.ACTIVE)
    used = dict.fromkeys(limits, 0)
    for role in plan.roles:
        used[role.pool] += active.filter(role=role.slug).count()
    SeatPool.objects.filter(organization=organization).delete()
    SeatPool.objects.bulk_create(
        SeatPool(organization=organization, pool=pool, limit=limit, used=used[pool]) for pool, limit in limits.items()
    )


@retrying
def override(organization: Organization, methods: Collection[Method], actor: Actor, *, groups: bool) -> None:
    """Say for this licence which ways in it has, and whether groups; what the plan says anyway is not written down."""
    with transaction.atomic():
        license = License.objects.select_for_update().get(organization=organization)
        plan, before = find_plan(license.plan_slug), license.plan
        wanted = frozenset(methods)
        kept = {name: value for name, value in license.overrides.items() if name not in ("methods", "groups")}
        if wanted != plan.methods:
            kept["methods"] = _in_order(wanted)
        if groups != plan.groups:
            kept["groups"] = groups
        License.objects.filter(id=license.id).update(overrides=kept)
        ways = {} if wanted == before.methods else {"methods": _in_order(wanted)}
        record_change(organization, actor, {**ways, **({} if groups == before.groups else {"with_groups": groups})})


def _in_order(methods: Collection[Method]) -> list[str]:
    return [method.value for method in Method if method in methods]
