"""The public keys of a provider: a JWK Set (RFC 7517), read once and kept ready for use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from usher.protocols.oidc.errors import OidcError, UnknownKeyError, shown
from usher.protocols.oidc.metadata import ALGORITHMS

MOST: Final = 100
PublicKey = RSAKey | ECKey | OKPKey
KINDS: Final[dict[str, type[PublicKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
CURVES: Final = {"EC": {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}, "OKP": {"Ed25519": "EdDSA"}}
PRIVATE: Final = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
# An RSA modulus of 2,048 to 8,192 bits as base64url: shorter ones are broken, longer ones only cost time.
MODULUS: Final = range(342, 1367)
EXPONENT: Final = range(1, 7)


@dataclass(frozen=True, slots=True)
class Key:
    """``kid`` may be empty. ``issuer`` is whose tokens it may sign, in Microsoft's sets for all tenants."""

    kid: str
    algorithms: frozenset[str]
    issuer: str
    public: PublicKey


@dataclass(frozen=True, slots=True)
class KeySet:
    """At least one key that signs."""

    keys: tuple[Key, ...]

    def find(self, kid: str | None, algorithm: str) -> Key:
        """The one key for a token. Raises UnknownKeyError when there is none, OidcError when it is in doubt which."""
        named = [key for key in self.keys if kid is None or key.kid == kid]
        fitting = [key for key in named if algorithm in key.algorithms]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise OidcError("unknown_key", f"{len(fitting)} keys of the provider fit; the token does not say which.")
        if named and kid is not None:
            raise OidcError("wrong_algorithm", f"The token is signed with {algorithm}, and its key is for another.")
        which = "for " + algorithm if kid is None else f"“{shown(kid)}”"
        raise UnknownKeyError(f"The provider does not publish the key {which} that signed the token.")


def read_keys(document: object) -> KeySet:
    """The keys that sign in a JWK Set. Others, broken and unknown ones are passed over (section 5).

    Raises OidcError (bad_keys) when none is left, or there are too many.
    """
    found = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise OidcError("bad_keys", "The provider’s list of keys is no JSON object with a list “keys”.")
    if len(found) > MOST:
        raise OidcError("bad_keys", f"The provider publishes {len(found)} keys; {MOST} is the most.")
    keys = tuple(key for one in found if isinstance(one, dict) and (key := _read_key(one)) is not None)
    if not keys:
        raise OidcError("bad_keys", "The provider publishes no public key that could sign (RSA, EC or Ed25519).")
    return KeySet(keys)


def _read_key(jwk: dict[str, Any]) -> Key | None:
    algorithms = _algorithms(jwk)
    # Who publishes a private key lets everybody sign: such a key proves nothing.
    if not algorithms or PRIVATE & jwk.keys() or not _is_for_signatures(jwk):
        return None
    bare = {name: jwk[name] for name in ("kty", "n", "e", "crv", "x", "y") if isinstance(jwk.get(name), str)}
    try:
        public = KINDS[bare["kty"]].import_key(bare)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    kid, issuer = jwk.get("kid", ""), jwk.get("issuer", "")
    return Key(kid if isinstance(kid, str) else "", algorithms, issuer if isinstance(issuer, str) else "", public)


def _is_for_signatures(jwk: dict[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _algorithms(jwk: dict[str, Any]) -> frozenset[str]:
    """With what such a key may sign: by its kind, and by its own word if it gives one."""
    kind, own = jwk.get("kty"), jwk.get("alg")
    possible: set[str] = set()
    if kind == "RSA" and _is_sound(jwk):
        possible = {name for name in ALGORITHMS if name[:2] in ("RS", "PS")}
    elif kind in ("EC", "OKP"):
        curve = jwk.get("crv")
        possible = {name for known, name in CURVES[kind].items() if known == curve}
    return frozenset(possible if own is None else possible & {own} if isinstance(own, str) else ())


def _is_sound(jwk: dict[str, Any]) -> bool:
    modulus, exponent = jwk.get("n"), jwk.get("e")
    return (
        isinstance(modulus, str) and isinstance(exponent, str) and len(modulus) in MODULUS and len(exponent) in EXPONENT
    )
