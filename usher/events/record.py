"""The one writer of events. Call it inside the transaction of the change it records."""

from __future__ import annotations

import hmac
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.db import connection, transaction

from usher.core import bulk, clock, metrics, pepper
from usher.core.rows import new_id
from usher.events.models import Event
from usher.events.types import Draft

_COLUMNS = (
    "id", "at", "type", "organization_id", "actor_kind", "actor_id",
    "account_id", "address_hash", "method", "reason", "data", "personal",
)  # fmt: skip

EVENTS = metrics.counter("usher_events", "Events of this server's processes, by type and way in.", "type", "method")


def address_hash(address: str) -> str:
    """The keyed hash (hex, 32 characters) under which events remember an address or sign-in name."""
    if not address:
        return ""
    return hmac.digest(pepper.subkey("events"), address.encode(), "sha256").hex()[:32]


def record(draft: Draft) -> None:
    """Record one event; see :func:`record_many`."""
    record_many([draft])


def record_many(drafts: Sequence[Draft]) -> None:
    """Append events, in order. Raises RuntimeError outside a transaction: a change and its event live together."""
    if not connection.in_atomic_block:
        raise RuntimeError("Events are recorded in the transaction of their change.")
    at = clock.now()
    bulk.insert(Event, _COLUMNS, [_row(draft, new_id(), at) for draft in drafts])
    transaction.on_commit(partial(_count, Counter((draft.type.value, draft.method) for draft in drafts)))


def _count(kinds: Mapping[tuple[str, str], int]) -> None:
    for (kind, method), number in kinds.items():
        EVENTS.labels(kind, method).inc(number)


def _row(draft: Draft, event_id: uuid.UUID, at: Any) -> tuple[Any, ...]:
    return (
        event_id, at, draft.type.value, draft.organization_id, draft.actor.kind, draft.actor.account_id,
        draft.account_id, address_hash(draft.address), draft.method, draft.reason,
        draft.data, draft.personal,
    )  # fmt: skip
