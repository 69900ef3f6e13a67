"""What would become of somebody: recognised how, let in as what, into which groups. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from usher.core.errors import UsherError
from usher.core.findings import Finding
from usher.core.reasons import Reason
from usher.lifecycle.joiner import Outcome
from usher.methods.sso.entry import account_for, look_ahead
from usher.methods.sso.models import Attempt, Connection, Rule
from usher.methods.sso.newcomer import newcomer
from usher.methods.sso.person import Person
from usher.methods.sso.recognize import Recognition, Standing, recognize
from usher.methods.sso.rules import Verdict, facts_wanted, group_names, judge
from usher.methods.sso.ways import way_of
from usher.people.models import Account, Membership
from usher.protocols.oidc import strict_json


@dataclass(frozen=True, slots=True)
class Simulation:
    """The verdict with its reasons. ``account`` is whose it would be; ``rule`` the one that gave the role."""

    standing: Standing
    result: str
    role: str
    groups: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    account: Account | None = None
    rule: Rule | None = None
    is_sure: bool = True


def simulate(connection: Connection, person: Person) -> Simulation:
    """As if the connection were on."""
    verdict = judge(connection.rules_in_order, person, connection.organization.license.plan)
    found = recognize(connection, person)
    member = _member(connection, found)
    if found.standing is Standing.LEFT:
        return _of(connection, found, verdict, "refused", "", (Reason.MEMBER_INACTIVE(),))
    if found.standing is Standing.ALIKE:
        return _of(connection, found, verdict, "asked", verdict.role)
    if member and member.state == Membership.State.ACTIVE:
        return _of(connection, found, verdict, "signed_in", verdict.role or member.role)
    return _at_the_door(connection, person, found, verdict)


def _member(connection: Connection, found: Recognition) -> Membership | None:
    here = Membership.objects.filter(account=found.account, organization=connection.organization)
    return here.first() if found.account else None


def _at_the_door(connection: Connection, person: Person, found: Recognition, verdict: Verdict) -> Simulation:
    try:
        new = newcomer(connection, person)
    except UsherError as no:
        return _of(connection, found, verdict, "refused", "", no.findings)
    outcome: Outcome = look_ahead(new, found.account.id if found.account else account_for(person))
    return _of(connection, found, verdict, outcome.result.value, new.role, outcome.findings)


def _of(
    connection: Connection,
    found: Recognition,
    verdict: Verdict,
    result: str,
    role: str,
    findings: tuple[Finding, ...] = (),
) -> Simulation:
    return Simulation(
        standing=found.standing,
        result=result,
        role=role,
        groups=group_names(verdict.groups, connection.organization_id),
        findings=findings,
        account=found.account,
        rule=verdict.rule,
        is_sure=verdict.is_sure,
    )


# Claims that nobody has verified: to be looked at, never to sign anybody in

LARGEST: Final = 32 * 1024  # bytes; no ID token is larger


@dataclass(frozen=True, slots=True)
class UnverifiedClaims:
    """What somebody pasted, on nobody's word. Nothing but :func:`person_of` takes it."""

    issuer: str
    subject: str
    claims: Mapping[str, Any]


def read_claims(text: str) -> dict[str, Any]:
    """Raises UsherError: claims_not_readable."""
    raw = text.encode("utf-8", "replace")
    if len(raw) > LARGEST:
        raise UsherError(Reason.CLAIMS_NOT_READABLE("claims", why=f"they are longer than {LARGEST // 1024} KB."))
    try:
        return strict_json.read_object(raw)
    except ValueError as error:
        raise UsherError(Reason.CLAIMS_NOT_READABLE("claims", why=f"{str(error)[:200]}.")) from None


def person_of(connection: Connection, claims: Mapping[str, Any], past: Attempt | None = None) -> Person:
    """The person of these claims, unverified, for looking only. The provider is not asked: what it said beside the
    token counts where it is kept with a past sign-in, and is unknown else.

    Raises UsherError: claims_not_readable, and whom the connection is not open to.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise UsherError(Reason.CLAIMS_NOT_READABLE("claims", why="“sub” is missing."))
    way = way_of(connection.kind)
    way.examine(connection, claims)
    person = way.describe(connection, UnverifiedClaims(str(claims.get("iss") or ""), subject, claims))
    told = past.facts if past else {}
    added = {name: tuple(said) for name, said in told.items() if name in person.unknown}
    return replace(person, facts={**person.facts, **added}, unknown=person.unknown - added.keys())


def unknown_to_rules(connection: Connection, person: Person) -> list[str]:
    """What the rules look at and nobody could know here, as people read it."""
    facts = way_of(connection.kind).facts
    return [str(facts.get(name, name)) for name in sorted(facts_wanted(connection) & person.unknown)]
