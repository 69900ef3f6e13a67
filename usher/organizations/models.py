"""Organisations, licences and seat pools."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.db import models

from usher.core import clock
from usher.core.rows import Row
from usher.organizations.plans import Plan, plan_of


class PasswordsFor(models.TextChoices):
    """Who of an organisation may sign in with a password there. Whoever is marked always may (people.Membership)."""

    EVERYONE = "everyone"
    ADMINS = "admins"
    MARKED = "marked"


class SecondFactorFor(models.TextChoices):
    """Of whom an organisation asks a second proof at every sign-in."""

    NOBODY = "nobody"
    ADMINS = "admins"
    STAFF = "staff"


class Organization(Row):
    """The tenant. Its slug is part of addresses; those it had before lead to it, and nobody else gets them.

    Made sign-in names hold the slug of their time: once made, a name never changes, so ``made_under`` keeps the
    first one when the organisation is given another.
    """

    slug = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    accent = models.CharField(max_length=7, default="#0d5160")
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=12, default="en")
    created_at = models.DateTimeField()
    made_under = models.CharField(max_length=40, blank=True, db_default="")
    suspended_at = models.DateTimeField(null=True, blank=True)
    delete_on = models.DateField(null=True, blank=True)  # suspended until then, gone after it
    trusted_at = models.DateTimeField(null=True, blank=True)  # the operator knows who they are
    invitation_days = models.PositiveSmallIntegerField(db_default=14, default=14)  # so long an e-mail invitation lives
    passwords_for = models.CharField(
        max_length=10, choices=PasswordsFor.choices, db_default="everyone", default=PasswordsFor.EVERYONE
    )
    second_factor_for = models.CharField(
        max_length=10, choices=SecondFactorFor.choices, db_default="nobody", default=SecondFactorFor.NOBODY
    )

    def __str__(self) -> str:
        return self.name

    @property
    def names_under(self) -> str:
        """What stands in the middle of its made sign-in names."""
        return self.made_under or self.slug

    @property
    def is_suspended(self) -> bool:
        """By the operator, or while it waits to be deleted: every door of it is shut."""
        return self.suspended_at is not None or self.delete_on is not None

    @property
    def logo_url(self) -> str:
        """Where its picture is; empty without one. A query, unless it was loaded ``with_logo`` (organizations/logo)."""
        return f"/o/{self.slug}/logo/{self.logo.digest}" if hasattr(self, "logo") else ""


class OldSlug(models.Model):
    """A short name that is or was in use by somebody: it leads there, and is never given away again.

    Of a deleted organisation only this row remains.
    """

    slug = models.CharField(max_length=40, primary_key=True)
    organization = models.ForeignKey(Organization, null=True, on_delete=models.SET_NULL, related_name="old_slugs")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.slug


class Logo(Row):
    """The picture an organisation shows at its door; apart, so that no other query carries it."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="logo")
    content_type = models.CharField(max_length=20)
    content = models.BinaryField()
    digest = models.CharField(max_length=16)  # part of its address, so that browsers may keep it

    def __str__(self) -> str:
        return f"logo of {self.organization_id}"


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
    told = models.PositiveSmallIntegerField(db_default=0)  # the fullness, in percent, that the admins were told of

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "pool"], name="one_pool_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.used} of {self.limit} {self.pool}"


class SeatReservation(Row):
    """A seat kept for an address: while it lives it counts like a taken one, for everybody but that address.

    Made and given back under the licence lock; ``until`` ends it by itself. ``ref`` is what it was made for.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    pool = models.CharField(max_length=20)
    address_key = models.CharField(max_length=254)
    ref = models.UUIDField(unique=True)
    until = models.DateTimeField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["organization", "address_key"], name="seats_kept_for_address")]

    def __str__(self) -> str:
        return f"a {self.pool} seat for {self.ref}"


class Domain(Row):
    """A mail domain that an organisation says is its own, and whether it has proved that.

    ``name`` is in A-labels, lower case. Proved by a TXT record that holds ``token``, or by a verified admin of the
    domain. One organisation at a time can have proved a domain; while it is proved it is looked at again, and
    ``failing_since`` says since when the proof could not be found.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="domains", db_index=False)
    name = models.CharField(max_length=254)
    token = models.CharField(max_length=64)
    proof = models.CharField(max_length=10, blank=True)  # "dns" or "admin"; empty while it is not proved
    created_at = models.DateTimeField(default=clock.now)
    proved_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="one_domain_of_a_name"),
            models.UniqueConstraint(
                fields=["name"], name="one_owner_of_a_domain", condition=models.Q(proved_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApiKey(Row):
    """By which an application of an organisation asks the API. Only the hash of the key is here.

    ``prefix`` are its first characters, by which people tell keys apart; ``scopes`` what it may do.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=16)
    key_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    made_by_account_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "id"], name="keys_of_organization")]

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}"

    @property
    def last_day(self) -> dt.date | None:
        """In the organisation's time zone: ``expires_at`` is the midnight after it."""
        if self.expires_at is None:
            return None
        zone = zoneinfo.ZoneInfo(self.organization.time_zone)
        return (self.expires_at - dt.timedelta(seconds=1)).astimezone(zone).date()
