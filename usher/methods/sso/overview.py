"""How it stands with an organisation's connections: what its admins see, and what comes next."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from string import Formatter
from typing import Final

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from usher.core.errors import UsherError
from usher.core.findings import Finding
from usher.core.reasons import Reason
from usher.methods.sso import attempts
from usher.methods.sso.connect import is_proved
from usher.methods.sso.finding import of_organization
from usher.methods.sso.models import Attempt, Connection, Kind
from usher.methods.sso.provider import Provider, callback_of
from usher.methods.sso.rules import facts_wanted
from usher.methods.sso.showing import has_shared
from usher.methods.sso.ways import label_of, way_of
from usher.organizations import domains
from usher.organizations.models import Organization
from usher.organizations.plans import Method
from usher.people.models import Identity


class Stage(StrEnum):
    """How far a connection is."""

    PROVE = "prove"
    TRY = "try"
    READY = "ready"
    ON = "on"
    OFF = "off"


# Shape and word of each stage; the next step as a verb.
STATES: Final[Mapping[Stage, tuple[str, str | Promise, str | Promise]]] = {
    Stage.PROVE: ("ask", _("To be proved"), _("Prove it")),
    Stage.TRY: ("ask", _("To be tried"), _("Try it")),
    Stage.READY: ("ask", _("Ready to be switched on"), _("Switch it on")),
    Stage.ON: ("in", _("On"), _("Look at it")),
    Stage.OFF: ("off", _("Off"), _("Look at it")),
}
STEPS: Final = {Stage.PROVE: 1, Stage.TRY: 2, Stage.READY: 3, Stage.OFF: 3, Stage.ON: 4}
ABOUT: Final[Mapping[Kind, str | Promise]] = {
    Kind.MICROSOFT: _("People of your Microsoft tenant sign in with the account they have there."),
    Kind.GOOGLE: _("People of your Google Workspace domains sign in with the account they have there."),
    Kind.OIDC: _("Okta, Keycloak, ADFS, Authentik and every other provider that speaks OpenID Connect."),
}
TITLES: Final[Mapping[Kind, str | Promise]] = {
    Kind.MICROSOFT: _("Microsoft"),
    Kind.GOOGLE: _("Google Workspace"),
    Kind.OIDC: _("Any OpenID provider"),
}


def stage_of(connection: Connection) -> Stage:
    """An OpenID provider needs no proof: its people are those it signs in."""
    if connection.state == Connection.State.ON:
        return Stage.ON
    if not is_proved(connection):
        return Stage.PROVE
    if connection.tested_at is None:
        return Stage.TRY
    return Stage.OFF if connection.state == Connection.State.OFF else Stage.READY


@dataclass(frozen=True)
class View:
    """A connection as its pages show it."""

    connection: Connection

    @property
    def label(self) -> str:
        return label_of(self.connection)

    @property
    def title(self) -> str:
        return str(TITLES[Kind(self.connection.kind)])

    @cached_property
    def stage(self) -> Stage:
        return stage_of(self.connection)

    @property
    def look(self) -> str:
        return STATES[self.stage][0]

    @property
    def word(self) -> str:
        return str(STATES[self.stage][1])

    @property
    def next_step(self) -> str:
        return str(STATES[self.stage][2])

    @property
    def step(self) -> int:
        return STEPS[self.stage]

    @cached_property
    def people(self) -> int:
        """How many accounts it opens."""
        return Identity.objects.filter(connection_id=self.connection.id).values("account").distinct().count()

    @property
    def callback(self) -> str:
        return callback_of(self.connection, Kind(self.connection.kind))

    @property
    def consents(self) -> Sequence[str]:
        """What sign-ins ask the provider for, because of the rules."""
        asks_for = way_of(self.connection.kind).asks_for
        return tuple(asks_for[fact] for fact in sorted(facts_wanted(self.connection) & asks_for.keys()))

    @cached_property
    def domains(self) -> Sequence[str]:
        return proved_domains(self.connection.organization)

    @cached_property
    def past(self) -> list[Past]:
        """The last ten sign-ins."""
        return [Past(one, self) for one in attempts.last(self.connection)]


def proved_domains(organization: Organization) -> list[str]:
    return [one.name for one in domains.of_organization(organization) if one.proved_at]


@dataclass(frozen=True, slots=True)
class Card:
    """A kind of provider: what it is, and the connections that there are."""

    kind: Kind
    is_in_plan: bool
    has_shared: bool
    views: list[View] = field(default_factory=list)

    @property
    def title(self) -> str:
        return str(TITLES[self.kind])

    @property
    def about(self) -> str:
        return str(ABOUT[self.kind])


def cards(organization: Organization) -> list[Card]:
    """One for each kind, with its connections, the oldest first."""
    plan, found = organization.license.plan, of_organization(organization)
    return [
        Card(
            kind,
            Method(kind.value) in plan.methods,
            has_shared(kind),
            [View(one) for one in found if one.kind == kind],
        )
        for kind in Kind
    ]


def unfinished(organization: Organization, kind: Kind) -> Connection | None:
    """One by the operator's registration that is begun and not proved: no second is begun beside it."""
    begun = (one for one in of_organization(organization) if one.kind == kind and not one.is_own)
    return next((one for one in begun if one.state == Connection.State.DRAFT and one.proved_at is None), None)


# A past sign-in, decoded

PURPOSES: Final[Mapping[str, str | Promise]] = {
    "sign_in": _("Sign-in"),
    "test": _("Test"),
    "consent": _("Consent"),
    "bind": _("Proof"),
    "again": _("Proved again"),
    "link": _("Linked"),
}
RESULTS: Final[Mapping[str, tuple[str, str | Promise]]] = {
    "signed_in": ("in", _("Signed in")),
    "linked": ("in", _("Linked")),
    "created": ("in", _("New here, and in")),
    "joined": ("in", _("Joined")),
    "placed": ("in", _("In, and placed in groups")),
    "unchanged": ("in", _("In already")),
    "waiting": ("ask", _("Waits for an admin")),
    "asked": ("ask", _("Asked: link or create")),
    "proved_again": ("in", _("Proved again")),
    "consented": ("in", _("Consented")),
    "proved": ("in", _("Proved")),
    "refused": ("no", _("Refused")),
}


@dataclass(frozen=True, slots=True)
class Past:
    """A past sign-in with its verdict in words."""

    attempt: Attempt
    view: View

    @property
    def look(self) -> str:
        return RESULTS.get(self.attempt.result, ("ask", ""))[0]

    @property
    def word(self) -> str:
        return str(RESULTS.get(self.attempt.result, ("ask", self.attempt.result))[1])

    @property
    def purpose(self) -> str:
        return str(PURPOSES.get(self.attempt.purpose, self.attempt.purpose))

    @property
    def who(self) -> str:
        """Whoever it was, as far as the provider said."""
        claims = self.attempt.claims
        named = (claims.get(name) for name in ("email", "preferred_username", "name", "sub"))
        return next((name for name in named if isinstance(name, str) and name), "")

    @property
    def finding(self) -> Finding | None:
        """Why not; None for a yes. Of the facts of that very case only those are kept that the claims hold."""
        code = self.attempt.reason.upper()
        if code not in Reason.__members__:
            return None
        reason, hosted = Reason[code], str(self.attempt.claims.get("hd", "…"))
        known = {"organization": self.view.connection.organization.name, "provider": self.view.label, "domain": hosted}
        gaps = {gap for text in reason.value[:2] for _text, gap, *_form in Formatter().parse(str(text)) if gap}
        return Finding(reason, {gap: known.get(gap, "…") for gap in gaps})

    @property
    def claims(self) -> list[tuple[str, str]]:
        """Each with its value: text as it is, times as people read them too, everything else as JSON."""
        return [(name, _written(name, value)) for name, value in sorted(self.attempt.claims.items())]

    @property
    def unknown(self) -> list[str]:
        """What the rules want to look at and the provider did not say."""
        facts = way_of(self.view.connection.kind).facts
        missing = set(self.attempt.facts.get("unknown", ())) & facts_wanted(self.view.connection)
        return [str(facts.get(name, name)) for name in sorted(missing)]

    @property
    def role(self) -> str:
        role = self.view.connection.organization.license.plan.role(self.attempt.role)
        return str(role.label) if role else self.attempt.role


TIMES: Final = ("iat", "exp", "nbf", "auth_time")  # seconds since 1970 (RFC 7519 section 2, NumericDate)
LAST_TIME: Final = 2**33


def _written(name: str, value: object) -> str:
    if name in TIMES and isinstance(value, int) and 0 < value < LAST_TIME:
        moment = dt.datetime.fromtimestamp(value, dt.UTC)
        return f"{value} ({date_format(localtime(moment), 'j M Y H:i:s')})"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def past_of(connection: Connection, attempt_id: str) -> Attempt | None:
    """One of the last sign-ins by this connection."""
    return next((one for one in attempts.last(connection, attempts.KEPT) if str(one.id) == attempt_id), None)


def provider_of(connection: Connection) -> Provider:
    """Raises UsherError: sso_off where nobody has registered Usher there."""
    return way_of(connection.kind).provider(connection, facts_wanted(connection))


def scope_of(connection: Connection) -> str:
    """What a sign-in asks for; empty where nobody has registered Usher there."""
    try:
        return provider_of(connection).scope
    except UsherError:
        return ""
