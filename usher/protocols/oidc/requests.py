"""What Usher asks of a provider: the authorization code flow with PKCE (OpenID Connect Core 3.1, RFC 7636)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import quote_plus

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from usher.protocols.oidc.metadata import Metadata

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Client:
    """How the provider knows Usher. A public client has no secret."""

    id: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Post:
    """A form to be posted; its headers and fields hold secrets."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: dict[str, str] = field(repr=False)


def code_challenge(verifier: str) -> str:
    """The S256 challenge of RFC 7636 section 4.2 for 43 to 128 characters of ASCII."""
    return str(create_s256_code_challenge(verifier))


def authorization_url(  # noqa: PLR0913 - one for each parameter of the request
    metadata: Metadata, *, client_id: str, redirect_uri: str, scope: str, state: str, nonce: str, verifier: str,
    extra: Mapping[str, str] = NOTHING,
) -> str:  # fmt: skip
    """Where the browser goes to sign in. ``extra`` are more parameters, as ``prompt`` or ``login_hint``."""
    more = {**extra, "nonce": nonce, "code_challenge": code_challenge(verifier), "code_challenge_method": "S256"}
    return str(
        prepare_grant_uri(metadata.authorization_endpoint, client_id, "code", redirect_uri, scope, state, **more)
    )


def token_post(metadata: Metadata, client: Client, *, code: str, redirect_uri: str, verifier: str) -> Post:
    """The exchange of a code for tokens (Core 3.1.3.1), with the client's proof as the provider takes it."""
    body = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier,
    }  # fmt: skip
    if not client.secret:
        return Post(metadata.token_endpoint, NOTHING, body | {"client_id": client.id})
    if not metadata.auth_methods or "client_secret_basic" in metadata.auth_methods:
        return Post(metadata.token_endpoint, MappingProxyType({"Authorization": _basic(client)}), body)
    return Post(metadata.token_endpoint, NOTHING, body | {"client_id": client.id, "client_secret": client.secret})


def _basic(client: Client) -> str:
    """RFC 6749 section 2.3.1: each half is form-encoded before the two are joined."""
    pair = f"{quote_plus(client.id)}:{quote_plus(client.secret)}"
    return f"Basic {base64.b64encode(pair.encode('ascii')).decode('ascii')}"
