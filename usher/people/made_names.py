"""Sign-in names that Usher makes for people without an address; under .invalid, so that no mail can reach them."""

from __future__ import annotations

from typing import Final

MADE_UP: Final = "usher.invalid"  # RFC 2606, section 2


def made_name(local: str, slug: str) -> str:
    """``asa.oberg`` in Cedar is ``asa.oberg@cedar.usher.invalid``."""
    return f"{local}@{slug}.{MADE_UP}"


def short(sign_in: str, slug: str) -> str:
    """The part of a made name that is enough at the organisation's own door; an address stays as it is."""
    return sign_in.removesuffix(f"@{slug}.{MADE_UP}")
