"""Signing in: one look-up, one argon2id, one sentence for every "no". Every room signs people in through here."""

from __future__ import annotations

import unicodedata
import uuid
from typing import Any

from django.contrib.auth import login
from django.contrib.auth.backends import BaseBackend
from django.db import transaction
from django.db.models import OuterRef, Subquery, Value
from django.http import HttpRequest

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.limits import SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, network_of, wait_minutes
from usher.core.middleware import client_ip
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.models import Organization
from usher.people import passwords
from usher.people.addresses import LONGEST, parse_address
from usher.people.made_names import made_name
from usher.people.models import Account, Membership

BACKEND = "usher.people.sign_in.Backend"


class Backend(BaseBackend):
    """Who a session belongs to. It checks no password: that is :func:`sign_in` alone."""

    def get_user(self, user_id: uuid.UUID) -> Account | None:
        return Account.objects.filter(id=user_id).first()


def organization_of(slug: str) -> Organization | None:
    """The organisation whose door an address names; None for the common door and for a slug nobody has."""
    return Organization.objects.filter(slug=slug).first() if slug else None


def sign_in(request: HttpRequest, typed: str, password: str, organization: Organization | None) -> Account:
    """Sign somebody in by name and password. Raises UsherError: sign_in_failed, too_many_tries."""
    key, network = sign_in_key(typed, organization), network_of(client_ip(request))
    check_tries(key, network)
    account = _find(key, organization)
    verdict = passwords.verify(password, account.password if account else passwords.UNUSABLE)
    if account is None or not verdict.ok:
        count_failure(key, network)
        raise UsherError(Reason.SIGN_IN_FAILED())
    _enter(account, organization, verdict.better)
    login(request, account, BACKEND)
    return account


def sign_in_account(request: HttpRequest, account: Account, organization: Organization | None = None) -> None:
    """Sign in somebody who has proved himself in another way. Raises UsherError (sign_in_failed) when the
    password changed between the proof and now: then the proof is void too."""
    _enter(account, organization)
    login(request, account, BACKEND)


# Tries


def check_tries(key: str, network: str) -> None:
    """Raises UsherError (too_many_tries). Asked before the look-up, by what was typed: it tells nobody who is here."""
    minutes = wait_minutes((SIGN_IN_ACCOUNT, key), (SIGN_IN_ADDRESS, network))
    if minutes:
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=minutes))


def count_failure(key: str, network: str) -> None:
    """Only failures count, and a success takes none back. Call it outside a transaction."""
    SIGN_IN_ACCOUNT.add(key)
    SIGN_IN_ADDRESS.add(network)


# Who it is


def sign_in_key(typed: str, organization: Organization | None) -> str:
    """What is compared: the address or made name in one spelling; at an organisation's door its local part will do."""
    key = unicodedata.normalize("NFKC", typed).strip().lower()[:LONGEST]
    if organization and key and "@" not in key:
        return made_name(key, organization.slug)
    if key.isascii():
        return key
    try:
        return parse_address(key).key  # an international domain
    except UsherError:
        return key


def find_for_sign_in(typed: str, organization: Organization | None) -> Account | None:
    """The one account that what was typed may open here; one query."""
    return _find(sign_in_key(typed, organization), organization)


def _find(key: str, organization: Organization | None) -> Account | None:
    """Where an address is proved, its proved account signs in; else the oldest that an organisation made.

    The few accounts of one key are chosen among here: one short query, the same for known and unknown.
    """
    of_door = OuterRef("home_id") if organization is None else Value(organization.id)
    membership = Membership.objects.filter(account=OuterRef("id"), organization=of_door).values("state")
    found = list(Account.objects.filter(sign_in_key=key).annotate(standing=Subquery(membership)))
    offered = organization is not None and any(account.home_id == organization.id for account in found)
    now = clock.now()
    for account in sorted(found, key=lambda account: (not account.is_claimed, account.id)):
        alive = account.password_expires_at is None or account.password_expires_at > now
        if alive and _belongs(account, account.standing, anywhere=organization is None or offered):
            return account
    return None


def _belongs(account: Account, standing: str | None, *, anywhere: bool) -> bool:
    """Whether this door may open to the account, whose membership there has this state.

    A proved one is let in where it is a member, or is offered to be (people/claim.py), and at the common door.
    One that nobody proved belongs to the organisation that made it: no membership there, no account.
    """
    if account.is_claimed:
        return anywhere or standing is not None
    return standing == Membership.State.ACTIVE


# Entering


@retrying
def _enter(account: Account, organization: Organization | None, better: str = "") -> None:
    """Write down that the account signed in, and the better hash when there is one."""
    now = clock.now()
    facts: dict[str, Any] = {"last_login": now, "password_expires_at": None}
    with transaction.atomic():
        mine = Account.objects.filter(id=account.id)
        changed = mine.filter(password=account.password).update(**facts, password=better or account.password)
        if not changed:
            _meet_another_writer(account, facts)
        Membership.objects.filter(account=account, state=Membership.State.ACTIVE).update(last_seen_at=now)
        record.record(_signed_in(account, organization))


def _meet_another_writer(account: Account, facts: dict[str, Any]) -> None:
    """The stored hash is not the one that was checked: wrapped by the worker meanwhile, or another password."""
    mine = Account.objects.filter(id=account.id)
    stored = mine.values_list("password", flat=True).get()
    if passwords.salt_of(stored) != passwords.salt_of(account.password):
        raise UsherError(Reason.SIGN_IN_FAILED())
    mine.filter(password=stored).update(**facts)  # a new password that comes this very moment keeps its own end


def _signed_in(account: Account, organization: Organization | None) -> Draft:
    where = organization.id if organization else account.home_id
    return Draft(EventType.ACCOUNT_SIGNED_IN, where, Actor("account", account.id), account_id=account.id)
