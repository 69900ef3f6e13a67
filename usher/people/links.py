"""One-time links: made with a purpose, looked up by it, used up in one statement."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from usher.core import clock, tokens
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.people import notices
from usher.people.models import Account, OneTimeLink

Purpose = OneTimeLink.Purpose
SETUP_DAYS = 7
FORGOTTEN = (Purpose.RESET, Purpose.CLAIM)  # what somebody gets by mail who has forgotten the password

_PATHS: Mapping[OneTimeLink.Purpose, str] = {
    Purpose.SETUP: "set-up",
    Purpose.RESET: "reset",
    Purpose.CLAIM: "reset",
    Purpose.ADDRESS: "address",
}


def make_setup_link(account: Account, organization_id: uuid.UUID | None, actor: Actor) -> str:
    """A new set-up link for an account; earlier ones die. Returns the address, which is shown once.

    The link sets the password and proves no mailbox. Needs a transaction.
    """
    end_all(account, Purpose.SETUP)
    token = tokens.new_token()
    OneTimeLink.objects.create(
        purpose=Purpose.SETUP,
        token_hash=tokens.token_hash(token, Purpose.SETUP.value),
        account=account,
        organization_id=organization_id,
        expires_at=clock.now() + dt.timedelta(days=SETUP_DAYS),
    )
    record.record(Draft(EventType.SETUP_LINK_CREATED, organization_id, actor, account_id=account.id))
    return _shown(Purpose.SETUP, token)


def write(link: OneTimeLink, *, lasts: dt.timedelta) -> None:
    """Store a link that a mail will carry; earlier ones of its kind die. Needs a transaction.

    The token follows from the id of the row: whoever writes the mail again writes the same link.
    """
    end_all(link.account, *(FORGOTTEN if link.purpose in FORGOTTEN else (Purpose(link.purpose),)))
    link.token_hash = tokens.token_hash(_token(link), link.purpose)
    link.expires_at = clock.now() + lasts
    link.save(force_insert=True)


def rewrite(link: OneTimeLink, *, lasts: dt.timedelta | None = None) -> bool:
    """A mail with this link is written, perhaps not for the first time. False when it was used or replaced meanwhile.

    Its end is set anew when ``lasts`` is given: the mail that brings it leaves only now.
    """
    # Under a new pepper another token follows from the row, and the one in an earlier copy of the mail ends.
    facts: dict[str, object] = {"token_hash": tokens.token_hash(_token(link), link.purpose)}
    if lasts:
        facts["expires_at"] = clock.now() + lasts
    return bool(OneTimeLink.objects.filter(id=link.id, consumed_at=None).update(**facts))


def address_of(link: OneTimeLink) -> str:
    """What the mail of this link says; it has been written."""
    return _shown(Purpose(link.purpose), _token(link))


def _token(link: OneTimeLink) -> str:
    return tokens.derived_token(link.purpose, link.id)


def _shown(purpose: OneTimeLink.Purpose, token: str) -> str:
    """Always under our own address, whatever host a request names."""
    return f"{settings.USHER_BASE_URL}/{_PATHS[purpose]}/{token}"


def find(token: str, *purposes: OneTimeLink.Purpose) -> OneTimeLink:
    """The living link of this token. Raises UsherError (link_dead). Uses nothing up."""
    link = _living(token, *purposes).select_related("account", "organization").first()
    if link is None:
        raise UsherError(Reason.LINK_DEAD())
    return link


def use(token: str, *purposes: OneTimeLink.Purpose) -> None:
    """Use the link up. Raises UsherError (link_dead), also for the loser of two uses at once."""
    if not _living(token, *purposes).update(consumed_at=clock.now()):
        raise UsherError(Reason.LINK_DEAD())


def end_all(account: Account, *purposes: OneTimeLink.Purpose) -> None:
    """Every living link of these purposes dies; without purposes every link there is."""
    alive = OneTimeLink.objects.filter(account=account, consumed_at=None)
    (alive.filter(purpose__in=purposes) if purposes else alive).update(consumed_at=clock.now())


def use_setup_link(token: str, encoded_password: str) -> Account:
    """Set the password and use the link up, together. ``encoded_password`` is hashed already.

    Raises UsherError (link_dead), also for the loser of two uses at once.
    """
    with transaction.atomic():
        link = find(token, Purpose.SETUP)
        use(token, Purpose.SETUP)
        account, had_one = link.account, link.account.has_usable_password()
        set_own_password(account, encoded_password)
        end_all(account)
        if had_one:
            notices.password_changed(account)
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


def _living(token: str, *purposes: OneTimeLink.Purpose) -> QuerySet[OneTimeLink]:
    return OneTimeLink.objects.filter(
        token_hash__in=[tokens.token_hash(token, purpose.value) for purpose in purposes],
        purpose__in=purposes,
        consumed_at=None,
        expires_at__gt=clock.now(),
    )
