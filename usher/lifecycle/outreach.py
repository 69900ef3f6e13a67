"""Mails to people who did not ask for one, whichever room writes them: how many go out, and who wants none.

All of them count together, so that no room is a way around the limits of another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.apps import apps
from django.db.models import Q

from usher.core.limits import INVITE_ANYWHERE, INVITE_BY, INVITE_ORGANIZATION, INVITE_TO, INVITE_UNKNOWN, Limit
from usher.core.reasons import Finding, Reason
from usher.events.record import address_hash
from usher.lifecycle.joiner import By
from usher.organizations.models import Organization

ANYWHERE = "anywhere"


def limits_of(organization: Organization, by: By) -> list[tuple[Limit, str]]:
    """What counts these mails, and for whom. The operator's own commands count as nobody's."""
    if by.actor.account_id is None:
        return []
    is_known = organization.trusted_at is not None
    return [
        (INVITE_ORGANIZATION if is_known else INVITE_UNKNOWN, str(organization.id)),
        (INVITE_BY, str(by.actor.account_id)),
        (INVITE_ANYWHERE, ANYWHERE),
    ]


def left_of(organization: Organization, by: By, count: int) -> int:
    """How many of ``count`` mails may go out now, or more."""
    return min((limit.free(who) for limit, who in limits_of(organization, by)), default=count)


def count_mails(organization: Organization, by: By, addresses: Sequence[str]) -> Mapping[str, Finding]:
    """Count what goes out to these addresses (keys), and say why for those to whom nothing may.

    Call it outside transactions, before the writing; or as the last thing of the very transaction that posts the mails:
    then they are counted if and only if they are posted, and its locks are held for a moment. Always in this order
    of limits. Of two who take the last ones at the same time, one gets them.
    """
    if left_of(organization, by, 1) < 1:  # asked first: mails that cannot go out use up nobody's share
        return {address: Reason.TOO_MANY_INVITATIONS(left=0) for address in addresses}
    taken = INVITE_TO.take(addresses)
    refused = {address: Reason.ADDRESS_HAS_ENOUGH("email") for address in addresses if address not in taken}
    if taken and not all(limit.take([who], len(taken)) for limit, who in limits_of(organization, by)):
        refused |= {address: Reason.TOO_MANY_INVITATIONS(left=0) for address in taken}
    return refused


def suppressed(organization: Organization, addresses: Collection[str]) -> set[str]:
    """Those of the addresses (keys) that want no mails from here. The list is a room's, known by name alone."""
    hashes = {address_hash(address): address for address in addresses}
    theirs = apps.get_model("email_invitation.Suppression")._base_manager.filter(
        Q(organization=organization) | Q(organization=None)
    )
    return {hashes[found] for found in theirs.filter(address_hash__in=hashes).values_list("address_hash", flat=True)}
