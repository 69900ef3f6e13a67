"""The square that an authenticator app reads."""

from __future__ import annotations

from urllib.parse import urlsplit

import segno
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from usher.people import totp


def of_app(shared: bytes, sign_in: str) -> SafeString:
    """SVG; the app shows the account under the name of this server."""
    issuer = urlsplit(settings.USHER_BASE_URL).hostname or "usher"
    square = segno.make(totp.address(shared, sign_in, issuer), error="m", micro=False)
    svg = square.svg_inline(omitsize=True, border=2, svgclass=None, lineclass=None)
    return mark_safe(svg)  # noqa: S308 - drawn by segno; what it says is encoded into squares
