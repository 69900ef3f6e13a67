"""What a file looks like that is no list: told by its first bytes, in words for the person who chose it."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from usher.core.errors import UsherError
from usher.core.reasons import Reason

_SIGNATURES: Final = (
    (b"\x89PNG", _("a picture (PNG)")),
    (b"\xff\xd8\xff", _("a picture (JPEG)")),
    (b"GIF8", _("a picture (GIF)")),
    (b"RIFF", _("a picture or a sound")),
    (b"%PDF", _("a PDF document")),
    (b"\xd0\xcf\x11\xe0", _("an old Excel file (.xls), or one locked with a password")),
    (b"{\\rtf", _("a text document (RTF)")),
    (b"PK\x05\x06", _("an empty zip archive")),
    (b"\x1f\x8b", _("a compressed file")),
    (b"7z\xbc\xaf", _("a compressed file")),
    (b"Rar!", _("a compressed file")),
    (b"SQLite format 3", _("a database")),
    (b"\x7fELF", _("a program")),
    (b"MZ\x90", _("a program")),
    (b"\xff\xfe\x00\x00", _("text in UTF-32")),
    (b"\x00\x00\xfe\xff", _("text in UTF-32")),
)
_PARTS: Final = (
    ("xl/workbook.bin", _("a binary Excel file (.xlsb)")),
    ("word/", _("a Word document")),
    ("ppt/", _("a PowerPoint presentation")),
    ("index/document.iwa", _("a file of Numbers or Pages")),
    ("content.xml", _("an OpenDocument file (.ods or .odt)")),
)
_MARKUP: Final = (b"<!doctype", b"<html", b"<table", b"<?xml")
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_START: Final = 4096
_FEW: Final = 3  # single stray characters are the matter of their row
_TOO_DENSE: Final = 20  # more than one in so many is no text


def not_a_list(looks_like: str) -> UsherError:
    return UsherError(Reason.FILE_NOT_A_LIST(looks_like=gettext(looks_like)))


def refuse_other_files(content: bytes) -> None:
    """Raises for pictures, documents, programs and web pages; .xlsx and UTF-16 are judged elsewhere."""
    for signature, looks_like in _SIGNATURES:
        if content.startswith(signature):
            raise not_a_list(looks_like)
    if content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        raise not_a_list(_("a web page or XML"))


def refuse_binary(content: bytes) -> None:
    """Raises when so many bytes are controls or NUL that a person cannot have written them."""
    start = content[:_START]
    if _too_many(len(_CONTROLS.findall(start)), len(start)) or _too_many(content.count(0), len(content)):
        raise not_a_list(_("a file for a program, not text"))


def _too_many(found: int, length: int) -> bool:
    return found > _FEW and found * _TOO_DENSE > length


def refuse_other_archives(names: frozenset[str]) -> None:
    """Raises when the parts of a zip, named in lower case, are not those of an .xlsx."""
    if "xl/workbook.xml" in names:
        return
    for part, looks_like in _PARTS:
        if any(name.startswith(part) for name in names):
            raise not_a_list(looks_like)
    raise not_a_list(_("a zip archive"))
