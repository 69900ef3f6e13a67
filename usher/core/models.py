"""The ground floor's own tables; none of them knows a word of our domain."""

from __future__ import annotations

from django.db import models


class Bucket(models.Model):
    """How full one limit is for one somebody; read and written by core/limits.py alone."""

    key = models.CharField(max_length=64, primary_key=True)
    level = models.FloatField()
    # Seconds since 1970 and not a date: one SQL expression then drains the bucket on SQLite and PostgreSQL
    # alike.
    updated_at = models.FloatField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.level:.1f}"
