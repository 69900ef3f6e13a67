"""Whether an ID token is to be believed: OpenID Connect Core 1.0, section 3.1.3.7. Any doubt is a refusal."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field
from types import MappingProxyType
from typing import Any, Final

from authlib.oidc.core.util import create_half_hash
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from usher.protocols.oidc import strict_json
from usher.protocols.oidc.errors import OidcError, UnknownKeyError, shown
from usher.protocols.oidc.keys import Key, KeySet
from usher.protocols.oidc.metadata import ALGORITHMS, GAP, TENANT

LARGEST: Final = 32 * 1024  # bytes of a token
FRESH: Final = 600.0  # seconds for which a token may be on its way
END_OF_TIME: Final = 10**11  # seconds since 1970; later is no time, and infinity is later
LONGEST_SUBJECT: Final = 255  # section 2
# Keys come from the provider's own list and from nowhere else (RFC 8725 section 3.10).
KEYS_OF_ITS_OWN: Final = {"jwk", "jku", "x5u", "x5c"}
_HERE: Final = object()


def _anything(claims: Mapping[str, Any]) -> None:
    """The profile that asks for nothing."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say to be for us, now. ``issuer`` may have a gap (``metadata.GAP``), which the token's own
    ``tid`` fills. ``now`` is seconds since 1970, as are all times in a token; ``leeway`` and ``max_age`` seconds.

    For specifications built upon this one: with ``names_key`` the token must name its key (kid), and ``profile``
    looks at claims with a good signature before anything else does; it raises OidcError.
    """

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    now: float
    algorithms: tuple[str, ...]
    leeway: int = 60
    max_age: int | None = None
    access_token: str = field(default="", repr=False)
    names_key: bool = False
    profile: Callable[[Mapping[str, Any]], None] = field(default=_anything, repr=False)


@dataclass(frozen=True, slots=True)
class SignedClaims:
    """Claims whose signature and every condition were checked. Nothing but ``verify`` makes one."""

    issuer: str
    subject: str
    claims: Mapping[str, Any]
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _HERE:
            raise TypeError("SignedClaims are made by verify() alone.")


def verify(token: str, keys: KeySet, expected: Expected) -> SignedClaims:
    """Raises OidcError, and UnknownKeyError when other keys of the provider might do."""
    algorithm, key, payload = _signed_parts(token, keys, expected)
    claims = _read(payload, "payload")
    expected.profile(claims)
    issuer = _check_issuer(claims, expected.issuer)
    _check_audience(claims, expected.client_id)
    _check_times(claims, expected)
    _check_nonce(claims, expected.nonce)
    _check_access_token(claims, expected.access_token, algorithm)
    _check_owner(key, claims, expected.issuer)
    return SignedClaims(issuer, _subject(claims), MappingProxyType(claims), _HERE)


# Signature


def _signed_parts(token: str, keys: KeySet, expected: Expected) -> tuple[str, Key, bytes]:
    """The algorithm, the key and the payload, when the signature is good."""
    if len(token) > LARGEST:
        raise OidcError("bad_response", f"The ID token is larger than {LARGEST // 1024} KB.")
    parts = token.split(".")
    if len(parts) == 5:
        raise OidcError("bad_response", "The ID token is encrypted; Usher takes signed ones only.")
    if len(parts) != 3 or not token.isascii():
        raise OidcError("bad_response", "The ID token does not have the three parts of a signed token.")
    header = _read(_decoded(parts[0], "header"), "header")
    _check_header(header, expected)
    if not parts[2]:
        raise OidcError("no_signature", "The ID token is not signed.")
    signature = _decoded(parts[2], "signature")
    key = keys.find(header.get("kid"), header["alg"])
    _check_signature(f"{parts[0]}.{parts[1]}".encode(), signature, header, key)
    return header["alg"], key, _decoded(parts[1], "payload")


def _check_header(header: dict[str, Any], expected: Expected) -> None:
    algorithm = header.get("alg")
    if isinstance(algorithm, str) and algorithm.lower() == "none":
        raise OidcError("no_signature", "The ID token says that it is not signed (alg “none”).")
    if algorithm not in ALGORITHMS or algorithm not in expected.algorithms:
        wanted = ", ".join(expected.algorithms)
        raise OidcError("wrong_algorithm", f"The ID token is signed with “{shown(algorithm)}”; expected {wanted}.")
    if expected.names_key and not header.get("kid"):
        raise OidcError("no_kid", "The ID token does not name the key that signed it (kid).")
    own = sorted(KEYS_OF_ITS_OWN & header.keys())
    if own:
        raise OidcError("unknown_key", f"The ID token brings its own key ({own[0]}).")
    if "crit" in header or "b64" in header:  # RFC 7515 section 4.1.11; no extension is understood here
        raise OidcError("bad_response", f"The ID token asks for an extension: “{shown(header.get('crit', 'b64'))}”.")
    if not isinstance(header.get("kid", ""), str):
        raise OidcError("unknown_key", "The name of the key (kid) in the ID token is no text.")


def _check_signature(signed: bytes, signature: bytes, header: dict[str, Any], key: Key) -> None:
    # Without the registry's own get_alg, which warns of EdDSA at each token.
    algorithm = JWSRegistry.algorithms[header["alg"]]
    try:
        algorithm.check_key(key.public)
        good = algorithm.verify(signed, signature, key.public)
    except (JoseError, ValueError):
        good = False
    if good:
        return
    detail = f"The signature of the ID token ({header['alg']}) does not fit the provider’s key."
    if "kid" not in header:  # a new key without a name cannot be told from the old one
        raise UnknownKeyError(detail, "bad_signature")
    raise OidcError("bad_signature", detail)


def _check_owner(key: Key, claims: dict[str, Any], issuer: str) -> None:
    """Microsoft publishes keys of all tenants in one list, and says in it whose tokens each may sign."""
    if GAP in issuer and key.issuer and key.issuer.replace(GAP, claims["tid"]) != claims["iss"]:
        raise OidcError("wrong_issuer", f"The ID token is signed with a key for “{shown(key.issuer)}” only.")


def _decoded(part: str, name: str) -> bytes:
    try:
        return urlsafe_b64decode(part.encode("ascii"))
    except ValueError:  # binascii.Error is one
        raise OidcError("bad_response", f"The {name} of the ID token is not base64url.") from None


def _read(raw: bytes, name: str) -> dict[str, Any]:
    try:
        return strict_json.read_object(raw)
    except ValueError:
        raise OidcError("bad_response", f"The {name} of the ID token is no sound JSON object.") from None


# Claims


def _check_issuer(claims: dict[str, Any], expected: str) -> str:
    issuer = _text(claims, "iss")
    if GAP in expected:
        tenant = _text(claims, "tid")
        if not TENANT.fullmatch(tenant):
            raise OidcError("wrong_issuer", f"The tenant (tid) in the ID token is “{shown(tenant)}”: no tenant id.")
        expected = expected.replace(GAP, tenant)
    if issuer != expected:
        raise OidcError("wrong_issuer", f"The ID token is from “{shown(issuer)}”; expected “{shown(expected)}”.")
    return issuer


def _check_audience(claims: dict[str, Any], client_id: str) -> None:
    audience = _needed(claims, "aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences:
        raise OidcError("wrong_audience", f"The ID token is for “{shown(audience)}”; expected “{shown(client_id)}”.")
    if not all(isinstance(one, str) for one in audiences):
        raise OidcError("wrong_audience", "The audience (aud) of the ID token is no list of texts.")
    party = claims.get("azp")
    if len(audiences) > 1 and party is None:
        raise OidcError("wrong_azp", "The ID token has several audiences, and does not say for whom it was made (azp).")
    if party is not None and party != client_id:
        raise OidcError(
            "wrong_azp", f"The ID token was made for “{shown(party)}” (azp); expected “{shown(client_id)}”."
        )


def _check_times(claims: dict[str, Any], expected: Expected) -> None:
    now, leeway = expected.now, expected.leeway
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    if expires <= now - leeway:
        raise OidcError("expired", f"The ID token expired {now - expires:.0f} seconds ago. Compare the clocks.")
    if issued > now + leeway:
        raise OidcError(
            "issued_in_the_future", f"The ID token was made {issued - now:.0f} seconds from now. Compare the clocks."
        )
    if issued < now - FRESH - leeway:
        raise OidcError("expired", f"The ID token was made {now - issued:.0f} seconds ago; {FRESH:.0f} is the most.")
    if "nbf" in claims and _time(claims, "nbf") > now + leeway:
        raise OidcError("not_yet", f"The ID token is not valid for {_time(claims, 'nbf') - now:.0f} seconds yet.")
    if expected.max_age is not None:
        _check_sign_in(now - _time(claims, "auth_time"), expected.max_age, leeway)


def _check_sign_in(age: float, max_age: int, leeway: int) -> None:
    if not -leeway <= age <= max_age + leeway:
        raise OidcError(
            "too_old_sign_in", f"The provider says that the sign-in was {age:.0f} seconds ago; {max_age} is the most."
        )


def _check_nonce(claims: dict[str, Any], nonce: str) -> None:
    if not hmac.compare_digest(_text(claims, "nonce").encode(), nonce.encode()):
        raise OidcError("wrong_nonce", "The ID token (nonce) belongs to another sign-in than the one begun here.")


def _check_access_token(claims: dict[str, Any], access_token: str, algorithm: str) -> None:
    """Section 3.1.3.8."""
    if "at_hash" not in claims or not access_token:
        return
    half: bytes = create_half_hash(access_token, algorithm)
    if not hmac.compare_digest(_text(claims, "at_hash").encode(), half):
        raise OidcError("wrong_at_hash", "The access token does not belong to the ID token (at_hash).")


def _subject(claims: dict[str, Any]) -> str:
    subject = _text(claims, "sub")
    if len(subject) > LONGEST_SUBJECT or not subject.isascii() or not subject.isprintable():
        raise OidcError("wrong_subject", "The subject (sub) of the ID token is not 1 to 255 characters of ASCII.")
    return subject


def _needed(claims: dict[str, Any], name: str) -> Any:
    if claims.get(name) in (None, "", []):
        raise OidcError("missing_claim", f"The ID token does not have the claim “{name}”.")
    return claims[name]


def _text(claims: dict[str, Any], name: str) -> str:
    value = _needed(claims, name)
    if not isinstance(value, str):
        raise OidcError("bad_response", f"The claim “{name}” in the ID token is no text.")
    return value


def _time(claims: dict[str, Any], name: str) -> float:
    value = _needed(claims, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < END_OF_TIME:
        raise OidcError("bad_response", f"The claim “{name}” in the ID token is “{shown(value)}”: no time.")
    return value
