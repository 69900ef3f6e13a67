"""How much a file may hold. All of it is checked before the costly work it would cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    rows: int = 200_000
    size: int = 50 * MEGABYTE
    columns: int = 64
    cell: int = 10_000  # characters
    groups: int = 50  # of a row
    unpacked: int = 256 * MEGABYTE  # all parts of an .xlsx together
    parts: int = 1_000  # of an .xlsx


LIMITS: Final = Limits()


def in_megabytes(size: int) -> int:
    """Rounded up, so that a file just over the limit is not said to have the limit's size."""
    return -(-size // MEGABYTE)
