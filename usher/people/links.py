"""One-time links: made with a purpose, looked up by it, used up in one statement."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from usher.core import clock, tokens
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.people.models import Account, OneTimeLink

SETUP_DAYS = 7


def make_setup_link(account: Account, organization_id: uuid.UUID | None, actor: Actor) -> str:
    """A new set-up link for an account; earlier ones die. Returns the address, which is shown once.

    The link sets the password and proves no mailbox. Needs a transaction.
    """
    OneTimeLink.objects.filter(account=account, purpose=OneTimeLink.Purpose.SETUP, consumed_at=None).update(
        consumed_at=clock.now()
    )
    token = tokens.new_token()
    OneTimeLink.objects.create(
        purpose=OneTimeLink.Purpose.SETUP,
        token_hash=tokens.token_hash(token, OneTimeLink.Purpose.SETUP.value),
        account=account,
        organization_id=organization_id,
        expires_at=clock.now() + dt.timedelta(days=SETUP_DAYS),
    )
    record.record(Draft(EventType.SETUP_LINK_CREATED, organization_id, actor, account_id=account.id))
    return f"{settings.USHER_BASE_URL}/set-up/{token}"


def find(token: str, purpose: OneTimeLink.Purpose) -> OneTimeLink:
    """The living link of this token. Raises UsherError (link_dead). Uses nothing up."""
    link = _living(token, purpose).select_related("account", "organization").first()
    if link is None:
        raise UsherError(Reason.LINK_DEAD())
    return link


def use_setup_link(token: str, encoded_password: str) -> Account:
    """Set the password and use the link up, together. ``encoded_password`` is hashed already.

    Raises UsherError (link_dead), also for the loser of two uses at once.
    """
    with transaction.atomic():
        link = find(token, OneTimeLink.Purpose.SETUP)
        if not _living(token, OneTimeLink.Purpose.SETUP).update(consumed_at=clock.now()):
            raise UsherError(Reason.LINK_DEAD())
        account = link.account
        set_own_password(account, encoded_password)
        record.record(
            Draft(
                EventType.SETUP_LINK_USED,
                link.organization_id,
                Actor("account", account.id),
                account_id=account.id,
            )
        )
    return account


def set_own_password(account: Account, encoded: str) -> None:
    """Store a password that the person chose; every other session ends, since its salt is new."""
    account.password = encoded
    account.must_change_password = False
    account.password_expires_at = None
    account.password_set_at = clock.now()
    account.save(update_fields=["password", "must_change_password", "password_expires_at", "password_set_at"])


def _living(token: str, purpose: OneTimeLink.Purpose) -> QuerySet[OneTimeLink]:
    return OneTimeLink.objects.filter(
        token_hash=tokens.token_hash(token, purpose.value),
        purpose=purpose,
        consumed_at=None,
        expires_at__gt=clock.now(),
    )
