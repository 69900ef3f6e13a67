"""What a provider says of itself: OpenID Connect Discovery 1.0, section 3 and 4."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from usher.protocols.oidc.errors import OidcError, shown

# Asymmetric ones only: with HS256 whoever knows the client's secret could sign, and "none" is signed by nobody.
ALGORITHMS: Final = (
    "RS256", "PS256", "ES256", "ES384", "RS384", "RS512", "PS384", "PS512", "ES512", "EdDSA",
)  # fmt: skip
# Microsoft's document for all tenants names its issuer with a gap where the tenant goes.
GAP: Final = "{tenantid}"
TENANT: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
LONGEST: Final = 2000  # characters of an address


@dataclass(frozen=True, slots=True)
class Metadata:
    """``issuer`` may have a gap (``GAP``). ``auth_methods`` is empty when the provider does not say; ``sends_iss``
    is the promise of RFC 9207."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    algorithms: tuple[str, ...] = ("RS256",)
    auth_methods: tuple[str, ...] = ()
    sends_iss: bool = False


def well_known(issuer: str) -> str:
    """Where the document of an issuer lies (section 4.1)."""
    return f"{issuer.removesuffix('/')}/.well-known/openid-configuration"


def read(document: object, issuer: str, *, templated: bool = False) -> Metadata:
    """The document found at ``well_known(issuer)``, checked (section 4.3). Raises OidcError.

    ``templated``: the issuer in it may have a gap for the tenant, on the same host.
    """
    if not isinstance(document, dict):
        raise OidcError("bad_metadata", "The discovery document is no JSON object.")
    named = _issuer(document, issuer, templated=templated)
    _check_code_flow(document)
    return Metadata(
        issuer=named,
        authorization_endpoint=_address(document, "authorization_endpoint", issuer),
        token_endpoint=_address(document, "token_endpoint", issuer),
        jwks_uri=_address(document, "jwks_uri", issuer),
        userinfo_endpoint=_address(document, "userinfo_endpoint", issuer, needed=False),
        algorithms=_algorithms(document),
        auth_methods=_names(document, "token_endpoint_auth_methods_supported"),
        sends_iss=document.get("authorization_response_iss_parameter_supported") is True,
    )


def fits(issuer: str, pattern: str) -> bool:
    """Is this the issuer, or one of those with the gap filled?"""
    before, gap, after = pattern.partition(GAP)
    if not gap:
        return issuer == pattern
    middle = issuer.removeprefix(before).removesuffix(after)
    return issuer == f"{before}{middle}{after}" and bool(TENANT.fullmatch(middle))


def _issuer(document: dict[str, Any], issuer: str, *, templated: bool) -> str:
    named = document.get("issuer")
    if isinstance(named, str) and (named == issuer or (templated and _is_template(named, issuer))):
        return named
    raise OidcError(
        "wrong_issuer", f"The discovery document of “{shown(issuer)}” says that its issuer is “{shown(named)}”."
    )


def _is_template(named: str, issuer: str) -> bool:
    return named.count(GAP) == 1 and GAP in urlsplit(named).path and _origin(named) == _origin(issuer)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _address(document: dict[str, Any], name: str, issuer: str, *, needed: bool = True) -> str:
    """An endpoint: absolute, without fragment, and under TLS if the issuer is."""
    value = document.get(name)
    if value is None and not needed:
        return ""
    if value is None:
        raise OidcError("bad_metadata", f"The discovery document has no “{name}”.")
    if not isinstance(value, str) or not _is_address(value):
        raise OidcError("bad_metadata", f"“{name}” in the discovery document is “{shown(value)}”: no web address.")
    if issuer.startswith("https:") and not value.startswith("https:"):
        raise OidcError("bad_metadata", f"“{name}” in the discovery document does not begin with https://.")
    return value


def _is_address(value: str) -> bool:
    if len(value) > LONGEST or not value.isascii() or not value.isprintable() or " " in value or "\\" in value:
        return False
    try:
        parts = urlsplit(value)
        _ = parts.port  # ValueError for one that is no number
    except ValueError:
        return False
    return (
        value.startswith(("https://", "http://")) and bool(parts.hostname) and "@" not in parts.netloc
        and "#" not in value
    )  # fmt: skip


def _check_code_flow(document: dict[str, Any]) -> None:
    if "response_types_supported" in document and "code" not in _names(document, "response_types_supported"):
        raise OidcError("bad_metadata", "The provider does not offer the code flow (response_types_supported).")


def _algorithms(document: dict[str, Any]) -> tuple[str, ...]:
    """Those of ours that the provider signs with. One that says nothing signs with RS256, which all must know."""
    name = "id_token_signing_alg_values_supported"
    offered = _names(document, name) if name in document else ("RS256",)
    common = tuple(one for one in ALGORITHMS if one in offered)
    if not common:
        raise OidcError(
            "bad_metadata", f"The provider signs with {shown(', '.join(offered)) or 'nothing'}; RS256 would do."
        )
    return common


def _names(document: dict[str, Any], name: str) -> tuple[str, ...]:
    values = document.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise OidcError("bad_metadata", f"“{name}” in the discovery document is no list of names.")
    return tuple(values)
