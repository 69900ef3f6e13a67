"""Organisations that are to be erased: one row each, from the plan to the end."""

from __future__ import annotations

from django.db import models

from usher.core import clock
from usher.core.work import LeaseLostError, WorkItem
from usher.lifecycle import erase


class Erasure(WorkItem):
    """The erasing of one organisation, due when its last day is over; ``begun_at`` is the point of no return.

    The least urgent of all work, done in pieces: mail goes between them. It rests while the outbox is paused, since
    whoever restored a backup may have done so to get this organisation back.
    """

    priority = 9
    outgoing = True

    organization_id = models.UUIDField(unique=True)
    begun_at = models.DateTimeField(null=True)

    goes_on = False

    def perform(self) -> None:
        """Erase a piece. Raises LeaseLostError when the organisation was kept at the last moment."""
        if not self.begun_at:
            self._begin()
        self.goes_on = erase.erase_some(self.organization_id)

    def _begin(self) -> None:
        with erase.held(self.organization_id):
            self.begun_at = clock.now()
            mine = Erasure.objects.filter(pk=self.pk, lease_token=self.lease_token)
            if not mine.update(begun_at=self.begun_at):
                raise LeaseLostError

    def done(self) -> None:
        """Back into the queue, until nothing is left."""
        if not self.goes_on:
            super().done()
            return
        mine = Erasure.objects.filter(pk=self.pk, lease_token=self.lease_token)
        mine.update(lease_until=None, lease_token=None, attempts=0, failure="")
