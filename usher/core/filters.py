"""Links back to a list that change one of its filters, menus made of them, and the rows that are ticked in it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext


@dataclass(frozen=True, slots=True)
class Links:
    """Links back to a list that change one filter, keep the others, and begin at the first page."""

    path: str
    given: Mapping[str, str]

    def with_(self, name: str, value: str) -> str:
        """The address with one filter set, or taken away by an empty value."""
        wanted = {**self.given, name: value}
        text = urlencode({key: part for key, part in wanted.items() if part})
        return f"{self.path}?{text}" if text else self.path


def links(path: str, query: QueryDict, names: tuple[str, ...]) -> Links:
    """The filters among ``names`` that an address has now."""
    return Links(path, {name: query.get(name, "") for name in names if query.get(name)})


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a filter menu."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Menu:
    """A filter with its choices; its word is the choice made."""

    word: str
    options: Sequence[Option]


def menu(here: Links, name: str, word: str, choices: Mapping[str, str]) -> Menu:
    """A filter as links; its word says what is chosen now."""
    current = here.given.get(name, "")
    all_ = Option(gettext("All"), here.with_(name, ""), current not in choices)
    options = [Option(label, here.with_(name, value), value == current) for value, label in choices.items()]
    return Menu(f"{word}: {choices[current]}" if current in choices else word, [all_, *options])


def picked(sent: QueryDict, name: str = "who") -> list[uuid.UUID]:
    """The ids ticked in a table; what is none is left out."""
    return [key for key in map(_uuid, sent.getlist(name)) if key]


def one_id(sent: QueryDict, name: str) -> uuid.UUID | None:
    ids: Sequence[uuid.UUID] = picked(sent, name)
    return ids[0] if ids else None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
