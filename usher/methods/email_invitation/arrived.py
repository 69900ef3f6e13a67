"""Somebody is in by another way: an invitation that waits for that address has come true, and hangs no more."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from usher.core import clock
from usher.events import record
from usher.lifecycle.arrived import when_in
from usher.methods.email_invitation.history import accepted
from usher.methods.email_invitation.models import Invitation
from usher.organizations.models import SeatReservation
from usher.people.models import Membership


@when_in
def close(organization_id: uuid.UUID, members: Mapping[str, uuid.UUID]) -> None:
    """Accept the open invitations of those who came in, by the way on which they came."""
    waiting = Invitation.objects.filter(
        organization_id=organization_id, state=Invitation.State.OPEN, address_key__in=list(members)
    )
    found = list(waiting.select_for_update().order_by("id"))
    if not found:
        return
    came = Membership.objects.in_bulk([members[one.address_key] for one in found])
    now = clock.now()
    # Whom the tidying saw may have been taken back by an undo before it had the lock.
    held = [one for one in found if members[one.address_key] in came]
    people = [(one, came[members[one.address_key]]) for one in held]
    for one, member in people:
        one.state, one.ended_at = Invitation.State.ACCEPTED, now
        one.membership_id, one.method = member.id, member.method
    Invitation.objects.bulk_update(held, ["state", "ended_at", "membership_id", "method"], batch_size=100)
    SeatReservation.objects.filter(ref__in=[one.id for one in held]).delete()
    record.record_many([accepted(one, member.account_id, member.role, member.method) for one, member in people])
