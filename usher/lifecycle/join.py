"""The door: decides first, writes after, batch by batch; the only way to become a member.

Only ``methods.*.entry`` and the ``entry`` of console, api and cli import this module.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from django.db import connection, transaction

from usher.core.retry import retrying
from usher.lifecycle import arrived, pen
from usher.lifecycle import house as houses
from usher.lifecycle.facts import House
from usher.lifecycle.joiner import By, Joiner, NewAccount, Outcome
from usher.lifecycle.run import Run, Ticket
from usher.lifecycle.walk import consider

# Rows per transaction, measured (docs/decisions/0003): fewer commits for the same rows, and still some 150 ms of
# SQLite's one write lock, so that a sign-in in between waits for one batch at the most.
BATCH = {"sqlite": 1000, "postgresql": 1000}


def join(organization_id: uuid.UUID, joiner: Joiner, by: By, ticket: Ticket | None = None) -> Outcome:
    """Let one person in, or say why not."""
    return next(join_many(Run(organization_id, by, ticket=ticket), [joiner]))[0]


def join_many(run: Run, joiners: Iterable[Joiner]) -> Iterator[list[Outcome]]:
    """Take everybody through the door in order; yields the outcomes of each batch after its commit.

    A dry run is the same walk that stops before the pen and takes no lock. What lies between two batches
    is open to others: seats they take meanwhile are met by the next batch.
    """
    source = iter(joiners)
    size = 1_000_000 if run.whole else BATCH[connection.vendor]
    seen: dict[str, int] = {}
    virtual = houses.open_house(run.organization_id, run.by, run.terms, lock=False) if run.dry_run else None
    while batch := list(islice(source, size)):
        if virtual:
            yield _walk(run, virtual, batch)[0]
        else:
            outcomes, seen = _write_batch(run, batch, seen)
            yield outcomes


@retrying
def _write_batch(run: Run, batch: Sequence[Joiner], seen: dict[str, int]) -> tuple[list[Outcome], dict[str, int]]:
    """One transaction: lock, look, decide, write. Returns the outcomes and the addresses seen so far."""
    with transaction.atomic():
        house = houses.open_house(run.organization_id, run.by, run.terms, lock=True)
        house.seen = seen.copy()
        house.ticket = run.ticket.hold() if run.ticket else None
        outcomes, fresh = _walk(run, house, batch)
        pen.write(house, fresh)
        if run.journal:
            run.journal.write(fresh)
        if run.ticket:
            run.ticket.punch(fresh)
        arrived.tell(run.organization_id, fresh)  # after the ticket: the one that was used closes itself
    return outcomes, house.seen


def _walk(run: Run, house: House, batch: Sequence[Joiner]) -> tuple[list[Outcome], list[Outcome]]:
    """The outcomes of all, in order, and of those that were decided now."""
    done = run.journal.done(batch) if run.journal else {}
    houses.look_up(house, batch, lock=not run.dry_run)
    outcomes, fresh = [], []
    for joiner in batch:
        earlier = done.get(joiner.line)
        if earlier:
            _stands(joiner, house)
            outcomes.append(earlier)
        else:
            outcomes.append(consider(joiner, house))
            fresh.append(outcomes[-1])
    return outcomes, fresh


def _stands(joiner: Joiner, house: House) -> None:
    """A line done in an earlier run still makes later lines with its address duplicates."""
    if isinstance(joiner.account, NewAccount) and joiner.account.address:
        house.seen.setdefault(joiner.account.address, joiner.line)
