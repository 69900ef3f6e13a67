"""Rules as a line of text: ``app_role=Teacher -> teacher``, ``group=0b6d… -> group:Year 5``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from usher.core.errors import UsherError
from usher.core.findings import Finding
from usher.core.reasons import Reason
from usher.methods.sso.connect import RuleWish
from usher.methods.sso.models import Connection, Rule
from usher.methods.sso.rules import rules_of
from usher.organizations.models import Organization
from usher.people.models import Group
from usher.people.names import name_key

ARROW: Final = "->"
GROUP: Final = "group:"


def read(organization: Organization, lines: Sequence[str]) -> list[RuleWish]:
    """Raises UsherError with all that is wrong: rule_not_allowed, unknown_group."""
    wanted = {name_key(gives.removeprefix(GROUP)) for *_claim, gives in map(_parts, lines) if gives.startswith(GROUP)}
    here = Group.objects.filter(organization=organization, name_key__in=wanted)
    groups = {group.name_key: group for group in here}
    found = [_read(line, groups) for line in lines]
    wishes = [one for one in found if isinstance(one, RuleWish)]
    if len(wishes) < len(found):
        raise UsherError(*(one for one in found if isinstance(one, Finding)))
    return wishes


def _read(line: str, groups: dict[str, Group]) -> RuleWish | Finding:
    claim, value, gives = _parts(line)
    if not (claim and value and gives):
        return Reason.RULE_NOT_ALLOWED(given=line[:80])
    if not gives.startswith(GROUP):
        return RuleWish(claim, value, role=gives)
    name = gives.removeprefix(GROUP).strip()
    group = groups.get(name_key(name))
    return RuleWish(claim, value, group=group.id) if group else Reason.UNKNOWN_GROUP(group=name)


def _parts(line: str) -> tuple[str, str, str]:
    """What to look at, its value, and what it gives; a value may hold the arrow, and "="."""
    when, _arrow, gives = line.rpartition(ARROW)
    claim, _equals, value = when.partition("=")
    return claim.strip(), value.strip(), gives.strip()


def of_connection(connection: Connection) -> list[str]:
    """Its rules in their order, each as the line that reads as it."""
    return [_write(rule) for rule in rules_of(connection).select_related("group")]


def _write(rule: Rule) -> str:
    return f"{rule.claim}={rule.value} {ARROW} {f'{GROUP}{rule.group.name}' if rule.group else rule.role}"
