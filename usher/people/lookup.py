"""The operator's look across all organisations: a person by what is typed to sign in, or by id. Every look is told."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from usher.core.errors import UsherError
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.people.addresses import parse_address
from usher.people.models import Account, Membership

SHOWN = 20
LEAST = 3  # characters that a beginning needs
_LAST = "\U0010ffff"  # sorts after every character


@dataclass(frozen=True, slots=True)
class Place:
    """A membership, and its role as people read it."""

    member: Membership
    role: str


@dataclass(frozen=True, slots=True)
class Found:
    """An account and where it belongs; nothing that opens it."""

    account: Account
    places: Sequence[Place]


@dataclass(frozen=True, slots=True)
class Answer:
    """Who was found. ``more`` says that others begin alike too."""

    people: Sequence[Found] = ()
    more: bool = False


@retrying
def look_up(text: str, actor: Actor) -> Answer:
    """Whoever has this address, sign-in name or id; where nobody has it, those whose sign-in name begins so.

    One event for each account that is shown, without what was typed: it crosses the walls between organisations.
    """
    with transaction.atomic():
        accounts = _accounts(text.strip())
        shown = accounts[:SHOWN]
        record.record_many(
            [Draft(EventType.OPERATOR_LOOKED_UP, None, actor, account_id=account.id) for account in shown]
        )
        return Answer(_with_places(shown), len(accounts) > SHOWN)


def _accounts(typed: str) -> list[Account]:
    """One more than is shown, when there are more."""
    account_id = _uuid(typed)
    if account_id:
        return _first(Account.objects.filter(id=account_id))
    key = _key(typed)
    exact = _first(Account.objects.filter(sign_in_key=key)) if key else []
    return exact or (_first(Account.objects.filter(_begins(key))) if len(key) >= LEAST else [])


def _first(accounts: QuerySet[Account]) -> list[Account]:
    return list(accounts.select_related("home").order_by("sign_in_key", "id")[: SHOWN + 1])


def _uuid(typed: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(typed)
    except ValueError:
        return None


def _key(typed: str) -> str:
    """As sign-in names are compared; an address in its one spelling."""
    try:
        return parse_address(typed).key
    except UsherError:
        return typed.lower()


def _begins(key: str) -> Q:
    """By the index: as a range where it is in the order of bytes, else by LIKE, which knows best whether it helps."""
    if connection.vendor == "sqlite":
        return Q(sign_in_key__gte=key, sign_in_key__lt=key + _LAST)
    return Q(sign_in_key__startswith=key)


def _with_places(accounts: Sequence[Account]) -> list[Found]:
    members = Membership.objects.select_related("organization__license").filter(account__in=accounts)
    places: dict[uuid.UUID, list[Place]] = {}
    for member in members.order_by("organization__slug"):
        role = member.organization.license.plan.role(member.role)
        places.setdefault(member.account_id, []).append(Place(member, str(role.label) if role else member.role))
    return [Found(account, places.get(account.id, ())) for account in accounts]
