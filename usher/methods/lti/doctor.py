"""The set-up doctor of an LMS: asks its services now, and says what works, which side is wrong, and what mends it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usher.core import clock, fetch, tokens
from usher.core.errors import UsherError
from usher.core.fetch import FetchError
from usher.core.limits import CONNECTION_LOOKS
from usher.core.reasons import Reason
from usher.core.seal import SealError
from usher.methods.lti import attempts, connect, keys, platforms
from usher.methods.lti.models import Platform
from usher.methods.lti.overview import Past, View
from usher.methods.lti.presets import preset_of
from usher.protocols.lti13 import claims as names
from usher.protocols.lti13.errors import LtiError, ServiceError
from usher.protocols.lti13.services import read_token, token_request
from usher.protocols.oidc.errors import OidcError
from usher.protocols.oidc.keys import read_keys

PATIENCE: Final = 10.0  # seconds
SKEW: Final = dt.timedelta(seconds=60)  # an id_token of Moodle lives no longer
WATCHED: Final = 3  # launches
ON_OUR_SIDE: Final = ("private_address", "no_https", "bad_url")  # codes of FetchError


class Side(StrEnum):
    """Where something has to be mended."""

    LMS = "lms"
    USHER = "usher"
    NETWORK = "network"


SIDES: Final[Mapping[Side, str | Promise]] = {
    Side.LMS: gettext_lazy("On the side of the LMS"),
    Side.USHER: gettext_lazy("Here, in Usher"),
    Side.NETWORK: gettext_lazy("In the network between them"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. ``is_good`` is None where it cannot be known from here; ``side`` mends what is not good."""

    name: str
    is_good: bool | None
    sentence: str
    next_step: str = ""
    side: Side | None = None

    @property
    def look(self) -> str:
        return {True: "in", False: "no", None: "ask"}[self.is_good]

    @property
    def word(self) -> str:
        return {True: _("Good"), False: _("Wrong"), None: _("Not known")}[self.is_good]

    @property
    def side_word(self) -> str:
        return str(SIDES[self.side]) if self.side else ""


def look(platform: Platform) -> list[Check]:
    """All of it, outside of any transaction; two requests to the LMS. Raises UsherError: too_many_tries."""
    who = str(platform.organization_id or platform.id)
    if not CONNECTION_LOOKS.take([who]):
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=CONNECTION_LOOKS.wait_minutes(who)))
    return [*_fields(platform), *_keyset(platform), *_tokens(platform), _deployments(platform), _last(platform)]


def _fields(platform: Platform) -> Iterator[Check]:
    empty = [preset_of(platform.family).label(name) for name in connect.missing(platform)]
    if empty:
        sentence = _("Not filled in yet: {names}.").format(names=", ".join(empty))
        yield Check(_("Fields"), False, sentence, _("Copy them from the LMS."), Side.USHER)


# The keyset, and the clock of the machine that has it


def _keyset(platform: Platform) -> Iterator[Check]:
    if not platform.jwks_url:
        return
    name = _("Keyset")
    try:
        answer = fetch.get(platform.jwks_url)
        if answer.status != 200:
            raise FetchError("bad_status", _("It answered with the status {status}.").format(status=answer.status))
        found = read_keys(answer.json())
    except (FetchError, OidcError) as error:
        yield Check(name, False, error.detail, *_advice(error, _("Compare the public keyset URL with the LMS.")))
        return
    yield Check(name, True, _("It can be read. Keys in it: {count}.").format(count=len(found.keys)))
    yield from _clock(answer.headers.get("Date", ""))


def _advice(error: FetchError | OidcError, step: str) -> tuple[str, Side]:
    """What to do, and on which side."""
    if not isinstance(error, FetchError):
        return step, Side.LMS
    if error.code in ON_OUR_SIDE:
        return _("Mend the address here; one inside your own network has to be allowed by the operator."), Side.USHER
    if error.code in fetch.AWAY or error.code == "tls":
        return _("Look whether the LMS can be reached from this server: name, firewall, certificate."), Side.NETWORK
    return step, Side.LMS


def _clock(said: str) -> Iterator[Check]:
    """Tokens live for a minute with some LMSs: a clock that is wrong by more stops every launch."""
    try:
        apart = parsedate_to_datetime(said) - clock.now()
    except (ValueError, TypeError):
        return
    seconds = round(abs(apart.total_seconds()))
    if abs(apart) <= SKEW:
        yield Check(_("Clock"), True, _("Both clocks agree, to {seconds} seconds.").format(seconds=seconds))
        return
    ahead = _("ahead of") if apart > dt.timedelta() else _("behind")
    sentence = _("The clock of the LMS is {seconds} seconds {ahead} ours.").format(seconds=seconds, ahead=ahead)
    yield Check(_("Clock"), False, sentence, _("Set both by a time server (NTP)."), Side.NETWORK)


# A token, really


def _tokens(platform: Platform) -> Iterator[Check]:
    if not (platform.token_url and platform.client_id):
        return
    name = _("Services")
    try:
        given = _granted(platform)
    except SealError:
        step = _("The operator makes a new one: usher platform keys --rotate --now")
        yield Check(name, False, _("Our own key cannot be opened under this pepper."), step, Side.USHER)
    except ServiceError as error:
        yield Check(name, False, error.detail, *_token_advice(error))
    except (FetchError, LtiError) as error:
        yield Check(name, False, error.detail, *_advice(error, _("Compare the access token URL with the LMS.")))
    else:
        yield Check(name, True, _("The LMS knows our key and gives tokens."))
        yield from _allowed(given)


def _granted(platform: Platform) -> Sequence[str]:
    """The scopes of a token that is asked for now and thrown away. Raises SealError, ServiceError, FetchError."""
    asked = token_request(
        token_url=platform.token_url,
        audience=platform.token_audience,
        client_id=platform.client_id,
        scopes=names.SERVICE_SCOPES,
        private_key=keys.private_key(),
        now=clock.now().timestamp(),
        jti=tokens.new_token(),
    )
    answer = fetch.post_form(asked.url, asked.form, seconds=PATIENCE)
    got = read_token(answer.status, answer.body, clock.now().timestamp())
    return got.scopes or names.SERVICE_SCOPES


def _token_advice(error: ServiceError) -> tuple[str, Side]:
    if error.retry:
        return _("Wait some minutes, then look again."), Side.LMS
    if error.code == "invalid_scope":
        return _("In the LMS: allow the services for grades and for names and roles."), Side.LMS
    if error.code == "invalid_client":
        step = _("In the LMS: compare the client ID, and our public keyset URL: {url}")
        return step.format(url=platforms.jwks_url()), Side.LMS
    step = _("In the LMS: see that it can read {url}, and compare client ID, access token URL and audience.")
    return step.format(url=platforms.jwks_url()), Side.LMS


def _allowed(given: Sequence[str]) -> Iterator[Check]:
    grades = _("In the LMS: allow the service for grades, with columns of its own.")
    rosters = _("In the LMS: allow the service for names and roles.")
    for name, scopes, step in (
        (_("Grades"), (names.SCOPE_LINEITEM, names.SCOPE_SCORE), grades),
        (_("Rosters"), (names.SCOPE_NRPS,), rosters),
    ):
        if set(scopes) <= set(given):
            yield Check(name, True, _("Allowed by the LMS."))
        else:
            yield Check(name, False, _("Not allowed by the LMS."), step, Side.LMS)


# What is known here


def _deployments(platform: Platform) -> Check:
    name, view = _("Deployments"), View(platform)
    if not view.deployments:
        step = _("Open Usher in the LMS once: the first launch brings one, and you approve it here.")
        return Check(name, None, _("None is known yet."), step, Side.LMS)
    if len(view.waiting) == len(view.deployments):
        return Check(
            name, False, _("None is approved, so nobody comes in."), _("Approve one on this page."), Side.USHER
        )
    count = len(view.deployments) - len(view.waiting)
    return Check(name, True, _("Approved: {count}.").format(count=count))


def _last(platform: Platform) -> Check:
    name, view = _("Last launches"), View(platform)
    past = [Past(one, view) for one in attempts.last(platform, WATCHED)]
    if not past:
        return Check(name, None, _("Nobody has come from this LMS yet."), _("Make a test launch."), Side.LMS)
    no = past[0].finding
    if no is None:
        return Check(name, True, _("The last one was good."))
    side = Side(past[0].attempt.side) if past[0].attempt.side in list(Side) else Side.USHER
    sentence = f"{no.sentence} {past[0].attempt.detail}".strip()
    return Check(name, False, sentence, _("Look at the last launches: each is decoded there, claim by claim."), side)
