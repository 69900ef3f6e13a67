"""Why an answer of a provider is not believed, in words for the IT person who set up the connection."""

from __future__ import annotations

import json
from typing import Final

MOST: Final = 200  # characters of a value that are quoted


class OidcError(Exception):
    """``code`` is one stable word in snake_case; ``detail`` one sentence that never quotes a token or a secret."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class UnknownKeyError(OidcError):
    """The kept keys do not do; the provider may have changed them since. Worth one look at its keys of now."""

    def __init__(self, detail: str, code: str = "unknown_key") -> None:
        super().__init__(code, detail)


class RefusedByProviderError(OidcError):
    """The provider itself said no: ``error`` as in RFC 6749 section 4.1.2.1 or 5.2, and its own description."""

    def __init__(self, error: str, description: str) -> None:
        self.error = shown(error)
        self.description = shown(description)
        told = f": {self.description}" if self.description else "."
        super().__init__("refused_by_provider", f"The provider answered “{self.error}”{told}")


def shown(value: object) -> str:
    """Whatever came, on one line and short enough for a page."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    text = "".join(sign if sign.isprintable() else " " for sign in text[: MOST + 1])
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"
