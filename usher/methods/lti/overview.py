"""How it stands with an LMS: what its admins see, what comes next, and the last launches in words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from string import Formatter
from typing import Final

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from usher.core import clock
from usher.core.findings import Finding
from usher.core.reasons import Reason
from usher.methods.lti import attempts, platforms
from usher.methods.lti.connect import missing
from usher.methods.lti.models import Attempt, Course, Deployment, Platform, PlatformUser
from usher.methods.lti.presets import FIELDS, Preset, preset_of


class Stage(StrEnum):
    """How far an LMS is."""

    FILL = "fill"
    APPROVE = "approve"
    ON = "on"
    OFF = "off"


# Shape and word of each stage; the next step as a verb; the step of three.
STATES: Final[Mapping[Stage, tuple[str, str | Promise, str | Promise, int]]] = {
    Stage.FILL: ("ask", _("To be filled in"), _("Fill it in"), 1),
    Stage.APPROVE: ("ask", _("Waits for your yes"), _("Approve it"), 2),
    Stage.ON: ("in", _("On"), _("Look at it"), 4),
    Stage.OFF: ("off", _("Off"), _("Look at it"), 3),
}


def stage_of(platform: Platform) -> Stage:
    if platform.state != Platform.State.DRAFT:
        return Stage.ON if platform.state == Platform.State.ON else Stage.OFF
    return Stage.FILL if missing(platform) else Stage.APPROVE


@dataclass(frozen=True, slots=True)
class Named:
    """A field with its value, as it is called in that LMS."""

    name: str
    label: str
    value: str


@dataclass(frozen=True)
class View:
    """An LMS as its pages show it."""

    platform: Platform

    @property
    def label(self) -> str:
        return platforms.label_of(self.platform)

    @property
    def preset(self) -> Preset:
        return preset_of(self.platform.family)

    @cached_property
    def stage(self) -> Stage:
        return stage_of(self.platform)

    @property
    def look(self) -> str:
        return "ask" if self.only_waiting else STATES[self.stage][0]

    @property
    def word(self) -> str:
        return now_("A deployment waits") if self.only_waiting else str(STATES[self.stage][1])

    @property
    def next_step(self) -> str:
        return now_("Approve it") if self.only_waiting else str(STATES[self.stage][2])

    @property
    def step(self) -> int:
        return STATES[self.stage][3]

    @cached_property
    def only_waiting(self) -> bool:
        """It is on, and nobody comes in: each of its deployments waits."""
        return self.stage is Stage.ON and bool(self.waiting) and len(self.waiting) == len(self.deployments)

    @cached_property
    def deployments(self) -> list[Deployment]:
        """The oldest first."""
        return list(self.platform.deployments.select_related("organization").order_by("id"))

    @property
    def waiting(self) -> list[Deployment]:
        return [one for one in self.deployments if one.approved_at is None]

    @property
    def theirs(self) -> list[Named]:
        """What the LMS told, in the order of its form."""
        told = [Named(name, self.preset.label(name), getattr(self.platform, name)) for name in FIELDS]
        return [one for one in told if one.value or one.name != "token_audience"]

    @property
    def ours(self) -> list[Named]:
        """What to paste into the LMS."""
        launch = platforms.launch_url(self.platform)
        values = {
            "launch": launch,
            "login": platforms.login_url(self.platform),
            "redirect": launch,
            "jwks": platforms.jwks_url(self.platform),
        }
        return [Named(name, self.preset.our_label(name), value) for name, value in values.items()]

    @cached_property
    def people(self) -> int:
        """How many accounts it opens."""
        return PlatformUser.objects.filter(platform=self.platform).values("account").distinct().count()

    @cached_property
    def courses(self) -> int:
        return Course.objects.filter(deployment__platform=self.platform).count()

    @property
    def origins(self) -> tuple[str, ...]:
        """Whose pages may show Usher."""
        return platforms.origins_of(self.platform)

    @property
    def instructors_are(self) -> str:
        """The role of instructors in words; "" for one of the operator's, where each plan has its own."""
        if self.platform.organization is None:
            return self.platform.instructor_role
        slug = platforms.role_for(self.platform, self.platform.organization, "instructor")
        role = self.platform.organization.license.plan.role(slug)
        return str(role.label) if role else slug

    @property
    def is_tested(self) -> bool:
        """Launches are only looked at just now."""
        return self.platform.test_until is not None and self.platform.test_until > clock.now()

    @cached_property
    def past(self) -> list[Past]:
        """The last twenty launches, the latest first."""
        return [Past(one, self) for one in attempts.last(self.platform)]


# A past launch, decoded

RESULTS: Final[Mapping[str, tuple[str, str | Promise]]] = {
    "signed_in": ("in", _("Opened")),
    "linked": ("in", _("Linked, and opened")),
    "created": ("in", _("New here, and in")),
    "joined": ("in", _("Joined")),
    "placed": ("in", _("In, and placed in groups")),
    "unchanged": ("in", _("In already")),
    "waiting": ("ask", _("Waits for an admin")),
    "asked": ("ask", _("Asked: link or create")),
    "tested": ("in", _("Tested: good")),
    "refused": ("no", _("Refused")),
}
SIDES: Final[Mapping[str, str | Promise]] = {
    "lms": _("The LMS is to be mended"),
    "usher": _("Usher decided so, or is to be mended"),
    "network": _("The network between them"),
}
TIMES: Final = ("iat", "exp", "nbf", "auth_time")  # seconds since 1970 (RFC 7519 section 2, NumericDate)
LAST_TIME: Final = 2**33


@dataclass(frozen=True, slots=True)
class Past:
    """A past launch with its verdict in words."""

    attempt: Attempt
    view: View

    @property
    def look(self) -> str:
        return RESULTS.get(self.attempt.result, ("ask", ""))[0]

    @property
    def word(self) -> str:
        return str(RESULTS.get(self.attempt.result, ("ask", self.attempt.result))[1])

    @property
    def who(self) -> str:
        """Whoever it was, as far as the LMS said."""
        named = (self.attempt.claims.get(name) for name in ("name", "email", "sub"))
        return next((name for name in named if isinstance(name, str) and name), self.attempt.subject)

    @property
    def side(self) -> str:
        return str(SIDES.get(self.attempt.side, ""))

    @property
    def finding(self) -> Finding | None:
        """Why not; None for a yes. Facts of that very case that are not kept stand as “…”."""
        code = self.attempt.reason.upper()
        if code not in Reason.__members__:
            return None
        whose = self.view.platform.organization
        known = {"platform": self.view.label, "organization": whose.name if whose else "…"}
        gaps = {gap for text in Reason[code].value[:2] for _text, gap, *_form in Formatter().parse(str(text)) if gap}
        return Finding(Reason[code], {gap: known.get(gap, "…") for gap in gaps})

    @property
    def claims(self) -> list[tuple[str, str]]:
        """Each with its value: text as it is, times as people read them too, everything else as JSON."""
        return [(name, _written(name, value)) for name, value in sorted(self.attempt.claims.items())]

    @property
    def line(self) -> str:
        """One line for whoever wants proof of it."""
        return attempts.line(self.attempt)


def _written(name: str, value: object) -> str:
    if name in TIMES and isinstance(value, int) and 0 < value < LAST_TIME:
        moment = dt.datetime.fromtimestamp(value, dt.UTC)
        return f"{value} ({date_format(localtime(moment), 'j M Y H:i:s')})"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
