"""The encoding of a list: by byte-order mark, else strict UTF-8, else Windows-1252; never a guess."""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from typing import Final, TextIO

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle.lists.looks import refuse_binary

_CHUNK: Final = 1024 * 1024
_UTF8_LETTER: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# Two ASCII characters in UTF-16 without a mark, as some programs write it: a header begins so.
_BARE_UTF16: Final = (
    (re.compile(rb"[\x09-\x7f]\0[\x09-\x7f]\0"), "utf-16-le"),
    (re.compile(rb"\0[\x09-\x7f]\0[\x09-\x7f]"), "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """``label`` is for people, ``codec`` for Python."""

    label: str
    codec: str

    @property
    def is_utf16(self) -> bool:
        return self.codec.startswith("utf-16")


UTF8: Final = Encoding("UTF-8", "utf-8")
_UTF8_MARKED: Final = Encoding("UTF-8", "utf-8-sig")
_WINDOWS: Final = Encoding("Windows-1252", "cp1252")


def detect(content: bytes) -> Encoding:
    """Raises for bytes that are no text, and with the first line that cannot be read like the rest."""
    encoding = _marked(content)
    if not encoding.is_utf16:
        refuse_binary(content)
    bad = _first_bad(content, encoding.codec)
    if bad < 0:
        return encoding
    if encoding is UTF8 and not _has_utf8_letters(content):
        encoding = _WINDOWS
        bad = _first_bad(content, encoding.codec)
        if bad < 0:
            return encoding
    raise UsherError(Reason.FILE_MIXED_ENCODING(line=_line_at(content[:bad], encoding)))


def _marked(content: bytes) -> Encoding:
    if content.startswith(codecs.BOM_UTF8):
        return _UTF8_MARKED
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("UTF-16", "utf-16")
    for pattern, codec in _BARE_UTF16:
        if pattern.match(content):
            return Encoding("UTF-16", codec)
    return UTF8


def _first_bad(content: bytes, codec: str) -> int:
    """Where decoding fails, -1 for nowhere; in pieces, for the text of 50 MB can take 200."""
    decoder = codecs.getincrementaldecoder(codec)()
    for start in range(0, len(content), _CHUNK):
        piece = content[start : start + _CHUNK]
        try:
            decoder.decode(piece, start + _CHUNK >= len(content))
        except UnicodeDecodeError as problem:
            # The decoder may have kept bytes of the piece before.
            return start + problem.start - (len(problem.object) - len(piece))
    return -1


def _has_utf8_letters(content: bytes) -> bool:
    return _UTF8_LETTER.search(content) is not None


def _line_at(before: bytes, encoding: Encoding) -> int:
    text = before.decode(encoding.codec, "replace")
    return 1 + text.count("\n") + text.count("\r") - text.count("\r\n")


def open_text(content: bytes, encoding: Encoding) -> TextIO:
    """The content as lines, decoded while they are read; CR, LF and CRLF all end one and are kept."""
    return io.TextIOWrapper(io.BytesIO(content), encoding.codec, newline="")
