"""What move and leave share: the membership under the lock of its house, and whether the actor may touch it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events import record
from usher.events.types import Draft, EventType
from usher.lifecycle import house as houses
from usher.lifecycle.admins import admins_who_can_sign_in, admins_with_password
from usher.lifecycle.facts import House
from usher.lifecycle.joiner import By, Terms
from usher.organizations.plans import Method, Role
from usher.people.models import Membership


@dataclass(frozen=True, slots=True)
class Change:
    """A membership held under the licence lock, for one change by one actor."""

    house: House
    membership: Membership
    role: Role
    by: By

    def record(self, kind: EventType, data: dict[str, Any]) -> None:
        record.record(
            Draft(
                kind,
                self.house.organization_id,
                self.by.actor,
                account_id=self.membership.account_id,
                address=self.membership.account.sign_in_key,
                method=Method.CONSOLE.value,
                data=data,
            )
        )

    def keep_an_admin(self) -> None:
        """Raises UsherError: last_admin when this member is the last admin who can sign in, and no_password_left when
        he is the last one who could if the identity provider failed that all others need."""
        if self.role is not self.house.plan.admin:
            return
        organization_id, role = self.house.organization_id, self.role.slug
        if not admins_who_can_sign_in(organization_id, role).exclude(id=self.membership.id).exists():
            raise UsherError(Reason.LAST_ADMIN())
        self._keep_a_password()

    def _keep_a_password(self) -> None:
        """Only who has one is missed: where nobody has one any more, nothing gets worse."""
        if not self.house.needs_sso:
            return
        left = admins_with_password(self.house.organization_id, self.role.slug, self.house.passwords_for)
        ids = set(left.values_list("id", flat=True))
        if ids == {self.membership.id}:
            raise UsherError(Reason.NO_PASSWORD_LEFT())


def begin(organization_id: uuid.UUID, membership_id: uuid.UUID, by: By) -> Change:
    """Lock the house and its member. Raises UsherError: not_a_member, above_you. Needs a transaction."""
    house = houses.open_house(organization_id, by, Terms(), lock=True)
    found = Membership.objects.select_related("account").filter(organization_id=organization_id, id=membership_id)
    membership = found.first()
    if membership is None:
        raise UsherError(Reason.NOT_A_MEMBER(sign_in=str(membership_id)))
    role = house.plan.role(membership.role) or house.plan.lowest
    if role.rank > by.rank:
        raise UsherError(Reason.ABOVE_YOU())
    return Change(house, membership, role, by)
