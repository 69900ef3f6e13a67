"""Activities and the scores that people reached in them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from usher.core import clock
from usher.core.rows import Row
from usher.organizations.models import Organization
from usher.people.models import Account, Group


class Activity(Row):
    """Something to do, that can be put into a course of an LMS and graded there.

    It opens a page of an application downstream (``target_url``) or one that is built in (``scenario``, a name of
    ``activities/scenarios.py``). ``score_maximum`` counts only where it is graded. ``group`` empty: the whole house.
    """

    class State(models.TextChoices):
        OPEN = "open"
        ARCHIVED = "archived"

    class Audience(models.TextChoices):
        EVERYONE = "everyone"
        STAFF = "staff"  # only they pick it and open it

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    title = models.CharField(max_length=150)
    title_key = models.CharField(max_length=150)  # for looking it up, in one spelling (people.names.name_key)
    description = models.CharField(max_length=2000, blank=True)
    picture_url = models.CharField(max_length=2000, blank=True)
    target_url = models.CharField(max_length=2000, blank=True)
    scenario = models.CharField(max_length=40, blank=True)
    is_graded = models.BooleanField(default=False)
    score_maximum = models.FloatField(default=100.0)
    audience = models.CharField(max_length=10, choices=Audience.choices, default=Audience.EVERYONE)
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_activity_opens_one_thing",
                condition=(Q(target_url="") & ~Q(scenario="")) | (~Q(target_url="") & Q(scenario="")),
            ),
            models.CheckConstraint(name="a_score_has_a_maximum", condition=Q(score_maximum__gt=0)),
        ]
        indexes = [models.Index(fields=["organization", "state", "title_key", "id"], name="activities_by_title")]

    def __str__(self) -> str:
        return self.title


class Score(Row):
    """How well somebody did an activity: the last score wins. ``version`` counts the writes, so that whoever passes it
    on (an LMS) knows whether it has the last one."""

    organization_id = models.UUIDField()
    activity = models.ForeignKey(Activity, on_delete=models.CASCADE, related_name="scores", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    given = models.FloatField()
    maximum = models.FloatField()
    comment = models.CharField(max_length=1000, blank=True)
    version = models.PositiveIntegerField(default=1)
    scored_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["activity", "account"], name="one_score_of_a_person"),
            models.CheckConstraint(name="a_score_is_within", condition=Q(given__gte=0, maximum__gt=0)),
        ]
        indexes = [models.Index(fields=["organization_id", "id"], name="scores_of_organization")]

    def __str__(self) -> str:
        return f"{self.given} of {self.maximum}"
