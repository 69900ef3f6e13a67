"""What was made in one go, so that it can be undone; no name and no password is here."""

from __future__ import annotations

from django.db import models

from usher.core.rows import Row
from usher.organizations.models import Organization


class CreationRun(Row):
    """Accounts made by one person at one moment. ``count`` were asked for; its lines are those that were made.

    ``group`` is the name it had then. ``account_id`` is who made them; empty for the operator.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    account_id = models.UUIDField(null=True)
    at = models.DateTimeField()
    role = models.CharField(max_length=20)
    group = models.CharField(max_length=80, blank=True)
    count = models.PositiveIntegerField()
    undo_began_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "id"], name="creations_of_organization")]

    def __str__(self) -> str:
        return f"{self.count} accounts at {self.at:%Y-%m-%d %H:%M}"


class CreatedAccount(models.Model):
    """One of them, by its line. ``membership_id`` is empty once it was taken back."""

    pk = models.CompositePrimaryKey("source_id", "line")
    source = models.ForeignKey(CreationRun, on_delete=models.CASCADE, related_name="lines", db_index=False)
    line = models.PositiveIntegerField()
    membership_id = models.UUIDField(null=True)

    def __str__(self) -> str:
        return f"line {self.line} of {self.source_id}"
