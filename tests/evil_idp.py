"""EvilIdP as a server: a provider of any kind that says whatever a test tells it to, signed as it should be.

In a thread of the test, so that a whole callback costs milliseconds. What Entra, Google and others really say is the
stand-ins' part (standins.py).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from evil import jwk, jwks, metadata, rsa_key, token
from trips import back, leads_to

from usher.core import clock, documents
from usher.core.seal import seal
from usher.methods.sso.models import Attempt, Connection, Kind
from usher.methods.sso.provider import SECRET
from usher.organizations.models import Organization

CLIENT = "usher-at-evil"
CANARY = "canary-7f3a"  # begins everything that no page, event or log may show
CEDAR = "ced0a000-1111-4111-8111-00000000ceda"
BIRCH = "b17c0000-2222-4222-8222-00000000b17c"
Json = dict[str, Any]


class EvilIdp:
    """``claims`` are those of the next ID token; ``answers`` replace the answer of a path's end with any other."""

    def __init__(self) -> None:
        self.claims: Json = {}
        self.answers: dict[str, Callable[[], bytes]] = {}
        self.metadata: Json = {}
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def issuer(self) -> str:
        return f"{self.url}/plain"

    def connect(self, slug: str = "cedar", **facts: Any) -> Connection:
        """An OpenID connection of that organisation with this provider, on."""
        organization = Organization.objects.select_related("license").get(slug=slug)
        given = {"kind": Kind.OIDC, "issuer": self.issuer, "client_id": CLIENT, "state": "on", "tested_at": clock.now()}
        secret = seal(f"{CANARY}-secret", SECRET)
        return Connection.objects.create(organization=organization, sealed_secret=secret, **{**given, **facts})

    def sign_in(self, browser: Client, by: Connection | Kind, onward: str = "", **claims: Any) -> HttpResponse:
        """The whole trip of somebody of whom the provider says this; returns what our callback answers."""
        which = {"connection": str(by.id)} if isinstance(by, Connection) else {"kind": str(by)}
        return back(browser, self.returns(leads_to(browser.post("/sso/start", {**which, "next": onward})), **claims))

    def returns(self, url: str, **claims: Any) -> str:
        """From the authorization URL to the callback, which is not called."""
        given = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": given["client_id"],
            "iat": now,
            "exp": now + 300,
            "email": None,
            "name": None,
        }
        self.claims = {**said, "nonce": given["nonce"], **claims}
        return f"{given['redirect_uri']}?{urlencode({'code': f'{CANARY}-code', 'state': given['state']})}"

    def _answer(self, path: str) -> bytes:
        self.asked.append(path)
        for end, answer in self.answers.items():
            if path.endswith(end):
                return answer()
        if path.endswith("openid-configuration"):
            prefix = self.url + path.removesuffix("/.well-known/openid-configuration")
            named = prefix.replace("/organizations/", "/{tenantid}/")
            whole = metadata(named, **{name: f"{self.url}/{name}" for name in ("token_endpoint", "jwks_uri")})
            return reply({**whole, "authorization_endpoint": f"{self.url}/authorize", **self.metadata})
        if path == "/jwks_uri":
            return reply(jwks(jwk(rsa_key())))
        if path == "/token_endpoint":
            signed = token(**self.claims)
            return reply({"id_token": signed, "access_token": f"{CANARY}-access", "token_type": "Bearer"})
        return reply({}, "404 Not Found")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        evil = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.close_connection = True
                with suppress(OSError):
                    self.wfile.write(evil._answer(self.path))

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.do_GET()

            def log_message(self, *_args: Any) -> None:
                """Says nothing."""

        return Handler

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def reply(body: Any, status: str = "200 OK", **headers: str) -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(raw)}", "Connection: close"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode() + raw


@pytest.fixture
def evil(settings: Any) -> Iterator[EvilIdp]:
    """A provider in place of Microsoft, Google and every other, with the operator's registrations."""
    settings.USHER_PRIVATE_HOSTS = ("127.0.0.1",)
    idp = EvilIdp()
    settings.USHER_MICROSOFT_AUTHORITY = f"{idp.url}/entra"
    settings.USHER_MICROSOFT_GRAPH = f"{idp.url}/graph"
    settings.USHER_MICROSOFT_CLIENT = (CLIENT, f"{CANARY}-platform")
    settings.USHER_GOOGLE_ISSUER = f"{idp.url}/google"
    settings.USHER_GOOGLE_APIS = f"{idp.url}/apis"
    settings.USHER_GOOGLE_CLIENT = (CLIENT, f"{CANARY}-platform")
    settings.USHER_BASE_URL = "http://127.0.0.1:8000"
    documents.forget()
    yield idp
    idp.stop()
    documents.forget()


def entra(evil: EvilIdp, tenant: str, /, **claims: Any) -> Json:
    """Claims as a tenant of Entra makes them, but for what is said here."""
    return {"iss": f"{evil.url}/entra/{tenant}/v2.0", "tid": tenant, "oid": "0-1-2", "sub": "pairwise", **claims}


def google(evil: EvilIdp, /, **claims: Any) -> Json:
    return {"iss": f"{evil.url}/google", "sub": "1099", "email_verified": True, **claims}


def tenant(evil: EvilIdp, slug: str = "cedar", **facts: Any) -> Connection:
    """A connection with an Entra tenant, by the operator's registration."""
    given = {"tenant": CEDAR if slug == "cedar" else BIRCH, "proved_at": clock.now(), "client_id": "", "issuer": ""}
    return evil.connect(slug, kind=Kind.MICROSOFT, **{**given, **facts})


def workspace(evil: EvilIdp, slug: str = "cedar", **facts: Any) -> Connection:
    return evil.connect(slug, kind=Kind.GOOGLE, **{"client_id": "", "issuer": "", **facts})


def who(browser: Client) -> str:
    """The account that this browser is signed in as; empty for nobody."""
    return str(browser.session.get("_auth_user_id", ""))


def reasons() -> list[str]:
    return list(Attempt.objects.order_by("-at").values_list("reason", flat=True))
