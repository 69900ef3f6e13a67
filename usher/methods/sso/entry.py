"""By single sign-on to the door: somebody new, or an account that the provider knows."""

from __future__ import annotations

import uuid
from dataclasses import replace

from usher.events.types import SYSTEM, Actor
from usher.lifecycle.join import join_many
from usher.lifecycle.joiner import OPERATOR_RANK, By, Joiner, NewAccount, Outcome, Terms
from usher.lifecycle.run import Run
from usher.methods.sso.newcomer import Newcomer, newcomer
from usher.methods.sso.person import Person
from usher.methods.sso.ticket import ChangedError, SsoTicket
from usher.organizations.plans import Method

# Two people of one name are two people: the provider tells them apart.
TERMS = Terms(allow_same_name=True)


def enter(new: Newcomer, account: uuid.UUID | NewAccount) -> Outcome:
    """Take one person in: the account, the identity and the membership in one transaction, or nothing of it.

    Raises ArrivedError when this very person has come in meanwhile (ticket.py).
    """
    actor = Actor("account", account) if isinstance(account, uuid.UUID) else SYSTEM
    run = Run(new.organization_id, By(actor, OPERATOR_RANK), TERMS, ticket=SsoTicket(new))
    try:
        return next(join_many(run, [_joiner(new, account)]))[0]
    except ChangedError:  # what was promised is another thing by now
        return enter(replace(newcomer(new.connection, new.person, new.next), known=new.known), account)


def look_ahead(new: Newcomer, account: uuid.UUID | NewAccount) -> Outcome:
    """What the door would say now; nothing is written, and no lock is taken."""
    run = Run(new.organization_id, By(SYSTEM, OPERATOR_RANK), TERMS, dry_run=True)
    return next(join_many(run, [_joiner(new, account)]))[0]


def _joiner(new: Newcomer, account: uuid.UUID | NewAccount) -> Joiner:
    return Joiner(Method(new.connection.kind), account, new.role, new.groups, new.evidence)


def account_for(person: Person) -> NewAccount:
    """Somebody new: with the address where it counts, else with a made sign-in name. No password."""
    bare = NewAccount(username=person.username)
    return replace(bare, email=person.address, address=person.key) if person.is_vouched else bare
