"""The tool's own keys, as JSON Web Keys (RFC 7517), and what it signs with them: RS256 with a named key, as
1EdTech Security Framework 1.0 asks in sections 4 and 6.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import RSAKey

BITS: Final = 2048
PUBLIC: Final = ("kty", "n", "e")


def new_private_key() -> str:
    """A new RSA key as the JSON text of its private JWK, with its name (``kid``: the thumbprint of RFC 7638)."""
    key = RSAKey.generate_key(BITS, private=True)
    return json.dumps({**key.as_dict(private=True), "kid": key.thumbprint()}, sort_keys=True)


def public_jwk(private: str) -> dict[str, str]:
    """The half that everybody may know, for the tool's JWK Set."""
    read = json.loads(private)
    return {**{name: read[name] for name in PUBLIC}, "kid": read["kid"], "use": "sig", "alg": "RS256"}


def sign(claims: Mapping[str, Any], private: str) -> str:
    """A compact JWT (RFC 7519)."""
    read = json.loads(private)
    header = {"alg": "RS256", "typ": "JWT", "kid": read["kid"]}
    return jwt.encode(header, dict(claims), RSAKey.import_key(read), algorithms=["RS256"])
