"""EvilIdP: makes ID tokens as a provider does, and with one switch each as no provider should.

On PyJWT and cryptography, so that the library that verifies is not the one that signs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms

from usher.protocols.oidc.id_token import Expected
from usher.protocols.oidc.keys import KeySet, read_keys
from usher.protocols.oidc.metadata import ALGORITHMS

ISSUER: Final = "https://id.cedar.example"
CLIENT: Final = "usher-at-cedar"
NONCE: Final = "n-0S6_WzA2Mj"
SUBJECT: Final = "24400320"
NOW: Final = 1_772_438_400  # 2026-03-02 08:00 UTC
KID: Final = "first"
SIGNERS: Final = get_default_algorithms()
CURVES: Final[dict[str, type[ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1]]] = {
    "ES256": ec.SECP256R1,
    "ES384": ec.SECP384R1,
    "ES512": ec.SECP521R1,
}

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Json = dict[str, Any]


# Keys


def rsa_key(name: str = KID, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One for each name, made once."""
    return _rsa_key(name, bits)


@cache
def _rsa_key(_name: str, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def key_for(algorithm: str, _name: str = KID) -> Private:
    """A key that signs with this algorithm; one for each name, made once."""
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm]())
    return ed25519.Ed25519PrivateKey.generate() if algorithm == "EdDSA" else rsa_key()


def jwk(key: Private, kid: str | None = KID, **more: Any) -> Json:
    """Its public half as a provider publishes it; None takes a member away."""
    kind = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "EdDSA"
    kind = "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else kind
    public = SIGNERS[kind].to_jwk(key.public_key(), as_dict=True)
    public.pop("key_ops", None)
    whole = {**public, "use": "sig", "kid": kid, **more}
    return {name: value for name, value in whole.items() if value is not None}


def jwks(*keys: Json) -> Json:
    return {"keys": list(keys)}


def key_set(*keys: Json) -> KeySet:
    return read_keys(jwks(*(keys or (jwk(rsa_key()),))))


# Tokens


def b64(raw: bytes | Json) -> str:
    raw = json.dumps(raw).encode() if isinstance(raw, dict) else raw
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(part: str) -> bytes:
    return base64.urlsafe_b64decode(f"{part}==")


def good_claims() -> Json:
    return {
        "iss": ISSUER, "aud": CLIENT, "sub": SUBJECT, "nonce": NONCE, "iat": NOW, "exp": NOW + 300,
        "name": "Ada Lovelace", "email": "ada@cedar.example",
    }  # fmt: skip


def token(
    *,
    alg: str = "RS256",
    key: Any = None,
    kid: str | None = KID,
    header: Mapping[str, Any] | None = None,
    **claims: Any,
) -> str:
    """A good token but for what is said here: claims by their names, and None takes one away."""
    whole = {name: value for name, value in {**good_claims(), **claims}.items() if value is not None}
    return raw_token(json.dumps(whole).encode(), alg=alg, key=key, kid=kid, header=header)


def raw_token(
    payload: bytes,
    *,
    alg: str = "RS256",
    key: Any = None,
    kid: str | None = KID,
    header: Mapping[str, Any] | None = None,
) -> str:
    """The same with any bytes for claims."""
    head = {"typ": "JWT", "alg": alg, "kid": kid, **(header or {})}
    if kid is None and "kid" not in (header or {}):
        del head["kid"]
    return assembled(b64(head), b64(payload), lambda signed: sign(signed, alg, key))


def assembled(head: str, body: str, signer: Callable[[bytes], bytes]) -> str:
    return f"{head}.{body}.{b64(signer(f'{head}.{body}'.encode()))}"


def sign(signed: bytes, alg: str, key: Any = None) -> bytes:
    if alg.lower() == "none":
        return b""
    if alg.startswith("HS"):
        return hmac.new(key, signed, f"sha{alg[2:]}").digest()
    return SIGNERS[alg].sign(signed, key_for(alg) if key is None else key)


def at_hash(access_token: str) -> str:
    """For RS256, by hand (Core 3.1.3.6)."""
    return b64(hashlib.sha256(access_token.encode()).digest()[:16])


def public_pem(key: Private) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def expected(**more: Any) -> Expected:
    """What Usher waits for when it sent somebody to this provider."""
    return replace(Expected(ISSUER, CLIENT, NONCE, float(NOW + 5), ALGORITHMS), **more)


def metadata(issuer: str = ISSUER, /, **more: Any) -> Json:
    """The discovery document; None takes a member away."""
    whole = {
        "issuer": issuer, "authorization_endpoint": f"{issuer}/authorize", "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys", "userinfo_endpoint": f"{issuer}/me",
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"], **more,
    }  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}
