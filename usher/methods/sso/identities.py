"""By which provider an account is opened: looked up, linked, unlinked. Keyed by (connection, issuer, subject) alone."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.methods.sso.models import Connection
from usher.methods.sso.person import Person
from usher.methods.sso.rules import Verdict
from usher.methods.sso.ways import label_of
from usher.people.models import Account, Identity, Membership


def identity_of(connection: Connection, person: Person) -> Identity | None:
    """The one by which this connection knows this person, with its account."""
    mine = Identity.objects.filter(connection_id=connection.id, issuer=person.issuer, subject=person.subject)
    return mine.select_related("account").first()


def others(connection: Connection, person: Person, account: Account) -> QuerySet[Identity]:
    """Other people of this connection that open the account: an address given to somebody else has a new subject."""
    mine = Identity.objects.filter(connection_id=connection.id, account=account)
    return mine.exclude(issuer=person.issuer, subject=person.subject)


def link(connection: Connection, person: Person, account_id: uuid.UUID, verdict: Verdict) -> Identity:
    """From now on this person opens that account. Needs a transaction. Raises IntegrityError when another has him."""
    identity = Identity.objects.create(
        account_id=account_id,
        organization_id=connection.organization_id,
        connection_id=connection.id,
        issuer=person.issuer,
        subject=person.subject,
        **_said(person),
        **_given(verdict),
    )
    _record(EventType.IDENTITY_LINKED, connection, account_id, Actor("account", account_id), person.key)
    return identity


def note(identity: Identity, person: Person, verdict: Verdict) -> None:
    """What the provider said this time, and what the rules made of it."""
    changes = {**_said(person), **(_given(verdict) if verdict.is_sure else {})}
    Identity.objects.filter(id=identity.id).update(last_used_at=clock.now(), **changes)


def _said(person: Person) -> dict[str, Any]:
    asked = {name: list(values) for name, values in person.facts.items() if name in ASKED}
    said: dict[str, Any] = {"address": person.address, "name": person.name}
    return {**said, "facts": {"at": person.asked_at, **asked}} if person.asked_at and asked else said


@dataclass(frozen=True, slots=True)
class Linked:
    """An identity with its connection, which is on."""

    identity: Identity
    connection: Connection
    label: str


def of_account(account: Account) -> list[Linked]:
    """By which providers the account is opened now, the oldest first."""
    mine = list(Identity.objects.filter(account=account).order_by("id"))
    found = _on().in_bulk([one.connection_id for one in mine])
    return [
        Linked(one, found[one.connection_id], label_of(found[one.connection_id]))
        for one in mine
        if one.connection_id in found
    ]


def one_of(account: Account, identity_id: str) -> Linked | None:
    return next((one for one in of_account(account) if str(one.identity.id) == identity_id), None)


def offered_to(account: Account) -> list[tuple[Connection, str]]:
    """Providers of one's organisations that do not open the account yet."""
    here = Membership.objects.filter(account=account, state=Membership.State.ACTIVE).values("organization")
    mine = Identity.objects.filter(account=account).values("connection_id")
    return [(one, label_of(one)) for one in _on().filter(organization__in=here).exclude(id__in=mine).order_by("id")]


def _on() -> QuerySet[Connection]:
    return Connection.objects.select_related("organization").filter(state=Connection.State.ON)


# What is asked of a provider beside the token: kept for a day, so that a sign-in costs one request and no more.
ASKED = ("primary_role", "classroom", "group")
A_DAY = 24 * 3600


def kept_facts(identity: Identity) -> Mapping[str, tuple[str, ...]]:
    """What was asked less than a day ago; groups count only where the token leaves them out."""
    facts = identity.facts
    if clock.now().timestamp() - facts.get("at", 0) > A_DAY:
        return {}
    return {name: tuple(facts[name]) for name in ASKED if name in facts}


def _given(verdict: Verdict) -> dict[str, Any]:
    return {"role": verdict.role, "groups": [str(group) for group in verdict.groups]}


@retrying
def unlink(account: Account, identity_id: uuid.UUID, actor: Actor) -> bool:
    """Take a provider away from an account; False when it is not there. Raises UsherError: last_way_in."""
    with transaction.atomic():
        mine = Account.objects.select_for_update().get(id=account.id)
        identity = Identity.objects.filter(account=mine, id=identity_id).first()
        if identity is None:
            return False
        if not _opens_otherwise(mine, identity):
            raise UsherError(Reason.LAST_WAY_IN())
        identity.delete()
        connection = Connection.objects.select_related("organization").filter(id=identity.connection_id).first()
        if connection:
            _record(EventType.IDENTITY_UNLINKED, connection, mine.id, actor, identity.address.lower())
    return True


def _opens_otherwise(account: Account, identity: Identity) -> bool:
    """A password, another provider, or an address of its own by which a password can be set."""
    others_here = Identity.objects.filter(account=account).exclude(id=identity.id)
    return account.has_usable_password() or bool(account.is_claimed and account.email) or others_here.exists()


def _record(kind: EventType, connection: Connection, account_id: uuid.UUID, actor: Actor, address: str) -> None:
    record.record(
        Draft(
            kind,
            connection.organization_id,
            actor,
            account_id=account_id,
            address=address,
            method=connection.kind,
            data={"provider": label_of(connection)},
        )
    )
