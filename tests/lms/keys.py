"""RSA keys, what a keyset says of them, and compact JWTs made piece by piece so that any piece can be wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from functools import cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm, get_default_algorithms

from lms.words import Json

SIGNERS: Final = get_default_algorithms()


@dataclass(frozen=True)
class Key:
    """``kid`` is 20 hexadecimal digits, as Moodle makes them."""

    private: rsa.RSAPrivateKey
    kid: str

    def jwk(self) -> Json:
        """The public half as Moodle publishes it."""
        public: Json = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        numbers = {name: public[name] for name in ("e", "n")}
        return {"kty": "RSA", "alg": "RS256", "kid": self.kid, **numbers, "use": "sig"}

    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@cache
def key(name: str) -> Key:
    """One of 2048 bits for each name, made once in a process."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    modulus = private.public_key().public_numbers().n
    return Key(private, hashlib.sha256(str(modulus).encode()).hexdigest()[:20])


def compact(claims: Json, by: Key, *, alg: str = "RS256", kid: str | None = "") -> str:
    """A signed JWT; ``kid`` None leaves it out, and empty is the key's own. HS256 is keyed with the public PEM."""
    header = {"typ": "JWT", "alg": alg, "kid": kid or by.kid}
    if kid is None:
        del header["kid"]
    signed = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(claims).encode())}"
    return f"{signed}.{_b64(_signature(signed.encode(), by, alg))}"


def with_payload(token: str, claims: Json) -> str:
    """The same token saying something else under the old signature."""
    head, _, signature = token.split(".")
    return f"{head}.{_b64(json.dumps(claims).encode())}.{signature}"


def _signature(signed: bytes, by: Key, alg: str) -> bytes:
    if alg == "none":
        return b""
    if alg.startswith("HS"):
        return hmac.new(by.pem(), signed, f"sha{alg[2:]}").digest()
    return SIGNERS[alg].sign(signed, by.private)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
