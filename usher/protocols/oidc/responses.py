"""What comes back from a provider besides the ID token: the callback, the tokens, and the userinfo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from usher.protocols.oidc.errors import OidcError, RefusedByProviderError, shown
from usher.protocols.oidc.metadata import Metadata, fits
from usher.protocols.oidc.strict_json import check_text

LONGEST: Final = 8192  # characters of a parameter in a callback
LONGEST_LIFE: Final = 10**9  # seconds; more is no number of seconds


@dataclass(frozen=True, slots=True)
class Tokens:
    """``expires_in`` is the life of the access token in seconds, if the provider says it."""

    id_token: str = field(repr=False)
    access_token: str = field(default="", repr=False)
    scope: str = ""
    token_type: str = ""
    expires_in: int | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """What the browser brought. ``iss`` is empty when the provider does not send it."""

    code: str = field(repr=False)
    state: str = field(repr=False)
    iss: str = ""


def read_callback(params: Mapping[str, Sequence[str]]) -> Callback:
    """The query of a callback (RFC 6749 section 4.1.2). Raises OidcError, RefusedByProviderError for an ``error``."""
    given = {name: _once(params, name) for name in ("error", "error_description", "code", "state", "iss")}
    if given["error"]:
        raise RefusedByProviderError(given["error"], given["error_description"])
    if not given["code"] or not given["state"]:
        missing = "code" if given["state"] else "state"
        raise OidcError("bad_response", f"The provider sent the browser back without “{missing}”.")
    return Callback(given["code"], given["state"], given["iss"])


def check_iss(callback: Callback, metadata: Metadata, issuer: str = "") -> None:
    """Is the answer from the provider that was asked (RFC 9207 section 2.4)? Raises OidcError.

    ``issuer`` when it is known better than from metadata with a gap for the tenant.
    """
    expected = issuer or metadata.issuer
    if not callback.iss and metadata.sends_iss:
        raise OidcError("wrong_issuer", "The provider promises to name itself in its answer (iss), and did not.")
    if callback.iss and not fits(callback.iss, expected):
        raise OidcError(
            "wrong_issuer", f"The answer came from “{shown(callback.iss)}” (iss); expected “{shown(expected)}”."
        )


def read_tokens(status: int, body: object) -> Tokens:
    """The answer of the token endpoint, its JSON read (Core 3.1.3.3). Raises OidcError, RefusedByProviderError."""
    answer = _answer(status, body, "token endpoint")
    kind = _text(answer, "token_type")
    if kind and kind.lower() != "bearer":
        raise OidcError("bad_response", f"The provider gives access tokens of the kind “{shown(kind)}”.")
    id_token = _text(answer, "id_token")
    if not id_token:
        raise OidcError("bad_response", "The provider gave no ID token. Is the scope “openid” allowed there?")
    return Tokens(id_token, _text(answer, "access_token"), _text(answer, "scope"), kind, _seconds(answer))


def read_userinfo(status: int, body: object, subject: str) -> Mapping[str, Any]:
    """The claims of the userinfo endpoint, if they are about the same subject (Core 5.3.2). Raises OidcError."""
    answer = _answer(status, body, "userinfo endpoint")
    if answer.get("sub") != subject:
        raise OidcError("wrong_subject", "The userinfo of the provider is about somebody else than the ID token (sub).")
    try:
        check_text(answer)
    except ValueError:
        raise OidcError("bad_response", "The userinfo of the provider has characters that are no text.") from None
    return MappingProxyType(answer)


def _answer(status: int, body: object, where: str) -> dict[str, Any]:
    if isinstance(body, dict) and isinstance(body.get("error"), str):
        description = body.get("error_description")
        raise RefusedByProviderError(body["error"], description if isinstance(description, str) else "")
    if status != 200 or not isinstance(body, dict):
        what = "no JSON object" if status == 200 else f"the status {status}"
        raise OidcError("bad_response", f"The {where} of the provider answered with {what}.")
    return body


def _once(params: Mapping[str, Sequence[str]], name: str) -> str:
    values = params.get(name, ())
    if len(values) > 1 or any(len(value) > LONGEST for value in values):
        raise OidcError("bad_response", f"The provider sent “{name}” twice, or too long.")
    return values[0] if values else ""


def _text(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise OidcError("bad_response", f"“{name}” in the answer of the token endpoint is no text.")
    return value


def _seconds(answer: dict[str, Any]) -> int | None:
    """Some providers write the number as text. What is none is as good as not said."""
    try:
        seconds = int(str(answer.get("expires_in")))
    except ValueError:
        return None
    return seconds if 0 <= seconds <= LONGEST_LIFE else None
