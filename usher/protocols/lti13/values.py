"""Values inside claims, read with patience: platforms send null, "" and unresolved variables (LTI Core 1.3, 5.4.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from usher.protocols.lti13.errors import LtiError

LONGEST_ID: Final = 255
LONGEST_URL: Final = 4096
# A variable that the platform did not replace, as "$Person.name.full"
UNRESOLVED: Final = re.compile(r"\$[A-Za-z][\w.-]*")


def text(value: object) -> str:
    """A text without space around it; "" for everything else, and for a variable that nobody replaced."""
    if not isinstance(value, str) or UNRESOLVED.fullmatch(value):
        return ""
    return value.strip()


def texts(value: object) -> tuple[str, ...]:
    """The texts in a list, or a single text as a list of one."""
    values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(one for one in values if isinstance(one, str))


def fields(value: object) -> Mapping[str, Any]:
    """A JSON object, empty for everything else."""
    return value if isinstance(value, dict) else {}


def identifier(value: object, name: str) -> str:
    """An id as it came, "" without one. Raises LtiError (bad_claim, too_long)."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LtiError("bad_claim", f"“{name}” in the message of the platform is no text.")
    if len(value) > LONGEST_ID:
        raise LtiError("too_long", f"“{name}” has {len(value)} characters; {LONGEST_ID} is the most.")
    return value


def web_url(value: object) -> str:
    """An absolute address of http or https; "" for everything else, ``javascript:`` and the like with it."""
    address = text(value)
    if len(address) > LONGEST_URL or not address.isascii() or not address.isprintable() or " " in address:
        return ""
    try:
        parts = urlsplit(address)
        _ = parts.port  # ValueError for one that is no number
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.hostname and "\\" not in address else ""


def flag(value: object) -> bool | None:
    """A truth value; some platforms write it as text. None when it is not said."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def custom(value: object) -> Mapping[str, str]:
    """The custom parameters that have a value: null and unresolved variables are dropped, numbers become text."""
    found = {name: _custom(one) for name, one in fields(value).items()}
    return MappingProxyType({name: one for name, one in found.items() if one is not None})


def _custom(value: object) -> str | None:
    if isinstance(value, str):
        return None if UNRESOLVED.fullmatch(value) else value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
