"""Why a message of a platform is not believed, in words for the IT person who connected it.

The reasons follow 1EdTech Security Framework 1.0, section 5.1.3, and LTI Core 1.3, section 5.3.
"""

from __future__ import annotations

import json
import re
from typing import Final

from usher.protocols.oidc.errors import OidcError, shown

# A signed token, which an error page may repeat
TOKEN: Final = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*)*", re.ASCII)


class LtiError(OidcError):
    """``code`` is one stable word in snake_case; ``detail`` one sentence that never quotes a token or a secret."""


class RefusedByPlatformError(LtiError):
    """The platform itself said no: ``error`` as in OpenID Connect Core 3.1.2.6, and its own description."""

    def __init__(self, error: str, description: str) -> None:
        self.error = shown(error)
        self.description = shown(description)
        told = f": {self.description}" if self.description else "."
        super().__init__("refused_by_platform", f"The platform answered “{self.error}”{told}")


class ServiceError(LtiError):
    """A service of the platform did not do what it was asked. ``retry``: the same may succeed later by itself."""

    def __init__(self, code: str, detail: str, *, retry: bool = False) -> None:
        super().__init__(code, detail)
        self.retry = retry


def told(body: bytes) -> str:
    """What the platform says in the body of an error, on one short line: its ``error`` if there is JSON, the text if
    there is not (Moodle writes JSON that is none), "" for a page of HTML or nothing."""
    plain = body[:2000].decode("utf-8", "replace").strip()
    if plain[:1] == "<" or plain in ("[]", "{}", "null"):
        return ""
    return shown(TOKEN.sub("…", _message(plain) or " ".join(plain.split())))


def _message(plain: str) -> str:
    """The words in the usual places of an error in JSON; "" when there are none."""
    try:
        read = json.loads(plain)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(read, dict):
        return ""
    parts = [_words(read.get(name)) for name in ("error", "error_description", "message", "reason", "errors")]
    return ": ".join(filter(None, parts))


def _words(part: object) -> str:
    """Canvas has an object or a list of them, each with its message, where others have a text."""
    first = part[0] if isinstance(part, list) and part else part
    found = first.get("message") if isinstance(first, dict) else first
    return found if isinstance(found, str) else ""
