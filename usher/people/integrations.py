"""Cards for Settings → Integrations: each room offers its own, so that the page knows none of them.

An app keeps them in its module ``integrating``, which is found by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.module_loading import autodiscover_modules

from usher.organizations.models import Organization


@dataclass(frozen=True, slots=True)
class Line:
    """Something that is set up: its name, a small second line, its state (shape and word) and the next step.

    Without ``url`` there is nothing to do with it here.
    """

    label: str
    small: str
    look: str
    word: str
    next_step: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A kind of integration: what it is, what there is of it, and the button by which another is set up."""

    key: str
    title: str
    about: str | Promise
    is_in_plan: bool
    lines: Sequence[Line]
    add_word: str
    add_url: str


Make = Callable[[Organization], Card]
_registered: dict[str, Make] = {}


def integrates(make: Make) -> Make:
    """Register what makes a room's card for an organisation."""
    _registered[f"{make.__module__}.{make.__qualname__}"] = make
    return make


def cards(organization: Organization) -> list[Card]:
    """One for each room that has something to set up, by the name of the room."""
    autodiscover_modules("integrating")
    return [_registered[name](organization) for name in sorted(_registered)]
