"""What opens an account beside its password: an authenticator app, passkeys, recovery codes (allauth.mfa's table).

Whoever has an app or a passkey needs a second proof at every sign-in; recovery codes stand in for a lost one and are
nothing by themselves. Every change is told to the owner by mail.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.db import transaction

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.mail import Envelope, post
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.people import passwords, recovery_codes, totp
from usher.people.models import Account

APP: Final = Authenticator.Type.TOTP
PASSKEY: Final = Authenticator.Type.WEBAUTHN
CODES: Final = Authenticator.Type.RECOVERY_CODES
SECOND: Final = (APP, PASSKEY)  # each of them asks for a second proof at every sign-in; also in sign_in.py, by hand
MOST_PASSKEYS: Final = 20


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner sees it."""

    id: int
    name: str
    added_at: dt.datetime
    used_at: dt.datetime | None
    is_synced: bool


@dataclass(frozen=True, slots=True)
class Factors:
    """All that one account has; ``codes_left`` is None when none were ever made."""

    app: Authenticator | None
    passkeys: tuple[Passkey, ...]
    codes_left: int | None

    @property
    def has_second(self) -> bool:
        return self.app is not None or bool(self.passkeys)


# Looking


def of(account: Account) -> Factors:
    """One query."""
    rows = list(Authenticator.objects.filter(user=account).order_by("id"))
    codes = next((row for row in rows if row.type == CODES), None)
    return Factors(
        app=next((row for row in rows if row.type == APP), None),
        passkeys=tuple(_passkey(row) for row in rows if row.type == PASSKEY),
        codes_left=recovery_codes.left(codes.data) if codes else None,
    )


def _passkey(row: Authenticator) -> Passkey:
    return Passkey(row.pk, row.data["name"], row.created_at, row.last_used_at, bool(row.data.get("synced")))


def has_second(account: Account) -> bool:
    return bool(Authenticator.objects.filter(user=account, type__in=SECOND).exists())


def passkey_of(account: Account, key: int) -> Passkey | None:
    row = Authenticator.objects.filter(user=account, type=PASSKEY, pk=key).first()
    return _passkey(row) if row else None


# Adding


def add_app(account: Account, seed: str, typed: str) -> list[str]:
    """The app shows the right code: from now on it is asked for. Returns new recovery codes, if there were none.

    Raises UsherError: app_code_wrong, second_factor_there.
    """
    step = totp.step_of(totp.key(account.id, seed), typed)
    if step is None:
        raise UsherError(Reason.APP_CODE_WRONG())
    return add(account, APP, totp.stored(seed, step), _refuse_second_app)


def _refuse_second_app(there: Sequence[Authenticator], _: dict[str, Any]) -> None:
    if any(row.type == APP for row in there):
        raise UsherError(Reason.SECOND_FACTOR_THERE())


@retrying
def add(
    account: Account,
    kind: Authenticator.Type,
    data: dict[str, Any],
    refuse: Callable[[Sequence[Authenticator], dict[str, Any]], None],
) -> list[str]:
    """Store one, unless ``refuse`` says no to it beside those that are there. Recovery codes come with the first."""
    with transaction.atomic():
        lock(account)
        there = list(Authenticator.objects.filter(user=account))
        refuse(there, data)
        Authenticator.objects.create(user=account, type=kind, data=data, created_at=clock.now())
        record.record(_event(EventType.FACTOR_ADDED, account, _owner(account), [kind.value]))
        tell(account, f"{kind.value}_added", name=data.get("name", ""))
        return [] if any(row.type == CODES for row in there) else _store_codes(account)


@retrying
def renew_codes(account: Account) -> list[str]:
    """Ten new recovery codes; earlier ones are void. Raises UsherError (second_factor_missing)."""
    with transaction.atomic():
        lock(account)
        if not has_second(account):
            raise UsherError(Reason.SECOND_FACTOR_MISSING())
        Authenticator.objects.filter(user=account, type=CODES).delete()
        tell(account, "recovery_codes_made")
        return _store_codes(account)


def _store_codes(account: Account) -> list[str]:
    codes = recovery_codes.make()
    data = recovery_codes.stored(codes, account.id)
    Authenticator.objects.create(user=account, type=CODES, data=data, created_at=clock.now())
    record.record(_event(EventType.RECOVERY_CODES_MADE, account, _owner(account), []))
    return codes


@retrying
def rename(account: Account, key: int, name: str) -> bool:
    """Another name for a passkey; False when the account has none of this number."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().filter(user=account, type=PASSKEY, pk=key).first()
        if row is None:
            return False
        row.data["name"] = name
        row.save(update_fields=["data"])
    return True


# Removing


def remove_app(account: Account) -> bool:
    """False when there was none."""
    return _remove(account, APP)


def remove_passkey(account: Account, key: int) -> bool:
    """False when the account has none of this number."""
    return _remove(account, PASSKEY, pk=key)


@retrying
def _remove(account: Account, kind: Authenticator.Type, **which: int) -> bool:
    """One of the owner's own. With the last one the recovery codes go: they would open nothing any more."""
    with transaction.atomic():
        lock(account)
        row = Authenticator.objects.filter(user=account, type=kind, **which).first()
        if row is None:
            return False
        row.delete()
        if not has_second(account):
            Authenticator.objects.filter(user=account).delete()
        record.record(_event(EventType.FACTOR_REMOVED, account, _owner(account), [kind.value]))
        tell(account, f"{kind.value}_removed", name=row.data.get("name", ""))
    return True


def wipe(accounts: Iterable[Account], actor: Actor) -> list[Account]:
    """Take everything from these accounts that opens them beside a password. Returns those that had something.

    For whoever may give them a new password (people/credentials.py) or vouches for them at the command line: the
    phone is lost, or nobody knows whose it is. Needs a transaction, with the accounts locked.
    """
    by_id = {account.id: account for account in accounts}
    rows = Authenticator.objects.filter(user__in=by_id)
    kinds: dict[uuid.UUID, list[str]] = {}
    for account_id, kind in rows.order_by("user_id", "type").values_list("user_id", "type").distinct():
        kinds.setdefault(account_id, []).append(kind)
    if not kinds:
        return []
    rows.delete()
    had = [by_id[account_id] for account_id in kinds]
    record.record_many([_event(EventType.FACTOR_REMOVED, one, actor, kinds[one.id]) for one in had])
    for account in had:
        tell(account, "all_removed")
    return had


# Telling


def tell(account: Account, what: str, name: str = "") -> None:
    """A mail to the owner. An address that nobody has proved may be a stranger's: it gets none."""
    if account.is_claimed and account.email:
        facts = {"what": what, "name": name, "at": clock.now().isoformat(timespec="minutes")}
        post("security_notice", account.email, Envelope(ref=account.id, data=facts))


def lock(account: Account) -> None:
    """Nobody else changes or tries the factors of this account until the end of the transaction.

    Raises UsherError (sign_in_failed) when the password is another one since this request began: reset or claimed,
    so whoever asks is no longer signed in either.
    """
    stored = Account.objects.select_for_update().values_list("password", flat=True).get(id=account.id)
    if passwords.salt_of(stored) != passwords.salt_of(account.password):
        raise UsherError(Reason.SIGN_IN_FAILED())


def _owner(account: Account) -> Actor:
    return Actor("account", account.id)


def _event(kind: EventType, account: Account, actor: Actor, factors: list[str]) -> Draft:
    facts = {"factors": factors} if factors else {}
    return Draft(kind, account.home_id, actor, account_id=account.id, data=facts)
