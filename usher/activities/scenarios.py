"""Built-in activities: short stories with choices and a score at the end. Data in ``stories/``, walked here, purely.

A *path* is the choices made so far, a letter each: ``""`` is the beginning, ``"ab"`` the first choice, then the second.
So a walk needs no memory but its path, and the same path always gives the same score.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import ascii_lowercase
from typing import Any, Final

STORIES: Final = Path(__file__).with_name("stories")


@dataclass(frozen=True, slots=True)
class Choice:
    """``letter`` is its part of the path; ``to`` the name of the step it leads to, ``says`` what follows from it."""

    letter: str
    label: str
    to: str
    points: int
    says: str


@dataclass(frozen=True, slots=True)
class Step:
    """One moment. Without choices it is an end."""

    name: str
    title: str
    text: str
    choices: Sequence[Choice] = ()

    @property
    def is_end(self) -> bool:
        return not self.choices

    @property
    def best(self) -> int:
        """The points of its best choice."""
        return max((choice.points for choice in self.choices), default=0)


@dataclass(frozen=True, slots=True)
class Taken:
    """A step, and the choice that was made there."""

    step: Step
    choice: Choice

    @property
    def is_best(self) -> bool:
        return self.choice.points == self.step.best


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story. It has no rings: every walk comes to an end."""

    name: str
    title: str
    description: str
    start: str
    steps: Mapping[str, Step]

    def at(self, path: str) -> Step:
        """Where a path leads. Raises LookupError for one that nobody can walk."""
        taken = self.taken(path)
        return self.steps[taken[-1].choice.to] if taken else self.steps[self.start]

    def taken(self, path: str) -> list[Taken]:
        """What was chosen on the way, in order. Raises LookupError."""
        step, taken = self.steps[self.start], []
        for letter in path:
            choice = next((one for one in step.choices if one.letter == letter), None)
            if choice is None:
                raise LookupError(f"No choice “{letter}” at “{step.name}”.")
            taken.append(Taken(step, choice))
            step = self.steps[choice.to]
        return taken

    def score(self, path: str) -> tuple[float, float]:
        """What was reached, and what can be reached at most on any way. Raises LookupError."""
        return float(sum(one.choice.points for one in self.taken(path))), float(self.maximum)

    @property
    def maximum(self) -> int:
        return max(points for _, points in self.walks())

    def walks(self) -> Iterator[tuple[str, int]]:
        """Every path to an end, with its points."""
        open_ends = [("", 0, self.start)]
        while open_ends:
            path, points, name = open_ends.pop()
            if self.steps[name].is_end:
                yield path, points
            choices = self.steps[name].choices
            open_ends += [(path + one.letter, points + one.points, one.to) for one in choices]


def names() -> Sequence[str]:
    """Of all that are built in."""
    return sorted(all_of_them())


def get(name: str) -> Scenario | None:
    return all_of_them().get(name)


@cache
def all_of_them() -> Mapping[str, Scenario]:
    """By name; read once in a process."""
    return {file.stem: parse(file.stem, file.read_text("utf-8")) for file in sorted(STORIES.glob("*.toml"))}


def parse(name: str, text: str) -> Scenario:
    """A story as it is written. Raises KeyError for a choice that leads nowhere, tomllib.TOMLDecodeError."""
    told = tomllib.loads(text)
    steps = {key: _step(key, step) for key, step in told["steps"].items()}
    if lost := {choice.to for step in steps.values() for choice in step.choices} - steps.keys():
        raise KeyError(f"{name}: no step {', '.join(sorted(lost))}")
    return Scenario(name, told["title"], told["description"], told["start"], steps)


def _step(name: str, told: Mapping[str, Any]) -> Step:
    letters = zip(ascii_lowercase, told.get("choices", ()), strict=False)
    choices = [Choice(letter, one["label"], one["to"], one["points"], one["says"]) for letter, one in letters]
    return Step(name, told["title"], told["text"], choices)
