"""Sign-ins by single sign-on: from a provider's redirect to a session, against bare verification of RS256."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qs, urlencode, urlsplit

from browsers import Browser, crowd, token_of
from issuer import Issuer, issuing
from pacing import CLIENTS, LOAD, SECONDS, latency_of, rate_of
from report import SLUG, organization, say
from stage import Server, Stage

CLIENT = "usher-bench"
LEADS = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


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
    with issuing(on.folder) as provider:
        secret = on.folder / "secret"
        secret.write_text("bench")
        made = on.usher("connection", "add", "--org", SLUG, "--kind", "oidc", "--issuer", provider.url,
                        "--client-id", CLIENT, "--client-secret-file", str(secret), "--json").json  # fmt: skip
        on.child("connected", made["id"])
        bare = on.child("verifying")["rate"]
        with on.serving(USHER_PRIVATE_HOSTS="127.0.0.1") as server:
            known = measured(server, provider, made["id"], people, rounds)
        bare = (bare + on.child("verifying")["rate"]) / 2
    say("RS256 verifications on all cores, bare", f"{bare:,.0f} /s")
    say("   a known person's sign-in against one of them", f"{bare / known:.0f} times", "by the server's own time")


def measured(server: Server, provider: Issuer, connection: str, people: int, rounds: int) -> float:
    """Returns the callbacks of known people a second, by the server's own time."""
    first = ready(server.address, provider, connection, range(people))
    rate_of("first sign-ins", server, first, come_back)
    seeds = [n for _round in range(rounds) for n in range(people)]
    again = ready(server.address, provider, connection, seeds)
    before = provider.counts()
    rate, own = rate_of("sign-ins of known people", server, again, come_back)
    paced = ready(server.address, provider, connection, seeds[: int(rate * LOAD * SECONDS)])
    latency_of(server.address, paced, rate, come_back)
    check_counts(before, provider.counts(), len(again) + len(paced))
    return own


def check_counts(before: dict[str, int], after: dict[str, int], callbacks: int) -> None:
    """One request to the provider for each sign-in, and no other."""
    asked = {path: count - before.get(path, 0) for path, count in after.items() if path != "/counts"}
    if {path: count for path, count in asked.items() if count} != {"/token": callbacks}:
        raise RuntimeError(f"The provider was asked more than it should be: {asked} for {callbacks} sign-ins.")
    say("   requests to the provider for each", "1", "the exchange of the code")


# Setting out: not measured


def ready(address: str, provider: Issuer, connection: str, seeds: Sequence[int]) -> list[Return]:
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


def set_out(browser: Browser, form: dict[str, str], provider: Issuer, subject: str) -> Return:
    status, page = browser.ask("POST", "/sso/start", form)
    leads = LEADS.search(page)
    if status != 200 or not leads:
        raise RuntimeError(f"/sso/start answered {status}: {page[:600]}")
    asked = parse_qs(urlsplit(html.unescape(leads[1])).query)
    path = urlsplit(asked["redirect_uri"][0]).path
    # fmt: off
    token = provider.sign({"aud": CLIENT, "sub": subject, "nonce": asked["nonce"][0], "name": f"Åsa Öberg {subject}",
                           "email": f"p{subject}@bench.example", "email_verified": True})
    # fmt: on
    query = urlencode({"code": token, "state": asked["state"][0]})
    return Return(f"{path}?{query}", {name: value for name, value in browser.cookies.items() if "trip" in name})


def come_back(browser: Browser, one: Return) -> None:
    browser.cookies = dict(one.cookies)
    status, page = browser.ask("GET", one.path)
    if status != 302:
        raise RuntimeError(f"The callback answered {status}: {page[:600]}")
