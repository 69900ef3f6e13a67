"""People who came by a connection and have not signed in by it for long: their seat is freed, nothing is deleted.

That somebody has left is known to the provider alone, which signs him in no more; here it is only quiet. So is it when
the provider fails, and in the holidays: then nobody has to go. Whoever was deactivated is let in again by an admin.
"""

from __future__ import annotations

import datetime as dt
import uuid
from contextlib import suppress
from typing import Final

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery

from usher.core import clock
from usher.core.errors import UsherError
from usher.events.types import SYSTEM
from usher.lifecycle.joiner import OPERATOR_RANK, By
from usher.lifecycle.leave import deactivate
from usher.methods.sso.finding import connections
from usher.methods.sso.models import Connection
from usher.people.models import Identity, Membership

AT_ONCE: Final = 300  # of one connection; the rest has its turn in the next hour
BY: Final = By(SYSTEM, OPERATOR_RANK)
IN_USE: Final = dt.timedelta(days=7)  # so lately somebody must have signed in by it


def free_seats() -> None:
    """For every connection that says after how many days. It may be killed anywhere and done again."""
    for connection in connections().filter(state=Connection.State.ON, leaver_days__gt=0):
        for membership_id in due(connection)[:AT_ONCE]:
            if quiet(connection).filter(id=membership_id).exists():  # he may have signed in since the list was made
                with suppress(UsherError):  # somebody must stay, as whoever alone keeps a password
                    deactivate(connection.organization_id, membership_id, BY)


def due(connection: Connection) -> list[uuid.UUID]:
    """The memberships of those who have left, the longest gone first; none where it is the provider that is quiet.

    Nobody where nobody has signed in for a week, or where more than half of its people would have to go.
    """
    mine = Identity.objects.filter(connection_id=connection.id)
    people = mine.aggregate(count=Count("account", distinct=True), latest=Max("last_used_at"))
    if people["latest"] is None or people["latest"] < clock.now() - IN_USE:
        return []
    gone = list(quiet(connection).values_list("id", flat=True))
    return gone if 2 * len(gone) <= people["count"] else []


def quiet(connection: Connection) -> QuerySet[Membership]:
    """Active members who came in by this kind of provider and were not signed in by this connection for long enough,
    the longest gone first. Never an admin.
    """
    before = clock.now() - dt.timedelta(days=connection.leaver_days or 0)
    uses = Identity.objects.filter(connection_id=connection.id, account=OuterRef("account")).order_by("-last_used_at")
    members = Membership.objects.filter(
        organization=connection.organization, state=Membership.State.ACTIVE, method=connection.kind
    )
    some = members.exclude(role=connection.organization.license.plan.admin.slug)
    quiet_ones = some.annotate(last=Subquery(uses.values("last_used_at")[:1])).filter(last__lt=before)
    return quiet_ones.order_by("last", "id")
