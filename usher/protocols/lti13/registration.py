"""Connecting by a link: LTI Dynamic Registration 1.0, sections 3.4 (the platform's configuration) and 3.5 to 3.7."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from usher.protocols.lti13 import claims as names
from usher.protocols.lti13 import values
from usher.protocols.lti13.errors import LtiError, told
from usher.protocols.oidc import strict_json
from usher.protocols.oidc.errors import shown

PRIVACY_CLAIMS: Final = ("iss", "sub", "name", "given_name", "family_name", "email")


@dataclass(frozen=True, slots=True)
class PlatformConfiguration:
    """``placements`` are those of deep linking; empty lists when the platform says nothing."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    registration_endpoint: str
    scopes_supported: tuple[str, ...]
    messages_supported: tuple[str, ...]
    family: str
    version: str
    claims_supported: tuple[str, ...]
    authorization_server: str = ""
    placements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Registered:
    """``deployment_id`` is "" when the platform tells it later, with the first launch."""

    client_id: str
    deployment_id: str


def read_configuration(document: object, url: str) -> PlatformConfiguration:
    """The platform's document, found at ``url``. Raises LtiError."""
    read = values.fields(document)
    if not read:
        raise LtiError("bad_configuration", "The configuration of the platform is no JSON object.")
    try:
        strict_json.check_text(read)
    except ValueError:
        raise LtiError("bad_configuration", "The configuration of the platform has text that is none.") from None
    issuer = _issuer(read, url)
    _check_algorithms(read)
    platform = values.fields(read.get(names.PLATFORM_CONFIGURATION))
    if not platform:
        raise _missing(names.PLATFORM_CONFIGURATION)
    messages = _messages(platform.get("messages_supported"))
    return PlatformConfiguration(
        issuer=issuer,
        authorization_endpoint=_endpoint(read, "authorization_endpoint", issuer),
        token_endpoint=_endpoint(read, "token_endpoint", issuer),
        jwks_uri=_endpoint(read, "jwks_uri", issuer),
        registration_endpoint=_endpoint(read, "registration_endpoint", issuer),
        scopes_supported=values.texts(read.get("scopes_supported")),
        messages_supported=tuple(messages),
        family=values.text(platform.get("product_family_code")),
        version=values.text(platform.get("version")),
        claims_supported=values.texts(read.get("claims_supported")),
        authorization_server=values.text(read.get("authorization_server")),
        placements=messages.get(names.DEEP_LINKING_REQUEST, ()),
    )


def registration_request(  # noqa: PLR0913 - one for each thing the request is made of
    *, name: str, base_url: str, login_url: str, launch_url: str, jwks_uri: str, logo_uri: str, description: str,
    domain: str, configuration: PlatformConfiguration, privacy_claims: Sequence[str] = PRIVACY_CLAIMS,
) -> dict[str, Any]:  # fmt: skip
    """What the tool says of itself, to be posted as application/json with the registration token as Bearer.

    ``domain`` is host and port of ``launch_url``. Asked for is what the platform has, and no more.
    """
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": login_url,
        "redirect_uris": [launch_url],
        "client_name": name,
        "client_uri": base_url,
        "jwks_uri": jwks_uri,
        "logo_uri": logo_uri,
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(one for one in names.SERVICE_SCOPES if one in configuration.scopes_supported),
        names.TOOL_CONFIGURATION: {
            "domain": domain,
            "description": description,
            "target_link_uri": launch_url,
            "claims": list(privacy_claims),
            "messages": _asked_messages(configuration, launch_url),
        },
    }


def read_registration(status: int, body: bytes) -> Registered:
    """The platform's answer: 201 by the specification, 200 by Moodle. Raises LtiError."""
    if status not in (200, 201):
        said = told(body)
        raise LtiError(
            "registration_refused", f"The platform answered with {status}" + (f": “{said}”." if said else ".")
        )
    try:
        read = strict_json.read_object(body)
    except ValueError:
        raise LtiError("bad_registration", "The platform’s answer to the registration is no JSON object.") from None
    client_id = values.identifier(read.get("client_id"), "client_id")
    if not client_id:
        raise LtiError("bad_registration", "The platform’s answer to the registration has no “client_id”.")
    tool = values.fields(read.get(names.TOOL_CONFIGURATION))
    return Registered(client_id, values.identifier(tool.get("deployment_id"), "deployment_id"))


def _issuer(read: Mapping[str, Any], url: str) -> str:
    """On the host where the document lies (section 3.4), and under TLS unless neither is."""
    issuer = read.get("issuer")
    if issuer in (None, ""):
        raise _missing("issuer")
    if not isinstance(issuer, str) or not values.web_url(issuer):
        raise LtiError("bad_configuration", f"The issuer of the platform is “{shown(issuer)}”: no web address.")
    named, found = urlsplit(issuer), urlsplit(url)
    if named.hostname != found.hostname:
        raise LtiError(
            "wrong_issuer", f"The configuration lies at “{shown(found.hostname)}”, and its issuer is “{shown(issuer)}”."
        )
    if (named.scheme, found.scheme) not in (("https", "https"), ("http", "http")):
        raise LtiError("wrong_issuer", "The issuer of the platform and its configuration must both be https.")
    return issuer


def _endpoint(read: Mapping[str, Any], name: str, issuer: str) -> str:
    value = read.get(name)
    if value in (None, ""):
        raise _missing(name)
    address = values.web_url(value)
    if not address:
        raise LtiError("bad_configuration", f"“{name}” of the platform is “{shown(value)}”: no web address.")
    if issuer.startswith("https:") and not address.startswith("https:"):
        raise LtiError("bad_configuration", f"“{name}” of the platform does not begin with https://.")
    return address


def _check_algorithms(read: Mapping[str, Any]) -> None:
    offered = values.texts(read.get("id_token_signing_alg_values_supported"))
    if "RS256" not in offered:
        raise LtiError(
            "wrong_algorithm", f"The platform signs with {shown(', '.join(offered)) or 'nothing'}; expected RS256."
        )


def _messages(value: object) -> dict[str, tuple[str, ...]]:
    """Each message by its type, with its placements."""
    listed = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    return {one["type"]: values.texts(one.get("placements")) for one in listed if isinstance(one.get("type"), str)}


def _asked_messages(configuration: PlatformConfiguration, launch_url: str) -> list[dict[str, Any]]:
    """The message that opens links needs no asking, but some platforms want to read it."""
    asked: list[dict[str, Any]] = []
    if names.RESOURCE_LINK_REQUEST in configuration.messages_supported:
        asked.append({"type": names.RESOURCE_LINK_REQUEST})
    if names.DEEP_LINKING_REQUEST in configuration.messages_supported:
        choice: dict[str, Any] = {"type": names.DEEP_LINKING_REQUEST, "target_link_uri": launch_url}
        if names.PLACEMENT_CONTENT_AREA in configuration.placements:
            choice["placements"] = [names.PLACEMENT_CONTENT_AREA]
        asked.append(choice)
    return asked


def _missing(name: str) -> LtiError:
    return LtiError("bad_configuration", f"The configuration of the platform has no “{name}”.")
