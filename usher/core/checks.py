"""Invariants and warnings: every floor registers its own; `usher check` asks them all and writes nothing.

An app keeps them in its module ``invariants``, which is found by name. Each is a function that yields what is
broken; it asks the database for whole sets, since it runs beside the work on a million rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import autodiscover_modules

from usher.core import mailbox, postman
from usher.core.snapshot import snapshot

SHOWN = 20  # broken cases named one by one; the rest is counted

Look = Callable[[], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold (an invariant) or should hold (a warning). ``look`` yields a line for each case."""

    code: str
    holds: str
    look: Look
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check found; ``cases`` are the first of them in words."""

    check: Check
    broken: int
    cases: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"code": self.check.code, "holds": self.check.holds, "broken": self.broken, "cases": list(self.cases)}


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What all checks found."""

    invariants: tuple[Verdict, ...]
    warnings: tuple[Verdict, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return not any(verdict.broken for verdict in self.invariants)

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "invariants": [verdict.as_json() for verdict in self.invariants],
            "warnings": [verdict.as_json() for verdict in self.warnings if verdict.broken],
        }


_registered: dict[tuple[str, str], Check] = {}


def invariant(code: str, holds: str) -> Callable[[Look], Look]:
    """Register a function as (part of) the invariant ``code``; ``holds`` says what is true when it yields nothing."""
    return _register(code, holds, is_warning=False)


def warning(code: str, holds: str) -> Callable[[Look], Look]:
    """Register a function that finds what an operator should know, and that breaks nothing."""
    return _register(code, holds, is_warning=True)


def _register(code: str, holds: str, *, is_warning: bool) -> Callable[[Look], Look]:
    def keep(look: Look) -> Look:
        _registered[(look.__module__, look.__qualname__)] = Check(code, holds, look, is_warning)
        return look

    return keep


def everything() -> list[Check]:
    """All checks of all installed apps, by code."""
    autodiscover_modules("invariants")
    return sorted(_registered.values(), key=lambda check: (len(check.code), check.code, check.holds))


def run(checks: Iterable[Check]) -> Verdicts:
    """Ask each check; one after the other, so that a big database feels one query at a time."""
    verdicts = [_verdict(check) for check in checks]
    return Verdicts(
        tuple(verdict for verdict in verdicts if not verdict.check.is_warning),
        tuple(verdict for verdict in verdicts if verdict.check.is_warning),
    )


def _verdict(check: Check) -> Verdict:
    with snapshot():  # a check of two queries must not see an import end between them
        cases = iter(check.look())
        shown = tuple(islice(cases, SHOWN))
        return Verdict(check, len(shown) + sum(1 for _ in cases), shown)


def rows(sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a query that is the same on both databases."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        while batch := cursor.fetchmany(SHOWN):
            yield from batch


# What needs no word of the domain


@invariant("V3", "The database is whole and no reference in it points to nothing.")
def the_database_is_whole() -> Iterator[str]:
    """SQLite is asked to read itself through; PostgreSQL keeps its references unless somebody switched that off."""
    if connection.vendor == "sqlite":
        for (text,) in rows("PRAGMA integrity_check"):
            if text != "ok":
                yield f"The database file is damaged: {text}."
        for table, _rowid, parent, _number in rows("PRAGMA foreign_key_check"):
            yield f"A row of {table} points to a row of {parent} that is not there."
        return
    for name, table in rows(
        "SELECT conname, conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND NOT convalidated"
    ):
        yield f"The reference {name} of {table} was never checked; see ALTER TABLE … VALIDATE CONSTRAINT."


@warning("mail", "A mail server is set.")
def a_mail_server_is_set() -> Iterator[str]:
    if not settings.EMAIL_HOST:
        where = "they wait" if not postman.can_send() else f"each becomes a file in {mailbox.folder()}"
        yield f"USHER_SMTP_URL is not set, so no mail is sent: {where}."
