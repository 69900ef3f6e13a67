"""One score to one column of an LMS (AGS 2.0, section 3.4): the score of this moment, so the last one wins.

The time that a message bears is kept before it leaves. So whoever sends it again after a worker was killed gives it
a later one, and the LMS takes the same grade twice at worst.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from usher.core import clock
from usher.core.fetch import FetchError
from usher.core.reasons import Reason
from usher.core.work import End, NotNowError, PlainError
from usher.methods.lti import columns, services
from usher.methods.lti.models import CoursePlace, Delivery, Platform
from usher.methods.lti.refusals import ConflictError, RefusedThereError, refusal_of, without_token
from usher.protocols.lti13 import ags
from usher.protocols.lti13.claims import SCOPE_SCORE
from usher.protocols.lti13.errors import ServiceError
from usher.protocols.lti13.roles import Standing

STEP: Final = dt.timedelta(seconds=1)  # Moodle compares whole seconds
AHEAD: Final = dt.timedelta(seconds=30)  # of our clock, at most
LOST: Final = dt.timedelta(hours=1)  # so far ahead the last message can be only because the clock was wrong
MOST_CONFLICTS: Final = 6  # tries; the clock of an LMS may be ahead of ours by some minutes
State = Delivery.State
EVERYTHING: Final = ("score__activity", "link__activity", "link__course", "link__deployment__platform", "user",
                     "organization")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """How it ended, for this version of the score. Without a reason the LMS has it."""

    version: int
    reason: Reason | None = None
    detail: str = ""


def send(delivery_id: uuid.UUID, tries: int, beat: Callable[[], None]) -> Sent | None:
    """Send it. None when nothing is to be sent any more.

    Raises PlainError for what another try may mend, NotNowError while the LMS is to be left alone.
    """
    found = Delivery.objects.select_related(*EVERYTHING).filter(id=delivery_id).first()
    if found is None:
        return None
    try:
        obstacle = _obstacle(found)
        if obstacle:
            raise RefusedThereError(obstacle)
        _deliver(found, beat)
    except ConflictError as error:
        if tries < MOST_CONFLICTS:
            raise
        return Sent(found.version, Reason.GRADE_NEWER_THERE, str(error))
    except RefusedThereError as no:
        return Sent(found.version, no.reason, no.detail)
    except FetchError as error:
        raise PlainError(error.detail) from error
    return Sent(found.version)


def _obstacle(found: Delivery) -> Reason | None:
    """Why it is not sent at all: things may have changed since the score was given (security.md H13)."""
    link, user, score = found.link, found.user, found.score
    deployment = link.deployment
    if found.organization.is_suspended:
        return Reason.ORGANIZATION_SUSPENDED
    if deployment.platform.state != Platform.State.ON or deployment.approved_at is None:
        return Reason.GRADE_SWITCHED_OFF
    ours = {found.organization_id, score.organization_id, deployment.organization_id, user.organization_id}
    if len(ours) != 1 or user.account_id != score.account_id or user.platform_id != deployment.platform_id:
        return Reason.GRADE_OTHER_PERSON
    if link.activity_id != score.activity_id:
        return Reason.GRADE_OTHER_ACTIVITY
    if _standing(found) != Standing.LEARNER:
        return Reason.GRADE_NOT_LEARNER
    if SCOPE_SCORE not in link.scopes:
        return Reason.GRADE_NOT_ALLOWED
    return None


def _standing(found: Delivery) -> str:
    """In the course of the link; outside of courses, in general."""
    places = CoursePlace.objects.filter(course=found.link.course_id, user=found.user_id)
    return places.values_list("standing", flat=True).first() or found.user.standing


def _deliver(found: Delivery, beat: Callable[[], None]) -> None:
    """Raises PlainError, RefusedThereError, NotNowError, FetchError."""
    link, column = found.link, _column(found)
    beat()
    try:
        _post(found, column)
    except ConflictError:
        _post(found, column)
    except RefusedThereError as no:
        if no.reason is not Reason.GRADE_COLUMN_GONE or not columns.can_make(link):
            raise
        columns.forget(link, column)
        beat()
        _post(found, _column(found))


def _column(found: Delivery) -> str:
    try:
        return columns.column_of(found.link, found.link.deployment.platform)
    except ServiceError as error:
        raise without_token(error) from error


def _post(found: Delivery, column: str) -> None:
    """Once. Raises as ``_deliver``."""
    platform, score = found.link.deployment.platform, found.score
    told = ags.score(
        user_id=found.user.subject, given=score.given, maximum=score.maximum, timestamp=_stamp(found),
        comment=score.comment, family=platform.family,
    )  # fmt: skip
    try:
        answer = services.call(
            platform, found.link.scopes, "POST", ags.sub_url(column, "scores"),
            body=json.dumps(told).encode(), content_type=ags.CONTENT_SCORE,
        )  # fmt: skip
    except ServiceError as error:
        raise without_token(error) from error
    try:
        ags.read_score_answer(answer.status, answer.headers, answer.body)
    except ServiceError as error:
        raise refusal_of(error) from error


def _stamp(found: Delivery) -> dt.datetime:
    """The time of this message: now, but a second later than the one before.

    Raises NotNowError when that is too far ahead: an LMS would refuse what comes honestly after it.
    """
    now, last = clock.now(), found.stamped_at
    is_usable = last is not None and last < now + LOST
    found.stamped_at = max(now, last + STEP) if last and is_usable else now
    if found.stamped_at > now + AHEAD:
        raise NotNowError(found.stamped_at - AHEAD)
    Delivery.objects.filter(id=found.id).update(stamped_at=found.stamped_at)
    return found.stamped_at


# What became of it


def settle(delivery_id: uuid.UUID, sent: Sent | None, end: End, error: Exception | None) -> bool:
    """Write it, in the transaction that ends the try. True when there is another score by now, which has to go too."""
    found = Delivery.objects.select_for_update(of=("self",)).filter(id=delivery_id).first()
    if found is None or (end is End.DONE and sent is None):
        return False
    if sent and not sent.reason:
        found.sent_version = sent.version
    is_old = sent is not None and sent.version != found.version
    found.state, found.reason, found.detail = _outcome(found, sent, end, error)
    found.changed_at = clock.now()
    found.save(update_fields=["sent_version", "state", "reason", "detail", "changed_at"])
    return is_old


def _outcome(found: Delivery, sent: Sent | None, end: End, error: Exception | None) -> tuple[State, str, str]:
    if sent is not None:
        if sent.version != found.version:
            return State.WAITING, "", ""
        return (State.REFUSED, sent.reason.code, sent.detail[:500]) if sent.reason else (State.SENT, "", "")
    why = str(error)[:500] if isinstance(error, PlainError) else ""
    if end is End.DEAD:
        return State.REFUSED, Reason.GRADE_GIVEN_UP.code, why
    return State.WAITING, Reason.GRADE_LATER.code, why
