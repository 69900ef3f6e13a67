"""The code as text: made, read however it was typed, and shown in fours."""

from __future__ import annotations

import secrets
import unicodedata
from typing import Final

# Crockford's base 32 (crockford.com/base32.html): no I, L, O, U.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 8  # 40 random bits
LONGEST: Final = 16
_MEANT: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def normal(typed: str) -> str:
    """The code as it is stored, from what somebody typed: any case, spaces, dashes, O for 0, I or L for 1.

    Empty when it cannot be a code. A whole link (``https://…/join/7K4M-29QX``) gives its code too.
    """
    last = typed.strip().rstrip("/").rpartition("/")[2]
    text = unicodedata.normalize("NFKC", last).upper().translate(_MEANT)
    text = "".join(sign for sign in text if not (sign.isspace() or unicodedata.category(sign) == "Pd"))
    return text if LENGTH <= len(text) <= LONGEST and set(text) <= set(ALPHABET) else ""


def shown(code: str) -> str:
    """In fours, as on the wall: ``7K4M 29QX``."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))
