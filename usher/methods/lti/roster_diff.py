"""What a roster changes, found by comparing it with what is known here. Pure values: no database, no clock.

Whoever is missing loses his place, so what is compared must be a whole roster (``roster_pages``).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from usher.protocols.lti13.roles import Standing

ORDER: Final = {Standing.LEARNER.value: 0, Standing.ASSISTANT.value: 1, Standing.INSTRUCTOR.value: 2}
# Removals above one of these wait for an admin.
MOST_REMOVALS: Final = 10  # people
MOST_SHARE: Final = 20  # percent of those who were there before
FEWEST: Final = 3  # so many are never held for the share alone: one of a class of four may go


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody in a roster. ``name``, ``address`` and its compare ``key`` are "" where the LMS keeps them to itself.

    ``is_here`` is false for Inactive and Deleted (NRPS 2.0, section 2.3).
    """

    subject: str
    standing: str
    is_here: bool = True
    name: str = ""
    address: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """The place in this course that somebody has, or had (``is_dropped``). ``is_old``: from before the group was."""

    id: uuid.UUID
    standing: str
    is_proved: bool = False  # by a launch
    is_listed: bool = False  # by an earlier roster
    is_dropped: bool = False
    is_old: bool = False
    is_kept: bool = False  # an admin said that he stays, although the LMS does not list him
    is_new: bool = False  # a launch has proved it since the roster was asked for


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody of the LMS who has an account here. ``elsewhere`` is the most he is in other courses, "" for none."""

    id: uuid.UUID
    subject: str
    account_id: uuid.UUID
    name: str = ""
    address: str = ""
    standing: str = Standing.LEARNER.value
    role: str = ""  # what the standing gave last
    is_proved: bool = False  # by a launch, from whichever course
    elsewhere: str = ""
    place: Seen | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Somebody known, as the roster says it now. ``here`` and ``standing`` are what he is from now on, in this course
    and in the LMS; "here" is never less than what a launch has proved."""

    known: Known
    listed: Listed
    here: str
    standing: str

    @property
    def is_renamed(self) -> bool:
        said = self.listed
        return bool(said.name and said.name != self.known.name) or bool(
            said.address and said.address != self.known.address
        )


@dataclass(frozen=True, slots=True)
class Diff:
    """``placed`` are those who are known and come into this course (again); ``stayed`` those who were in it.

    ``dropped`` are no longer listed, or as no longer active. ``before`` is how many were in the course.
    """

    new: tuple[Listed, ...]
    placed: tuple[Pair, ...]
    stayed: tuple[Pair, ...]
    dropped: tuple[Known, ...]
    before: int

    @property
    def moved(self) -> tuple[Pair, ...]:
        """Whose standing in the LMS has changed."""
        return tuple(pair for pair in (*self.placed, *self.stayed) if pair.standing != pair.known.standing)

    @property
    def renamed(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in (*self.placed, *self.stayed) if pair.is_renamed)

    @property
    def is_held(self) -> bool:
        """Whether the removals wait for an admin: a roster can be whole, and wrong."""
        return is_too_many(len(self.dropped), self.before)


def is_too_many(removals: int, before: int) -> bool:
    by_share = removals >= FEWEST and removals * 100 > before * MOST_SHARE
    return removals > MOST_REMOVALS or by_share


def merged(listed: Iterable[Listed]) -> dict[str, Listed]:
    """Each person once, by subject: LMSs list somebody once for each section. Here in one of them is here."""
    found: dict[str, Listed] = {}
    for one in listed:
        before = found.get(one.subject)
        found[one.subject] = _both(before, one) if before else one
    return found


def _both(one: Listed, other: Listed) -> Listed:
    """A place that ended says nothing about what he is in the other."""
    if one.is_here != other.is_here:
        return one if one.is_here else other
    return replace(one, standing=higher(one.standing, other.standing))


def higher(one: str, other: str) -> str:
    """The higher of two standings; "" is less than any."""
    return max(one, other, key=lambda standing: ORDER.get(standing, -1))


def compare(roster: Mapping[str, Listed], people: Collection[Known]) -> Diff:
    """``people`` are all who are known to the LMS and listed, and all who have a place in the course."""
    known = {one.subject: one for one in people}
    here = [one for one in roster.values() if one.is_here]
    pairs = [_pair(known[one.subject], one) for one in here if one.subject in known]
    return Diff(
        new=tuple(one for one in here if one.subject not in known),
        placed=tuple(pair for pair in pairs if _comes(pair.known.place)),
        stayed=tuple(pair for pair in pairs if not _comes(pair.known.place)),
        dropped=tuple(one for one in people if _has_left(one, roster.get(one.subject))),
        before=sum(1 for one in people if one.place and not one.place.is_dropped),
    )


def _comes(place: Seen | None) -> bool:
    return place is None or place.is_dropped or place.is_old


def _has_left(known: Known, listed: Listed | None) -> bool:
    """Said to be gone; or missing where he was listed before. Who only launched may never be listed: admins of an LMS
    visit courses without being in them."""
    place = known.place
    if place is None or place.is_dropped or place.is_kept or place.is_new:
        return False
    return place.is_listed if listed is None else not listed.is_here


def _pair(known: Known, listed: Listed) -> Pair:
    place = known.place
    here = listed.standing
    if place and place.is_proved:
        here = higher(here, place.standing)
    return Pair(known, listed, here, _standing(known, here))


def _standing(known: Known, here: str) -> str:
    """Up at once, down only where nothing but rosters has ever said it: Moodle lists assistants as learners."""
    best = higher(here, known.elsewhere)
    return higher(best, known.standing) if known.is_proved else best
