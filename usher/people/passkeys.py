"""Passkeys (WebAuthn Level 3): adding one, and proving by one. The arithmetic is fido2's, the rules are ours.

A challenge is not stored: it carries its time and our signature over whom it is for, what for, and in which browser.
It works once, since a passkey takes only challenges that are younger than the last it answered. The address in
USHER_BASE_URL is the only one a passkey answers to; where it has no host name (an IP address), there are none.
"""

from __future__ import annotations

import hmac
import json
import secrets
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.crypto import salted_hmac
from fido2.cose import ES256, RS256, EdDSA
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialRpEntity,
    RegistrationResponse,
    UserVerificationRequirement,
)

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.people import factors
from usher.people.models import Account

SECONDS: Final = 10 * 60
ALGORITHMS: Final = (ES256.ALGORITHM, EdDSA.ALGORITHM, RS256.ALGORITHM)
_TIME, _RANDOM, _MAC = 8, 16, 32
# What fido2 raises for an answer that no browser of ours gives.
_MALFORMED: Final = (
    ValueError, TypeError, LookupError, AttributeError, AssertionError, NotImplementedError, OverflowError,
    RecursionError, struct.error,
)  # fmt: skip


class Purpose(StrEnum):
    """What a challenge is for; an answer to one opens no other."""

    ADD = "add"
    SIGN_IN = "sign in"  # without a password
    SECOND = "second"
    AGAIN = "again"

    @property
    def verification(self) -> UserVerificationRequirement:
        """Where nothing else is asked for, the device has to know its owner: by finger, face or PIN."""
        alone = self in (Purpose.SIGN_IN, Purpose.AGAIN)
        return UserVerificationRequirement.REQUIRED if alone else UserVerificationRequirement.PREFERRED


def are_possible() -> bool:
    """Browsers give passkeys to host names alone, and only over TLS or to this very machine."""
    host = urlsplit(settings.USHER_BASE_URL).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return settings.USHER_BASE_URL.startswith("https://") or host == "localhost" or host.endswith(".localhost")
    return False


# What the browser is asked


def options_to_add(request: HttpRequest, account: Account) -> dict[str, Any]:
    """PublicKeyCredentialCreationOptionsJSON; binary values in base64url."""
    return {
        "rp": {"id": _host(), "name": "Usher"},
        "user": {"id": websafe_encode(account.id.bytes), "name": account.sign_in, "displayName": account.username},
        "challenge": _challenge(request, Purpose.ADD, account),
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in ALGORITHMS],
        "excludeCredentials": _descriptors(_rows(account)),
        "authenticatorSelection": {"residentKey": "preferred", "userVerification": "preferred"},
        "attestation": "none",
        "extensions": {"credProps": True},
        "timeout": SECONDS * 1000,
    }


def options_to_prove(request: HttpRequest, purpose: Purpose, account: Account | None = None) -> dict[str, Any]:
    """PublicKeyCredentialRequestOptionsJSON; without an account the browser offers the passkeys it has for us."""
    return {
        "rpId": _host(),
        "challenge": _challenge(request, purpose, account),
        "allowCredentials": _descriptors(_rows(account)) if account else [],
        "userVerification": purpose.verification.value,
        "timeout": SECONDS * 1000,
    }


def _descriptors(rows: Sequence[Authenticator]) -> list[dict[str, Any]]:
    return [
        {
            "type": "public-key",
            "id": websafe_encode(_credential(row).credential_id),
            "transports": row.data["transports"],
        }
        for row in rows
    ]


def _rows(account: Account) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user=account, type=factors.PASSKEY).order_by("id"))


# What the browser answers


def add(request: HttpRequest, account: Account, name: str, answer: str) -> list[str]:
    """Keep a new passkey under a name. Returns new recovery codes, if there were none.

    Raises UsherError: passkey_refused, passkey_known, passkeys_full.
    """
    try:
        given = json.loads(answer)
        response = RegistrationResponse.from_dict(given)
        sent = _sent(request, Purpose.ADD, account, response.response.client_data)
        made = _server().register_complete(sent.state, response)
        data = _stored(name, made, given, sent)
    except _MALFORMED as error:
        raise UsherError(Reason.PASSKEY_REFUSED()) from error
    return factors.add(account, factors.PASSKEY, data, _refuse_another)


def _stored(name: str, made: AuthenticatorData, given: Mapping[str, Any], sent: _Sent) -> dict[str, Any]:
    credential = made.credential_data
    if credential is None or credential.public_key.get(3) not in ALGORITHMS:
        raise ValueError("No key, or one of a kind that was not asked for.")
    transports = given["response"].get("transports") or []
    return {
        "name": name,
        "credential": websafe_encode(bytes(credential)),
        "transports": [str(one)[:20] for one in transports][:8],
        "counter": made.counter,
        "answered": sent.at,
        "synced": bool(made.flags & AuthenticatorData.FLAG.BE),
    }


def _refuse_another(there: Sequence[Authenticator], data: dict[str, Any]) -> None:
    rows = [row for row in there if row.type == factors.PASSKEY]
    if len(rows) >= factors.MOST_PASSKEYS:
        raise UsherError(Reason.PASSKEYS_FULL(limit=factors.MOST_PASSKEYS))
    new = AttestedCredentialData(websafe_decode(data["credential"])).credential_id
    if any(_credential(row).credential_id == new for row in rows):
        raise UsherError(Reason.PASSKEY_KNOWN())


def account_in(answer: str) -> UUID:
    """Whose passkey answers, by what it says; proved by :func:`prove`. Raises UsherError (passkey_refused)."""
    try:
        return UUID(bytes=websafe_decode(json.loads(answer)["response"]["userHandle"]))
    except _MALFORMED as error:
        raise UsherError(Reason.PASSKEY_REFUSED()) from error


def prove(request: HttpRequest, purpose: Purpose, account: Account, answer: str) -> None:
    """One of the account's passkeys has answered. Raises UsherError (passkey_refused)."""
    try:
        response = AuthenticationResponse.from_dict(json.loads(answer))
        sent = _sent(request, purpose, None if purpose is Purpose.SIGN_IN else account, response.response.client_data)
        by_id = {_credential(row).credential_id: row for row in _rows(account)}
        row = by_id[response.raw_id]
        _server().authenticate_complete(sent.state, [_credential(row)], response)
        counter = response.response.authenticator_data.counter
    except _MALFORMED as error:
        raise UsherError(Reason.PASSKEY_REFUSED()) from error
    if not spend(row.pk, sent.at, counter):
        raise UsherError(Reason.PASSKEY_REFUSED())


@retrying
def spend(row_id: int, sent_at: int, counter: int) -> bool:
    """Use the challenge up: each is younger than the last. A counter that does not rise tells of a copied key
    (section 6.1.1); passkeys that are synced keep it at 0."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().filter(pk=row_id).first()
        if row is None or sent_at <= row.data["answered"]:
            return False
        if (counter or row.data["counter"]) and counter <= row.data["counter"]:
            return False
        row.data = {**row.data, "answered": sent_at, "counter": counter}
        row.last_used_at = clock.now()
        row.save(update_fields=["data", "last_used_at"])
    return True


# The challenge


@dataclass(frozen=True, slots=True)
class _Sent:
    """A challenge of ours that came back: when it was made, and what fido2 wants to know of it."""

    at: int  # microseconds since 1970
    state: dict[str, Any]


def _challenge(request: HttpRequest, purpose: Purpose, account: Account | None) -> str:
    body = _now().to_bytes(_TIME, "big") + secrets.token_bytes(_RANDOM)
    return websafe_encode(body + _signature(request, purpose, account, body))


def _sent(request: HttpRequest, purpose: Purpose, account: Account | None, client: CollectedClientData) -> _Sent:
    """Raises ValueError for a challenge that we did not make for this, here, in the last ten minutes."""
    body, mac = client.challenge[: _TIME + _RANDOM], client.challenge[_TIME + _RANDOM :]
    at = int.from_bytes(body[:_TIME], "big")
    ours = len(mac) == _MAC and hmac.compare_digest(mac, _signature(request, purpose, account, body))
    if not ours or not 0 <= _now() - at <= SECONDS * 1_000_000 or client.cross_origin:
        raise ValueError("Not a challenge of ours.")
    challenge = websafe_encode(client.challenge)
    return _Sent(at, {"challenge": challenge, "user_verification": purpose.verification})


def _signature(request: HttpRequest, purpose: Purpose, account: Account | None, body: bytes) -> bytes:
    """Bound to this browser by the secret in its CSRF cookie, which is another one after every sign-in."""
    get_token(request)
    browser, about = request.META["CSRF_COOKIE"], account.id if account else ""
    return salted_hmac(
        "usher.passkeys", f"{purpose}\0{about}\0{browser}\0".encode() + body, algorithm="sha256"
    ).digest()


def _now() -> int:
    return int(clock.now().timestamp() * 1_000_000)


# The parts


def _server() -> Fido2Server:
    """The origin must be ours to the letter; the specification would allow subdomains."""
    rp = PublicKeyCredentialRpEntity(id=_host(), name="Usher")
    return Fido2Server(rp, verify_origin=lambda origin: origin == settings.USHER_BASE_URL)


def _host() -> str:
    return urlsplit(settings.USHER_BASE_URL).hostname or ""


def _credential(row: Authenticator) -> AttestedCredentialData:
    return AttestedCredentialData(websafe_decode(row.data["credential"]))
