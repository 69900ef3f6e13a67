"""By invitation to the door: the one who comes, and a look ahead at those who are to be invited."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from usher.events.types import SYSTEM, Actor
from usher.lifecycle.join import join, join_many
from usher.lifecycle.joiner import OPERATOR_RANK, By, Joiner, NewAccount, Outcome, Terms
from usher.lifecycle.run import Run
from usher.methods.email_invitation.found import Found
from usher.methods.email_invitation.ticket import ChangedError, InvitationTicket
from usher.organizations.plans import Method


def enter(found: Found, account: uuid.UUID | NewAccount) -> Outcome:
    """Take the one who is invited in: an account that proved itself in this request, or somebody new and unproved.

    Whether whoever invited still may is the ticket's to say (``found.objection``), so the rank here is no limit.
    """
    actor = Actor("account", account) if isinstance(account, uuid.UUID) else SYSTEM
    evidence = "a copied link, the address not proved" if found.is_unproved else "an invitation to their address"
    joiner = Joiner(Method.EMAIL_INVITATION, account, found.role.slug, found.groups, evidence)
    try:
        return join(found.invitation.organization_id, joiner, By(actor, OPERATOR_RANK), InvitationTicket(found))
    except ChangedError:  # between the look and the lock: what holds is what the admin said last
        found.invitation.refresh_from_db(fields=["role"])
        return enter(found, account)


def look_ahead(organization_id: uuid.UUID, joiners: Sequence[Joiner], by: By) -> list[Outcome]:
    """What the door would say to each of them now, in order; nothing is written."""
    run = Run(organization_id, by, Terms(inviting=True), dry_run=True)
    return [outcome for batch in join_many(run, joiners) for outcome in batch]
