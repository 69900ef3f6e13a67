"""Invitations that are over and let nobody in: with them go the addresses of people who never came."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from usher.core import clock
from usher.core.chores import tidies
from usher.core.retry import retrying
from usher.methods.email_invitation.arrived import close
from usher.methods.email_invitation.models import Invitation
from usher.organizations.models import License, SeatReservation
from usher.people.models import Membership

KEPT = dt.timedelta(days=180)  # after its end; an accepted one stays as long as its member


@tidies
def forget_invitations() -> None:
    """Those that ended long ago without bringing anybody."""
    before = clock.now() - KEPT
    over = Q(state__in=(Invitation.State.REVOKED, Invitation.State.DECLINED), ended_at__lt=before)
    Invitation.objects.filter(over | Q(state=Invitation.State.OPEN, expires_at__lt=before)).delete()
    SeatReservation.objects.filter(until__lt=clock.now()).delete()


@tidies
def close_those_who_are_in() -> None:
    """Who was in another way and proved the invited address only later: the door did not see that."""
    here = Membership.objects.filter(
        organization=OuterRef("organization"),
        account__sign_in_key=OuterRef("address_key"),
        state=Membership.State.ACTIVE,
    )
    waiting = Invitation.objects.filter(state=Invitation.State.OPEN).annotate(member=Subquery(here.values("id")[:1]))
    in_ = defaultdict[uuid.UUID, dict[str, uuid.UUID]](dict)
    for organization_id, address, member in waiting.exclude(member=None).values_list(
        "organization_id", "address_key", "member"
    ):
        in_[organization_id][address] = member
    for organization_id, members in in_.items():
        _close(organization_id, members)


@retrying
def _close(organization_id: uuid.UUID, members: dict[str, uuid.UUID]) -> None:
    with transaction.atomic():
        License.objects.select_for_update().get(organization=organization_id)
        close(organization_id, members)
