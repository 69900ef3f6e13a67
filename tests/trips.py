"""Trips to the stand-ins and back, as a browser makes them: the button, the provider's pages, our callback."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from standins import StandIns, Walker
from world import World

from usher.core import clock, documents
from usher.core.seal import seal
from usher.methods.sso.models import Connection, Kind, Rule
from usher.methods.sso.provider import SECRET
from usher.organizations.models import Domain, Organization
from usher.people.models import Group

ADDRESS = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


@pytest.fixture
def providers(idp: StandIns, settings: Any) -> Iterator[StandIns]:
    """The stand-ins in place of Microsoft and Google, with the operator's registrations."""
    settings.USHER_PRIVATE_HOSTS = ("127.0.0.1",)
    settings.USHER_MICROSOFT_AUTHORITY = idp.entra
    settings.USHER_MICROSOFT_GRAPH = idp.graph
    settings.USHER_MICROSOFT_CLIENT = (idp.apps["platform"].id, idp.apps["platform"].secret)
    settings.USHER_GOOGLE_ISSUER = idp.google
    settings.USHER_GOOGLE_APIS = idp.apis
    settings.USHER_GOOGLE_CLIENT = (idp.apps["google"].id, idp.apps["google"].secret)
    settings.USHER_BASE_URL = "http://127.0.0.1:8000"
    documents.forget()
    yield idp
    documents.forget()


def microsoft(world: World, idp: StandIns, slug: str = "cedar", **facts: Any) -> Connection:
    """The tenant of that name, connected with the operator's registration, proved and on."""
    given = {"tenant": idp.tenants[slug], "proved_at": clock.now(), "tested_at": clock.now(), "state": "on", **facts}
    return _connection(_organization(slug), Kind.MICROSOFT, given)


def google(world: World, slug: str = "cedar", *, proved: str = "cedar.example", **facts: Any) -> Connection:
    """Google for the domain, which is proved."""
    if proved:
        prove(_organization(slug), proved)
    return _connection(_organization(slug), Kind.GOOGLE, {"tested_at": clock.now(), "state": "on", **facts})


def plain(world: World, idp: StandIns, slug: str = "cedar", **facts: Any) -> Connection:
    """Any other OpenID provider."""
    app = idp.apps["plain"]
    given = {"name": "Keycloak", "issuer": idp.plain, "client_id": app.id, "sealed_secret": seal(app.secret, SECRET)}
    return _connection(_organization(slug), Kind.OIDC, {**given, "tested_at": clock.now(), "state": "on", **facts})


def _connection(organization: Organization, kind: Kind, facts: dict[str, Any]) -> Connection:
    return Connection.objects.create(organization=organization, kind=kind, **facts)


def _organization(slug: str) -> Organization:
    return Organization.objects.select_related("license").get(slug=slug)


def prove(organization: Organization, name: str) -> Domain:
    """The organisation has proved this domain by DNS."""
    now = clock.now()
    facts = {"token": "told", "proof": "dns", "proved_at": now, "checked_at": now}
    return Domain.objects.create(organization=organization, name=name, **facts)


def rule(connection: Connection, claim: str, value: str, gives: str | Group) -> Rule:
    """One more rule at the end."""
    given = {"role": gives} if isinstance(gives, str) else {"group": gives}
    at = Rule.objects.filter(connection=connection).count()
    return Rule.objects.create(connection=connection, position=at, claim=claim, value=value, **given)


def leave(browser: Client, by: Connection | Kind | str, onward: str = "") -> str:
    """Press “Continue with …”; returns the address at the provider."""
    which = {"connection": str(by.id)} if isinstance(by, Connection) else {"kind": str(by)}
    return leads_to(browser.post("/sso/start", {**which, "next": onward}))


def leads_to(answer: Any) -> str:
    assert answer.status_code == 200, (answer.status_code, answer.content[-1500:])
    found = ADDRESS.search(answer.content.decode())
    assert found, answer.content
    return html.unescape(found[1])


def back(browser: Client, url: str) -> HttpResponse:
    """Follow the provider's redirect to our callback."""
    parts = urlsplit(url)
    answer: HttpResponse = browser.get(f"{parts.path}?{parts.query}")  # type: ignore[assignment]
    return answer


def travel(
    browser: Client, idp: StandIns, by: Connection | Kind | str, login: str, onward: str = "", **how: Any
) -> HttpResponse:
    """The whole trip of somebody whom this browser has not seen; returns what our callback answers."""
    return back(browser, Walker(idp).walk(leave(browser, by, onward), login, **how))
