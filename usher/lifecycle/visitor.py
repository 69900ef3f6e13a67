"""A visitor of the console as the one who brings people: an admin everywhere, a manager in his groups."""

from __future__ import annotations

import uuid

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events.types import OPERATOR, Actor
from usher.lifecycle.joiner import OPERATOR_RANK, By
from usher.organizations.models import Organization
from usher.people.access import Visit
from usher.people.models import Membership


def by_visit(visit: Visit) -> By:
    """The rank and the groups that this visit may use at the door."""
    actor = Actor("account", visit.account.id)
    return By(actor, visit.role.rank) if visit.is_admin else By(actor, visit.plan.lowest.rank, visit.managed)


def by_account(organization: Organization, account_id: uuid.UUID | None) -> By | None:
    """Somebody as the one who brings people, with the rank and the groups of this moment (``account_id`` None: the
    operator). None for who may bring nobody any more."""
    if account_id is None:
        return By(OPERATOR, OPERATOR_RANK)
    members = Membership.objects.select_related("account", "organization__license")
    found = members.filter(organization=organization, account=account_id, state=Membership.State.ACTIVE).first()
    if found is None:
        return None
    visit = Visit(found.account, found)
    return by_visit(visit) if visit.is_admin or visit.managed else None


def check_still(organization: Organization, by: By) -> None:
    """A long run goes on only as long as the actor has his role. Raises UsherError: role_above_yours."""
    if by.actor.account_id is None:
        return
    mine = Membership.objects.filter(organization=organization, account_id=by.actor.account_id)
    slug = mine.filter(state=Membership.State.ACTIVE).values_list("role", flat=True).first()
    role = organization.license.plan.role(slug or "")
    if role is None or role.rank < by.rank:
        raise UsherError(Reason.ROLE_ABOVE_YOURS(role=str(organization.license.plan.admin.label)))
