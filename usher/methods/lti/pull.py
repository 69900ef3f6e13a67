"""The roster of one course as work: pulled and followed by a worker. See ``roster_run`` for what is done."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from usher.core.errors import UsherError
from usher.core.work import PlainError
from usher.events.types import SYSTEM
from usher.methods.lti import rosters
from usher.methods.lti.models import RosterRun
from usher.methods.lti.roster_run import apply
from usher.methods.lti.roster_schedule import now, soon

__all__ = ["now", "pull", "soon"]


def pull(course_id: uuid.UUID, beat: Callable[[], None]) -> None:
    """A course that is gone, or whose LMS is switched off, has none. Raises PlainError for what may work later,
    NotNowError while the LMS wants to be left alone."""
    course = rosters.by_id(course_id)
    if course is None:
        return
    try:
        run = apply(course, SYSTEM, beat)
    except UsherError:
        return
    if run.state == RosterRun.State.FAILED and run.counts["retry"]:
        raise PlainError(run.detail)
