"""What is thrown away now and then because nobody needs it any more.

An app offers it in its module ``tidying``, which is found by name; the worker calls it about once an hour.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.module_loading import autodiscover_modules

Act = Callable[[], object]
_registered: dict[tuple[str, str], Act] = {}


def tidies(act: Act) -> Act:
    """Register something to throw away. It may run at the same time in several workers."""
    _registered[(act.__module__, act.__qualname__)] = act
    return act


def tidy() -> None:
    autodiscover_modules("tidying")
    for act in _registered.values():
        act()
