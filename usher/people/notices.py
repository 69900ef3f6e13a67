"""Mails that tell an owner what became of the account; only a proved address hears of it."""

from __future__ import annotations

import uuid

from usher.core import clock, mail
from usher.core.mail import Envelope
from usher.people import devices
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


def signed_in(account: Account, user_agent: str) -> None:
    """In a browser that was new to the account (people/known_browsers.py). One mail at a time tells of it."""
    if account.is_claimed and account.email:
        browser, system = devices.browser_of(user_agent), devices.system_of(user_agent)
        name = ", ".join(part for part in (browser, system) if part)
        facts = {"what": "signed_in", "name": name, "at": clock.now().isoformat()}
        mail.post_once(
            "security_notice", account.email, Envelope(ref=account.id, data=facts), key=f"signed_in:{account.id}"
        )


def _tell(kind: str, account: Account, to: str) -> None:
    mail.post(kind, to, Envelope(ref=account.id, data={"at": clock.now().isoformat()}))
