"""Somebody whom an organisation's identity provider proved: the session as the callback of single sign-on begins it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.test import Client, RequestFactory
from world import House, Person

from usher.core.rows import new_id
from usher.core.sessions import SessionStore
from usher.methods.sso.models import Connection
from usher.organizations.models import Organization
from usher.people import sign_in
from usher.people.models import Account, Identity


def connect(house: House) -> Connection:
    """A provider of the organisation, switched on."""
    return Connection.objects.create(
        organization=house.organization,
        kind="oidc",
        issuer="https://id.cedar.example",
        client_id="usher",
        state=Connection.State.ON,
    )


def rule(house: House, **policies: str) -> None:
    """Policies as they stand, however they came about."""
    Organization.objects.filter(id=house.id).update(**policies)
    house.organization.refresh_from_db()


def identity(house: House, person: Person, subject: str = "1") -> Identity:
    return Identity.objects.create(
        account_id=person.account_id,
        organization=house.organization,
        connection_id=new_id(),
        issuer="https://id.cedar.example",
        subject=subject,
    )


def request_of(browser: Client) -> Any:
    """A request as the callback gets it, in the session of this browser."""
    request: Any = RequestFactory().get("/sso/callback")
    cookie = browser.cookies.get(settings.SESSION_COOKIE_NAME)
    request.session = SessionStore(cookie.value if cookie else None)
    request.user = get_user(request)
    return request


def give_back(browser: Client, request: Any) -> None:
    request.session.save()
    browser.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key


def comes_by_provider(
    house: House, account: Account, browser: Client | None = None, *, is_strong: bool = False
) -> Client:
    """A browser in which this account came in by the provider of this organisation."""
    browser = browser or Client()
    request = request_of(browser)
    sign_in.sign_in_by_provider(request, account, house.organization, new_id(), "oidc", is_strong=is_strong)
    give_back(browser, request)
    return browser
