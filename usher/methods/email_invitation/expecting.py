"""Somebody who is invited may come by another way: role and groups are kept, and it is closed (arrived.py)."""

from __future__ import annotations

from usher.core import clock
from usher.lifecycle.expected import Caller, Expected, expects
from usher.methods.email_invitation.found import Found, objection
from usher.methods.email_invitation.models import Invitation


@expects
def invited(caller: Caller) -> Expected | None:
    """The latest open invitation of this address, while whoever invited still may."""
    if not caller.address_key:
        return None
    mine = Invitation.objects.select_related("organization__license").filter(
        organization_id=caller.organization_id,
        address_key=caller.address_key,
        state=Invitation.State.OPEN,
        expires_at__gt=clock.now(),
    )
    row = mine.order_by("-id").first()
    if row is None or objection(row):
        return None
    found = Found(row, row.token_hash, is_copied=False)
    return Expected(found.role.slug, found.groups, "an invitation to their address")
