"""Organisations, licences and seat pools."""

from __future__ import annotations

from django.db import models

from usher.core.rows import Row
from usher.organizations.plans import Plan, plan_of


class Organization(Row):
    """The tenant. Its slug is part of addresses and of made sign-in names, and is never used again."""

    slug = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    accent = models.CharField(max_length=7, default="#0d5160")
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=12, default="en")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class License(Row):
    """Plan, dates and what the operator overrode. Its row is the lock of the house (Lock order in docs)."""

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="license")
    plan_slug = models.CharField(max_length=20)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)  # the last day, inclusive, in the organisation's time zone
    overrides = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.plan_slug} of {self.organization_id}"

    @property
    def plan(self) -> Plan:
        return plan_of(self.plan_slug, self.overrides)


class SeatPool(Row):
    """The seats of one kind. ``used`` counts active memberships; only the door changes it.

    There is no upper CHECK: a lowered licence removes nobody, so ``used`` may stand above ``limit``.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="pools", db_index=False)
    pool = models.CharField(max_length=20)
    limit = models.PositiveIntegerField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "pool"], name="one_pool_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.used} of {self.limit} {self.pool}"
