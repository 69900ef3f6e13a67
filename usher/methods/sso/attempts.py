"""The last sign-ins by a connection, decoded for whoever mends it. Some twenty of each are kept, for thirty days."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from usher.core.errors import UsherError
from usher.methods.sso.models import Attempt, Connection, Purpose
from usher.methods.sso.person import Person

KEPT: Final = 20
SWEPT_EVERY: Final = 8  # sign-ins, by chance
MOST_FACTS: Final = 200  # of one sign-in; a provider can say any number
LASTS: Final = dt.timedelta(days=30)
# Of no use to anybody who reads, and some of it is fit for a replay elsewhere.
LEFT_OUT: Final = frozenset({"nonce", "at_hash", "c_hash", "s_hash", "aio", "rh", "uti", "sid", "jti"})


@dataclass(slots=True)
class Note:
    """What is known of one sign-in so far; filled while it goes on, written at its end."""

    connection: Connection | None = None
    purpose: str = Purpose.SIGN_IN.value
    claims: Mapping[str, Any] = field(default_factory=dict)
    person: Person | None = None
    role: str = ""
    result: str = ""
    account_id: uuid.UUID | None = None


def write(note: Note, error: UsherError | None = None) -> None:
    """Keep it, where an organisation is known to have a look at it."""
    if note.connection is None:
        return
    written = Attempt.objects.create(
        connection=note.connection,
        purpose=note.purpose,
        result="refused" if error else note.result,
        reason=error.findings[0].code if error else "",
        detail=str(getattr(error, "detail", ""))[:500] if error else "",
        claims={name: value for name, value in note.claims.items() if name not in LEFT_OUT},
        facts=_facts(note.person),
        role=note.role,
        subject=note.person.subject if note.person else "",
        account_id=note.account_id,
    )
    if written.id.int % SWEPT_EVERY == 0:  # the end of an id is random: a morning of sign-ins must not all sweep
        sweep(note.connection)


def sweep(connection: Connection) -> None:
    """Forget all but the latest."""
    mine = Attempt.objects.filter(connection=connection)
    mine.exclude(id__in=list(mine.order_by("-at").values_list("id", flat=True)[:KEPT])).delete()


def _facts(person: Person | None) -> dict[str, Any]:
    """What rules could look at, without those that every claim is."""
    if person is None:
        return {}
    facts: dict[str, Any] = {name: list(values) for name, values in islice(person.facts.items(), MOST_FACTS)}
    return {**facts, "unknown": sorted(person.unknown), "is_vouched": person.is_vouched}


def last(connection: Connection, count: int = 10) -> list[Attempt]:
    """The latest first."""
    return list(Attempt.objects.filter(connection=connection).order_by("-at")[:count])
