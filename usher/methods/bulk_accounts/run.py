"""Making accounts in advance: preview, or make them and hand out the passwords, which are kept nowhere."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from usher.lifecycle import desk, userlist
from usher.lifecycle.joiner import Outcome, Result
from usher.lifecycle.userlist import Report
from usher.methods.bulk_accounts.entry import enter
from usher.methods.bulk_accounts.journal import CreationJournal
from usher.methods.bulk_accounts.order import Order
from usher.people import passwords
from usher.people.friendly import random_password


@dataclass(frozen=True, slots=True)
class Made:
    """What became of everybody. ``passwords`` (by line) are in plain text, for this moment only.

    ``run_id`` is the record by which it can be undone, None when nobody was made.
    """

    outcomes: Sequence[Outcome]
    report: Report
    sign_in_at: str
    run_id: uuid.UUID | None = None
    passwords: Mapping[int, str] = field(default_factory=dict, repr=False)

    def as_csv(self) -> str:
        """The result file, with the passwords of those who were made."""
        return userlist.HEADER + userlist.rows_of(self.outcomes, self.passwords, self.sign_in_at)


def preview(order: Order) -> Made:
    """What :func:`make` would do; writes nothing. Raises UsherError as :func:`desk.check`."""
    return _run(order, dry_run=True)


def make(order: Order) -> Made:
    """Make the accounts, all in one transaction. Raises UsherError as :func:`desk.check`; then nobody was made."""
    return _run(order, dry_run=False)


def _run(order: Order, *, dry_run: bool) -> Made:
    desk.check(order.organization, order.choices, order.by)
    begun = time.perf_counter()
    plain = {} if dry_run else {person.line: random_password() for person in order.people}
    people = [(one, passwords.digest(plain[one.line]) if plain else "") for one in order.people]
    journal = CreationJournal(order)
    outcomes = enter(order, people, journal, dry_run=dry_run)
    report = Report()
    report.add(outcomes)
    report.seconds = time.perf_counter() - begun
    created = {outcome.joiner.line for outcome in outcomes if outcome.result is Result.CREATED}
    shown = {line: password for line, password in plain.items() if line in created}
    return Made(outcomes, report, desk.sign_in_at(order.organization), journal.run_id, shown)
