"""The invitation behind a link, and whether it still lets somebody in."""

from __future__ import annotations

import uuid
import zoneinfo
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime

from usher.core import tokens
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.lifecycle.joiner import By
from usher.lifecycle.visitor import by_account
from usher.methods.email_invitation.links import COPIED, MAILED
from usher.methods.email_invitation.models import Invitation
from usher.organizations.models import Organization
from usher.organizations.plans import Role

State = Invitation.State


@dataclass(frozen=True, slots=True)
class Found:
    """An invitation as one of its two links opens it. ``hash`` is that link's."""

    invitation: Invitation
    hash: str
    is_copied: bool

    @property
    def organization(self) -> Organization:
        return self.invitation.organization

    @property
    def is_unproved(self) -> bool:
        """Whether one comes in by this link without proving the address."""
        return self.is_copied and self.invitation.copied_unproved

    @property
    def role(self) -> Role:
        """What one becomes by this link: unproved, never more than the lowest role."""
        plan = self.organization.license.plan
        given = plan.role(self.invitation.role) or plan.lowest
        return plan.lowest if self.is_unproved else given

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(self.invitation.groups.order_by("name_key").values_list("name", flat=True))


def find(token: str) -> Found:
    """The invitation of this link. Uses nothing up.

    Raises UsherError: invitation_dead, invitation_expired, invitation_revoked, invitation_used.
    """
    found = look(token)
    if found is None:
        raise UsherError(Reason.INVITATION_DEAD())
    if no := over(found.invitation):
        raise UsherError(no)
    return found


def look(token: str) -> Found | None:
    """The same, dead or alive; None for a link that was replaced or never made."""
    mailed, copied = tokens.token_hash(token, MAILED), tokens.token_hash(token, COPIED)
    whole = Invitation.objects.select_related("organization__license", "organization__logo")
    row = whole.defer("organization__logo__content").filter(Q(token_hash=mailed) | Q(copied_hash=copied)).first()
    if row is None:
        return None
    is_copied = row.token_hash != mailed
    return Found(row, copied if is_copied else mailed, is_copied)


def over(invitation: Invitation) -> Finding | None:
    """Why it lets nobody in any more."""
    if invitation.state == State.ACCEPTED:
        return Reason.INVITATION_USED()
    if invitation.state == State.REVOKED:
        return Reason.INVITATION_REVOKED()
    if invitation.state == State.DECLINED:
        return Reason.INVITATION_DEAD()
    if invitation.is_over:
        return Reason.INVITATION_EXPIRED(date=last_day(invitation))
    return None


def last_day(invitation: Invitation) -> str:
    """The day on which it ends, where the organisation is."""
    zone = zoneinfo.ZoneInfo(invitation.organization.time_zone)
    return date_format(localtime(invitation.expires_at, zone), "j F Y")


def objection(invitation: Invitation) -> Finding | None:
    """Why whoever invited could not do it any more: no rank for this role now, or no say in these groups."""
    organization = invitation.organization
    by, role = by_account(organization, invitation.actor_id), organization.license.plan.role(invitation.role)
    groups = set(invitation.group_links.values_list("group_id", flat=True)) if by and by.groups is not None else set()
    return None if may_still(by, role, groups) else Reason.INVITER_GONE(organization=organization.name)


def may_still(by: By | None, role: Role | None, groups: Collection[uuid.UUID]) -> bool:
    """Whether somebody, as he may bring people now, could invite with this role into these groups."""
    if by is None or (role and role.rank > by.rank):
        return False
    return by.groups is None or (bool(groups) and set(groups) <= by.groups)
