"""What somebody wants a code to do, and what it makes of the row: the rules for codes, in one place.

A field of a wish is a field of the form and an option of the command; every "no" names it.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from usher.core.domain_names import parse_domain
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.lifecycle.joiner import By
from usher.methods.invite_code import days
from usher.methods.invite_code.models import InviteCode
from usher.organizations.models import Organization
from usher.organizations.plans import Plan
from usher.people.models import Group

MOST_USES: Final = 1_000_000
MOST_DOMAINS: Final = 50
_SCHOOL: Final = "school"
_BETWEEN: Final = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a code is to do. An empty ``role`` is the lowest; ``ends_on`` is the last day; ``domains`` as typed.

    ``groups`` are the further ones, besides the group that the code is of.
    """

    role: str = ""
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    max_uses: int | None = None
    at_end: str = InviteCode.AtEnd.REFUSE.value
    domains: str = ""
    proof: str = InviteCode.Proof.PROVE_FIRST.value
    needs_approval: bool = False
    groups: frozenset[uuid.UUID] = frozenset()


@dataclass(slots=True)
class Weighed:
    """A wish after the rules: the values of the row that are in order, and what is wrong with the others."""

    values: dict[str, Any] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def wish_of(code: InviteCode, organization: Organization) -> Wish:
    """What the code does now, as somebody would wish for it."""
    zone = days.zone_of(organization)
    return Wish(
        role=code.role,
        starts_on=days.first_day(code.starts_at, zone),
        ends_on=days.last_day(code.ends_at, zone),
        max_uses=code.max_uses,
        at_end=code.at_end,
        domains=", ".join(code.domains),
        proof=code.proof,
        needs_approval=code.needs_approval,
        groups=frozenset(group.id for group in code.groups.all()),
    )


def weigh(organization: Organization, wish: Wish, by: By, code: InviteCode) -> Weighed:
    """Apply the rules to a wish for ``code`` (which may be new): everything that is wrong with it, at once."""
    plan, weighed = organization.license.plan, Weighed()
    weighed.values |= {"at_end": wish.at_end, "needs_approval": wish.needs_approval}
    _role(wish, plan, by, weighed)
    _groups(organization, wish, by, code, weighed)
    _dates(wish, code, organization, weighed)
    _uses(wish, weighed)
    _domains(wish, weighed)
    _proof(wish, plan, weighed)
    return weighed


def _role(wish: Wish, plan: Plan, by: By, weighed: Weighed) -> None:
    role = plan.role(wish.role) if wish.role else plan.lowest
    if role is None:
        known = ", ".join(one.slug for one in plan.roles if one is not plan.admin)
        weighed.findings.append(Reason.UNKNOWN_ROLE("role", role=wish.role, roles=known))
    elif role is plan.admin:
        weighed.findings.append(Reason.CODE_FOR_ADMINS("role", role=str(role.label)))
    elif role.rank > by.rank:
        weighed.findings.append(Reason.ROLE_ABOVE_YOURS("role", role=str(role.label)))
    else:
        weighed.values["role"] = role.slug


def _groups(organization: Organization, wish: Wish, by: By, code: InviteCode, weighed: Weighed) -> None:
    """The further groups: of this organisation, open, and the manager's own."""
    found = Group.objects.filter(organization=organization, id__in=wish.groups).order_by("name_key")
    weighed.groups = [group for group in found if group.id != code.group_id] if wish.groups else []
    if wish.groups and not organization.license.plan.groups:
        weighed.findings.append(Reason.NO_GROUPS_IN_PLAN("groups", plan=str(organization.license.plan.name)))
    lost = wish.groups - {group.id for group in weighed.groups} - {code.group_id}
    weighed.findings += [Reason.UNKNOWN_GROUP("groups", group=str(one)) for one in sorted(lost)]
    closed = [group for group in weighed.groups if group.state != Group.State.OPEN]
    weighed.findings += [Reason.GROUP_CLOSED("groups", group=group.name) for group in closed]
    if by.groups is not None and not wish.groups <= by.groups:
        weighed.findings.append(Reason.NOT_YOUR_GROUP("groups"))


def _dates(wish: Wish, code: InviteCode, organization: Organization, weighed: Weighed) -> None:
    """Days become moments; a day that nobody changed keeps its moment, which a lesson may have set."""
    far = [(name, day) for name, day in (("starts_on", wish.starts_on), ("ends_on", wish.ends_on)) if _is_far(day)]
    weighed.findings += [Reason.CODE_DAY_TOO_FAR(name, date=str(day)) for name, day in far]
    if far:
        return
    zone = days.zone_of(organization)
    starts_at, ends_at = code.starts_at, code.ends_at
    if wish.starts_on != days.first_day(starts_at, zone):
        starts_at = days.begin_of(wish.starts_on, zone) if wish.starts_on else None
    if wish.ends_on != days.last_day(ends_at, zone):
        ends_at = days.end_of(wish.ends_on, zone) if wish.ends_on else None
    if starts_at and ends_at and ends_at <= starts_at:
        date = days.start_text(starts_at, zone)
        weighed.findings.append(Reason.CODE_ENDS_BEFORE_START("ends_on", date=date))
    else:
        weighed.values |= {"starts_at": starts_at, "ends_at": ends_at}


def _is_far(day: dt.date | None) -> bool:
    return day is not None and not days.FIRST_YEAR <= day.year <= days.LAST_YEAR


def _uses(wish: Wish, weighed: Weighed) -> None:
    if wish.max_uses is not None and not 1 <= wish.max_uses <= MOST_USES:
        given = f"{wish.max_uses:,}" if abs(wish.max_uses) < 10**12 else "…"
        weighed.findings.append(Reason.CODE_USES_NOT_POSSIBLE("max_uses", given=given, limit=f"{MOST_USES:,}"))
    else:
        weighed.values["max_uses"] = wish.max_uses


def _domains(wish: Wish, weighed: Weighed) -> None:
    """Every wrong one is named, so that a pasted list is corrected once."""
    typed = [part for part in _BETWEEN.split(wish.domains) if part]
    if len(typed) > MOST_DOMAINS:
        weighed.findings.append(Reason.CODE_TOO_MANY_DOMAINS("domains", count=len(typed), limit=MOST_DOMAINS))
        return
    parsed = list(dict.fromkeys(_parsed(typed, weighed.findings)))
    weighed.values["domains"] = parsed


def _parsed(typed: Iterable[str], findings: list[Finding]) -> Iterable[str]:
    for part in typed:
        try:
            yield parse_domain(part)
        except UsherError as no:
            findings.extend(no.findings)


def _proof(wish: Wish, plan: Plan, weighed: Weighed) -> None:
    """In at once is for pupils of a school who may have no address: nothing else vouches for them."""
    at_once = wish.proof == InviteCode.Proof.AT_ONCE
    role = weighed.values.get("role", plan.lowest.slug)
    if at_once and (not may_be_at_once(plan) or role != plan.lowest.slug or wish.domains.strip()):
        weighed.findings.append(Reason.CODE_NOT_AT_ONCE("proof", role=str(plan.lowest.label)))
    else:
        weighed.values["proof"] = wish.proof


def may_be_at_once(plan: Plan) -> bool:
    return plan.slug == _SCHOOL
