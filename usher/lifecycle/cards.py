"""Login cards: what a child needs to sign in, on paper, with a square for the camera."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import segno
from django.utils.safestring import SafeString, mark_safe

from usher.lifecycle import desk
from usher.lifecycle.joiner import Outcome
from usher.organizations.models import Organization
from usher.people.made_names import short

ON_A_PAGE = 8


@dataclass(frozen=True, slots=True)
class Card:
    """One person's card. ``sign_in`` is the part that is enough at the organisation's own door."""

    username: str
    sign_in: str
    password: str = field(repr=False)
    sign_in_at: str
    square: SafeString  # SVG of the sign-in address; it holds no secret

    @property
    def host(self) -> str:
        """The address without its beginning, short enough to be typed from paper."""
        return self.sign_in_at.partition("://")[2].partition("/")[0]


def sheets(organization: Organization, outcomes: Iterable[Outcome], passwords: Mapping[int, str]) -> list[list[Card]]:
    """The cards of everybody whose password is known, eight to a page."""
    every = list(_cards(organization, outcomes, passwords))
    return [every[start : start + ON_A_PAGE] for start in range(0, len(every), ON_A_PAGE)]


def _cards(organization: Organization, outcomes: Iterable[Outcome], passwords: Mapping[int, str]) -> Iterator[Card]:
    address = desk.sign_in_at(organization)
    square = _square(address)
    for outcome in outcomes:
        password = passwords.get(outcome.joiner.line)
        if password:
            yield Card(outcome.username, short(outcome.sign_in, organization.names_under), password, address, square)


def _square(text: str) -> SafeString:
    svg = segno.make(text, error="m", micro=False).svg_inline(omitsize=True, border=0, svgclass=None, lineclass=None)
    return mark_safe(svg)  # noqa: S308 - drawn by segno from our own address
