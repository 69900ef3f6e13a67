"""Telling the rooms above that somebody is in, by whichever way, in the transaction that made it so.

A room that waits for people (an invitation) registers with :func:`when_in`, in its module ``arrived``, which is found
by name: the door need not know it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping

from django.utils.module_loading import autodiscover_modules

from usher.lifecycle.joiner import Outcome, Result

Act = Callable[[uuid.UUID, Mapping[str, uuid.UUID]], None]
_registered: dict[tuple[str, str], Act] = {}

IS_IN = (Result.CREATED, Result.JOINED)


def when_in(act: Act) -> Act:
    """Register what is called with the organisation and the memberships that became active, by address key."""
    _registered[(act.__module__, act.__qualname__)] = act
    return act


def tell(organization_id: uuid.UUID, outcomes: Iterable[Outcome]) -> None:
    """Of all who came in with an address. Needs the transaction and the licence lock."""
    members = {
        outcome.email.lower(): outcome.membership_id
        for outcome in outcomes
        if outcome.result in IS_IN and outcome.email and outcome.membership_id
    }
    if members:
        autodiscover_modules("arrived")
        for act in _registered.values():
            act(organization_id, members)
