"""Launches by LTI 1.3: from the form that an LMS posts to a page of ours, against bare verification of RS256."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from browsers import Browser, crowd
from issuer import Issuer, issuing
from pacing import CLIENTS, LOAD, SECONDS, latency_of, rate_of
from report import SLUG, organization, say
from stage import Server, Stage

CLIENT = "usher-bench"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
COURSES = 10
SCOPES = [f"https://purl.imsglobal.org/spec/lti-ags/scope/{name}" for name in ("lineitem", "score")]


@dataclass(frozen=True)
class Launch:
    """A launch that can be made once, in the browser in which its login began."""

    path: str
    form: dict[str, str]
    cookies: dict[str, str]


@dataclass(frozen=True)
class Lms:
    """The platform as it stands in Usher, what its links open, and who signs for it."""

    issuer: Issuer
    platform: str
    activity: str

    def claims(self, number: int, launch_url: str, nonce: str) -> dict[str, Any]:
        """A student in one of ten courses, each with one graded link."""
        course = number % COURSES
        columns = f"{self.issuer.url}/courses/{course}/lineitems"
        about = {
            "deployment_id": "1",
            "target_link_uri": launch_url,
            "roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
            "context": {"id": f"c{course}", "title": f"Biology {course}", "label": f"BIO{course}"},
            "message_type": "LtiResourceLinkRequest",
            "version": "1.3.0",
            "resource_link": {"id": f"l{course}", "title": "A walk through the lab"},
            "custom": {"activity": self.activity},
            "launch_presentation": {
                "document_target": "iframe",
                "locale": "en",
                "return_url": f"{self.issuer.url}/back",
            },
        }
        return {
            "aud": CLIENT,
            "sub": f"u{number}",
            "nonce": nonce,
            "name": f"Åsa Öberg {number}",
            **{f"{CLAIM}{name}": value for name, value in about.items()},
            "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {
                "scope": SCOPES, "lineitems": columns, "lineitem": f"{columns}/1"
            },
            "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": {
                "context_memberships_url": f"{self.issuer.url}/courses/{course}/members", "service_versions": ["2.0"]
            },
        }  # fmt: skip


def launches(on: Stage, *, quick: bool) -> None:
    """Launches a second, of new people and of known ones, alone and with their page; how often the LMS was asked."""
    organization(on)
    people = 60 if quick else 300
    rounds = 3 if quick else 5
    own = replace(on, environ=on.environ | {"USHER_PRIVATE_HOSTS": "127.0.0.1"})
    with issuing(on.folder) as issuer:
        lms = connected(own, issuer)
        bare = on.child("verifying")["rate"]
        with own.serving() as server:
            known = measured(server, lms, people, rounds)
        bare = (bare + on.child("verifying")["rate"]) / 2
        check_counts(issuer.counts())
    say("RS256 verifications on all cores, bare", f"{bare:,.0f} /s")
    say("   a known person's launch against one of them", f"{bare / known:.0f} times", "by the server's own time")


def connected(on: Stage, issuer: Issuer) -> Lms:
    """As an admin does it from a terminal: an LMS whose courses make groups, and an activity of ours."""
    where = {"auth-url": "authorize", "token-url": "token", "jwks-url": "keys"}
    told = [part for name, path in where.items() for part in (f"--{name}", f"{issuer.url}/{path}")]
    made = on.usher("platform", "add", "--org", SLUG, "--issuer", issuer.url, "--client-id", CLIENT, "--groups",
                    *told, "--json").json["id"]  # fmt: skip
    on.usher("platform", "deployment", "add", "--org", SLUG, made, "1")
    on.usher("platform", "on", "--org", SLUG, made)
    opens = on.usher("activity", "add", "--org", SLUG, "--title", "A walk", "--graded",
                     "--scenario", "chemistry_room", "--json")  # fmt: skip
    return Lms(issuer, made, opens.json["id"])


def measured(server: Server, lms: Lms, people: int, rounds: int) -> float:
    """Returns the launches of known people a second, by the server's own time."""
    rate_of("first launches", server, ready(server.address, lms, range(people)), launch)
    seeds = [n for _round in range(rounds) for n in range(people)]
    rate, own = rate_of("launches of known people", server, ready(server.address, lms, seeds), launch)
    latency_of(server.address, paced(server.address, lms, seeds, rate), rate, launch)
    rate, _own = rate_of("launches with their page", server, ready(server.address, lms, seeds), launch_and_look)
    latency_of(server.address, paced(server.address, lms, seeds, rate), rate, launch_and_look)
    return own


def check_counts(asked: dict[str, int]) -> None:
    """The keys once by each process of the server, and nothing else."""
    told = {path: count for path, count in asked.items() if path != "/counts"}
    if told.keys() != {"/keys"} or told["/keys"] > (os.cpu_count() or 1):
        raise RuntimeError(f"The LMS was asked more than it should be: {told}.")
    say("   requests to the LMS for all of them", f"{told['/keys']}", "its keys, once by each process of the server")


# The login before it, which is not measured


def paced(address: str, lms: Lms, seeds: Sequence[int], rate: float) -> list[Launch]:
    """As many as ``latency_of`` takes."""
    wanted = int(rate * LOAD * SECONDS)
    return ready(address, lms, [seeds[n % len(seeds)] for n in range(wanted)])


def ready(address: str, lms: Lms, seeds: Sequence[int]) -> list[Launch]:
    """A launch for each, with an ID token signed for its nonce, mixed as they come."""
    found: list[Launch] = []

    def some(numbers: Sequence[int]) -> list[float]:
        browser = Browser(address)
        found.extend([begin(browser, lms, number) for number in numbers])
        browser.connection.close()
        return []

    crowd([partial(some, seeds[n::CLIENTS]) for n in range(CLIENTS)])
    return found


def begin(browser: Browser, lms: Lms, number: int) -> Launch:
    """The LMS begins a login in the person's own browser; off to its sign-in, with our state and nonce."""
    launch_url = f"http://{browser.host}/lti/{lms.platform}/launch"
    browser.cookies = {"usher_lti": f"the browser of {number}"}
    asked = {"iss": lms.issuer.url, "login_hint": str(number), "target_link_uri": launch_url, "client_id": CLIENT}
    status, page = browser.ask("POST", f"/lti/{lms.platform}/login", asked)
    if status != 302:
        raise RuntimeError(f"The login address answered {status}: {page[:600]}")
    query = parse_qs(urlsplit(browser.leads_to).query)
    token = lms.issuer.sign(lms.claims(number, launch_url, query["nonce"][0]))
    form = {"id_token": token, "state": query["state"][0]}
    return Launch(urlsplit(launch_url).path, form, dict(browser.cookies))


# Launches


def launch(browser: Browser, one: Launch) -> None:
    browser.cookies = dict(one.cookies)
    status, page = browser.ask("POST", one.path, one.form)
    if status != 302 or not browser.leads_to.startswith("/lti/at/"):
        raise RuntimeError(f"The launch address answered {status}: {page[:600]}")


def launch_and_look(browser: Browser, one: Launch) -> None:
    launch(browser, one)
    status, page = browser.ask("GET", browser.leads_to)
    if status != 200:
        raise RuntimeError(f"The page of the launch answered {status}: {page[:600]}")
