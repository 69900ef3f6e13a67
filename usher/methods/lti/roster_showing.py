"""Runs and previews of rosters in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from usher.core.errors import UsherError
from usher.core.findings import Finding
from usher.core.reasons import Reason
from usher.core.work import NotNowError
from usher.lifecycle.joiner import Result
from usher.methods.lti.models import Course, RosterRun
from usher.methods.lti.platforms import label_of
from usher.methods.lti.roster_diff import Pair
from usher.methods.lti.roster_pages import RosterError
from usher.methods.lti.roster_plan import foresee, look, name_of, refusals
from usher.methods.lti.roster_run import nothing

SHOWN: Final = 200  # names
LOOKS: Final[Mapping[str, tuple[str, str | Promise]]] = {
    "": ("never", lazy("Not looked at yet")),
    RosterRun.State.APPLIED: ("in", lazy("Followed")),
    RosterRun.State.HELD: ("ask", lazy("Waits for you")),
    RosterRun.State.DECLINED: ("off", lazy("They stay")),
    RosterRun.State.FAILED: ("no", lazy("Not readable")),
}


@dataclass(frozen=True, slots=True)
class Past:
    """How a look at a roster ended, in words."""

    state: str
    run: RosterRun | None = None

    @property
    def look(self) -> str:
        return LOOKS[self.state][0]

    @property
    def word(self) -> str:
        return str(LOOKS[self.state][1])

    @property
    def sentence(self) -> str:
        if self.run is None:
            return ""
        return self.run.detail or in_words(self.run.counts)


def in_words(counts: Mapping[str, int], *, ahead: bool = False) -> str:
    """The counts of a run that are not 0, as one line."""
    n = Counter(counts)
    came, gone = n["created"] + n["placed"], n["left"] + n["approved"]
    parts = [
        (
            came,
            ngettext("{n} comes in", "{n} come in", came) if ahead else ngettext("{n} came in", "{n} came in", came),
        ),
        (n["moved"], ngettext("{n} has another role", "{n} have another role", n["moved"])),
        (n["unchanged"], ngettext("{n} as before", "{n} as before", n["unchanged"])),
        (gone, ngettext("{n} left the group", "{n} left the group", gone)),
        (n["refused"], ngettext("{n} refused", "{n} refused", n["refused"])),
        (n["asked"], ngettext("{n} to be asked first", "{n} to be asked first", n["asked"])),
    ]
    return ", ".join(text.format(n=count) for count, text in parts if count) or _("Nobody is in it.")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a pull would do now. The names are the first ones of each kind."""

    counts: Mapping[str, int]
    new: tuple[str, ...]
    leaving: tuple[str, ...]
    is_held: bool
    refused: tuple[tuple[str, Finding], ...]

    @property
    def sentence(self) -> str:
        return in_words({**self.counts, "left": 0}, ahead=True)


def preview_of(course: Course) -> Preview:
    """Raises UsherError: roster_unreadable, lti_unreachable, and as ``roster_plan.check``."""
    try:
        plan = look(course, nothing)
    except RosterError as error:
        raise UsherError(Reason.ROSTER_UNREADABLE(course=str(course), detail=error.detail)) from error
    except NotNowError as error:
        raise UsherError(Reason.LTI_UNREACHABLE(platform=label_of(course.deployment.platform))) from error
    outcomes = foresee(course, plan)
    came = [plan.comers[one.joiner.line - 1] for one in outcomes if one.result is not Result.REFUSED]
    counts = {
        "listed": len(plan.diff.new) + len(plan.diff.placed) + len(plan.diff.stayed),
        "created": sum(not isinstance(comer, Pair) for comer in came),
        "placed": sum(isinstance(comer, Pair) for comer in came),
        "moved": len(plan.diff.moved),
        "unchanged": len(plan.diff.stayed),
        "dropped": len(plan.diff.dropped),
        "refused": len(outcomes) - len(came),
        "asked": len(plan.left_out),
    }
    return Preview(
        counts,
        tuple(name_of(comer) for comer in came[:SHOWN]),
        tuple(one.name or f"#{one.subject}" for one in plan.diff.dropped[:SHOWN]),
        plan.diff.is_held,
        tuple(refusals(plan, outcomes)[:SHOWN]),
    )
