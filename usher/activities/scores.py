"""How well somebody did: put here by whoever knows it, read back, passed on by the rooms that registered."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from usher.activities import scored
from usher.activities.models import Activity, Score
from usher.activities.texts import clean_text
from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.people.models import Membership

PAGE: Final = 100
LONGEST_COMMENT: Final = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """Scores in the order they were first put. ``next`` is the cursor of what comes after them, empty at the end."""

    scores: Sequence[Score]
    next: str = ""


# Reading


def get(activity: Activity, account_id: uuid.UUID) -> Score | None:
    return Score.objects.filter(activity=activity, account=account_id).first()


def page(activity: Activity, after: uuid.UUID | None = None, size: int = PAGE) -> Page:
    found = Score.objects.filter(activity=activity).select_related("account").order_by("id")
    if after:
        found = found.filter(id__gt=after)
    rows = list(found[: size + 1])
    return Page(rows[:size], str(rows[size - 1].id) if len(rows) > size else "")


def count(activity: Activity) -> int:
    return Score.objects.filter(activity=activity).count()


# Putting


@retrying
def put(
    activity: Activity,
    account_id: uuid.UUID,
    given: float,
    actor: Actor,
    *,
    maximum: float | None = None,
    comment: str = "",
) -> Score:
    """The score of somebody; the last one wins. ``maximum`` is what ``given`` counts up to, when it is not the
    activity's own: both are brought to that. The same score again changes nothing, and whoever passes scores on is
    told of it all the same.

    Raises UsherError: unknown_activity (archived meanwhile), activity_not_graded, score_not_allowed, unknown_member,
    text_not_clean, words_too_long.
    """
    said = clean_text(comment, LONGEST_COMMENT, "comment")
    with transaction.atomic():
        held = Activity.objects.filter(id=activity.id, state=Activity.State.OPEN).first()
        if held is None:
            raise UsherError(Reason.UNKNOWN_ACTIVITY())
        wanted = (_scaled(held, given, maximum), held.score_maximum, said)
        _check_member(held, account_id)
        score = _locked(held, account_id)
        if score.version == 0 or (score.given, score.maximum, score.comment) != wanted:
            _write(score, wanted, actor)
        scored.tell(score)
    return score


def _scaled(activity: Activity, given: float, maximum: float | None) -> float:
    """Raises UsherError: activity_not_graded, score_not_allowed."""
    if not activity.is_graded:
        raise UsherError(Reason.ACTIVITY_NOT_GRADED(title=activity.title))
    most = activity.score_maximum if maximum is None else maximum
    if not (math.isfinite(most) and most > 0):
        raise UsherError(Reason.SCORE_MAXIMUM_NOT_ALLOWED("maximum"))
    if not (math.isfinite(given) and 0 <= given <= most):
        raise UsherError(Reason.SCORE_NOT_ALLOWED("given", limit=f"{most:g}"))
    if most == activity.score_maximum:
        return given
    return min(activity.score_maximum, round(given / most * activity.score_maximum, 6))


def _check_member(activity: Activity, account_id: uuid.UUID) -> None:
    members = Membership.objects.filter(organization=activity.organization_id, state=Membership.State.ACTIVE)
    if not members.filter(account=account_id).exists():
        raise UsherError(Reason.UNKNOWN_MEMBER("account"))


def _locked(activity: Activity, account_id: uuid.UUID) -> Score:
    """The row under its lock; made without a score (version 0) where there is none, so that of two who come at once
    both find it."""
    blank = Score(
        organization_id=activity.organization_id,
        activity=activity,
        account_id=account_id,
        given=0.0,
        maximum=activity.score_maximum,
        version=0,
    )
    Score.objects.bulk_create([blank], ignore_conflicts=True)
    return Score.objects.select_for_update().get(activity=activity, account=account_id)


def _write(score: Score, wanted: tuple[float, float, str], actor: Actor) -> None:
    score.given, score.maximum, score.comment = wanted
    score.version += 1
    score.scored_at = clock.now()
    score.save()
    facts = {"activity": str(score.activity_id), "version": score.version}
    record.record(Draft(EventType.SCORE_PUT, score.organization_id, actor, account_id=score.account_id, data=facts))
