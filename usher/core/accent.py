"""The organisation's accent as a stylesheet: any colour is taken, and darkened until its text can be read."""

from __future__ import annotations

import re

INK, PAPER = "#17252a", "#ffffff"
LEAST = 4.5  # WCAG 2 AA for text
RGB = tuple[int, int, int]


def accent_css(color: str) -> str:
    """Rules for /o/SLUG/accent.css; a colour that is none leaves the house colours as they are."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        return ""
    light, dark = _pair(readable(color)), _pair(readable(_darker(color, 0.8)))
    return (
        f':root,[data-theme="usher"]{{{light}}}'
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme]){{{dark}}}}}"
        f'[data-theme="usher-dark"]{{{dark}}}'
    )


def contrast(one: str, other: str) -> float:
    """The WCAG 2 contrast ratio of two colours, 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def content_color(ground: str) -> str:
    """White or ink, whichever is read better on this ground."""
    return max((PAPER, INK), key=lambda text: contrast(text, ground))


def _pair(ground: str) -> str:
    return f"--org:{ground};--org-content:{content_color(ground)}"


def readable(color: str) -> str:
    """The colour itself, or as much darker as white or ink on it needs to be read."""
    # White and ink together cover nearly every ground; the few between them are darkened towards white text.
    while contrast(content_color(color), color) < LEAST:
        color = _darker(color, 0.95)
    return color.lower()


def _darker(color: str, share: float) -> str:
    return "#" + "".join(f"{int(part * share):02x}" for part in _rgb(color))


def _luminance(color: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _rgb(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _rgb(color: str) -> RGB:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
