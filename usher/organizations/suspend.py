"""Suspending an organisation and letting it go on, and the mark of those whom the operator knows."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from usher.core import clock
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.models import License, Organization


@retrying
def suspend(organization: Organization, why: str, actor: Actor) -> bool:
    """Shut every door of the organisation; nothing in it is changed. False when it was suspended already.

    ``why`` is for those who read its events: the operator now, its admins when it goes on.
    """
    with transaction.atomic():
        if lock(organization).suspended_at:
            return False
        put(organization, suspended_at=clock.now())
        personal = {"why": " ".join(why.split())}
        record.record(Draft(EventType.ORGANIZATION_SUSPENDED, organization.id, actor, personal=personal))
    return True


@retrying
def resume(organization: Organization, actor: Actor) -> bool:
    """Open its doors again. False when it was not suspended; one that is to be deleted stays shut."""
    with transaction.atomic():
        if not lock(organization).suspended_at:
            return False
        put(organization, suspended_at=None)
        record.record(Draft(EventType.ORGANIZATION_RESUMED, organization.id, actor))
    return True


@retrying
def set_trusted(organization: Organization, actor: Actor, *, trusted: bool) -> bool:
    """Mark that the operator knows who they are, or take the mark away. False when nothing is different."""
    with transaction.atomic():
        if bool(lock(organization).trusted_at) == trusted:
            return False
        put(organization, trusted_at=clock.now() if trusted else None)
        record.record(Draft(EventType.ORGANIZATION_CHANGED, organization.id, actor, data={"trusted": trusted}))
    return True


def lock(organization: Organization) -> Organization:
    """The organisation as it is now, under its licence's lock: whoever is at its door comes before or after.

    Raises License.DoesNotExist for one that is gone. Needs a transaction.
    """
    License.objects.select_for_update().get(organization=organization)
    # Asked after the lock is had: in one statement PostgreSQL would show it as it was before the wait.
    return Organization.objects.get(id=organization.id)


def put(organization: Organization, **values: Any) -> None:
    """Write these columns alone, here and in the database."""
    Organization.objects.filter(id=organization.id).update(**values)
    for name, value in values.items():
        setattr(organization, name, value)
