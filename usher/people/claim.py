"""Claiming: the mailbox's owner proves an address, and whatever anybody set up before for it is void.

Every unclaimed account with that address loses every credential, wherever it was made. One account becomes the
proved one. The others stay as *offers*: unclaimed, without anything that signs in, their memberships untouched,
so that the owner can take or end each (:func:`offers_to`). Sign-in prefers the proved account everywhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Q, QuerySet

from usher.core import clock
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.people import links, passwords
from usher.people.addresses import Address
from usher.people.models import Account, Membership
from usher.people.search import reindex

# Everything that hangs on an account, and whether it is a kind of credential. A contract test finds what hangs
# there by introspection and fails when something is missing here: decide, then write it down.
RELATIONS: Mapping[str, bool] = {
    "account.EmailAddress.user": True,  # an address by which one could sign in or reset
    "csv_import.Import.account_id": False,
    "events.Event.account_id": False,
    "events.Event.actor_id": False,
    "mfa.Authenticator.user": True,  # TOTP, recovery codes, passkeys
    "people.Membership.account": False,  # stays, or is offered to the owner
    "people.OneTimeLink.account": True,
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
}
_LOOSE = ("account", "actor", "user", "owner")  # ids of accounts without a foreign key


def relations() -> Iterator[tuple[str, models.Field[object, object]]]:
    """Every field of every model that leads to an account, by foreign key or by a plain id."""
    for model in apps.get_models(include_auto_created=True):
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many):
            loose = isinstance(field, models.UUIDField) and field.name.removesuffix("_id").endswith(_LOOSE)
            if field.related_model is Account or loose:
                yield f"{model._meta.label}.{field.name}", field


@retrying
def claim(account: Account, address: Address, encoded_password: str = "") -> Account:
    """The owner of ``address`` proved it, on the way to ``account``. Returns the proved account.

    That is the account which proved this address before, if there is one; else ``account``, which may have had
    a made name (one that comes too late keeps it, and stays as it is: nothing of it was made for this address).
    ``encoded_password`` is the hash of one he just chose. Raises ValueError for an account with another address.
    """
    with transaction.atomic():
        with_it = Account.objects.select_for_update().filter(Q(sign_in_key=address.key) | Q(id=account.id))
        locked = {one.id: one for one in with_it.order_by("id")}
        proved = next((one for one in locked.values() if one.claimed_at), locked[account.id])
        if proved.email and proved.sign_in_key != address.key:
            raise ValueError("This account has another address.")
        of_address = [one for one in locked.values() if one is proved or one.sign_in_key == address.key]
        unclaimed = [one for one in of_address if not one.claimed_at]
        wipe(unclaimed)
        record.record_many([_event(one, proved, address) for one in unclaimed])
        _prove(proved, address, encoded_password)
    return proved


def offers_to(account: Account) -> QuerySet[Membership]:
    """What organisations made for the address of a proved account, and that it has neither taken nor ended."""
    return Membership.objects.filter(
        account__sign_in_key=account.sign_in_key, account__claimed_at=None, state=Membership.State.ACTIVE
    )


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
    if not account.claimed_at:
        account.claimed_at, account.home = clock.now(), None
        account.email, account.sign_in_key = address.original, address.key
        account.save(update_fields=["claimed_at", "home", "email", "sign_in_key"])
        reindex(account)
    EmailAddress.objects.update_or_create(user=account, email=address.key, defaults={"verified": True, "primary": True})
    if encoded_password:
        links.set_own_password(account, encoded_password)


def _event(account: Account, proved: Account, address: Address) -> Draft:
    """One for each organisation that made an account: it learns that its own is void, and of no other."""
    return Draft(
        EventType.ACCOUNT_CLAIMED,
        account.home_id,
        Actor("account", proved.id),
        account_id=account.id,
        address=address.key,
        data={"offered": account.id != proved.id},
    )
