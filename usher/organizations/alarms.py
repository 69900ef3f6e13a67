"""How full the seats are, in the steps at which somebody should know, and up to which step the admins were told."""

from __future__ import annotations

import uuid

from usher.organizations.models import SeatPool

LEVELS = (100, 95, 80)  # percent of a pool


def fullness(used: int, limit: int) -> int:
    """The highest level that is reached; 0 below all of them, and for a pool without seats."""
    return next((level for level in LEVELS if limit and used * 100 >= level * limit), 0)


def rearm(organization_id: uuid.UUID) -> None:
    """After seats became free or were added: what is not reached any more will be told again on the way up.

    Needs the licence lock, and the counts as they are now.
    """
    for pool in SeatPool.objects.filter(organization_id=organization_id, told__gt=0):
        level = fullness(pool.used, pool.limit)
        if level < pool.told:
            SeatPool.objects.filter(id=pool.id).update(told=level)
