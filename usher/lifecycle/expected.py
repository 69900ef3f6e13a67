"""Who is expected: what a room that waits for people (an invitation, a code) would give somebody at the door.

For rooms that bring people by a way of their own, so that what was promised is kept. A room registers with
:func:`expects` in its module ``expecting``, which is found by name: the rooms do not know each other.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.module_loading import autodiscover_modules

from usher.lifecycle.run import Ticket


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has proved himself: ``address_key`` only where the address counts as his, ``next`` where he was
    going when he was asked to sign in."""

    organization_id: uuid.UUID
    address_key: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is promised. ``ticket`` where coming in uses something up; of several the lowest ``order`` counts."""

    role: str
    groups: tuple[str, ...]
    evidence: str
    ticket: Ticket | None = None
    order: int = 0


Look = Callable[[Caller], Expected | None]
_registered: dict[tuple[str, str], Look] = {}


def expects(look: Look) -> Look:
    """Register what knows whom a room expects. It is asked again under the licence lock."""
    _registered[(look.__module__, look.__qualname__)] = look
    return look


def expected(caller: Caller) -> Expected | None:
    """What was promised to this caller; None for nobody expected."""
    autodiscover_modules("expecting")
    found = [promise for look in _registered.values() if (promise := look(caller))]
    return min(found, key=lambda promise: promise.order, default=None)
