"""Sign-ins by single sign-on: from a provider's redirect to a session, against bare verification of RS256."""

from __future__ import annotations

import html
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from browsers import Browser, crowd, token_of
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from report import SLUG, organization, p99, say
from stage import Server, Stage

CLIENT = "usher-bench"
CLIENTS = 4
LEADS = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')
LOAD = 0.7  # of what was reached, where the latency is measured


@dataclass(frozen=True)
class Provider:
    """The provider that costs nothing, and the key of which its ID tokens are signed."""

    issuer: str
    key: rsa.RSAPrivateKey = field(repr=False)

    def sign(self, subject: str, nonce: str) -> str:
        now = int(time.time())
        # fmt: off
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": subject, "nonce": nonce, "iat": now, "exp": now + 900,
                  "name": f"Åsa Öberg {subject}", "email": f"p{subject}@bench.example", "email_verified": True}
        # fmt: on
        return jwt.encode(claims, self.key, "RS256", {"kid": "bench"})

    def counts(self) -> dict[str, int]:
        with urllib.request.urlopen(f"{self.issuer}/counts", timeout=5) as answer:
            told: dict[str, int] = json.load(answer)
        return told


@contextmanager
def providing(folder: Path) -> Iterator[Provider]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "bench", "use": "sig", "alg": "RS256"}
    public.pop("key_ops", None)
    file = folder / "jwk.json"
    file.write_text(json.dumps(public))
    program = [sys.executable, str(Path(__file__).with_name("provider.py")), str(file)]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        yield Provider(process.stdout.readline().strip(), key)
    finally:
        process.stdin.close()
        process.wait(10)


@dataclass(frozen=True)
class Return:
    """A callback that can be asked for once, in the browser that set out."""

    path: str
    cookies: dict[str, str]


def sso(on: Stage, *, quick: bool) -> None:
    """Callbacks a second, of new people and of known ones; their latency at 70 % of that; no other request."""
    organization(on)
    people = 60 if quick else 300
    rounds = 3 if quick else 5
    with providing(on.folder) as provider:
        secret = on.folder / "secret"
        secret.write_text("bench")
        made = on.usher("connection", "add", "--org", SLUG, "--kind", "oidc", "--issuer", provider.issuer,
                        "--client-id", CLIENT, "--client-secret-file", str(secret), "--json").json  # fmt: skip
        on.child("connected", made["id"])
        bare = on.child("verifying")["rate"]
        with on.serving(USHER_PRIVATE_HOSTS="127.0.0.1") as server:
            known = measured(on, server, provider, made["id"], people, rounds)
        bare = (bare + on.child("verifying")["rate"]) / 2
    say("RS256 verifications on all cores, bare", f"{bare:,.0f} /s")
    say("   a known person's sign-in against one of them", f"{bare / known:.0f} times", "by the server's own time")


def measured(on: Stage, server: Server, provider: Provider, connection: str, people: int, rounds: int) -> float:
    """Returns the callbacks of known people a second, by the server's own time."""
    cores = os.cpu_count() or 1
    first = ready(server.address, provider, connection, range(people))
    rate_of("first sign-ins", server, first, cores)
    seeds = [n for _round in range(rounds) for n in range(people)]
    again = ready(server.address, provider, connection, seeds)
    before = provider.counts()
    rate, own = rate_of("sign-ins of known people", server, again, cores)
    paced = ready(server.address, provider, connection, seeds[: int(rate * LOAD * 10)])
    seconds = pace(server.address, paced, rate * LOAD)
    after = provider.counts()
    check_counts(before, after, len(again) + len(paced))
    say(f"   at {LOAD:.0%} of it: median, p99", f"{statistics.median(seconds) * 1000:.0f} ms",
        f"{p99(seconds) * 1000:.0f} ms, {rate * LOAD:.0f} /s")  # fmt: skip
    return own


def rate_of(what: str, server: Server, returns: Sequence[Return], cores: int) -> tuple[float, float]:
    """Callbacks a second, with the clients on the same cores and by the server's own time."""
    used, begun = server.cpu_seconds(), time.perf_counter()
    each = partial(come_back, server.address)
    crowd([partial(each, returns[n::CLIENTS]) for n in range(CLIENTS)])
    wall, used = time.perf_counter() - begun, server.cpu_seconds() - used
    rate, own = len(returns) / wall, len(returns) / used * cores
    say(what, f"{rate:.0f} /s", f"server's own time {own:.0f} /s, {1000 * used / len(returns):.1f} CPU-ms each")
    return rate, own


def check_counts(before: dict[str, int], after: dict[str, int], callbacks: int) -> None:
    """One request to the provider for each sign-in, and no other."""
    asked = {path: count - before.get(path, 0) for path, count in after.items() if path != "/counts"}
    if {path: count for path, count in asked.items() if count} != {"/token": callbacks}:
        raise RuntimeError(f"The provider was asked more than it should be: {asked} for {callbacks} sign-ins.")
    say("   requests to the provider for each", "1", "the exchange of the code")


# Setting out: not measured


def ready(address: str, provider: Provider, connection: str, seeds: Sequence[int]) -> list[Return]:
    """A callback for each, with an ID token signed for its nonce, mixed as they come."""
    found: list[Return] = []

    def some(numbers: Sequence[int]) -> list[float]:
        browser = Browser(address)
        token = token_of(browser.ask("GET", f"/o/{SLUG}/sign-in")[1])
        form = {"csrfmiddlewaretoken": token, "connection": connection}
        found.extend([set_out(browser, form, provider, str(number)) for number in numbers])
        browser.connection.close()
        return []

    crowd([partial(some, seeds[n::CLIENTS]) for n in range(CLIENTS)])
    return found


def set_out(browser: Browser, form: dict[str, str], provider: Provider, subject: str) -> Return:
    status, page = browser.ask("POST", "/sso/start", form)
    leads = LEADS.search(page)
    if status != 200 or not leads:
        raise RuntimeError(f"/sso/start answered {status}: {page[:600]}")
    asked = parse_qs(urlsplit(html.unescape(leads[1])).query)
    path = urlsplit(asked["redirect_uri"][0]).path
    query = urlencode({"code": provider.sign(subject, asked["nonce"][0]), "state": asked["state"][0]})
    return Return(f"{path}?{query}", {name: value for name, value in browser.cookies.items() if "trip" in name})


# Coming back


def come_back(address: str, returns: Sequence[Return]) -> list[float]:
    browser = Browser(address)
    seconds = [ask(browser, one, time.perf_counter()) for one in returns]
    browser.connection.close()
    return seconds


def ask(browser: Browser, one: Return, since: float) -> float:
    browser.cookies = dict(one.cookies)
    status, page = browser.ask("GET", one.path)
    if status != 302:
        raise RuntimeError(f"The callback answered {status}: {page[:600]}")
    return time.perf_counter() - since


def pace(address: str, returns: Sequence[Return], rate: float, clients: int = 16) -> list[float]:
    """So many a second, whoever still waits: each counted from the moment it was to begin."""
    begun, lock, numbers = time.perf_counter() + 0.5, threading.Lock(), iter(range(len(returns)))

    def loop() -> list[float]:
        browser, seconds = Browser(address), list[float]()
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                browser.connection.close()
                return seconds
            due = begun + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            seconds.append(ask(browser, returns[number], due))

    return crowd([loop] * clients)
