"""Signing in: one look-up, one argon2id, one sentence for every "no". Every room signs people in through here.

Who has a second factor proves twice, whatever the way: only :func:`_enter` begins a session, and what leads there
without a password or a code is a passkey.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import SESSION_KEY, login
from django.contrib.auth.backends import BaseBackend
from django.db import connection, transaction
from django.http import HttpRequest

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.limits import SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, network_of, wait_minutes
from usher.core.middleware import client_ip
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.logo import with_logo
from usher.organizations.models import Organization
from usher.people import (
    factors,
    known_browsers,
    notices,
    passkeys,
    passwords,
    proved_by,
    second_step,
    sessions,
    single_sign_on,
    waiting,
)  # fmt: skip
from usher.people.addresses import LONGEST, parse_address
from usher.people.made_names import made_name
from usher.people.models import Account, Membership
from usher.people.waiting import PASSWORD, First, Waiting

BACKEND = "usher.people.sign_in.Backend"


class Backend(BaseBackend):
    """Who a session belongs to. It checks no password: that is :func:`sign_in` alone."""

    def get_user(self, user_id: uuid.UUID) -> Account | None:
        return Account.objects.filter(id=user_id).first()


def organization_of(slug: str) -> Organization | None:
    """The organisation whose door an address names; None for the common door and for a slug nobody has.

    A short name that it had before, as on a card printed then, still leads to it.
    """
    if not slug:
        return None
    named = with_logo(Organization.objects.all())
    return named.filter(slug=slug).first() or named.filter(old_slugs__slug=slug).first()


# The first proof


def sign_in(
    request: HttpRequest, typed: str, password: str, organization: Organization | None, *, to_link: bool = False
) -> bool:
    """Sign somebody in by name and password; False when a second proof is wanted (people/waiting.py).

    ``to_link``: whom a provider has just proved signs in as before, once, to link it, also where that opens nothing
    any more. Raises UsherError: sign_in_failed, too_many_tries; and, of a password that is right, sso_only.
    """
    key, network = sign_in_key(typed, organization), network_of(client_ip(request))
    check_tries(key, network)
    found = _find(key, organization)
    account = found.account if found else None
    verdict = passwords.verify(password, account.password if account else passwords.UNUSABLE)
    if found is None or account is None or not verdict.ok:
        count_failure(key, network)
        raise UsherError(Reason.SIGN_IN_FAILED())
    if not to_link:
        _refuse_shut_out(found, organization)
    if not found.has_second:
        _enter(request, account, organization, Proof(better=verdict.better))
        return True
    _store_better(account, verdict.better)
    waiting.begin(request, account, organization)
    return False


def sign_in_account(request: HttpRequest, account: Account, organization: Organization | None = None) -> bool:
    """Sign in somebody who has proved himself in another way; False when a second proof is wanted.

    Whatever page he is sent to, the lock then asks for it. Raises UsherError (sign_in_failed) when the password
    changed between the proof and now: then the proof is void too.
    """
    first = First("owner")
    if factors.has_second(account):
        waiting.begin(request, account, organization, first)
        return False
    _enter(request, account, organization, Proof(is_owner=True, first=first))
    return True


def sign_in_by_provider(
    request: HttpRequest,
    account: Account,
    organization: Organization,
    connection_id: uuid.UUID,
    provider: str,
    *,
    is_strong: bool,
) -> bool:
    """Sign in somebody whom the identity provider of this organisation proved; False when a second proof is wanted.

    ``is_strong``: it says that it saw several factors (``amr``), which counts where the organisation asks for a second
    one, and never stands for the account's own. Raises UsherError as :func:`sign_in_account`.
    """
    notes = proved_by.with_word_of(request, account, organization.id, is_strong=is_strong)
    first = First(provider, str(connection_id), notes)
    if factors.has_second(account):
        waiting.begin(request, account, organization, first)
        return False
    _enter(request, account, organization, Proof(first=first))
    return True


def sign_in_by_passkey(request: HttpRequest, answer: str, organization: Organization | None) -> None:
    """Sign somebody in by a passkey alone: a device, and the finger, face or PIN it knows. No other proof is wanted.

    Raises UsherError: passkey_refused, too_many_tries; and, of a passkey that is right, sso_only.
    """
    network = _check_network(request)
    try:
        found = _of_passkey(passkeys.account_in(answer), organization)
        passkeys.prove(request, passkeys.Purpose.SIGN_IN, found.account, answer)
    except UsherError:
        SIGN_IN_ADDRESS.add(network)
        raise
    _refuse_shut_out(found, organization)
    _enter(request, found.account, organization, Proof(factors.PASSKEY.value, first=First("passkey")))


def _of_passkey(account_id: uuid.UUID, organization: Organization | None) -> _Found:
    """The account, if this door opens to it by a password too. Raises UsherError (passkey_refused)."""
    account = Account.objects.filter(id=account_id).first()
    found = _find(account.sign_in_key, organization) if account else None
    if account is None or found is None or found.account != account:
        raise UsherError(Reason.PASSKEY_REFUSED())
    return found


def _refuse_shut_out(found: _Found, door: Organization | None) -> None:
    """Who has proved himself by what opens nothing anywhere gets no session. Raises UsherError (sso_only).

    Asked after the proof: whoever only guesses does not learn it.
    """
    elsewhere = single_sign_on.shut_out(found.account, door.id if door else None) if found.is_bound else None
    if elsewhere:
        raise UsherError(Reason.SSO_ONLY(organization=elsewhere.name, slug=elsewhere.slug))


# The second


def finish(request: HttpRequest, here: Waiting, typed: str) -> None:
    """Sign in whoever waits here, by a code. Raises UsherError: second_factor_wrong, too_many_tries."""
    network = _check_network(request)
    try:
        kind = second_step.prove(here.account, typed)
    except UsherError:
        SIGN_IN_ADDRESS.add(network)
        raise
    _enter(request, here.account, here.organization, Proof(kind, first=here.first))


def finish_by_passkey(request: HttpRequest, here: Waiting, answer: str) -> None:
    """The same by a passkey. Raises UsherError: passkey_refused, too_many_tries."""
    network = _check_network(request)
    try:
        passkeys.prove(request, passkeys.Purpose.SECOND, here.account, answer)
    except UsherError:
        SIGN_IN_ADDRESS.add(network)
        raise
    _enter(request, here.account, here.organization, Proof(factors.PASSKEY.value, first=here.first))


# Once more (people/fresh.py)


def prove_again(request: HttpRequest, account: Account, password: str) -> None:
    """Whoever is signed in gives the password again. Raises UsherError: proof_failed, too_many_tries."""
    key, network = account.sign_in_key, network_of(client_ip(request))
    check_tries(key, network)
    if not passwords.verify(password, account.password).ok:
        count_failure(key, network)
        raise UsherError(Reason.PROOF_FAILED())
    proved_by.by_himself(request)
    sessions.prove_again(request, account)


def prove_again_by_passkey(request: HttpRequest, account: Account, answer: str) -> None:
    """The same by a passkey. Raises UsherError (passkey_refused)."""
    passkeys.prove(request, passkeys.Purpose.AGAIN, account, answer)
    proved_by.by_himself(request)
    sessions.prove_again(request, account)


def prove_again_by_provider(
    request: HttpRequest, account: Account, organization: Organization, *, is_strong: bool = False
) -> None:
    """The same by the identity provider of an organisation, which has proved this very account just now."""
    proved_by.keep(request, proved_by.with_word_of(request, account, organization.id, is_strong=is_strong))
    sessions.prove_again(request, account)


# Tries


def check_tries(key: str, network: str) -> None:
    """Raises UsherError (too_many_tries). Asked before the look-up, by what was typed: it tells nobody who is here."""
    minutes = wait_minutes((SIGN_IN_ACCOUNT, key), (SIGN_IN_ADDRESS, network))
    if minutes:
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=minutes))


def _check_network(request: HttpRequest) -> str:
    """Where somebody tries from. Raises UsherError (too_many_tries)."""
    network = network_of(client_ip(request))
    minutes = SIGN_IN_ADDRESS.wait_minutes(network)
    if minutes:
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=minutes))
    return network


def count_failure(key: str, network: str) -> None:
    """Only failures count, and a success takes none back. Call it outside a transaction."""
    SIGN_IN_ACCOUNT.add(key)
    SIGN_IN_ADDRESS.add(network)


# Who it is


def sign_in_key(typed: str, organization: Organization | None) -> str:
    """What is compared: the address or made name in one spelling; at an organisation's door its local part will do."""
    key = unicodedata.normalize("NFKC", typed).strip().lower()[:LONGEST]
    if organization and key and "@" not in key:
        return made_name(key, organization.names_under)
    if key.isascii():
        return key
    try:
        return parse_address(key).key  # an international domain
    except UsherError:
        return key


def find_for_sign_in(typed: str, organization: Organization | None) -> Account | None:
    """The one account that what was typed may open here; one query."""
    found = _find(sign_in_key(typed, organization), organization)
    return found.account if found else None


@dataclass(frozen=True, slots=True)
class _Found:
    """An account of the name that was typed: its membership at this door, whether a second proof is needed, and
    whether it is in an organisation that has rules about who may use a password."""

    account: Account
    standing: str | None
    has_second: bool
    is_bound: bool


# By hand, since every sign-in asks it: building this query takes Django 1.7 ms, and a whole sign-in some 30.
_BY_KEY = """
SELECT account.*,
  (SELECT state FROM "people_membership" WHERE account_id = account.id AND organization_id = {door}) AS standing,
  EXISTS (SELECT 1 FROM "mfa_authenticator" WHERE user_id = account.id AND type IN ('totp', 'webauthn')) AS has_second,
  EXISTS (SELECT 1 FROM "people_membership" AS member JOIN "organizations_organization" AS house
    ON house.id = member.organization_id WHERE member.account_id = account.id AND house.passwords_for <> 'everyone'
  ) AS is_bound
FROM "people_account" AS account WHERE sign_in_key = %(key)s
"""


def _find(key: str, organization: Organization | None) -> _Found | None:
    """Where an address is proved, its proved account signs in; else the oldest an organisation made or vouches for.

    The few accounts of one key are chosen among here: one short query, the same for known and unknown.
    """
    found = _named(key, organization)
    offered = organization is not None and any(one.account.home_id == organization.id for one in found)
    now = clock.now()
    for one in sorted(found, key=lambda one: (not one.account.is_proved, one.account.id)):
        alive = one.account.password_expires_at is None or one.account.password_expires_at > now
        if alive and _belongs(one, at_common_door=organization is None, offered=offered):
            return one
    return None


def _named(key: str, organization: Organization | None) -> list[_Found]:
    door = "%(door)s" if organization else "account.home_id"
    facts = {"key": key}
    if organization:
        facts["door"] = Organization._meta.pk.get_db_prep_value(organization.id, connection)
    rows = Account.objects.raw(_BY_KEY.format(door=door), facts)
    return [_found(row, vars(row)) for row in rows]


def _found(row: Account, more: Mapping[str, Any]) -> _Found:
    return _Found(row, more["standing"], bool(more["has_second"]), bool(more["is_bound"]))


def _belongs(found: _Found, *, at_common_door: bool, offered: bool) -> bool:
    """Whether this door may open to the account, whose membership there has this state.

    A proved one is let in where it is a member, or is offered to be (people/claim.py), and at the common door; one
    that an organisation vouches for the same, but nothing is offered to it. One that nobody proved belongs to the
    organisation that made it: no membership there, no account.
    """
    if found.account.is_proved:
        return at_common_door or offered or found.standing is not None
    if found.account.is_claimed:
        return at_common_door or found.standing not in (None, Membership.State.INACTIVE)
    return found.standing == Membership.State.ACTIVE


# Entering


@dataclass(frozen=True, slots=True)
class Proof:
    """How somebody proved to be himself: the factor beside or instead of the password, and a better hash of it.

    ``is_owner``: by the mailbox, in this very request, so that a mail would tell nothing new.
    """

    factor: str = ""
    better: str = ""
    is_owner: bool = False
    first: First = PASSWORD


@retrying
def _enter(request: HttpRequest, account: Account, organization: Organization | None, proof: Proof) -> None:
    """Begin the session and write down that the account signed in, in one transaction.

    The session comes last: whatever is refused before leaves this browser as it was.
    """
    now, had_signed_in = clock.now(), account.last_login is not None
    facts: dict[str, Any] = {"last_login": now, "password_expires_at": None}
    is_known = known_browsers.meet(request, account)
    with transaction.atomic():
        mine = Account.objects.filter(id=account.id)
        changed = mine.filter(password=account.password).update(**facts, password=proof.better or account.password)
        if not changed:
            _meet_another_writer(account, facts)
        Membership.objects.filter(account=account, state=Membership.State.ACTIVE).update(last_seen_at=now)
        record.record(_signed_in(account, organization, proof))
        if had_signed_in and not is_known and not proof.is_owner:
            notices.signed_in(account, request.headers.get("User-Agent", ""))
        waiting.end(request)
        if SESSION_KEY in request.session:
            request.session.cycle_key()  # Django gives no new one to whoever is signed in as the same account already
        login(request, account, BACKEND)
        proved_by.keep(request, proof.first.notes)
        sessions.keep(request, account)


def _store_better(account: Account, better: str) -> None:
    """The hash that only a right password can give is kept, although the sign-in is not complete."""
    if better:
        Account.objects.filter(id=account.id, password=account.password).update(password=better)
        account.password = better


def _meet_another_writer(account: Account, facts: dict[str, Any]) -> None:
    """The stored hash is not the one that was checked: wrapped by the worker meanwhile, or another password."""
    mine = Account.objects.filter(id=account.id)
    stored = mine.values_list("password", flat=True).first()  # none any more where an undo took the account back
    if stored is None or passwords.salt_of(stored) != passwords.salt_of(account.password):
        raise UsherError(Reason.SIGN_IN_FAILED())
    mine.filter(password=stored).update(**facts)  # a new password that comes this very moment keeps its own end


def _signed_in(account: Account, organization: Organization | None, proof: Proof) -> Draft:
    data: dict[str, Any] = {"way": proof.first.way}
    if proof.first.connection:
        data["connection"] = proof.first.connection
    if proof.factor:
        data["factors"] = [proof.factor]
    place = organization.id if organization else account.home_id
    return Draft(EventType.ACCOUNT_SIGNED_IN, place, Actor("account", account.id), account_id=account.id, data=data)
