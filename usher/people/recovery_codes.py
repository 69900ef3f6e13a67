"""Recovery codes: ten that open an account once each when the phone is gone. Only keyed hashes are stored.

60 random bits each. They are guessed at under the limits of a sign-in, and by nobody who has the database alone: the
hash wants the pepper (a deviation from NIST SP 800-63B, which wants a slow hash below 112 bits; decision 0019).
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from usher.core import crockford, pepper

COUNT: Final = 10
LENGTH: Final = 12


def make() -> list[str]:
    """Ten new ones, as they are shown: ``7K4M-29QX-B0TD``."""
    return [crockford.in_fours(crockford.new(LENGTH), "-") for _ in range(COUNT)]


def as_code(typed: str) -> str:
    """The code, from what somebody typed (``core.crockford``); else empty."""
    text = crockford.read(typed)
    return text if len(text) == LENGTH else ""


# As they are stored


def stored(codes: Sequence[str], account_id: uuid.UUID) -> dict[str, Any]:
    return {"pepper": pepper.current_id(), "hashes": [_hash(as_code(code), account_id) for code in codes]}


def left(data: Mapping[str, Any]) -> int:
    return len(data.get("hashes", ()))


def use(data: Mapping[str, Any], account_id: uuid.UUID, typed: str) -> dict[str, Any] | None:
    """What is to be stored when the code is right: all but this one. None when it is not, or the pepper is gone."""
    given = as_code(typed)
    try:
        wanted = _hash(given, account_id, data["pepper"])
    except LookupError:
        return None
    rest = [one for one in data["hashes"] if not hmac.compare_digest(one, wanted)]
    return {**data, "hashes": rest} if given and len(rest) < len(data["hashes"]) else None


def _hash(code: str, account_id: uuid.UUID, pepper_id: str = "") -> str:
    """The account is part of it: a row copied to another account opens nothing."""
    return hmac.digest(pepper.subkey("recovery", pepper_id), f"{account_id}\0{code}".encode(), "sha256").hex()
