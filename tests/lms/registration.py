"""Dynamic registration: the LMS's configuration, and the endpoint where a tool describes itself (as Moodle's)."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import jwt

from lms.platform import fetched
from lms.school import Request, Tool
from lms.web import HTML, Answer, as_json, page
from lms.words import CONFIGURATION, MESSAGES, SCOPES, TOOL_CONFIGURATION, Json

if TYPE_CHECKING:
    from lms.platform import Lms

REQUIRED: Final = ("response_types", "initiate_login_uri", "redirect_uris", "client_name", "jwks_uri")
NAMES: Final = {"name", "given_name", "family_name"}


def configuration(lms: Lms, _request: Request, **_more: str) -> Answer:
    if not lms.family.dynamic:
        return page("<h1>Not found</h1>", 404)
    wrong = lms.switches.configuration
    if wrong in ("down", "garbage"):
        return Answer(503, b"<h1>Maintenance</h1>") if wrong == "down" else Answer(200, b"<p>not JSON")
    whole = _configuration(lms)
    if wrong == "other_issuer":
        whole["issuer"] = "https://evil.example"
    if wrong == "no_registration":
        del whole["registration_endpoint"]
    if wrong == "foreign_endpoint":
        whole["registration_endpoint"] = lms.switches.redirect_to
    return as_json(whole)


def _configuration(lms: Lms) -> Json:
    kinds = [{"type": MESSAGES["resource_link"]}, {"type": MESSAGES["deep_linking"], "placements": ["ContentArea"]}]
    return {
        "issuer": lms.issuer,
        "token_endpoint": lms.token_url,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "jwks_uri": lms.jwks_url,
        "authorization_endpoint": lms.auth_url,
        "registration_endpoint": lms.url + lms.family.registration,
        **({"authorization_server": lms.family.audience} if lms.family.audience else {}),
        "scopes_supported": [*SCOPES, "https://purl.imsglobal.org/spec/lti-ts/scope/toolsetting", "openid"],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
        CONFIGURATION: {
            "product_family_code": lms.family.product,
            "version": "4.5.6 (Build: 20250811)",
            "messages_supported": kinds,
            "variables": ["Context.id", "CourseSection.sourcedId", "User.username", "Person.email.primary"],
        },
    }


def register(lms: Lms, request: Request, **_more: str) -> Answer:
    """The tool is complete at once (200, not 201), but waits for the admin to activate it."""
    if request.method != "POST" or not lms.family.dynamic:
        return page("<h1>Not found</h1>", 404)
    client = _client(lms, request.bearer)
    if client not in lms.unregistered:
        return Answer(401, b"token_already_used" if client else b"invalid_token", HTML)
    given, wrong = _read(request)
    if wrong:
        return Answer(400, wrong.encode(), HTML)
    if lms.switches.registration in ("down", "garbage"):
        return Answer(503 if lms.switches.registration == "down" else 200, b"<h1>Maintenance</h1>", HTML)
    lms.unregistered.discard(client)
    return _answer(lms, given, _registered(lms, client, given))


def _client(lms: Lms, token: str) -> str:
    """The client id that a registration token is for; empty for no token of ours."""
    try:
        said = jwt.decode(token, lms.keys[0].private.public_key(), algorithms=["RS256"])
    except jwt.PyJWTError:
        return ""
    return str(said["sub"]) if said.get("scope") == "reg" else ""


def _read(request: Request) -> tuple[Json, str]:
    """What the tool says of itself, and what is wrong with it."""
    try:
        given = json.loads(request.body)
        return given, _wrong(given)
    except (ValueError, TypeError, AttributeError, KeyError):
        return {}, "invalid_client_metadata"


def _wrong(given: Json) -> str:
    """What is missing; empty for nothing. Raises KeyError and TypeError where no shape is kept."""
    missing = [name for name in REQUIRED if not given.get(name)]
    if missing:
        return f"invalid_client_metadata: missing {missing[0]}"
    if given.get("token_endpoint_auth_method") != "private_key_jwt":
        return "invalid_client_metadata: token_endpoint_auth_method"
    tool = given[TOOL_CONFIGURATION]
    if urlsplit(tool["target_link_uri"]).netloc != tool["domain"]:
        return "invalid_client_metadata: domain_targetlinkuri_mismatch"
    return ""


def _registered(lms: Lms, client: str, given: Json) -> Tool:
    said = given[TOOL_CONFIGURATION]
    claims = set(said.get("claims", []))
    picking = [one for one in said.get("messages", []) if one["type"] == MESSAGES["deep_linking"]]
    return lms.register(
        given["initiate_login_uri"],
        said["target_link_uri"],
        jwks=partial(fetched, given["jwks_uri"]),
        client_id=client,
        name=given["client_name"],
        redirect_uris=tuple(given["redirect_uris"]),
        scopes=tuple(scope for scope in SCOPES if scope in given.get("scope", "").split()),
        names=bool(claims & NAMES),
        emails="email" in claims,
        custom=dict(said.get("custom_parameters", {})),
        deep_link_url=picking[0].get("target_link_uri", "") if picking else "",
        active=False,
        registered=given,
        practice=False,
    )


def _answer(lms: Lms, given: Json, tool: Tool) -> Answer:
    kept = (
        "response_types", "jwks_uri", "initiate_login_uri", "grant_types", "redirect_uris", "application_type",
        "token_endpoint_auth_method", "client_name", "logo_uri",
    )  # fmt: skip
    said = {name: value for name, value in given[TOOL_CONFIGURATION].items() if name in ("domain", "description")}
    picking = {"type": MESSAGES["deep_linking"], "target_link_uri": tool.deep_link_url}
    said |= {
        "version": "1.3.0",
        "deployment_id": tool.deployment_id,
        "target_link_uri": tool.launch_url,
        "messages": [picking] if tool.deep_link_url else [],
        "custom_parameters": tool.custom,
        "claims": given[TOOL_CONFIGURATION].get("claims", []),
    }
    body: Json = {"client_id": tool.client_id, **{name: given[name] for name in kept if name in given}}
    body |= {"scope": " ".join(tool.scopes), TOOL_CONFIGURATION: said}
    if lms.switches.registration == "no_client_id":
        del body["client_id"]
    if lms.switches.registration == "no_deployment":
        del said["deployment_id"]
    return as_json(body)
