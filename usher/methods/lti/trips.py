"""From the LMS to its own sign-in and back: one row for each trip, bound to this browser, used once.

1EdTech Security Framework 1.0, section 5.1.1 (third-party initiated login), and section 5.1.1.5 (state). Where a
browser keeps no cookie in frames, "LTI Client Side postMessages" and "LTI OIDC Login with LTI Client Side
postMessages" 0.1 let the LMS keep our state for us.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from django.db import IntegrityError

from usher.core import clock, tokens
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.rows import new_id
from usher.methods.lti import platforms
from usher.methods.lti.models import Platform, Trip
from usher.protocols.lti13 import login as protocol
from usher.protocols.lti13.errors import LtiError
from usher.protocols.lti13.login import Login

LASTS: Final = dt.timedelta(minutes=10)
STATE: Final = "lti-state"  # the purposes of the tokens of a trip
NONCE: Final = "lti-nonce"
STORED: Final = "lti-stored"
BROWSER: Final = "lti-browser"


class LoginError(UsherError):
    """A login that is no login. ``detail`` says what is wrong with it, for the people of the LMS."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.LTI_LOGIN_BROKEN())
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes now, and what the storage of the LMS is to keep until it is back."""

    url: str
    stored_as: str
    stored: str


def read(platform: Platform, parameters: Mapping[str, Sequence[str]]) -> Login:
    """What the LMS asks for, if it is this LMS and it asks for us (security.md H7).

    Raises UsherError: lti_login_broken.
    """
    try:
        login = protocol.read_login(parameters)
    except LtiError as error:
        raise LoginError(error.detail) from error
    if login.issuer != platform.issuer:
        raise LoginError(f"The issuer (iss) is another one than “{platform.issuer}”.")
    if login.client_id not in ("", platform.client_id):
        raise LoginError(f"The client_id is another one than “{platform.client_id}”.")
    ours = platforms.launch_url(platform)
    if login.target_link_uri != ours and not login.target_link_uri.startswith(f"{ours}?"):
        raise LoginError(f"The target_link_uri does not begin with “{ours}”.")
    return login


def depart(platform: Platform, login: Login, browser: str) -> Departure:
    """Note the trip and say where it leads. Raises UsherError (lti_unknown) where the LMS has just been removed."""
    trip_id = new_id()
    state, stored = tokens.derived_token(STATE, trip_id), tokens.derived_token(STORED, trip_id)
    trip = Trip(
        id=trip_id,
        state_hash=tokens.token_hash(state, STATE),
        browser_hash=browser_hash(browser),
        platform=platform,
        target_link_uri=login.target_link_uri[:2000],
        storage_target=login.storage_target,
        login=asdict(login),
        expires_at=clock.now() + LASTS,
    )
    try:
        trip.save(force_insert=True)
    except IntegrityError as error:
        raise UsherError(Reason.LTI_UNKNOWN()) from error
    url = protocol.authentication_url(
        platform.auth_url,
        client_id=platform.client_id,
        redirect_uri=platforms.launch_url(platform),
        login=login,
        state=state,
        nonce=tokens.derived_token(NONCE, trip_id),
    )
    return Departure(url, key_of(state), stored)


def key_of(state: str) -> str:
    """Under which name the LMS keeps it for us."""
    return f"usher_{tokens.token_hash(state, STORED)[:32]}"


def browser_hash(browser: str) -> str:
    return tokens.token_hash(browser, BROWSER) if browser else ""


def find(platform: Platform, state: str) -> Trip | None:
    """The trip of this state that is still open, whosever it is."""
    mine = Trip.objects.filter(state_hash=tokens.token_hash(state, STATE), platform=platform)
    return mine.filter(expires_at__gt=clock.now()).first()


def is_of_browser(trip: Trip, browser: str) -> bool:
    return bool(browser) and hmac.compare_digest(trip.browser_hash, browser_hash(browser))


def is_stored(trip: Trip, stored: str) -> bool:
    """Whether the storage of the LMS, in this browser, gave back what was put there."""
    return hmac.compare_digest(stored, tokens.derived_token(STORED, trip.id))


def use(trip: Trip) -> None:
    """It is over with this: of two returns, the one whose statement deletes the row. Raises UsherError: lti_over."""
    if not Trip.objects.filter(id=trip.id).delete()[0]:
        raise UsherError(Reason.LTI_OVER())


def nonce_of(trip: Trip) -> str:
    return tokens.derived_token(NONCE, trip.id)
