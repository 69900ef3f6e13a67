"""One pass of people through the door, and the book that a room keeps beside it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from usher.lifecycle.facts import TicketFacts
from usher.lifecycle.joiner import By, Joiner, Outcome, Terms

PLAIN = Terms()


class Journal(Protocol):
    """The room's own book of lines, kept in the door's transactions so that both tell the same story."""

    def done(self, joiners: Sequence[Joiner]) -> Mapping[int, Outcome]:
        """The outcomes that stand from an earlier run of the same file, by line."""

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Enter the outcomes of one batch; called in its transaction, never in a dry run."""


class Ticket(Protocol):
    """What lets people in by itself and is used up by it: an invite code, an invitation. A dry run has none."""

    def hold(self) -> TicketFacts:
        """Lock its row until the transaction ends (after the licence, before groups) and say what it allows."""

    def punch(self, outcomes: Sequence[Outcome]) -> None:
        """Enter who came by it, in the same transaction."""


@dataclass(frozen=True, slots=True)
class Run:
    """One pass of joiners through the door of one organisation."""

    organization_id: uuid.UUID
    by: By
    terms: Terms = PLAIN
    journal: Journal | None = None
    ticket: Ticket | None = None
    dry_run: bool = False
    whole: bool = False  # everybody in one transaction (accounts made in advance), instead of batches
