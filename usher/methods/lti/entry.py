"""By an LMS to the door: somebody new, or an account that proved itself beside it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Protocol

from usher.events.types import SYSTEM, Actor
from usher.lifecycle.join import join_many
from usher.lifecycle.joiner import OPERATOR_RANK, By, Joiner, NewAccount, Outcome, Terms
from usher.lifecycle.run import Journal, Run, Ticket
from usher.methods.lti.platforms import label_of
from usher.methods.lti.ticket import LtiTicket
from usher.organizations.plans import Method

# Two people of one name are two people: the LMS tells them apart.
TERMS = Terms(allow_same_name=True)


def enter(ticket: LtiTicket, account: uuid.UUID | NewAccount) -> Outcome:
    """Take one person in: account, person of the LMS and membership in one transaction, or nothing of it.

    Raises ArrivedError when this very person has come in meanwhile (ticket.py).
    """
    actor = Actor("account", account) if isinstance(account, uuid.UUID) else SYSTEM
    run = Run(ticket.place.organization.id, By(actor, OPERATOR_RANK), TERMS, ticket=ticket)
    return next(join_many(run, [_joiner(ticket, account)]))[0]


def look_ahead(ticket: LtiTicket, account: uuid.UUID | NewAccount) -> Outcome:
    """What the door would say now; nothing is written, and no lock is taken."""
    run = Run(ticket.place.organization.id, By(SYSTEM, OPERATOR_RANK), TERMS, dry_run=True)
    return next(join_many(run, [_joiner(ticket, account)]))[0]


def _joiner(ticket: LtiTicket, account: uuid.UUID | NewAccount) -> Joiner:
    course = ticket.caller.course_title or ticket.caller.course_label
    where = f", the course {course}" if course else ""
    evidence = f"the LMS {label_of(ticket.place.platform)}{where}"
    return Joiner(Method.LTI, account, ticket.role, evidence=evidence[:200])


# A whole roster


class Book(Journal, Ticket, Protocol):
    """What a roster writes in the door's transactions; its ticket takes members into the course's group."""


def enter_many(
    organization_id: uuid.UUID, joiners: Sequence[Joiner], book: Book | None, actor: Actor = SYSTEM
) -> Iterator[list[Outcome]]:
    """The people of a roster, batch by batch; each batch is one transaction. Without a book it is only looked ahead:
    nothing is written, and no lock is taken."""
    by = By(actor, OPERATOR_RANK)
    yield from join_many(Run(organization_id, by, TERMS, journal=book, ticket=book, dry_run=book is None), joiners)
