"""The code as text: made, read however it was typed, and shown in fours."""

from __future__ import annotations

from typing import Final

from usher.core import crockford

LENGTH: Final = 8  # 40 random bits
LONGEST: Final = 16


def new_code() -> str:
    return crockford.new(LENGTH)


def normal(typed: str) -> str:
    """The code as it is stored, from what somebody typed (``core.crockford``).

    Empty when it cannot be a code. A whole link (``https://…/join/7K4M-29QX``) gives its code too.
    """
    text = crockford.read(typed.strip().rstrip("/").rpartition("/")[2])
    return text if LENGTH <= len(text) <= LONGEST else ""


def shown(code: str) -> str:
    """In fours, as on the wall: ``7K4M 29QX``."""
    return crockford.in_fours(code)
