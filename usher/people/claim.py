"""Claiming: the mailbox's owner proves an address, and whatever anybody set up before for it is void.

Every account with that address that nobody proved loses every credential, wherever it was made; also one for which
an organisation vouches. One account becomes the proved one. The others stay as *offers*: unclaimed, without anything
that signs in, their memberships untouched, so that the owner can take or end each (:func:`offers_to`). Sign-in prefers
the proved account everywhere.

The owner comes on the way to one of those accounts (:func:`claim`), or as somebody new (:func:`prove_new`).
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Q, QuerySet

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.people import links, passwords
from usher.people.addresses import Address
from usher.people.models import Account, Membership, Registration
from usher.people.search import reindex

# Everything that hangs on an account, and whether it is a kind of credential. A contract test finds what hangs
# there by introspection and fails when something is missing here: decide, then write it down.
RELATIONS: Mapping[str, bool] = {
    "account.EmailAddress.user": True,  # an address by which one could sign in or reset
    "activities.Score.account": False,
    "bulk_accounts.CreationRun.account_id": False,
    "csv_import.Import.account_id": False,
    "email_invitation.Invitation.actor_id": False,
    "events.Event.account_id": False,
    "events.Event.actor_id": False,
    "lti.Attempt.account_id": False,
    "lti.LinkCode.account": True,  # links somebody of an LMS
    "lti.PlatformUser.account": True,  # an LMS
    "lti.RegistrationLink.account": False,
    "mfa.Authenticator.user": True,  # TOTP, recovery codes, passkeys
    "organizations.ApiKey.made_by_account_id": False,
    "people.Identity.account": True,  # single sign-on
    "people.Membership.account": False,  # stays, or is offered to the owner
    "people.OneTimeLink.account": True,
    "sso.Attempt.account_id": False,
    "sso.Trip.account": True,
    "usersessions.UserSession.user": True,
}
COLUMNS: Mapping[str, bool] = {
    "claimed_at": False,
    "created_at": False,
    "email": False,
    "home": False,
    "id": False,
    "is_operator": False,
    "last_login": False,
    "must_change_password": True,
    "password": True,  # with its salt all sessions end: they are bound to it
    "password_expires_at": True,
    "password_set_at": True,
    "sign_in_key": False,
    "username": False,
    "vouched_by_organization": False,
}
_LOOSE = ("account", "actor", "user", "owner")  # ids of accounts without a foreign key


def relations() -> Iterator[tuple[str, models.Field[object, object]]]:
    """Every field of every model that leads to an account, by foreign key or by a plain id."""
    for model in apps.get_models(include_auto_created=True):
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many):
            loose = isinstance(field, models.UUIDField) and field.name.removesuffix("_id").endswith(_LOOSE)
            if field.related_model is Account or loose:
                yield f"{model._meta.label}.{field.name}", field


def claim(account: Account, address: Address, encoded_password: str = "") -> Account:
    """The owner of ``address`` proved it, on the way to ``account``. Returns the proved account.

    That is the account which proved this address before, if there is one; else the one for which an organisation
    vouches (it has the address, and loses everything that opens it); else ``account``, which may have had a made name.
    One that comes too late keeps that name, and stays as it is: nothing of it was made for this address.
    ``encoded_password`` is the hash of one he just chose. Raises ValueError for an account with another address,
    UsherError (link_dead) for one that is gone.
    """
    try:
        return _claim(account, address, encoded_password)
    except IntegrityError:
        # Proved in another way in this very moment: now the winner is seen. Inside a larger transaction it is broken.
        if connection.in_atomic_block:
            raise
        return _claim(account, address, encoded_password)


@retrying
def _claim(account: Account, address: Address, encoded_password: str) -> Account:
    with transaction.atomic():
        with_it = Account.objects.select_for_update().filter(Q(sign_in_key=address.key) | Q(id=account.id))
        locked = {one.id: one for one in with_it.order_by("id")}
        if account.id not in locked:  # taken back by an undo, in this very moment
            raise UsherError(Reason.LINK_DEAD())
        proved = next((one for one in locked.values() if one.is_claimed), locked[account.id])
        if proved.email and proved.sign_in_key != address.key:
            raise ValueError("This account has another address.")
        of_address = [one for one in locked.values() if one is proved or one.sign_in_key == address.key]
        void([one for one in of_address if not one.is_proved], proved, address)
        _prove(proved, address, encoded_password)
    return proved


def prove_new(username: str, address: Address, encoded_password: str, home: uuid.UUID | None) -> Account:
    """Somebody who has no account proved ``address``: a new one, proved from the start. Needs a transaction.

    Where an organisation vouches for an account with that address, it becomes his, with its memberships; else the one
    that the organisation ``home`` made, if it did: its membership and its seat stay. All others become offers.
    Raises UsherError (account_exists) when the address is proved already, and IntegrityError when somebody proves it
    at the same time: then ask again.
    """
    made = made_for(address.key)
    if any(one.is_proved for one in made):
        raise UsherError(Reason.ACCOUNT_EXISTS())
    own = heir(made, home)
    account = own or _new_account(username, address, encoded_password)
    void(made, account, address)
    _prove(account, address, encoded_password if own else "")
    registered = Draft(
        EventType.ACCOUNT_REGISTERED,
        None,
        Actor("account", account.id),
        account_id=account.id,
        address=address.key,
    )
    record.record(registered)
    return account


def heir(made: Iterable[Account], home: uuid.UUID | None) -> Account | None:
    """Which of the accounts with an address becomes that of its owner: the one that an organisation vouches for, else
    the one that the organisation ``home`` made."""
    own = [one for one in made if one.is_claimed or (home and one.home_id == home)]
    return min(own, key=lambda one: (not one.is_claimed, one.id), default=None)


def vouch(account: Account, organization_id: uuid.UUID) -> None:
    """The single sign-on of the organisation that made this account brings its owner: what opened it before is void.

    The organisation answers for the address; the mailbox is not proved by that, and accounts that others made for the
    address are not touched. Needs a transaction.
    """
    wipe([account])
    account.claimed_at, account.home, account.vouched_by_organization = clock.now(), None, organization_id
    account.save(update_fields=["claimed_at", "home", "vouched_by_organization"])
    record.record(
        Draft(
            EventType.ACCOUNT_CLAIMED,
            organization_id,
            Actor("account", account.id),
            account_id=account.id,
            address=account.sign_in_key,
            data={"offered": False},
        )
    )


def made_for(address_key: str) -> list[Account]:
    """All accounts with this address, locked, in the order of their ids. Needs a transaction."""
    return list(Account.objects.select_for_update().filter(sign_in_key=address_key).order_by("id"))


def _new_account(username: str, address: Address, encoded_password: str) -> Account:
    now = clock.now()
    return Account.objects.create(
        username=username,
        email=address.original,
        sign_in_key=address.key,
        password=encoded_password,
        password_set_at=now,
        claimed_at=now,
    )


def offers_to(account: Account) -> QuerySet[Membership]:
    """What organisations made for the address of a proved account, and that it has neither taken nor ended.

    Nothing for one that an organisation only vouches for: what others made is not its to give.
    """
    if not account.is_proved:
        return Membership.objects.none()
    return Membership.objects.filter(
        account__sign_in_key=account.sign_in_key, account__claimed_at=None, state=Membership.State.ACTIVE
    )


def void(accounts: Sequence[Account], proved: Account, address: Address) -> None:
    """These were made for an address that is ``proved``'s now: nothing opens them any more, and their organisations
    hear of it. Needs a transaction."""
    wipe(accounts)
    record.record_many([_event(one, proved, address) for one in accounts])


def wipe(accounts: Sequence[Account]) -> None:
    """Take every kind of credential from these accounts. Needs a transaction."""
    ids = [account.id for account in accounts]
    known = UserSession.objects.filter(user__in=ids).values_list("session_key", flat=True)
    Session.objects.filter(session_key__in=list(known)).delete()
    for name, field in relations():
        if RELATIONS[name]:
            field.model._base_manager.filter(**{f"{field.name}__in": ids}).delete()
    for account in accounts:
        _void_password(account)


def _void_password(account: Account) -> None:
    """No password, under a salt of its own: sessions are bound to the salt, so every one of them ends."""
    account.password = passwords.UNUSABLE + secrets.token_urlsafe(16)
    account.must_change_password = False
    account.password_expires_at = account.password_set_at = None
    account.save(update_fields=[name for name, is_credential in COLUMNS.items() if is_credential])


def _prove(account: Account, address: Address, encoded_password: str) -> None:
    if not account.is_proved:
        account.claimed_at, account.home, account.vouched_by_organization = clock.now(), None, None
        account.email, account.sign_in_key = address.original, address.key
        account.save(update_fields=["claimed_at", "home", "vouched_by_organization", "email", "sign_in_key"])
        reindex(account)
    EmailAddress.objects.update_or_create(user=account, email=address.key, defaults={"verified": True, "primary": True})
    # Whoever registered with this address has no use for a second account, and nobody else shall have one.
    Registration.objects.filter(address_key=address.key, consumed_at=None).update(consumed_at=clock.now())
    if encoded_password:
        links.set_own_password(account, encoded_password)


def _event(account: Account, proved: Account, address: Address) -> Draft:
    """One for each organisation that made an account: it learns that its own is void, and of no other."""
    return Draft(
        EventType.ACCOUNT_CLAIMED,
        account.home_id or account.vouched_by_organization,
        Actor("account", proved.id),
        account_id=account.id,
        address=address.key,
        data={"offered": account.id != proved.id},
    )
