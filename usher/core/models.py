"""The ground floor's own tables; none of them knows a word of our domain."""

from __future__ import annotations

from django.db import models

from usher.core import chores, clock, letters, postman
from usher.core.letters import Fate
from usher.core.work import FREE, End, GiveUpError, WorkItem


class Bucket(models.Model):
    """How full one limit is for one somebody; read and written by core/limits.py alone."""

    key = models.CharField(max_length=64, primary_key=True)
    level = models.FloatField()
    # Seconds since 1970 and not a date: one SQL expression then drains the bucket on SQLite and PostgreSQL
    # alike.
    updated_at = models.FloatField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.level:.1f}"


class Switch(models.Model):
    """One switch of the whole installation; read and written by core/switches.py alone."""

    name = models.CharField(max_length=40, primary_key=True)
    on = models.BooleanField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {'on' if self.on else 'off'}"


class Mail(WorkItem):
    """One mail on its way. It is written when it is sent (core/letters.py), so that no link rests in the database.

    ``kind`` names its letter, ``ref`` the row that the letter is about, ``data`` what else it needs (no secret).
    ``key`` is empty, or holds back a second mail of the same matter while the first one is waiting.
    """

    priority = 1
    outgoing = True
    most_tries = 52  # by the waits of core/work.py: two days

    kind = models.CharField(max_length=40)
    to = models.CharField(max_length=254)
    organization_id = models.UUIDField(null=True)
    ref = models.UUIDField(null=True)
    data = models.JSONField(default=dict)
    key = models.CharField(max_length=80, null=True, unique=True)

    fate = Fate("void")  # what became of it, once it was tried

    def __str__(self) -> str:
        return f"mail {self.kind} {self.id}"

    @property
    def what(self) -> str:
        return self.kind

    @classmethod
    def can_run(cls) -> bool:
        return postman.can_send() and not postman.is_resting()

    def perform(self) -> None:
        if self.key is not None:  # from here on what happens is no longer told by this one
            self.key = None
            self.mine().update(key=None)
        self.fate = letters.send(self)

    def follow(self, end: End, error: Exception | None) -> None:
        if end is End.DEAD and self.key is not None:  # it was never tried to the end, and tells of nothing any more
            Mail.objects.filter(pk=self.pk).update(key=None)
        letters.follow(self, self.fate if end is End.DONE else letters.fate_of(end, error))


class Chore(WorkItem):
    """Something that is done again and again: one row each, which goes back into the queue when it is done."""

    priority = 8

    name = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return f"chore {self.name}"

    @property
    def what(self) -> str:
        return self.name

    def perform(self) -> None:
        try:
            chores.run(self.name)
        except LookupError:
            raise GiveUpError("This version of Usher knows no such chore any more.") from None

    def done(self) -> None:
        """Back into the queue, for the next time."""
        self.mine().update(**FREE, run_at=clock.now() + chores.EVERY, attempts=0, failure="")

    @staticmethod
    def ensure() -> None:
        """A row for each chore there is; a new one is due at once."""
        Chore.objects.bulk_create([Chore(name=name) for name in chores.names()], ignore_conflicts=True)
