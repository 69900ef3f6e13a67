"""The events table. Append-only: rows are never changed, but for ``personal``, which can be erased."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from usher.core.rows import Row
from usher.events.types import EventType

LICENSE = EventType.LICENSE_CHANGED.value


class Event(Row):
    """One thing that happened. No foreign keys: an event outlives what it speaks of."""

    at = models.DateTimeField()
    type = models.CharField(max_length=40)
    organization_id = models.UUIDField(null=True)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.UUIDField(null=True)
    account_id = models.UUIDField(null=True)
    address_hash = models.CharField(max_length=32, blank=True)
    method = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    data = models.JSONField(default=dict)
    personal = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization_id", "id"], name="event_of_organization"),
            models.Index(fields=["account_id", "id"], name="event_of_account", condition=Q(account_id__isnull=False)),
            # Somebody who was refused has no account here: such events are found by the address alone.
            models.Index(
                fields=["organization_id", "address_hash"],
                name="event_of_refused",
                condition=Q(account_id__isnull=True) & ~Q(address_hash=""),
            ),
            # A handful among a million: no import writes into it.
            models.Index(fields=["organization_id", "id"], name="event_of_license", condition=Q(type=LICENSE)),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.type}"
