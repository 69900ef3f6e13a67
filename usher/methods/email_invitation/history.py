"""The events of invitations: who did what to one, and that it came true."""

from __future__ import annotations

import uuid

from usher.events.types import SYSTEM, Actor, Draft, EventType
from usher.methods.email_invitation.models import Invitation
from usher.organizations.plans import Method


def event(kind: EventType, invitation: Invitation, actor: Actor) -> Draft:
    """Something that was done to an invitation; found by its address under "Why"."""
    return Draft(
        kind,
        invitation.organization_id,
        actor,
        address=invitation.address_key,
        method=Method.EMAIL_INVITATION.value,
        data={"invitation": str(invitation.id), "role": invitation.role},
    )


def accepted(invitation: Invitation, who: uuid.UUID | None, role: str, method: str, by: Actor = SYSTEM) -> Draft:
    """The account ``who`` is in, with this role and by this way: by the link, or by another one."""
    return Draft(
        EventType.INVITATION_ACCEPTED,
        invitation.organization_id,
        by,
        account_id=who,
        address=invitation.address_key,
        method=method,
        data={"invitation": str(invitation.id), "role": role},
    )
