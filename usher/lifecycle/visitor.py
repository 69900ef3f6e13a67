"""A visitor of the console as the one who brings people: an admin everywhere, a manager in his groups."""

from __future__ import annotations

from usher.events.types import Actor
from usher.lifecycle.joiner import By
from usher.people.access import Visit


def by_visit(visit: Visit) -> By:
    """The rank and the groups that this visit may use at the door."""
    actor = Actor("account", visit.account.id)
    return By(actor, visit.role.rank) if visit.is_admin else By(actor, visit.plan.lowest.rank, visit.managed)
