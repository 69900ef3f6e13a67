"""Codes that people read aloud and type: Crockford's base 32 (crockford.com/base32.html), without I, L, O and U."""

from __future__ import annotations

import secrets
import unicodedata
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MEANT: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new(length: int) -> str:
    """Five random bits for each sign."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def read(typed: str) -> str:
    """What was meant: any case, spaces, dashes, O for 0, I or L for 1. Empty for what cannot be a code."""
    text = unicodedata.normalize("NFKC", typed).upper().translate(_MEANT)
    text = "".join(sign for sign in text if not (sign.isspace() or unicodedata.category(sign) == "Pd"))
    return text if set(text) <= set(ALPHABET) else ""


def in_fours(code: str, between: str = " ") -> str:
    """As it is shown: ``7K4M 29QX``."""
    return between.join(code[at : at + 4] for at in range(0, len(code), 4))
