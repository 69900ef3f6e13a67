"""What the rules of a connection make of a person: a role and groups, pure and read from top to bottom."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from usher.methods.sso.models import Connection, Rule
from usher.methods.sso.person import Person
from usher.organizations.plans import Plan
from usher.people.models import Group


@dataclass(frozen=True, slots=True)
class Verdict:
    """``role`` is empty where no rule fits. ``is_sure`` is False where a rule looked at what could not be read:
    then nobody who is in is moved by it. ``rule`` is the one that gave the role."""

    role: str = ""
    groups: tuple[uuid.UUID, ...] = ()
    is_sure: bool = True
    rule: Rule | None = None


def facts_wanted(connection: Connection | None) -> frozenset[str]:
    """The facts that the rules look at."""
    return frozenset(rule.claim for rule in connection.rules_in_order) if connection else frozenset()


def rules_of(connection: Connection) -> QuerySet[Rule]:
    return Rule.objects.filter(connection=connection).order_by("position")


def judge(rules: Sequence[Rule], person: Person, plan: Plan) -> Verdict:
    """The first rule for a role that fits decides; of those for groups, every one that fits.

    A rule that names no role of the plan, or its admin, gives nothing: nobody becomes an admin by what a provider
    says. A list that came incomplete gives neither role nor group.
    """
    is_sure, chosen = True, None
    for rule in (rule for rule in rules if rule.role):
        if rule.claim in person.unknown:
            is_sure = False
        elif chosen is None and is_sure and _may_be_given(rule.role, plan) and fits(rule, person):
            chosen = rule
            break
    fitting = [rule for rule in rules if rule.group_id and rule.claim not in person.unknown and fits(rule, person)]
    is_sure = is_sure and not any(rule.claim in person.unknown for rule in rules if rule.group_id)
    groups = tuple(dict.fromkeys(rule.group_id for rule in fitting if rule.group_id))
    return Verdict(chosen.role if chosen else "", groups, is_sure, chosen)


def _may_be_given(slug: str, plan: Plan) -> bool:
    role = plan.role(slug)
    return role is not None and role is not plan.admin


def fits(rule: Rule, person: Person) -> bool:
    """Compared without case. Addresses and domains may hold ``*`` for any part: ``*@students.cedar.example``."""
    wanted = rule.value.lower()
    values = (value.lower() for value in person.facts.get(rule.claim, ()))
    if rule.claim in ("email", "domain"):
        return any(_is_like(value, wanted) for value in values)
    return wanted in values


def _is_like(value: str, pattern: str) -> bool:
    """Whether ``*`` can stand for something so that they are the same. By hand, since the time that a regular
    expression takes for it can be made as long as one likes by whoever writes both."""
    if "*" not in pattern:
        return value == pattern
    first, *middle, last = pattern.split("*")
    if not value.startswith(first) or not value.endswith(last) or len(value) < len(first) + len(last):
        return False
    rest = value[len(first) : len(value) - len(last)]
    for part in middle:
        _before, found, rest = rest.partition(part) if part else ("", "*", rest)
        if not found:
            return False
    return True


def group_names(groups: Sequence[uuid.UUID], organization_id: uuid.UUID) -> tuple[str, ...]:
    """The names of those that have a place left: a full or closed group keeps nobody out of the organisation."""
    if not groups:
        return ()
    found = Group.objects.filter(organization_id=organization_id, id__in=groups, state=Group.State.OPEN)
    return tuple(group.name for group in found.order_by("name_key") if group.cap is None or group.used < group.cap)
