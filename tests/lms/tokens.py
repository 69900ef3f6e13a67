"""The token endpoint: a client assertion for an access token, with Moodle's words where it is Moodle."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import jwt
import requests

from lms.school import Request, Tool
from lms.web import HTML, JSON, Answer, as_json, form, page, refused
from lms.words import Json

if TYPE_CHECKING:
    from lms.platform import Lms

ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TokenError(Exception):
    """The answer's "error"."""


class NoKeysetError(Exception):
    """The tool's keyset could not be had."""


def token_endpoint(lms: Lms, request: Request) -> Answer:
    kind = lms.family.token_type
    switched = _switched(lms, kind)
    if switched:
        return switched
    try:
        tool, scopes = _granted(lms, form(request))
    except NoKeysetError:
        return page("<h1>Error: The requested URL could not be fetched</h1>", 404)
    except TokenError as no:
        if "kid" in str(no) and lms.family.name == "moodle" and "lookup" in str(no):
            return Answer(400, f'{{\n  "error" : "{no}"\n}}'.encode(), kind)  # as Moodle: not JSON
        return as_json({"error": str(no)}, 400, kind)
    token = secrets.token_hex(16)
    lms.tokens[token] = (tool, scopes)
    told = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": " ".join(scopes)}
    return as_json(told, 200, kind)


def _switched(lms: Lms, kind: str) -> Answer | None:
    answers: dict[str, Answer] = {
        "down": Answer(503, b"<h1>Maintenance</h1>", HTML),
        "garbage": Answer(200, b"<p>not JSON", kind),
        "no_token": as_json({"token_type": "Bearer", "expires_in": 3600}, 200, kind),
        "refused": as_json({"error": "invalid_client"}, 400, kind),
        "redirect": Answer(302, b"", HTML, (("Location", lms.switches.redirect_to),)),
    }
    return answers.get(lms.switches.token)


def _granted(lms: Lms, given: dict[str, str]) -> tuple[Tool, tuple[str, ...]]:
    """The tool, and those of the scopes it asked for that it may have. Raises TokenError, NoKeysetError."""
    if given.get("grant_type") != "client_credentials" or given.get("client_assertion_type") != ASSERTION:
        raise TokenError("invalid_request")
    if not given.get("client_assertion") or not given.get("scope"):
        raise TokenError("invalid_request")
    tool = _asserted(lms, given["client_assertion"])
    scopes = tuple(scope for scope in given["scope"].split() if scope in tool.scopes)
    if not scopes:
        raise TokenError("invalid_scope")
    return tool, scopes


def _asserted(lms: Lms, assertion: str) -> Tool:
    """The tool that signed this. Moodle looks neither at aud nor for jti, and takes it again."""
    try:
        said = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError as no:
        raise TokenError("invalid_request") from no
    tool = lms.tools.get(str(said.get("sub")))
    if not tool or said.get("iss") != tool.client_id:
        raise TokenError("invalid_client")
    claims = verified(tool, assertion)
    audience = claims.get("aud", [])
    if lms.family.checks_audience and lms.token_audience not in ([audience] if isinstance(audience, str) else audience):
        raise TokenError("invalid_client")
    return tool


def verified(tool: Tool, token: str) -> Json:
    """The claims of what a tool signed, checked with its keyset. Raises TokenError, NoKeysetError."""
    kid = jwt.get_unverified_header(token).get("kid")
    if not kid:
        raise TokenError("error/Error: kid must be provided in JWT header.")
    key = next((one for one in _keyset(tool) if one.get("kid") == kid), None)
    if not key:
        raise TokenError('"kid" invalid, unable to lookup correct key')
    options: Any = {"verify_aud": False, "require": ["exp", "iat"]}
    try:
        claims: Json = jwt.decode(token, jwt.PyJWK(key, "RS256"), algorithms=["RS256"], options=options)
    except jwt.ExpiredSignatureError as no:
        raise TokenError("Expired token") from no
    except jwt.ImmatureSignatureError as no:
        raise TokenError(f"Cannot handle token with iat prior to {_iat(token)}") from no
    except jwt.InvalidSignatureError as no:
        raise TokenError("Signature verification failed") from no
    except jwt.PyJWTError as no:
        raise TokenError(str(no)) from no
    return claims


def _iat(token: str) -> str:
    said = jwt.decode(token, options={"verify_signature": False})
    return datetime.fromtimestamp(said["iat"], UTC).strftime("%Y-%m-%dT%H:%M:%S%z")


def _keyset(tool: Tool) -> list[Json]:
    try:
        keys: list[Json] = tool.keyset()["keys"]
    except (requests.RequestException, ValueError, KeyError, TypeError) as no:
        raise NoKeysetError from no
    return keys


def bearer(lms: Lms, request: Request, *scopes: str) -> Tool | Answer:
    """The tool whose token this is, if one of the scopes is on it; otherwise what is answered."""
    after = lms.switches.throttle_after
    if after is not None and lms.served >= after:
        return _throttled(lms)
    lms.served += 1
    tool, granted = lms.tokens.get(request.bearer, (None, ()))
    if not tool or not set(scopes) & set(granted):
        return refused(request, 401, "Unauthorized")
    return tool


def _throttled(lms: Lms) -> Answer:
    if lms.family.throttled == 403:
        body = b"403 Forbidden (Rate Limit Exceeded)"
        return Answer(403, body, "text/plain; charset=utf-8", (("X-Rate-Limit-Remaining", "0.0"),))
    wait = (("Retry-After", lms.switches.retry_after),) if lms.switches.retry_after else ()
    return Answer(429, b'{"error":"too many requests"}', JSON, wait)
