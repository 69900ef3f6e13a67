"""Invite codes, the groups they lead into, and who came by them."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from django.db import models

from usher.core import clock
from usher.core.rows import Row
from usher.organizations.models import Organization
from usher.people.models import Group, Membership


class Standing(StrEnum):
    """What a code is in one moment."""

    OPEN = "open"
    PAUSED = "paused"
    NOT_STARTED = "not_started"
    ENDED = "ended"
    SPENT = "spent"


class InviteCode(Row):
    """A code of an organisation, or of one of its groups (``group``), which its managers may handle too.

    ``code`` is stored readable, since posters show it, and is never logged. ``starts_at`` and ``ends_at`` are
    moments, the end exclusive. ``used`` counts those who came in by it, but not those an admin let in.
    """

    class Proof(models.TextChoices):
        PROVE_FIRST = "prove_first"  # the address is proved before the person is in
        AT_ONCE = "at_once"  # in at once, with a made sign-in name; School alone

    class AtEnd(models.TextChoices):
        REFUSE = "refuse"
        ASK = "ask"  # whoever comes too late, or finds no use left, waits for an admin

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.PROTECT, related_name="codes")
    code = models.CharField(max_length=16, unique=True)
    role = models.CharField(max_length=20)
    groups = models.ManyToManyField(Group, blank=True, related_name="+", through="CodeGroup")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    max_uses = models.PositiveIntegerField(null=True, blank=True)
    used = models.PositiveIntegerField(default=0)
    domains = models.JSONField(default=list, blank=True)  # A-labels, lower case
    proof = models.CharField(max_length=12, choices=Proof.choices, default=Proof.PROVE_FIRST)
    needs_approval = models.BooleanField(default=False)
    at_end = models.CharField(max_length=8, choices=AtEnd.choices, default=AtEnd.REFUSE)
    paused_at = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["organization", "created_at"], name="codes_of_organization")]

    def __str__(self) -> str:
        return f"code {self.id} of {self.organization_id}"  # never the code itself

    @property
    def uses_left(self) -> int | None:
        return None if self.max_uses is None else max(0, self.max_uses - self.used)

    def standing(self, now: dt.datetime) -> Standing:
        """Ended and spent codes may still let people ask; see ``at_end``."""
        if self.paused_at:
            return Standing.PAUSED
        if self.starts_at and now < self.starts_at:
            return Standing.NOT_STARTED
        if self.ends_at and now >= self.ends_at:
            return Standing.ENDED
        return Standing.SPENT if self.uses_left == 0 else Standing.OPEN


class CodeGroup(Row):
    """A further group that a code leads into."""

    code = models.ForeignKey(InviteCode, on_delete=models.CASCADE, related_name="group_links")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "group"], name="one_link_of_code_and_group")]

    def __str__(self) -> str:
        return f"{self.code_id} into {self.group_id}"


class CodeUse(Row):
    """Somebody who came by a code. ``asked``: he waited for an admin, and took no use.

    ``form`` is the hash of the token of the page on which a new account was wanted: sent twice, it makes one.
    """

    organization_id = models.UUIDField()
    code = models.ForeignKey(InviteCode, on_delete=models.CASCADE, related_name="uses", db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    asked = models.BooleanField(default=False)
    form = models.CharField(max_length=64, null=True, unique=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["code", "at"], name="uses_of_code")]

    def __str__(self) -> str:
        return f"{self.membership_id} by {self.code_id}"
