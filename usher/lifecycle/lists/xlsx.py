"""Reads .xlsx: judged as a zip first, then opened in a process of its own with little memory and time.

The reader lays out a sheet as a rectangle up to its last cell; a file of 5 KB can ask for 512 GB that way,
and a failed allocation ends the process. It must not be the one that serves.
"""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle.lists.limits import LIMITS, in_megabytes
from usher.lifecycle.lists.looks import refuse_other_archives

SIGNATURE: Final = b"PK\x03\x04"
_READER: Final = Path(__file__).with_name("xlsx_reader.py")
# Nothing secret: the pepper and the database's address are no business of that process.
_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "TZ")
_LONGEST_WAIT: Final = 120  # seconds
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, NotImplementedError)

_CENTRAL_HEADER: Final = b"PK\x01\x02"
_LOCAL_HEADER: Final = struct.Struct("<26xHH")  # the lengths of name and extra field at its end
_STEP: Final = 16 * 1024  # packed; deflate makes at most about a thousand times as much of it
_OVERLAP: Final = 200
_DECLARATION: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
# A cell with content beyond column BL, the 64th. Empty ones, which carry only a format, end in "/>".
_FAR_CELL: Final = re.compile(rb' r="(?:[A-Z]{3}|[C-Z][A-Z]|B[M-Z])[0-9]{1,7}"[^>/]{0,100}>')


def to_csv(content: bytes) -> bytes:
    """The first visible sheet as UTF-8 CSV whose first cell is the row's number. Raises UsherError."""
    _check(content)
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # -P: the reader's own folder is no place to import from.
    command = [sys.executable, "-P", str(_READER), str(LIMITS.rows)]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, env=environment, timeout=_LONGEST_WAIT, check=True
        )
    except (subprocess.SubprocessError, OSError) as problem:
        raise UsherError(Reason.FILE_BROKEN()) from problem
    return done.stdout


def _check(content: bytes) -> None:
    """Entries, kinds, declared sizes, then true sizes and cells: each step costs more than the one before."""
    if content.count(_CENTRAL_HEADER) > LIMITS.parts:
        raise UsherError(Reason.FILE_BROKEN())
    try:
        parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
        refuse_other_archives(frozenset(part.filename.lower() for part in parts))
        _check_sizes(parts)
        for part in parts:
            if part.filename.lower().endswith((".xml", ".rels")):
                _check_part(content, part)
    except _BROKEN as problem:
        raise UsherError(Reason.FILE_BROKEN()) from problem


def _check_sizes(parts: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(part.file_size for part in parts)
    if unpacked > LIMITS.unpacked:
        limit = in_megabytes(LIMITS.unpacked)
        raise UsherError(Reason.FILE_TOO_LARGE(size=in_megabytes(unpacked), limit=limit))


def _check_part(content: bytes, part: zipfile.ZipInfo) -> None:
    """The part is as large as it says, declares no entities, and as a sheet is no wider than we take."""
    is_sheet = "worksheets/" in part.filename.lower()
    seen, tail = 0, b""
    for piece in _inflate(content, part):
        seen += len(piece)
        text = tail + piece
        if seen > part.file_size or _DECLARATION.search(text):
            raise UsherError(Reason.FILE_BROKEN())
        if is_sheet and _FAR_CELL.search(text):
            raise UsherError(Reason.FILE_TOO_MANY_COLUMNS(limit=LIMITS.columns))
        tail = text[-_OVERLAP:]


def _inflate(content: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """In steps and by hand: zipfile stops at the declared size, so it never sees that there is more."""
    name, extra = _LOCAL_HEADER.unpack_from(content, part.header_offset)
    start = part.header_offset + _LOCAL_HEADER.size + name + extra
    packed = memoryview(content)[start : start + part.compress_size]
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or part.flag_bits & 1:
        raise zipfile.BadZipFile
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    for at in range(0, len(packed), _STEP):
        piece = packed[at : at + _STEP]
        yield engine.decompress(piece) if part.compress_type == zipfile.ZIP_DEFLATED else bytes(piece)
