"""The provider's answer, turned into verified claims: the code is exchanged, the ID token checked, nothing else asked.

A known person costs one request to the provider, the token exchange: its description and keys are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from usher.core import clock, documents, fetch, tokens
from usher.methods.sso.models import Trip
from usher.methods.sso.provider import Provider
from usher.methods.sso.trips import NONCE, VERIFIER, CancelledError, UnreachableError, UntrustedError, metadata_of
from usher.protocols.oidc import responses
from usher.protocols.oidc.errors import OidcError, RefusedByProviderError, UnknownKeyError
from usher.protocols.oidc.id_token import Expected, SignedClaims, verify
from usher.protocols.oidc.keys import read_keys
from usher.protocols.oidc.metadata import Metadata
from usher.protocols.oidc.requests import token_post
from usher.protocols.oidc.responses import Tokens


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider signed, and the tokens by which its other services can be asked."""

    signed: SignedClaims
    tokens: Tokens = field(repr=False)


Parameters = Mapping[str, Sequence[str]]


def state_in(parameters: Parameters) -> str:
    """The state that came back; empty when none did, or more than one."""
    states = parameters.get("state", ())
    return states[0] if len(states) == 1 else ""


def exchange(trip: Trip, provider: Provider, parameters: Parameters) -> Answer:
    """Raises UsherError: sso_cancelled, sso_unreachable, sso_not_trusted."""
    metadata = metadata_of(provider)
    try:
        callback = responses.read_callback(parameters)
    except RefusedByProviderError as error:
        raise CancelledError(provider, error.detail) from error
    except OidcError as error:
        raise UntrustedError(provider, error.detail) from error
    try:
        if not provider.is_templated:
            responses.check_iss(callback, metadata)
        given = _exchange_code(trip, provider, metadata, callback.code)
        return Answer(_verify(trip, provider, metadata, given), given)
    except OidcError as error:  # also where it does not take our secret, or the code
        raise UntrustedError(provider, error.detail) from error
    except fetch.FetchError as error:
        raise UnreachableError(provider, error.detail) from error


def _exchange_code(trip: Trip, provider: Provider, metadata: Metadata, code: str) -> Tokens:
    """OpenID Connect Core 1.0 section 3.1.3."""
    verifier = tokens.derived_token(VERIFIER, trip.id)
    post = token_post(metadata, provider.client, code=code, redirect_uri=provider.callback, verifier=verifier)
    answer = fetch.post_form(post.url, post.body, headers=post.headers)
    return responses.read_tokens(answer.status, answer.json())


def _verify(trip: Trip, provider: Provider, metadata: Metadata, given: Tokens) -> SignedClaims:
    expected = Expected(
        issuer=provider.issuer,
        client_id=provider.client.id,
        nonce=tokens.derived_token(NONCE, trip.id),
        now=clock.now().timestamp(),
        algorithms=metadata.algorithms,
        access_token=given.access_token,
    )
    try:
        return verify(given.id_token, documents.get(metadata.jwks_uri, parse=read_keys), expected)
    except UnknownKeyError:  # the provider may have changed its keys since
        return verify(given.id_token, documents.renewed(metadata.jwks_uri, parse=read_keys), expected)
