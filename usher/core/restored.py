"""After a restore: what happened since the backup is unknown, so nothing of that time may go on as if it were not.

A restored database carries a mark until this is done (:func:`finish`), and nobody serves a marked database: whether
`usher restore` itself comes to its end or is killed just before, what is outgoing waits and what is secret is void.
An app says what that means for its own tables in its module ``restored``, which is found by name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils.module_loading import autodiscover_modules

from usher.core import switches

# The mark is a row among the applied migrations: whoever asks whether the database is up to date meets it.
MARK = "(restored)"

Act = Callable[[dt.datetime], None]
_registered: dict[tuple[str, str], Act] = {}


def after_restore(act: Act) -> Act:
    """Register what must be void after a restore. It is given the time of the backup, in a transaction."""
    _registered[(act.__module__, act.__qualname__)] = act
    return act


def is_unfinished(applied: Iterable[tuple[str, str]]) -> bool:
    return any(app == MARK for app, _ in applied)


def finish(applied: Iterable[tuple[str, str]]) -> None:
    """Pause what is outgoing, make void what must be, take the mark away; all or nothing. Needs every migration."""
    marks = [name for app, name in applied if app == MARK]
    if not marks:
        return
    autodiscover_modules("restored")
    with transaction.atomic():
        switches.turn(switches.OUTBOX_PAUSED, on=True)
        for act in _registered.values():
            act(dt.datetime.fromisoformat(marks[0]))
        MigrationRecorder(connection).migration_qs.filter(app=MARK).delete()
