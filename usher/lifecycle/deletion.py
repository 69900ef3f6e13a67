"""Planning the end of an organisation, and calling it off: suspended until the day, erased after it."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.db import transaction

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.lifecycle.house import today_in
from usher.lifecycle.models import Erasure
from usher.organizations.models import Organization
from usher.organizations.suspend import lock, put

DELAY_DAYS = 30


@retrying
def plan(organization: Organization, actor: Actor, *, days: int = DELAY_DAYS) -> dt.date:
    """The last day of the organisation: from now on every door of it is shut, and after that day it is erased.

    Where a day is set already, that one stands.
    """
    with transaction.atomic():
        current = lock(organization)
        if current.delete_on:
            return current.delete_on
        day = today_in(current) + dt.timedelta(days=days)
        put(organization, delete_on=day)
        Erasure.objects.create(organization_id=organization.id, run_at=_end_of(day, current))
        facts = {"delete_on": day.isoformat()}
        record.record(Draft(EventType.ORGANIZATION_DELETION_PLANNED, organization.id, actor, data=facts))
    return day


def _end_of(day: dt.date, organization: Organization) -> dt.datetime:
    """Midnight where the organisation is, in UTC."""
    zone = zoneinfo.ZoneInfo(organization.time_zone)
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone).astimezone(dt.UTC)


@retrying
def keep(organization: Organization, actor: Actor) -> bool:
    """Call the deletion off; one that was suspended before stays so. False when none is planned.

    Raises UsherError: deletion_begun.
    """
    with transaction.atomic():
        if not lock(organization).delete_on:
            return False
        if has_begun(organization):
            raise UsherError(Reason.DELETION_BEGUN())
        Erasure.objects.filter(organization_id=organization.id).delete()
        put(organization, delete_on=None)
        record.record(Draft(EventType.ORGANIZATION_DELETION_CANCELLED, organization.id, actor))
    return True


def has_begun(organization: Organization) -> bool:
    """Whether it is being erased already: nothing brings it back."""
    return Erasure.objects.filter(organization_id=organization.id, begun_at__isnull=False).exists()
