"""To the provider and back: one row for each trip, bound to this browser, used once, good for ten minutes.

OpenID Connect Core 1.0 section 3.1.2.1 (state, nonce), RFC 7636 (PKCE, always S256), RFC 9700 section 4.7 (CSRF).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from usher.core import clock, documents, fetch, tokens
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.rows import new_id
from usher.methods.sso import microsoft
from usher.methods.sso.models import Connection, Kind, Purpose, Trip
from usher.methods.sso.provider import Provider
from usher.methods.sso.rules import facts_wanted
from usher.methods.sso.ways import way_of
from usher.organizations.models import Organization
from usher.people.models import Account
from usher.protocols.oidc import metadata as protocol
from usher.protocols.oidc.errors import OidcError
from usher.protocols.oidc.metadata import Metadata
from usher.protocols.oidc.requests import authorization_url

LASTS: Final = dt.timedelta(minutes=10)
COOKIE: Final = "__Host-trip" if settings.SESSION_COOKIE_SECURE else "usher_trip"
STATE: Final = "sso-state"  # the purposes of the tokens of a trip
NONCE: Final = "sso-nonce"
VERIFIER: Final = "sso-verifier"
BROWSER: Final = "sso-browser"


@dataclass(frozen=True, slots=True)
class Wish:
    """Where somebody wants to go, and why. Without a ``connection`` the provider's answer says whose it is.

    ``extra_facts`` are asked of the provider beside those that the rules want; ``login_hint`` is what was typed.
    ``chooses``: the provider lets the person choose the account, also where it knows one already.
    """

    kind: Kind
    connection: Connection | None = None
    purpose: Purpose = Purpose.SIGN_IN
    account: Account | None = None
    door: Organization | None = None
    next: str = ""
    login_hint: str = ""
    chooses: bool = False
    extra_facts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Departure:
    """The address to go to, and the browser's own token, which goes into its cookie."""

    url: str
    browser: str


def depart(request: HttpRequest, wish: Wish) -> Departure:
    """Note the trip and say where it leads. Raises UsherError: sso_off, sso_unreachable, sso_not_trusted."""
    wanted = facts_wanted(wish.connection) | wish.extra_facts
    provider = way_of(wish.kind).provider(wish.connection, wanted)
    browser, trip_id = request.COOKIES.get(COOKIE) or tokens.new_token(), new_id()
    if wish.purpose is Purpose.CONSENT:
        url = microsoft.consent_url(provider, wish.connection, tokens.derived_token(STATE, trip_id))
    else:
        url = _sign_in_url(provider, wish, trip_id)
    _note(wish, trip_id, browser)
    return Departure(url, browser)


def _note(wish: Wish, trip_id: uuid.UUID, browser: str) -> None:
    Trip.objects.create(
        id=trip_id,
        state_hash=tokens.token_hash(tokens.derived_token(STATE, trip_id), STATE),
        browser_hash=tokens.token_hash(browser, BROWSER),
        kind=wish.kind,
        purpose=wish.purpose,
        connection=wish.connection,
        account=wish.account,
        door=wish.door,
        next=wish.next[:2000],
        expires_at=clock.now() + LASTS,
    )


def _sign_in_url(provider: Provider, wish: Wish, trip_id: uuid.UUID) -> str:
    return authorization_url(
        metadata_of(provider),
        client_id=provider.client.id,
        redirect_uri=provider.callback,
        scope=provider.scope,
        state=tokens.derived_token(STATE, trip_id),
        nonce=tokens.derived_token(NONCE, trip_id),
        verifier=tokens.derived_token(VERIFIER, trip_id),
        extra=_extra(wish),
    )


def _extra(wish: Wish) -> Mapping[str, str]:
    """``prompt=login`` makes the provider ask again where that is the point. Google has no such thing, and lets one
    choose the account; nothing is forced on anybody else."""
    extra = {"login_hint": wish.login_hint} if wish.login_hint else {}
    if wish.purpose is Purpose.AGAIN:
        return {**extra, "prompt": "select_account" if wish.kind is Kind.GOOGLE else "login"}
    chooses = wish.chooses or wish.purpose in (Purpose.TEST, Purpose.LINK)
    return {**extra, "prompt": "select_account"} if chooses else extra


def arrive(request: HttpRequest, state: str) -> Trip:
    """The trip that comes back here, which is over with that. Raises UsherError: sso_over.

    Of two returns with one state, the one whose statement deletes the row has it.
    """
    mine = Trip.objects.filter(
        state_hash=tokens.token_hash(state, STATE),
        browser_hash=tokens.token_hash(request.COOKIES.get(COOKIE, ""), BROWSER),
        expires_at__gt=clock.now(),
    )
    trip = mine.select_related("connection__organization__license").first()
    if trip is None or not mine.delete()[0]:
        raise UsherError(Reason.SSO_OVER())
    return trip


def metadata_of(provider: Provider) -> Metadata:
    """The provider's own description, kept for an hour. Raises UsherError: sso_unreachable, sso_not_trusted."""
    try:
        found: Metadata = documents.get(provider.discovery, parse=reader_of(provider.issuer, provider.is_templated))
    except fetch.FetchError as error:
        raise UnreachableError(provider, error.detail) from error
    except OidcError as error:
        raise UntrustedError(provider, error.detail) from error
    return found


@lru_cache(maxsize=documents.MOST)
def reader_of(issuer: str, is_templated: bool) -> Callable[[object], Metadata]:
    """One and the same function for one issuer: what it has read is kept by it (core/documents.py)."""
    return partial(protocol.read, issuer=issuer, templated=is_templated)


class ProviderError(UsherError):
    """A "no" that has more to tell to whoever mends it: ``detail``, one sentence for an admin."""

    reason = Reason.SSO_NOT_TRUSTED

    def __init__(self, provider: Provider, detail: str) -> None:
        super().__init__(self.reason(provider=provider.label))
        self.detail = detail


class UnreachableError(ProviderError):
    """The provider did not answer, or not in time."""

    reason = Reason.SSO_UNREACHABLE


class UntrustedError(ProviderError):
    """What it answered is not what the specification says, or not for us."""


class CancelledError(ProviderError):
    """The person, or the provider, said no."""

    reason = Reason.SSO_CANCELLED


def remember(response: HttpResponseBase, departure: Departure) -> None:
    """The browser keeps its token as long as a trip may take. Lax, so that it comes along from the provider's page."""
    response.set_cookie(
        COOKIE,
        departure.browser,
        max_age=int(LASTS.total_seconds()),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
