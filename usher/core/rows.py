"""What every table shares: a UUIDv7 made in Python as its only key."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562, section 5.7): ids made later sort later, so that indexes grow at their end."""
    return uuid7()


def first_id(moment: datetime) -> uuid.UUID:
    """No id made at that moment, or later, is lower: a UUIDv7 begins with the milliseconds since 1970."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)


class Row(models.Model):
    """A table with our key."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True
