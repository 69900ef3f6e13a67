"""A reason met in one case: with the facts that fill its sentence, ready to be shown or raised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from usher.core.reasons import Reason

Fact: TypeAlias = "str | int"


class Blanks(dict[str, str]):
    """Fills a sentence whose facts are not known."""

    def __missing__(self, _key: str) -> str:
        return "…"


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason met in one case. ``column`` is the column of the file or the field of the form it is about."""

    reason: Reason
    facts: Mapping[str, Fact] = field(default_factory=dict)
    column: str = ""

    @property
    def code(self) -> str:
        return self.reason.code

    @property
    def sentence(self) -> str:
        return str(self.reason.value[0]).format_map({"column": self.column, **self.facts})

    @property
    def next_step(self) -> str:
        return str(self.reason.value[1]).format_map({"column": self.column, **self.facts})

    @property
    def text(self) -> str:
        """``code: sentence``, as written in the ``reason`` column of every result file."""
        return f"{self.code}: {self.sentence}"
