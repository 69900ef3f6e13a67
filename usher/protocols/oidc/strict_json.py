"""JSON as signed documents need it: one meaning for every reader, and nothing that no database can keep."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def read_object(raw: bytes) -> dict[str, Any]:
    """The JSON object (RFC 8259) in these bytes of UTF-8.

    Raises ValueError for what is no object, for a name that stands twice in one, for NaN and the like, for text
    with NUL or half a surrogate pair, and for nesting no honest document has.
    """
    try:
        read = json.loads(raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if isinstance(read, dict):
        if b"\\u" in raw:  # the only way such characters get in
            check_text(read)
        return read
    raise ValueError("no object")


def check_text(value: object) -> None:
    """Raises ValueError when a value read from JSON has text with NUL or half a surrogate pair anywhere."""
    try:
        _check(value)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _check(value: object) -> None:
    if isinstance(value, str):
        value.encode()  # UnicodeEncodeError is a ValueError
        if "\0" in value:
            raise ValueError("text with NUL")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check(name)
            _check(inner)
    elif isinstance(value, list):
        for inner in value:
            _check(inner)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
