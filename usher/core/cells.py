"""Cells of files we write: what a spreadsheet would take for a formula gets a guard, which we can take off."""

from __future__ import annotations

import re
from typing import Final

# What Excel, LibreOffice or Sheets may take for the beginning of a formula, in full width too (CWE-1236).
_STARTS: Final = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_FIRSTS: Final = frozenset(_STARTS)
_GUARDED: Final = re.compile(f"'+[{re.escape(_STARTS)}]")


def begins_like_formula(text: str) -> bool:
    return text[:1] in _FIRSTS


def guard(text: str) -> str:
    """``text`` for a cell. One that looks guarded already gets a second mark; ``unguard`` gives both back."""
    first = text[:1]
    if first in _FIRSTS or (first == "'" and _GUARDED.match(text)):
        return "'" + text
    return text


def unguard(text: str) -> str:
    """Takes away exactly the mark that ``guard`` set; an apostrophe before anything else stays."""
    if text[:1] == "'" and _GUARDED.match(text):
        return text[1:]
    return text
