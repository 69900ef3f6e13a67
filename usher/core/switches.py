"""Switches of the whole installation, kept in the database so that every process sees them: off until turned on."""

from __future__ import annotations

import datetime as dt

from usher.core import clock
from usher.core.models import Switch

OUTBOX_PAUSED = "outbox_paused"  # after a restore, until `usher jobs resume`
BACKED_UP = "backed_up"  # when `usher backup` was last done
OPEN_REGISTRATION = "open_registration"  # anybody may register, also without an invite code


def is_on(name: str) -> bool:
    return Switch.objects.filter(name=name, on=True).exists()


def turn(name: str, *, on: bool) -> None:
    Switch.objects.update_or_create(name=name, defaults={"on": on, "at": clock.now()})


def since(name: str) -> dt.datetime | None:
    """When it was last turned on; None while it is off."""
    return Switch.objects.filter(name=name, on=True).values_list("at", flat=True).first()
