"""Rules and their outcome in sentences that an admin could read aloud."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from usher.methods.sso import attempts
from usher.methods.sso.models import Connection, Kind, Rule
from usher.methods.sso.overview import RESULTS
from usher.methods.sso.recognize import Standing
from usher.methods.sso.rules import rules_of
from usher.methods.sso.simulate import Simulation
from usher.methods.sso.ways import way_of
from usher.people.models import Group

Choices = Sequence[tuple[str, str]]


def rules_aloud(connection: Connection) -> str:
    """What the rules do, all in one: “Whoever has the app role Teacher joins as Teacher; everybody else …”."""
    plan, rules = connection.organization.license.plan, list(rules_of(connection).select_related("group"))
    roles = [_role_aloud(connection, rule) for rule in rules if rule.role]
    groups = [_group_aloud(connection, rule, rule.group.name) for rule in rules if rule.group]
    lowest = str(plan.lowest.label)
    last = _("everybody else joins as {role}") if roles else _("everybody joins as {role}")
    first = _capital("; ".join([*roles, last.format(role=lowest)]))
    return " ".join(f"{sentence}." for sentence in [first, *map(_capital, groups)])


def _role_aloud(connection: Connection, rule: Rule) -> str:
    role = connection.organization.license.plan.role(rule.role)
    return _("whoever has {what} joins as {role}").format(
        what=_what(connection, rule), role=role.label if role else rule.role
    )


def _group_aloud(connection: Connection, rule: Rule, group: str) -> str:
    return _("whoever has {what} is put into {group}").format(what=_what(connection, rule), group=group)


def _what(connection: Connection, rule: Rule) -> str:
    label = str(way_of(connection.kind).facts.get(rule.claim, rule.claim))
    return f"{label} “{rule.value}”"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


# What can be chosen in the editor


def facts_of(connection: Connection) -> Choices:
    """What rules may look at; of an OpenID provider what it has said lately, as advice."""
    facts = way_of(connection.kind).facts
    if connection.kind != Kind.OIDC:
        return [(name, str(label)) for name, label in facts.items()]
    seen = {name for one in attempts.last(connection) for name in one.facts} - {"unknown", "is_vouched"}
    return [(name, name) for name in sorted(seen | facts.keys())]


def gifts_of(connection: Connection) -> Mapping[str, Choices]:
    """What a rule may give: a role but the admin's, or a place in a group."""
    plan = connection.organization.license.plan
    roles = [(f"role:{role.slug}", str(role.label)) for role in plan.roles if role is not plan.admin]
    groups: list[tuple[str, str]] = []
    if plan.groups:
        found = Group.objects.filter(organization=connection.organization).order_by("name_key")
        groups = [(f"group:{group.id}", group.name) for group in found]
    return {str(_("Role")): roles, str(_("Group")): groups} if groups else {str(_("Role")): roles}


def gift_of(rule: Rule) -> str:
    group: uuid.UUID | None = rule.group_id
    return f"group:{group}" if group else f"role:{rule.role}"


# What the simulator says

STANDINGS: Mapping[Standing, str | Promise] = {
    Standing.KNOWN: _lazy("Known: has signed in by this connection before."),
    Standing.MADE_HERE: _lazy("The account that you made for this address. It becomes the person’s own."),
    Standing.SAME: _lazy("A member whose address is proved on both sides. It is linked without asking."),
    Standing.LEFT: _lazy("Somebody with this address was deactivated. An admin can reactivate the membership."),
    Standing.ALIKE: _lazy("Somebody here has this address. The person is asked once: link or create."),
    Standing.NEW: _lazy("Nobody here yet."),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A simulation in words."""

    look: str
    word: str
    standing: str
    role: str
    by_rule: str
    groups: str
    account: str
    is_sure: bool


def told_of(connection: Connection, found: Simulation) -> Told:
    role = connection.organization.license.plan.role(found.role)
    look, word = RESULTS.get(found.result, ("ask", found.result))
    return Told(
        look=look,
        word=str(word),
        standing=str(STANDINGS[found.standing]),
        role=str(role.label) if role else found.role,
        by_rule=_what(connection, found.rule) if found.rule else "",
        groups=", ".join(found.groups),
        account=found.account.username if found.account else "",
        is_sure=found.is_sure,
    )
