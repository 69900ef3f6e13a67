"""A passkey made of Python: answers what a page asks, right or wrong in every way a browser never would."""

from __future__ import annotations

import hashlib
import html
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

FLAG = AuthenticatorData.FLAG
ORIGIN, HOST = "http://localhost:8000", "localhost"


def asked_on(page: str) -> dict[str, Any]:
    """What a page asks the browser for."""
    found = re.search(r'data-options="([^"]+)"', page)
    assert found, "the page asks for no passkey"
    asked: dict[str, Any] = json.loads(html.unescape(found[1]))
    return asked


@dataclass
class SoftKey:
    """One credential on one device. ``counter`` None is a synced one, which always says 0."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    owner: str = ""
    counter: int | None = None
    origin: str = ORIGIN
    host: str = HOST
    flags: FLAG = FLAG.UP | FLAG.UV
    cross_origin: bool = False

    def create(self, asked: dict[str, Any], **wrong: Any) -> str:
        self.owner = asked["user"]["id"]
        key = ES256.from_cryptography_key(self.private.public_key())  # type: ignore[no-untyped-call]
        data = AttestedCredentialData.create(bytes(16), self.id, key)
        made = self._data(FLAG.AT, bytes(data))
        attested = AttestationObject.create("none", made, {})
        response = {
            "clientDataJSON": websafe_encode(self._client("webauthn.create", asked["challenge"])),
            "attestationObject": websafe_encode(bytes(attested)),
            "transports": ["internal"],
        }
        return self._answer({**response, **wrong})

    def get(self, asked: dict[str, Any], **wrong: Any) -> str:
        data, client = self._data(), self._client("webauthn.get", asked["challenge"])
        signature = self.private.sign(bytes(data) + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(bytes(data)),
            "signature": websafe_encode(signature),
            "userHandle": self.owner,
        }
        return self._answer({**response, **wrong})

    def _data(self, more: FLAG = FLAG(0), credential: bytes = b"") -> AuthenticatorData:
        if self.counter is not None:
            self.counter += 1
        host = hashlib.sha256(self.host.encode()).digest()
        data: AuthenticatorData = AuthenticatorData.create(host, self.flags | more, self.counter or 0, credential)
        return data

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin}
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        identity = websafe_encode(self.id)
        return json.dumps({"id": identity, "rawId": identity, "type": "public-key", "response": response})


def turned(text: str) -> str:
    """The same bytes with one bit turned."""
    raw = bytearray(websafe_decode(text))
    raw[-1] ^= 1
    return websafe_encode(bytes(raw))
