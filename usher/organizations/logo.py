"""The picture an organisation shows at its door: taken if it is a picture, and stripped to what draws it.

Anybody may open it, so it is judged by its bytes and not by its name, and written anew from its parts: what a camera
or a program wrote beside the picture (places, names, comments), and whatever hangs on behind its end, is left out.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.models import License, Logo, Organization

MOST_BYTES: Final = 200_000
MOST_PIXELS: Final = 2_000  # on each side

Picture = tuple[str, bytes]  # its content type, and what is kept of it


def with_logo(organizations: QuerySet[Organization]) -> QuerySet[Organization]:
    """The address of the logo comes along, its content does not."""
    return organizations.select_related("logo").defer("logo__content")


def find(organization: Organization, digest: str) -> Logo | None:
    return Logo.objects.filter(organization=organization, digest=digest).first()


@retrying
def put(organization: Organization, content: bytes, actor: Actor) -> None:
    """Show this picture from now on.

    Raises UsherError: logo_too_large, logo_too_wide, logo_not_a_picture, logo_broken.
    """
    content_type, kept = picture(content)
    values = {"content_type": content_type, "content": kept, "digest": hashlib.sha256(kept).hexdigest()[:16]}
    with transaction.atomic():
        License.objects.select_for_update().get(organization=organization)
        Logo.objects.update_or_create(organization=organization, defaults=values)
        _record(organization, actor, "new")


@retrying
def remove(organization: Organization, actor: Actor) -> bool:
    """Show no picture any more. False when there was none."""
    with transaction.atomic():
        License.objects.select_for_update().get(organization=organization)
        gone, _ = Logo.objects.filter(organization=organization).delete()
        if gone:
            _record(organization, actor, None)
    return bool(gone)


def _record(organization: Organization, actor: Actor, logo: str | None) -> None:
    data = {"changed": ["logo"], "logo": logo}
    record.record(Draft(EventType.ORGANIZATION_CHANGED, organization.id, actor, data=data))


# What is a picture ---------------------------------------------------------------------------------------------


def picture(content: bytes) -> Picture:
    """The content type and the cleaned content. Raises UsherError as :func:`put`."""
    if len(content) > MOST_BYTES:
        size = -(-len(content) // 1000)
        raise UsherError(Reason.LOGO_TOO_LARGE("file", size=size, limit=MOST_BYTES // 1000))
    if content.startswith(PNG):
        return "image/png", _png(content)
    if content.startswith(JPEG_BEGIN):
        return "image/jpeg", _jpeg(content)
    raise UsherError(Reason.LOGO_NOT_A_PICTURE("file"))


def _broken() -> UsherError:
    return UsherError(Reason.LOGO_BROKEN("file"))


def _check_size(width: int, height: int) -> None:
    if not width or not height:
        raise _broken()
    if max(width, height) > MOST_PIXELS:
        raise UsherError(Reason.LOGO_TOO_WIDE("file", width=width, height=height, limit=MOST_PIXELS))


# PNG, third edition (W3C 2025), sections 5.2 and 5.3: a signature, then chunks of length, type, data and CRC.
PNG: Final = b"\x89PNG\r\n\x1a\n"
PNG_KEPT: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT"})
HEADER_LENGTH: Final = 13


def _png(content: bytes) -> bytes:
    chunks = list(_chunks(content))
    kinds = [kind for kind, _data, _whole in chunks]
    header = chunks[0][1] if kinds[:1] == [b"IHDR"] else b""
    if len(header) != HEADER_LENGTH or kinds.count(b"IHDR") != 1 or kinds[-1] != b"IEND" or b"IDAT" not in kinds:
        raise _broken()
    _check_size(int.from_bytes(header[:4]), int.from_bytes(header[4:8]))
    return PNG + b"".join(whole for kind, _data, whole in chunks if kind in PNG_KEPT)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Type, data and the whole of each chunk, up to the end of the picture."""
    at, kind = len(PNG), b""
    while kind != b"IEND":
        length = int.from_bytes(content[at : at + 4])
        whole = content[at : at + 12 + length]
        kind, data = whole[4:8], whole[8:-4]
        if len(whole) != 12 + length or int.from_bytes(whole[-4:]) != zlib.crc32(kind + data):
            raise _broken()
        yield kind, data, whole
        at += len(whole)


# JPEG (ITU-T T.81, annex B): markers, most with a segment that says its length; after SOS comes the picture itself.
JPEG_BEGIN: Final = b"\xff\xd8\xff"
SOI, EOI, SOS, COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
FRAMES: Final = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive: what browsers show
APPLICATIONS: Final = range(0xE0, 0xF0)
APPLICATIONS_KEPT: Final = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}  # what colours mean
ALLOWED: Final = frozenset({*FRAMES, 0xC4, 0xDB, 0xDD, SOS, COMMENT, *APPLICATIONS})
IN_THE_PICTURE: Final = frozenset({0x00, *range(0xD0, 0xD8)})  # stuffing and restarts, within the data of a scan
FRAME_LENGTH: Final = 8


def _jpeg(content: bytes) -> bytes:
    kept, frames, scans = [bytes((0xFF, SOI))], 0, 0
    for marker, segment, scan in _segments(content):
        if marker in FRAMES:
            frames += 1
            _check_frame(segment)
        scans += marker == SOS
        if not _is_aside(marker, segment):
            kept.append(bytes((0xFF, marker)) + segment + scan)
    if frames != 1 or not scans:
        raise _broken()
    return b"".join((*kept, bytes((0xFF, EOI))))


def _is_aside(marker: int, segment: bytes) -> bool:
    """Whether the picture is the same without it."""
    if marker in APPLICATIONS:
        begins = APPLICATIONS_KEPT.get(marker)
        return begins is None or not segment[2:].startswith(begins)
    return marker == COMMENT


def _check_frame(segment: bytes) -> None:
    """Length, precision, height, width, components."""
    if len(segment) < FRAME_LENGTH:
        raise _broken()
    _check_size(int.from_bytes(segment[5:7]), int.from_bytes(segment[3:5]))


def _segments(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Marker, segment (with its length) and the data of the scan behind it, up to the end of the picture."""
    at = 2
    while (marker := _marker(content, at)) != EOI:
        start = at + 2
        length = int.from_bytes(content[start : start + 2])
        segment = content[start : start + length]
        if marker not in ALLOWED or length < 2 or len(segment) != length:
            raise _broken()
        at = start + length
        end = _end_of_scan(content, at) if marker == SOS else at
        yield marker, segment, content[at:end]
        at = end


def _marker(content: bytes, at: int) -> int:
    if content[at : at + 1] != b"\xff" or at + 1 >= len(content):
        raise _broken()
    return content[at + 1]


def _end_of_scan(content: bytes, at: int) -> int:
    """Where the next marker stands that is not a part of the picture's data."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise _broken()
        if content[at + 1] not in IN_THE_PICTURE:
            return at
        at += 2
