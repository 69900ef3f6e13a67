"""Codes of an authenticator app: time-based one-time passwords (RFC 6238 over RFC 4226: SHA-1, 6 digits, 30 seconds).

The key an app holds is derived from the pepper, the account and a random number; only that number is stored. Whoever
has the database alone can compute no code.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import unicodedata
import uuid
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from usher.core import clock, pepper

PERIOD: Final = 30  # seconds
DIGITS: Final = 6
WINDOW: Final = 1  # steps before and after this one: clocks differ, and typing takes time (RFC 6238 section 5.2)
_SEED: Final = re.compile(r"[A-Za-z0-9_-]{22}")


def new_seed() -> str:
    """128 random bits: all that is stored, and worth nothing without the pepper."""
    return secrets.token_urlsafe(16)


def is_seed(text: str) -> bool:
    return _SEED.fullmatch(text) is not None


def key(account_id: uuid.UUID, seed: str, pepper_id: str = "") -> bytes:
    """The 160 bits that the app shares with us. Raises LookupError when the pepper is gone."""
    made = hmac.digest(pepper.subkey("totp", pepper_id), f"{account_id}\0{seed}".encode(), "sha256")
    return made[:20]


def as_text(shared: bytes) -> str:
    """The key as it is typed into an app: base 32, in fours."""
    text = base64.b32encode(shared).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address(shared: bytes, sign_in: str, issuer: str) -> str:
    """What the QR square says (Key URI Format of the Google Authenticator wiki)."""
    facts = urlencode({"secret": base64.b32encode(shared).decode(), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(sign_in)}?{facts}"


def code(shared: bytes, step: int) -> str:
    """RFC 4226 section 5.3."""
    digest = hmac.digest(shared, step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 0x0F
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def as_code(typed: str) -> str:
    """Six digits of whatever script, with or without spaces; empty when it is no such code."""
    signs = [sign for sign in typed if not sign.isspace()]
    digits = "".join(str(unicodedata.decimal(sign, "")) for sign in signs)
    return digits if len(signs) == len(digits) == DIGITS else ""


def step_now() -> int:
    return int(clock.now().timestamp()) // PERIOD


def step_of(shared: bytes, typed: str, after: int = -1) -> int | None:
    """The time step this code is of, later than ``after``; None when it is of none that counts now.

    Each step works once: whoever accepts a code stores its step (RFC 6238 section 5.2).
    """
    now, given = step_now(), as_code(typed)
    steps = range(max(now - WINDOW, after + 1), now + WINDOW + 1)
    # All are compared, so that the time says nothing.
    fitting = [step for step in steps if hmac.compare_digest(code(shared, step), given)]
    return fitting[0] if fitting else None


# As it is stored


def stored(seed: str, step: int) -> dict[str, Any]:
    return {"seed": seed, "pepper": pepper.current_id(), "step": step}


def use(data: Mapping[str, Any], account_id: uuid.UUID, typed: str) -> dict[str, Any] | None:
    """What is to be stored when the code is right; None when it is not, or the pepper is gone."""
    try:
        shared = key(account_id, data["seed"], data["pepper"])
    except LookupError:
        return None
    step = step_of(shared, typed, data["step"])
    return None if step is None else {**data, "step": step}
