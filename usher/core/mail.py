"""Putting a mail into the outbox, in the transaction of the change it tells of; the worker sends it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.limits import MAIL_ANYWHERE, MAIL_FROM, MAIL_TO, wait_minutes
from usher.core.models import Mail
from usher.core.reasons import Reason
from usher.core.work import NO_LANE

ANYWHERE = "anywhere"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Whose mail it is: the organisation it speaks for, the row it is about, and what else its letter needs.

    ``data`` rests in the database until the mail is sent: no secret, no more of a person than the letter needs.
    """

    organization_id: uuid.UUID | None = None
    ref: uuid.UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def post(kind: str, to: str, envelope: Envelope) -> None:
    """Queue one mail of a kind that ``letters.letter`` registered."""
    _mail(kind, to, envelope).save(force_insert=True)


def post_many(kind: str, mails: Iterable[tuple[str, Envelope]]) -> None:
    """The same for many, each with its address and envelope, in a few statements."""
    Mail.objects.bulk_create([_mail(kind, to, envelope) for to, envelope in mails], batch_size=500)


def post_once(kind: str, to: str, envelope: Envelope, *, key: str, delay: dt.timedelta = dt.timedelta()) -> None:
    """The same, unless one with this ``key`` (80 characters at most) still waits: it will tell of both."""
    mail = _mail(kind, to, envelope)
    mail.key, mail.run_at = key, clock.now() + delay
    Mail.objects.bulk_create([mail], ignore_conflicts=True)


def _mail(kind: str, to: str, envelope: Envelope) -> Mail:
    """Each kind of each organisation has a lane: its invitations hold up neither others' mails nor its own others."""
    mine = envelope.organization_id
    lane = uuid.uuid5(mine, kind) if mine else NO_LANE
    return Mail(kind=kind, to=to, organization_id=mine, ref=envelope.ref, data=dict(envelope.data), lane=lane)


def may_write(address_key: str, network: str) -> bool:
    """Count one more mail that somebody causes by typing an address. Call it outside transactions.

    False when that mailbox had enough of them: then nothing is posted, and nobody is told, for that would tell
    of the mailbox. Raises UsherError (too_many_tries) when this network or the whole installation causes too many.
    """
    minutes = wait_minutes((MAIL_FROM, network), (MAIL_ANYWHERE, ANYWHERE))
    if minutes:
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=minutes))
    has_enough = MAIL_TO.is_full(address_key)
    for limit, who in ((MAIL_TO, address_key), (MAIL_FROM, network), (MAIL_ANYWHERE, ANYWHERE)):
        limit.add(who)
    return not has_enough
