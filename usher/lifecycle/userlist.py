"""The result file: one row for every input row, in order; the same columns whichever room made it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from usher.core.cells import guard
from usher.core.reasons import Reason
from usher.lifecycle.joiner import NewAccount, Outcome, Result

COLUMNS = ("line", "sign_in", "username", "email", "password", "role", "result", "reason", "sign_in_at")
HEADER = ",".join(COLUMNS) + "\r\n"

log = structlog.get_logger("usher.lists")


def rows_of(outcomes: Iterable[Outcome], passwords: Mapping[int, str], sign_in_at: str) -> str:
    """The outcomes as CSV text. ``passwords`` by line: what was supplied or made, absent for the rest."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows(_row(outcome, passwords.get(outcome.joiner.line, ""), sign_in_at) for outcome in outcomes)
    return text.getvalue()


def _row(outcome: Outcome, password: str, sign_in_at: str) -> tuple[str | int, ...]:
    joiner, account = outcome.joiner, outcome.joiner.account
    typed = account if isinstance(account, NewAccount) else NewAccount()
    return (
        joiner.line,
        outcome.sign_in,
        guard(outcome.username or typed.username),
        guard(outcome.email or typed.email),
        password,
        guard(joiner.role),
        outcome.result.value,
        guard(" ".join(f"{finding.text} {finding.next_step}" for finding in outcome.findings)),
        sign_in_at,
    )


def whole(pieces: Iterator[str], width: int = len(COLUMNS)) -> Iterator[str]:
    """The same pieces, and where they break off a last line of so many cells that says so.

    The list is on its way by then: the web server would end it as if nothing were missing.
    """
    try:
        yield from pieces
    except Exception:
        log.exception("list_stopped")
        yield stopped(width)


def stopped(width: int = len(COLUMNS)) -> str:
    """The last line of a list that is not whole: result and reason, where the columns of every result file are."""
    text = io.StringIO()
    finding = Reason.LIST_STOPPED()
    said = [Result.REFUSED.value, f"{finding.text} {finding.next_step}", ""]
    csv.writer(text).writerow([""] * (width - len(said)) + said)
    return text.getvalue()


@dataclass(slots=True)
class Report:
    """The counts of a run, as shown by page, CLI and ``--json``."""

    rows: int = 0
    results: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Count one batch."""
        for outcome in outcomes:
            self.rows += 1
            self.results[outcome.result.value] += 1
            if outcome.findings:
                self.reasons[outcome.reason] += 1

    @property
    def created(self) -> int:
        return self.results[Result.CREATED.value] + self.results[Result.JOINED.value]

    @property
    def unchanged(self) -> int:
        return self.results[Result.UNCHANGED.value]

    @property
    def refused(self) -> int:
        return self.results[Result.REFUSED.value]

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "created": self.created,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "reasons": dict(sorted(self.reasons.items())),
            "seconds": round(self.seconds, 3),
        }
