"""The last launches of a platform, decoded for whoever mends it; and one line of the log for each, to be copied."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from django.db import IntegrityError

from usher.core.errors import UsherError
from usher.core.limits import LAUNCH_NOTES
from usher.methods.lti.models import Attempt, Platform

KEPT: Final = 20
SWEPT_EVERY: Final = 8  # launches, by chance
LASTS: Final = dt.timedelta(days=30)
LEFT_OUT: Final = frozenset({"nonce", "at_hash", "jti"})
# Where a "no" has to be mended, by its code; what is not here was decided by us.
SIDES: Final[Mapping[str, str]] = {
    "lti_login_broken": "lms",
    "lti_not_trusted": "lms",
    "lti_refused_there": "lms",
    "lti_message_unknown": "lms",
    "lti_unreachable": "network",
}

log = structlog.get_logger("usher.lti")


@dataclass(slots=True)
class Note:
    """What is known of one launch so far; filled while it goes on, written at its end."""

    platform: Platform
    message: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    deployment_id: str = ""
    role: str = ""
    result: str = ""
    account_id: uuid.UUID | None = None


def write(note: Note, error: UsherError | None = None) -> None:
    """Keep it, and say it in one line. Of what could not be believed only some are kept: anybody can send it, and is
    not to wash away what an admin looks for."""
    attempt = _attempt(note, error)
    log.info("lti_launch", **facts(attempt))
    if not note.claims and not LAUNCH_NOTES.take([str(note.platform.id)]):
        return
    with suppress(IntegrityError):  # of an LMS that is taken away in this very moment nobody reads it any more
        attempt.save(force_insert=True)
    if attempt.id.int % SWEPT_EVERY == 0:  # the end of an id is random: a morning of launches must not all sweep
        sweep(note.platform)


def _attempt(note: Note, error: UsherError | None) -> Attempt:
    reason = error.findings[0].code if error else ""
    return Attempt(
        platform=note.platform,
        message=note.message[:40],
        result="refused" if error else note.result,
        reason=reason,
        side=side_of(reason),
        detail=str(getattr(error, "detail", ""))[:500] if error else "",
        claims={name: value for name, value in note.claims.items() if name not in LEFT_OUT},
        role=note.role,
        subject=note.subject[:255],
        deployment_id=note.deployment_id[:255],
        account_id=note.account_id,
    )


def side_of(reason: str) -> str:
    return SIDES.get(reason, "usher") if reason else ""


def facts(attempt: Attempt) -> dict[str, str]:
    """What the line of one launch says; names no person."""
    said = {
        "verdict": attempt.result,
        "reason": attempt.reason,
        "side": attempt.side,
        "detail": attempt.detail,
        "message": attempt.message,
        "platform": str(attempt.platform_id),
        "deployment": attempt.deployment_id,
        "role": attempt.role,
        "launch": str(attempt.id),
    }
    return {name: value for name, value in said.items() if value}


def line(attempt: Attempt) -> str:
    """The same in one line, as proof of what was decided (1EdTech certification asks for it). What the LMS calls things
    ends no quotation, so that it adds no verdict of its own."""
    said = " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in facts(attempt).items())
    return f"{attempt.at:%Y-%m-%dT%H:%M:%SZ} lti_launch {said}"


def sweep(platform: Platform) -> None:
    """Forget all but the latest: of those that were believed, and of those that anybody may have sent."""
    mine = Attempt.objects.filter(platform=platform)
    for some in (mine.filter(claims={}), mine.exclude(claims={})):
        some.exclude(id__in=list(some.order_by("-at").values_list("id", flat=True)[:KEPT])).delete()


def last(platform: Platform, count: int = KEPT) -> list[Attempt]:
    """The latest first."""
    return list(Attempt.objects.filter(platform=platform).order_by("-at")[:count])
