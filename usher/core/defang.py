"""Making text of strangers harmless for a mail: one line, of some length, that no mail program turns into a link."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 60

_JOINERS: Final = "\u200c\u200d"  # belong to the spelling of Persian, Indic scripts and emoji
# What mail programs look for: host names (also with the dots of other scripts), schemes, and paths of Windows.
# A space behind the sign is hardly seen in "St.Mary's", and "evil.example" is no address any more.
_LINKING: Final = re.compile(r"(?<=\w)[.\u3002\uff0e\uff61](?=[^\W\d_])|:(?=\S)|\\(?=\\)")


class Tamed(str):
    """Text that :func:`tamed` has been over, at a length of its own."""

    __slots__ = ()


def tamed(text: str, longest: int = LONGEST) -> Tamed:
    """The text for a sentence of a mail: one line, not too long, and nothing in it that becomes a link."""
    line = _LINKING.sub(r"\g<0> ", one_line(text))
    return Tamed(line if len(line) <= longest else line[: longest - 1].rstrip() + "…")


def one_line(text: str) -> str:
    """Without line ends and without what nobody sees: header fields cannot be added, text cannot be turned round."""
    shown = "".join(character for character in " ".join(text.split()) if _is_seen(character))
    return " ".join(shown.split())


def _is_seen(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
