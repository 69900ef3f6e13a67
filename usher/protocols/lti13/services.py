"""How the tool comes to the platform's services: 1EdTech Security Framework 1.0, section 4.1 (a token for a signed
assertion, RFC 7523), and what the services have in common: pages (RFC 8288) and limits (RFC 6585, section 4).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from usher.protocols.lti13 import values
from usher.protocols.lti13.errors import ServiceError, told
from usher.protocols.lti13.keys import sign
from usher.protocols.oidc import strict_json

ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
BACK: Final = 10  # seconds; Moodle refuses an assertion from its future, be it by one second
LIFE: Final = 60  # seconds
UNSAID_LIFE: Final = 300  # seconds that a token lives when the platform does not say
LONGEST_LIFE: Final = 86_400
LONGEST_TOKEN: Final = 16_384
RETRIED: Final = frozenset({408, 425})
# Moodle's list of line items has “next” in curly quotes and &amp; in the address.
LINK: Final = re.compile(r"<([^<>]*)>([^<]*)")
RELATION: Final = re.compile(r"rel\s*=[^A-Za-z]*([A-Za-z]+)")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A form to be posted."""

    url: str
    form: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """``expires_at`` is seconds since 1970. ``scopes`` is empty when the platform gave what was asked and said
    nothing (RFC 6749 section 5.1)."""

    value: str = field(repr=False)
    expires_at: float
    scopes: tuple[str, ...]


def token_request(  # noqa: PLR0913 - one for each thing the request is made of
    *, token_url: str, audience: str, client_id: str, scopes: Sequence[str], private_key: str, now: float, jti: str
) -> TokenRequest:
    """``audience`` is whom the assertion is for, when that is not the ``token_url`` (Brightspace)."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience or token_url,
        "iat": int(now) - BACK,
        "exp": int(now) + LIFE,
        "jti": jti,
    }
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION,
        "client_assertion": sign(claims, private_key),
        "scope": " ".join(scopes),
    }
    return TokenRequest(token_url, form)


def read_token(status: int, body: bytes, now: float) -> AccessToken:
    """The answer, whatever it calls its content type: Moodle says HTML. Raises ServiceError."""
    if status >= 300:
        raise _refusal(status, body)
    answer = values.fields(read_json(body))
    value = answer.get("access_token")
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TOKEN or not value.isascii():
        raise ServiceError("bad_answer", "The token service of the platform answered without a token.")
    if not value.isprintable() or " " in value:
        raise ServiceError("bad_answer", "The token of the platform has characters that no token has.")
    return AccessToken(value, now + _life(answer.get("expires_in")), tuple(values.text(answer.get("scope")).split()))


def next_page(link_header: str | None) -> str | None:
    """The address of the next page of a list, None on the last one."""
    for address, parameters in LINK.findall(link_header or ""):
        relation = RELATION.search(parameters)
        if relation and relation[1].lower() == "next":
            return values.web_url(address.replace("&amp;", "&")) or None
    return None


def is_throttled(status: int, headers: Mapping[str, str]) -> bool:
    """Are we too fast? Canvas says it as 403 with nothing left."""
    if status == 429:
        return True
    left = _header(headers, "x-rate-limit-remaining")
    try:
        return status == 403 and left != "" and float(left) <= 0
    except ValueError:
        return False


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, if the platform says it, as a number or as a time (RFC 9110 section 10.2.3)."""
    value = _header(headers, "retry-after")
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until, now = _moment(value), _moment(_header(headers, "date"))
    return max((until - now).total_seconds(), 0.0) if until and now else None


def failure(status: int, headers: Mapping[str, str], body: bytes, where: str) -> ServiceError:
    """What an answer of 300 and above of a service means, if the service itself does not know better.

    Codes: throttled, server_error (both worth another try), unauthorized, not_found, refused.
    """
    if is_throttled(status, headers):
        return ServiceError("throttled", f"The {where} of the platform asks us to be slower.", retry=True)
    if status >= 500 or status in RETRIED:
        return ServiceError("server_error", f"The {where} of the platform failed with {status}.", retry=True)
    code = {401: "unauthorized", 404: "not_found"}.get(status, "refused")
    return ServiceError(code, f"The {where} of the platform answered with {status}{_quoted(body)}")


def read_json(body: bytes) -> Any:
    """What is in the body. Raises ServiceError (bad_answer)."""
    try:
        read = json.loads(body.decode("utf-8-sig"))
        strict_json.check_text(read)
    except (ValueError, RecursionError):
        raise ServiceError("bad_answer", "The platform answered with something that is no sound JSON.") from None
    return read


def _refusal(status: int, body: bytes) -> ServiceError:
    """Moodle answers 404 with a page when it cannot fetch our keys."""
    error = failure(status, {}, body, "token service")
    if error.retry:
        return error
    known = next((one for one in ("invalid_scope", "invalid_client") if one in told(body)), "token_refused")
    hint = " It may not reach our keys." if status == 404 else ""
    return ServiceError(known, error.detail + hint)


def _quoted(body: bytes) -> str:
    said = told(body)
    return f": “{said}”." if said else "."


def _life(value: object) -> float:
    try:
        seconds = float(str(value))
    except ValueError:
        return UNSAID_LIFE
    return min(seconds, LONGEST_LIFE) if seconds > 0 else UNSAID_LIFE


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value.strip() for given, value in headers.items() if given.lower() == name), "")


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # the zone "-0000" is read as none
