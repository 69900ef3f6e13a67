"""Somebody who is not in yet, with what he gets: by what was promised, else by the rules, else the lowest role."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle.expected import Caller, Expected, expected
from usher.methods.sso.models import Connection, Kind
from usher.methods.sso.person import Person
from usher.methods.sso.rules import Verdict, group_names, judge
from usher.methods.sso.ways import label_of
from usher.people.models import Identity

EVIDENCE: Final[Mapping[str, str]] = {
    Kind.MICROSOFT: "the Microsoft tenant {tenant}",
    Kind.GOOGLE: "the Google domain {domain}",
    Kind.OIDC: "the provider {issuer}",
}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A verified person on the way to the door of the connection's organisation."""

    connection: Connection
    person: Person
    verdict: Verdict
    role: str
    groups: tuple[str, ...]
    evidence: str
    promise: Expected | None = None
    known: Identity | None = None  # by which the account is known, where only the membership is missing
    next: str = field(default="", compare=False)

    @property
    def organization_id(self) -> uuid.UUID:
        return self.connection.organization_id


def newcomer(connection: Connection, person: Person, next: str = "") -> Newcomer:  # noqa: A002 - as it is called in forms
    """Raises UsherError: sso_not_invited, where the connection lets nobody new in and nobody expects this one."""
    verdict = judge(connection.rules_in_order, person, connection.organization.license.plan)
    promise = promised(connection, person, next)
    if promise is None and not connection.lets_in:
        raise UsherError(
            Reason.SSO_NOT_INVITED(organization=connection.organization.name, provider=label_of(connection))
        )
    groups = group_names(verdict.groups, connection.organization_id)
    evidence = evidence_of(connection, person)
    return Newcomer(
        connection=connection,
        person=person,
        verdict=verdict,
        role=promise.role if promise else verdict.role or connection.organization.license.plan.lowest.slug,
        groups=tuple(dict.fromkeys((*promise.groups, *groups))) if promise else groups,
        evidence=f"{evidence}, {promise.evidence}" if promise else evidence,
        promise=promise,
        next=next,
    )


def promised(connection: Connection, person: Person, next: str) -> Expected | None:  # noqa: A002 - as above
    """An invitation to the address, where it counts; a code, where nobody new would be let in without one."""
    promise = expected(Caller(connection.organization_id, person.key if person.is_vouched else "", next))
    return None if promise and promise.ticket and connection.lets_in else promise


def evidence_of(connection: Connection, person: Person) -> str:
    """What an admin reads under "why is this person here"."""
    domain = (person.facts.get("domain") or ("",))[0]
    text = EVIDENCE[connection.kind].format(tenant=connection.tenant, domain=domain, issuer=connection.issuer)
    return text.strip()
