"""What is worked off after a commit: scores on their way, and rosters to be looked at.

Loaded with the models (apps.py); apart from them, since what is done needs them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from typing import Final

from django.db import models

from usher.core import clock
from usher.core.work import End, NotNowError, WorkItem
from usher.methods.lti import pull, sending
from usher.methods.lti.models import Course, Delivery

MOST_UNDER_WAY: Final = 6  # Canvas counts 50 of 600 units for each


class ScoreJob(WorkItem):
    """One score on its way to one column; the lane is the platform."""

    priority = 3
    outgoing = True
    most_tries = 52  # by the waits of core/work.py: two days
    abreast = 4  # an LMS takes its time

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="job")

    sent: sending.Sent | None = None  # between ``perform`` and ``follow``

    def perform(self) -> None:
        self._wait_for_its_turn()
        self.sent = sending.send(self.delivery_id, self.attempts, self.beat)

    def follow(self, end: End, error: Exception | None) -> None:
        if sending.settle(self.delivery_id, self.sent, end, error):
            ScoreJob.add({self.delivery_id: self.lane})

    def _wait_for_its_turn(self) -> None:
        """However many workers there are, one platform has a few scores under way. Raises NotNowError."""
        now = clock.now()
        before = ScoreJob.objects.filter(lane=self.lane, dead_at=None, lease_until__gte=now, id__lt=self.id)
        if before.count() >= MOST_UNDER_WAY:
            raise NotNowError(now + dt.timedelta(seconds=1))

    @classmethod
    def wake(cls, deliveries: Collection[uuid.UUID]) -> None:
        """What waits for its next try, or was given up, is due now; what is in a worker's hand stays there.

        Comes before any lock of a delivery: whoever ends a try takes them in this order too.
        """
        list(cls.objects.select_for_update().filter(delivery__in=deliveries).values_list("id", flat=True))
        idle = cls.objects.filter(delivery__in=deliveries, lease_token=None)
        idle.update(run_at=clock.now(), attempts=0, dead_at=None, failure="")

    @staticmethod
    def add(lanes: Mapping[uuid.UUID, uuid.UUID]) -> None:
        """A job for each delivery that has none; by the id of the delivery, that of its platform."""
        rows = [ScoreJob(delivery_id=one, lane=lane) for one, lane in lanes.items()]
        ScoreJob.objects.bulk_create(rows, ignore_conflicts=True)


class RosterJob(WorkItem):
    """A course whose roster is to be pulled; the lane is the platform."""

    priority = 6
    outgoing = True
    most_tries = 5

    course = models.OneToOneField(Course, on_delete=models.CASCADE, related_name="roster_job")

    def perform(self) -> None:
        pull.pull(self.course_id, self.beat)
