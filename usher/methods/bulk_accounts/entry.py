"""From a name on a list to the door; everybody in one transaction, and every run makes new people."""

from __future__ import annotations

from collections.abc import Iterable

from usher.lifecycle.join import join_many
from usher.lifecycle.joiner import Joiner, NewAccount, Outcome, Terms
from usher.lifecycle.run import Run
from usher.methods.bulk_accounts.journal import CreationJournal
from usher.methods.bulk_accounts.names import Person
from usher.methods.bulk_accounts.order import Order
from usher.organizations.plans import Method


def enter(
    order: Order, people: Iterable[tuple[Person, str]], journal: CreationJournal, *, dry_run: bool
) -> list[Outcome]:
    """Take each person with the digest of a password through the door; the outcomes in order."""
    terms = Terms(order.choices.make_groups, allow_same_name=True)
    run = Run(order.organization.id, order.by, terms, journal, dry_run=dry_run, whole=True)
    joiners = (_joiner(order, person, digest) for person, digest in people)
    return [outcome for batch in join_many(run, joiners) for outcome in batch]


def _joiner(order: Order, person: Person, digest: str) -> Joiner:
    choices = order.choices
    return Joiner(
        method=Method.BULK_ACCOUNTS,
        account=NewAccount(person.username, password=digest),
        role=choices.role,
        groups=(choices.group,) if choices.group else (),
        evidence=f"line {person.line} of a list" if person.username else f"number {person.line} of those asked for",
        line=person.line,
    )
