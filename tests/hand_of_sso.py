"""Acts of the race and crash proofs (hand.py): people whom a provider proved, all at once. No provider is asked."""

from __future__ import annotations

import uuid
from typing import Any

from by_provider import request_of
from django.test import Client
from ticks import dying
from world import BY_OPERATOR

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events.types import OPERATOR
from usher.lifecycle.move import move
from usher.methods.sso import arrival, connect, returning
from usher.methods.sso.models import Connection, Kind
from usher.methods.sso.person import Person
from usher.organizations.models import Domain
from usher.people.models import Account, Identity, Membership

ISSUER = "https://id.cedar.example"


def connection_for(*, organization: str, domain: str = "", **facts: Any) -> str:
    """A provider that is on; with a domain that the organisation has proved."""
    if domain:
        now = clock.now()
        proof = {"token": "told", "proof": "dns", "proved_at": now, "checked_at": now}
        Domain.objects.create(organization_id=organization, name=domain, **proof)
    given = {
        "kind": Kind.OIDC,
        "issuer": ISSUER,
        "client_id": "usher",
        "state": "on",
        "tested_at": clock.now(),
        **facts,
    }
    return str(Connection.objects.create(organization_id=organization, **given).id)


def _person(subject: str, address: str) -> Person:
    return Person(ISSUER, subject, address, is_vouched=bool(address), name=f"Zoe {subject}")


def _connection(row: str) -> Connection:
    """Raises UsherError (unknown_connection), as a page does for one that is removed."""
    found = Connection.objects.select_related("organization__license").filter(id=row).first()
    if found is None:
        raise UsherError(Reason.UNKNOWN_CONNECTION())
    return found


def arrive(*, connection: str, subject: str, address: str = "", is_whole: bool = False) -> list[str]:
    """Somebody comes back from the provider; ``is_whole``: up to the session."""
    row, person = _connection(connection), _person(subject, address)
    found = arrival.settle(row, person)
    if found.account is None:
        return ["asked"]
    if is_whole:
        returning.enter(request_of(Client()), row, person, found.account, "/home")
    return ["in", str(found.account.id)]


def answer_new(*, connection: str, subject: str, address: str) -> list[str]:
    """The question is answered: somebody new."""
    found = arrival.go_on_new(_connection(connection), _person(subject, address), "")
    return ["in", str(found.account.id)] if found.account else ["asked"]


def answer_link(*, connection: str, subject: str, address: str, account: str) -> list[str]:
    """The question is answered: that account."""
    found = arrival.join_account(_connection(connection), _person(subject, address), Account.objects.get(id=account))
    return ["in", str(found.account.id)] if found.account else ["asked"]


def switch_off(*, connection: str) -> list[str]:
    connect.switch(_connection(connection), on=False, actor=OPERATOR)
    return ["off"]


def remove_connection(*, connection: str) -> list[str]:
    connect.remove(_connection(connection), OPERATOR)
    return ["removed"]


def vouch_for_tenant(*, connection: str) -> list[str]:
    connect.vouch(_connection(connection), OPERATOR)
    return ["proved"]


def become_of(*, organization: str, account: str, role: str) -> list[str]:
    member = Membership.objects.get(organization_id=organization, account_id=account)
    move(uuid.UUID(organization), member.id, role, BY_OPERATOR)
    return ["moved"]


def known_by(*, connection: str) -> dict[str, Any]:
    """Who is known by it, and what stands beside: accounts of the organisation that nobody needs."""
    found = Identity.objects.filter(connection_id=connection)
    left = Account.objects.filter(memberships=None, identities=None, claimed_at=None)
    return {
        "identities": sorted([one.subject, str(one.account_id)] for one in found),
        "accounts": found.values("account").distinct().count(),
        "members": Membership.objects.filter(account__identities__in=found).count(),
        "orphans": left.count()
        + Account.objects.filter(memberships=None, vouched_by_organization__isnull=False).count(),
    }


def arrive_until(*, connection: str, subject: str, address: str, out: str, tick: int) -> str:
    """The whole return in a child process that is killed at the tick."""
    given = {"connection": connection, "subject": subject, "address": address}
    return dying(out, tick, lambda: arrive(**given, is_whole=True))


ACTS = {
    act.__name__: act
    for act in (
        connection_for, arrive, answer_new, answer_link, switch_off, remove_connection, vouch_for_tenant, become_of,
        known_by, arrive_until,
    )
}  # fmt: skip
