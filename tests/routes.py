"""Every address of Usher, from the URL map itself, with the lock of its view: for tests that try them all."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, URLResolver, get_resolver

from usher.api.urls import KEY
from usher.people.access import Lock

SIGN_IN = "to sign-in"
OPEN = "open"


@dataclass(frozen=True, slots=True)
class Route:
    """One address, with the lock of its view."""

    text: str
    names: tuple[str, ...]
    view: Callable[..., HttpResponseBase]

    @property
    def lock(self) -> Lock | None:
        """That of a person; None where there is none, and where a key opens instead."""
        found = getattr(self.view, "usher_lock", None)
        return found if isinstance(found, Lock) else None

    @property
    def needs_key(self) -> bool:
        """Whether no person opens it, but an application with a key of the API."""
        return getattr(self.view, "usher_lock", None) == KEY

    def address(self, **values: object) -> str:
        """The address with its blanks filled in; what is left out becomes an id that nobody has."""
        text = self.text
        for name in self.names:
            value = values.get(name) or (uuid.uuid4() if name.endswith("_id") else "0" * 32)
            head, _, rest = text.partition("<")
            text = f"{head}{value}{rest.partition('>')[2]}"
        return f"/{text}"


def walk(patterns: list[URLPattern | URLResolver], before: str = "", names: tuple[str, ...] = ()) -> Iterator[Route]:
    for one in patterns:
        text, inside = before + str(one.pattern), (*names, *one.pattern.converters)
        if isinstance(one, URLResolver):
            yield from walk(one.url_patterns, text, inside)
        else:
            yield Route(text, inside, one.callback)


ROUTES = {route.text or "/": route for route in walk(get_resolver().url_patterns)}
KEYED = {text: route for text, route in ROUTES.items() if route.needs_key}
LOCKED = {text: route for text, route in ROUTES.items() if route.lock not in (None, Lock.ANYONE)}
WITH_IDS = {text: route for text, route in LOCKED.items() if any(name.endswith("_id") for name in route.names)}


def answer(response: Any) -> int | str:
    """The views take GET or POST alone, so that OPTIONS meets the lock and then 405, and nothing happens."""
    if response.status_code == 302:
        return SIGN_IN if "next=" in response["Location"] or "sign-in" in response["Location"] else OPEN
    return OPEN if response.status_code == 405 else response.status_code
