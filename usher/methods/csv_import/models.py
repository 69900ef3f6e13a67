"""Imports and their lines: the book that makes a file sent twice, or killed half-way, come out right."""

from __future__ import annotations

from django.db import models

from usher.core.rows import Row
from usher.organizations.models import Organization


class Import(Row):
    """One file with one set of options in one organisation; sending it again means this row again.

    ``identity`` is a keyed hash of organisation, options and bytes: the file itself is not kept.
    ``finished_at`` is set when the result file was delivered. ``reissue`` counts "make new passwords":
    made passwords are derived from it, under the pepper ``pepper_id``, and stored nowhere. An undo gives the
    identity back (``undo_began_at``), so that the same file is a new import afterwards; ``undone_at`` ends it.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    identity = models.CharField(max_length=64)
    file_name = models.CharField(max_length=200)
    account_id = models.UUIDField(null=True)  # who sent it; empty for the operator
    options = models.JSONField(default=dict)
    pepper_id = models.CharField(max_length=16)
    rows = models.PositiveIntegerField()
    rows_done = models.PositiveIntegerField(default=0)  # of the run that is under way, for the progress bar
    reissue = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    undo_began_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "identity"], name="one_import_of_a_file")]

    def __str__(self) -> str:
        return self.file_name


UNDONE = "undone"  # the result of a line whose person was taken back


class ImportLine(models.Model):
    """What became of one line. A plain link row: its key is itself. No password and no name is here."""

    pk = models.CompositePrimaryKey("source_id", "line")
    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="lines", db_index=False)
    line = models.PositiveIntegerField()
    result = models.CharField(max_length=10)
    reason = models.CharField(max_length=40, blank=True)
    membership_id = models.UUIDField(null=True)

    def __str__(self) -> str:
        return f"line {self.line}: {self.result}"
