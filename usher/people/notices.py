"""Mails that tell an owner what became of the account; only a proved address hears of it."""

from __future__ import annotations

import uuid

from usher.core import clock, mail
from usher.core.mail import Envelope
from usher.people.models import Account


def password_changed(account: Account) -> None:
    """Needs the transaction of the change, like all of these."""
    if account.is_claimed and account.email:
        _tell("password_changed", account, account.email)


def address_asked(account: Account, link_id: uuid.UUID) -> None:
    """Somebody who is signed in wants the account to have another address."""
    if account.is_claimed and account.email:
        mail.post("address_asked", account.email, Envelope(ref=link_id))


def address_changed(account: Account, old: str) -> None:
    """To the address that the account had, and that nothing else will ever be sent to."""
    _tell("address_changed", account, old)


def _tell(kind: str, account: Account, to: str) -> None:
    mail.post(kind, to, Envelope(ref=account.id, data={"at": clock.now().isoformat()}))
