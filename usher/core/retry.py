"""Trying a transaction again when the database, not the work, was in the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, connection

from usher.core.metrics import DATABASE_ERRORS

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 5
# SQLSTATE 40001 and 40P01: serialisation failure and deadlock. SQLite says "locked" or "busy" in words.
PASSING = ("40001", "40P01", "database is locked", "database table is locked", "deadlock detected")


def retrying(transact: Callable[P, T]) -> Callable[P, T]:
    """Run a function that is one whole transaction again, at most five times, when it met a passing lock error."""

    @wraps(transact)
    def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in range(TRIES - 1):
            try:
                return transact(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or not _passes(error):
                    raise
                DATABASE_ERRORS.labels(type(error).__name__).inc()
                time.sleep(0.05 * 2**attempt)
        return transact(*args, **kwargs)

    return tried


def deleting(transact: Callable[P, T]) -> Callable[P, T]:
    """The same for what takes rows away on which others hang: those that came in between are found by the next try.

    PostgreSQL looks at foreign keys when the transaction ends; on SQLite nobody comes in between.
    """
    once = retrying(transact)

    @wraps(transact)
    def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        for _try in range(TRIES - 1):
            try:
                return once(*args, **kwargs)
            except IntegrityError:
                if connection.in_atomic_block:
                    raise
        return once(*args, **kwargs)

    return tried


def _passes(error: OperationalError) -> bool:
    state = getattr(error.__cause__, "sqlstate", None) or ""
    return any(sign in f"{state} {error}" for sign in PASSING)
