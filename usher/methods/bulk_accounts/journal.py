"""The record of one creation, written in the door's own transaction, so that it can be undone."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from usher.core import bulk, clock
from usher.lifecycle.joiner import Joiner, Outcome, Result
from usher.methods.bulk_accounts.models import CreatedAccount, CreationRun
from usher.methods.bulk_accounts.order import Order


class CreationJournal:
    """Enters who was made. ``run_id`` is the record, None when nobody was."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.run_id: uuid.UUID | None = None

    def done(self, joiners: Sequence[Joiner]) -> Mapping[int, Outcome]:
        """Nothing stands from earlier: every run makes new people."""
        return {}

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """One record; a transaction that is tried again makes another, and the first is rolled back."""
        created = [outcome for outcome in outcomes if outcome.result is Result.CREATED]
        self.run_id = None
        if not created:
            return
        order = self.order
        run = CreationRun.objects.create(
            organization=order.organization,
            account_id=order.by.actor.account_id,
            at=clock.now(),
            role=order.choices.role,
            group=order.choices.group,
            count=len(order.people),
        )
        lines = [(run.id, outcome.joiner.line, outcome.membership_id) for outcome in created]
        bulk.insert(CreatedAccount, ("source", "line", "membership_id"), lines)
        self.run_id = run.id
