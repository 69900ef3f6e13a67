"""Work at intervals: what is done about once an hour, whoever does it.

An app offers its chores in its module ``tidying``, which is found by name. Each is one row of work (``models.Chore``),
so that of many workers one does it, and what fails is tried again and seen by ``usher jobs``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from django.utils.module_loading import autodiscover_modules

EVERY: Final = dt.timedelta(hours=1)

Act = Callable[[], object]
_registered: dict[str, Act] = {}


def tidies(act: Act) -> Act:
    """Register something to throw away because nobody needs it any more. It may be killed and done again."""
    _registered[f"{act.__module__}.{act.__qualname__}".removeprefix("usher.").replace(".tidying.", ".")] = act
    return act


def names() -> list[str]:
    """All chores there are."""
    autodiscover_modules("tidying")
    return sorted(_registered)


def run(name: str) -> None:
    """Do one. Raises LookupError for a name that nobody offers any more."""
    autodiscover_modules("tidying")
    _registered[name]()


def run_all() -> None:
    """Do all of them now."""
    for name in names():
        run(name)
