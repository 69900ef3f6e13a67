"""Telling the rooms above of a score, in the transaction that wrote it.

A room that passes scores on registers with :func:`when_scored`, in its module ``scoring``, which is found by name.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.module_loading import autodiscover_modules

from usher.activities.models import Score

Act = Callable[[Score], None]
_registered: dict[tuple[str, str], Act] = {}


def when_scored(act: Act) -> Act:
    """Register what is called with every score that is put: also with one that was there already, unchanged."""
    _registered[(act.__module__, act.__qualname__)] = act
    return act


def tell(score: Score) -> None:
    """Needs the transaction, and the lock on the score's row."""
    autodiscover_modules("scoring")
    for act in _registered.values():
        act(score)
