"""A relying party of a few lines, to try the identity providers of the tests with; PyJWT reads their tokens."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import requests
from standins import StandIns

CALLBACK = "http://testserver/callback"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
BASIC = "openid profile email"
GRAPH = f"{BASIC} User.Read GroupMember.Read.All EduRoster.ReadBasic"
AUTH = "https://www.googleapis.com/auth/"
CLASSROOM = f"{BASIC} {AUTH}classroom.rosters.readonly {AUTH}classroom.courses.readonly"
DIRECTORY = f"{BASIC} {AUTH}admin.directory.user.readonly"
GLOBAL_ADMIN = "62e90394-69f5-4237-9190-012177145e10"


@dataclass(frozen=True)
class Client:
    """An application at an authority."""

    idp: StandIns
    app: str
    authority: str

    def metadata(self) -> dict[str, Any]:
        told: dict[str, Any] = requests.get(f"{self.authority}/.well-known/openid-configuration", timeout=10).json()
        return told

    def address(self, scope: str = BASIC, **more: str | None) -> str:
        asked = {
            "client_id": self.idp.apps[self.app].id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": scope,
            "state": "a state",
            "nonce": "a nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **more,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        return f"{self.metadata()['authorization_endpoint']}?{urlencode(given)}"

    def code(self, login: str, scope: str = BASIC) -> str:
        return told(self.idp.walk(self.address(scope), login))["code"]

    def redeem(self, code: str, **changed: str) -> requests.Response:
        app = self.idp.apps[self.app]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return requests.post(
            self.metadata()["token_endpoint"],
            data={**form, "client_id": app.id, "client_secret": app.secret, **changed},
            timeout=10,
        )

    def tokens(self, login: str, scope: str = BASIC) -> dict[str, Any]:
        answer = self.redeem(self.code(login, scope))
        assert answer.ok, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    def claims(self, login: str, scope: str = BASIC) -> dict[str, Any]:
        return self.read(self.tokens(login, scope)["id_token"])

    def read(self, id_token: str) -> dict[str, Any]:
        """What a verified id_token says; its issuer is that of the document, or of its template."""
        header, said = jwt.get_unverified_header(id_token), jwt.decode(id_token, options={"verify_signature": False})
        metadata = self.metadata()
        keys = {key["kid"]: key for key in requests.get(metadata["jwks_uri"], timeout=10).json()["keys"]}
        claims: dict[str, Any] = jwt.decode(
            id_token,
            jwt.PyJWK(keys[header["kid"]], algorithm="RS256"),
            algorithms=["RS256"],
            audience=self.idp.apps[self.app].id,
            issuer=metadata["issuer"].replace("{tenantid}", said.get("tid", "")),
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
        assert claims["nonce"] == "a nonce"
        return claims

    def get(self, url: str, login: str, scope: str) -> requests.Response:
        return requests.get(url, headers=bearer(self.tokens(login, scope)), timeout=10)


def told(url: str) -> dict[str, str]:
    assert url.startswith(CALLBACK)
    return dict(parse_qsl(urlsplit(url).query))


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}
