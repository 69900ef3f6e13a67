"""Setting a connection up: made, changed, proved, tried, switched on, removed. Each is told to all admins."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from usher.core import clock, mail
from usher.core.errors import UsherError
from usher.core.mail import Envelope
from usher.core.reasons import Finding, Reason
from usher.core.retry import retrying
from usher.core.seal import seal
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.lifecycle.letters_shared import admins_of
from usher.methods.sso import google, microsoft
from usher.methods.sso.exchange import Answer
from usher.methods.sso.models import Connection, Kind, Question, Rule
from usher.methods.sso.provider import SECRET
from usher.methods.sso.ways import WAYS, label_of
from usher.organizations import domains
from usher.organizations.models import License, Organization, PasswordsFor
from usher.people.models import Account, Group, Identity

MOST_RULES: Final = 100
LETTER: Final = "connection"
State = Connection.State


@dataclass(frozen=True, slots=True)
class RuleWish:
    """One line: what to look at, its value, and the role (its slug) or the group (its id) that it gives."""

    claim: str
    value: str
    role: str = ""
    group: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """How a connection is to be. An empty ``secret`` leaves the one that is kept; without ``client_id`` the operator's
    registration is used."""

    name: str = ""
    issuer: str = ""
    tenant: str = ""
    client_id: str = ""
    secret: str = field(default="", repr=False)
    lets_in: bool = True
    guests: bool = False
    leaver_days: int | None = None


# Made and changed


@retrying
def add(organization: Organization, kind: Kind, wish: Wish, actor: Actor) -> Connection:
    """A new connection, which lets nobody in until it is proved, tried and switched on.

    Raises UsherError with all that is wrong: connection_needs, issuer_not_allowed, tenant_not_an_id.
    """
    values = _checked(kind, wish, kept_secret="")
    with transaction.atomic():
        License.objects.select_for_update().get(organization=organization)
        connection = Connection.objects.create(organization=organization, kind=kind, **values)
        _tell(EventType.CONNECTION_CREATED, connection, actor)
    return connection


@retrying
def change(connection: Connection, wish: Wish, actor: Actor) -> Connection:
    """Make it so. Another issuer, tenant or client is another provider: it has to be proved and tried again, and what
    it opened before is unlinked where the issuer or the tenant changed.

    Raises UsherError as :func:`add`, and no_way_left as :func:`switch`.
    """
    values = _checked(Kind(connection.kind), wish, connection.sealed_secret)
    if connection.kind == Kind.MICROSOFT and not values["client_id"]:
        values["tenant"] = connection.tenant  # found by a proof and never typed: the registration is the operator's
    with transaction.atomic():
        held = _held(connection)
        changed = {name: value for name, value in values.items() if getattr(held, name) != value}
        if not changed:
            return held
        if changed.keys() & {"issuer", "tenant", "client_id"}:
            if held.state == State.ON:
                _check_not_last(held)
            held.proved_at = held.tested_at = None
            held.state = State.DRAFT
        if changed.keys() & {"issuer", "tenant"}:
            Identity.objects.filter(connection_id=held.id).delete()
            Question.objects.filter(connection=held).delete()  # whom the other provider proved
        _write(held, changed)
        _tell(EventType.CONNECTION_CHANGED, held, actor, _told(changed))
    return held


def _told(changed: Mapping[str, Any]) -> dict[str, Any]:
    """What an event may keep of a change: never the secret."""
    return {name: value for name, value in changed.items() if name != "sealed_secret"} | (
        {"secret": True} if "sealed_secret" in changed else {}
    )


def _checked(kind: Kind, wish: Wish, kept_secret: str) -> dict[str, Any]:
    findings = list(_faults(kind, wish, has_secret=bool(wish.secret or kept_secret)))
    if findings:
        raise UsherError(*findings)
    return {
        "name": wish.name.strip()[:60],
        "issuer": wish.issuer.strip() if kind is Kind.OIDC else "",
        "tenant": microsoft.tenant_id(wish.tenant) if kind is Kind.MICROSOFT else "",
        "client_id": wish.client_id.strip(),
        "sealed_secret": _sealed(wish, kept_secret),
        "lets_in": wish.lets_in,
        "guests": wish.guests,
        "leaver_days": wish.leaver_days,
    }


def _sealed(wish: Wish, kept: str) -> str:
    if not wish.client_id.strip():
        return ""
    return seal(wish.secret.strip(), SECRET) if wish.secret.strip() else kept


def _faults(kind: Kind, wish: Wish, *, has_secret: bool) -> Sequence[Finding]:
    label = WAYS[kind].label
    findings: list[Finding] = []
    if kind is Kind.OIDC:
        findings += _issuer_faults(wish.issuer.strip())
    if kind is Kind.MICROSOFT and wish.tenant.strip() and not microsoft.tenant_id(wish.tenant):
        findings.append(Reason.TENANT_NOT_AN_ID("tenant", given=wish.tenant.strip()[:80]))
    if kind is Kind.MICROSOFT and wish.client_id.strip() and not wish.tenant.strip():
        findings.append(Reason.CONNECTION_NEEDS("tenant", provider=label))
    if kind is Kind.OIDC and not wish.client_id.strip():
        findings.append(Reason.CONNECTION_NEEDS("client_id", provider=label))
    if wish.client_id.strip() and not has_secret:
        findings.append(Reason.CONNECTION_NEEDS("secret", provider=label))
    return findings


def _issuer_faults(issuer: str) -> Sequence[Finding]:
    """OpenID Connect Discovery 1.0 section 2: https, without query or fragment. Loopback may go without TLS."""
    if not issuer:
        return [Reason.CONNECTION_NEEDS("issuer", provider=WAYS[Kind.OIDC].label)]
    try:
        url = urlsplit(issuer)
        is_good = (
            url.scheme in ("https", "http") and bool(url.hostname) and not (url.query or url.fragment or url.username)
        )
    except ValueError:
        is_good = False
    return [] if is_good else [Reason.ISSUER_NOT_ALLOWED("issuer", given=issuer[:80])]


def wish_of(connection: Connection) -> Wish:
    """How it is now; the secret stays where it is."""
    return Wish(
        name=connection.name,
        issuer=connection.issuer,
        tenant=connection.tenant,
        client_id=connection.client_id,
        lets_in=connection.lets_in,
        guests=connection.guests,
        leaver_days=connection.leaver_days,
    )


# Proved and tried


def bind(connection: Connection, answer: Answer, account: Account) -> None:
    """An admin of the other side has signed in: the tenant, or the domain, is this organisation's.

    Raises UsherError: personal_account, tenant_wrong, not_tenant_admin, tenant_taken, not_domain_admin, domain_taken.
    """
    if connection.kind == Kind.MICROSOFT:
        _bind_tenant(connection, answer, Actor("account", account.id))
    elif connection.kind != Kind.GOOGLE:  # it could say anybody's domain
        raise UsherError(Reason.NOT_DOMAIN_ADMIN())
    else:
        _bind_domain(connection, answer, Actor("account", account.id))


def _bind_tenant(connection: Connection, answer: Answer, actor: Actor) -> None:
    claims = answer.signed.claims
    tenant = microsoft.tenant_of(claims)
    if connection.tenant and tenant != connection.tenant:
        raise UsherError(Reason.TENANT_WRONG(organization=connection.organization.name))
    if microsoft.is_guest(claims) or not microsoft.is_tenant_admin(claims):
        raise UsherError(Reason.NOT_TENANT_ADMIN())
    _prove_tenant(connection, tenant, actor)


def vouch(connection: Connection, actor: Actor) -> None:
    """The operator knows whose tenant it is, and answers for it: nobody has signed in to prove it.

    Raises UsherError: connection_needs, tenant_taken.
    """
    if not connection.tenant:
        raise UsherError(Reason.CONNECTION_NEEDS("tenant", provider=label_of(connection)))
    _prove_tenant(connection, connection.tenant, actor, vouched=True)


def _prove_tenant(connection: Connection, tenant: str, actor: Actor, **told: bool) -> None:
    try:
        _write_tenant(connection, tenant, actor, told)
    except IntegrityError:
        raise UsherError(Reason.TENANT_TAKEN()) from None


@retrying
def _write_tenant(connection: Connection, tenant: str, actor: Actor, told: Mapping[str, Any]) -> None:
    with transaction.atomic():
        held = _held(connection)
        _write(held, {"tenant": tenant, "proved_at": clock.now()})
        _tell(EventType.CONNECTION_PROVED, held, actor, told)


def _bind_domain(connection: Connection, answer: Answer, actor: Actor) -> None:
    """Google's directory says that this very account runs the domain that it is of."""
    hosted = google.hosted_domain(answer.signed.claims)
    person = google.describe(connection, answer.signed)
    if not google.ask(connection, person, answer.tokens, frozenset({google.ADMIN})).facts.get(google.ADMIN):
        raise UsherError(Reason.NOT_DOMAIN_ADMIN())
    domains.vouch(connection.organization, hosted, actor)


def is_proved(connection: Connection) -> bool:
    """Whether the other side is known to be this organisation's: nothing is taken from what was typed alone."""
    if connection.kind == Kind.MICROSOFT:
        return connection.proved_at is not None
    if connection.kind == Kind.GOOGLE:
        return connection.organization.domains.filter(proved_at__isnull=False).exists()
    return True  # the issuer's people are those it signs in; what address they have is another question


def mark_tested(connection: Connection) -> None:
    Connection.objects.filter(id=connection.id).update(tested_at=clock.now())


# Switched on and off


@retrying
def switch(connection: Connection, *, on: bool, actor: Actor) -> Connection:
    """Raises UsherError: connection_not_proved, connection_not_tested; no_way_left when it is the last one and
    passwords open nothing."""
    with transaction.atomic():
        held = _held(connection)
        if (held.state == State.ON) is on:
            return held
        if on:
            _check_ready(held)
        else:
            _check_not_last(held)
        _write(held, {"state": State.ON if on else State.OFF})
        _tell(EventType.CONNECTION_CHANGED, held, actor, {"is_on": on})
    return held


def _check_ready(held: Connection) -> None:
    label = label_of(held)
    if not is_proved(held):
        raise UsherError(Reason.CONNECTION_NOT_PROVED(provider=label))
    if held.tested_at is None:
        raise UsherError(Reason.CONNECTION_NOT_TESTED())


def _check_not_last(held: Connection) -> None:
    """Raises UsherError: no_way_left."""
    others = Connection.objects.filter(organization=held.organization, state=State.ON).exclude(id=held.id)
    if held.organization.passwords_for != PasswordsFor.EVERYONE and not others.exists():
        raise UsherError(Reason.NO_WAY_LEFT(organization=held.organization.name))


@retrying
def remove(connection: Connection, actor: Actor) -> None:
    """Take it away, with all it opened; the people stay. Raises UsherError: no_way_left."""
    with transaction.atomic():
        held = _held(connection)
        if held.state == State.ON:
            _check_not_last(held)
        Identity.objects.filter(connection_id=held.id).delete()
        _tell(EventType.CONNECTION_REMOVED, held, actor)
        held.delete()


# Rules


@retrying
def set_rules(connection: Connection, wishes: Sequence[RuleWish], actor: Actor) -> None:
    """Replace all rules by these, in this order. Raises UsherError with all that is wrong, by line."""
    with transaction.atomic():
        held = _held(connection)
        if len(wishes) > MOST_RULES:
            raise UsherError(Reason.TOO_MANY_RULES(count=len(wishes), limit=MOST_RULES))
        if findings := _rule_faults(held, wishes):
            raise UsherError(*findings)
        Rule.objects.filter(connection=held).delete()
        Rule.objects.bulk_create(
            Rule(
                connection=held,
                position=at,
                claim=wish.claim.strip(),
                value=wish.value.strip(),
                role=wish.role,
                group_id=wish.group,
            )
            for at, wish in enumerate(wishes)
        )
        _tell(EventType.CONNECTION_CHANGED, held, actor, {"rules": len(wishes)})


def _rule_faults(held: Connection, wishes: Sequence[RuleWish]) -> list[Finding]:
    """What is wrong; the column of each is the number of its line, from 1."""
    plan = held.organization.license.plan
    wanted = {wish.group for wish in wishes if wish.group}
    groups = set(Group.objects.filter(organization=held.organization, id__in=wanted).values_list("id", flat=True))
    facts = WAYS[held.kind].facts if held.kind != Kind.OIDC else None
    findings = []
    for line, wish in enumerate(wishes, 1):
        given = f"{wish.claim} = {wish.value}"[:80]
        is_known = bool(wish.claim.strip()) and (facts is None or wish.claim.strip() in facts)
        is_whole = bool(wish.value.strip()) and bool(wish.role) != bool(wish.group) and wish.value.count("*") <= 5
        role = plan.role(wish.role) if wish.role else plan.lowest
        if role is plan.admin:
            findings.append(Reason.RULE_NO_ADMIN(str(line)))
        elif not is_known or not is_whole or role is None or len(wish.claim) > 100 or len(wish.value) > 255:
            findings.append(Reason.RULE_NOT_ALLOWED(str(line), given=given))
        elif wish.group and not plan.groups:
            findings.append(Reason.NO_GROUPS_IN_PLAN(str(line), plan=str(plan.name)))
        elif wish.group and wish.group not in groups:
            findings.append(Reason.UNKNOWN_GROUP(str(line), group=str(wish.group)))
    return findings


# What every change does


def _held(connection: Connection) -> Connection:
    """The row under its lock, after that of the licence (lock order). Raises UsherError: unknown_connection."""
    License.objects.select_for_update().get(organization_id=connection.organization_id)
    rows = Connection.objects.select_for_update(of=("self",)).select_related("organization__license")
    held = rows.filter(id=connection.id).first()
    if held is None:
        raise UsherError(Reason.UNKNOWN_CONNECTION())
    return held


def _write(held: Connection, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        setattr(held, name, value)
    held.changed_at = clock.now()
    held.save()


def _tell(kind: EventType, connection: Connection, actor: Actor, data: Mapping[str, Any] | None = None) -> None:
    """One event, and a mail to every admin: whoever changes this can open every account of the organisation."""
    facts = {"provider": label_of(connection), "connection": str(connection.id), **(data or {})}
    record.record(Draft(kind, connection.organization_id, actor, method=connection.kind, data=facts))
    envelope = Envelope(connection.organization_id, ref=actor.account_id, data={**facts, "what": kind.value})
    mail.post_many(LETTER, [(address, envelope) for address in admins_of(connection.organization)])
