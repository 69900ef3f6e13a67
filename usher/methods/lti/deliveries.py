"""The book of the grades that go to LMSs: who has which, what waits, what was refused and why; and once more with it.

Whoever manages a group sees the courses that made it (``groups``); an admin sees all (None).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Count, QuerySet

from usher.activities.models import Activity
from usher.core import clock
from usher.core.findings import Blanks
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.methods.lti.jobs import ScoreJob
from usher.methods.lti.models import Delivery
from usher.organizations.models import Organization
from usher.people.models import Membership

PAGE: Final = 50
PIECE: Final = 500  # read together, for files and for sending again
State = Delivery.State
Groups = Collection[uuid.UUID] | None
BY_CODE: Final[Mapping[str, Reason]] = {reason.code: reason for reason in Reason}
SHOWN: Final = ("score__account", "link__course", "link__deployment__platform")


@dataclass(frozen=True, slots=True)
class Told:
    """One grade in one course, as pages, files and commands show it.

    ``at`` is when it came to be so. ``membership_id`` is None for who is no member any more.
    """

    id: uuid.UUID
    person: str
    sign_in: str
    membership_id: uuid.UUID | None
    activity: str
    course: str
    platform: str
    given: float
    maximum: float
    state: str
    at: dt.datetime
    reason: str = ""
    sentence: str = ""
    next_step: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """In the order in which people were first graded. ``next`` is where the page after it begins, None at the end."""

    rows: Sequence[Told]
    counts: Mapping[str, int]
    next: uuid.UUID | None = None

    @property
    def total(self) -> int:
        return sum(self.counts.values())


# Reading


def page(
    organization: Organization, activity: Activity | None, groups: Groups = None, *, state: str = "",
    after: uuid.UUID | None = None, size: int = PAGE,
) -> Page:  # fmt: skip
    """Of one activity, or of all."""
    all_here = _here(organization, activity, groups)
    counted = dict(all_here.values_list("state").annotate(Count("id")).order_by())
    found = _after(_of_state(all_here, state), after)[: size + 1]
    rows = list(found)
    goes_on = rows[size - 1].id if len(rows) > size else None
    return Page(_told(organization, rows[:size]), {one: counted.get(one, 0) for one in State.values}, goes_on)


def every(
    organization: Organization, activity: Activity | None, groups: Groups = None, *, state: str = ""
) -> Iterator[Sequence[Told]]:
    """All of them, in pieces of a fixed number of queries each."""
    fitting, after = _of_state(_here(organization, activity, groups), state), None
    while rows := list(_after(fitting, after)[:PIECE]):
        yield _told(organization, rows)
        after = rows[-1].id


def _here(organization: Organization, activity: Activity | None, groups: Groups) -> QuerySet[Delivery]:
    found = Delivery.objects.filter(organization=organization)
    if activity is not None:
        found = found.filter(score__activity=activity)
    return found if groups is None else found.filter(link__course__group__in=groups)


def _of_state(found: QuerySet[Delivery], state: str) -> QuerySet[Delivery]:
    return found.filter(state=state) if state in State.values else found


def _after(found: QuerySet[Delivery], after: uuid.UUID | None) -> QuerySet[Delivery]:
    rest = found.filter(id__gt=after) if after else found
    return rest.select_related(*SHOWN, "score__activity").order_by("id")


def _told(organization: Organization, rows: Sequence[Delivery]) -> list[Told]:
    members = Membership.objects.filter(
        organization=organization, account__in=[one.score.account_id for one in rows]
    ).values_list("account_id", "id")
    ids = dict(members)
    return [_one(row, ids.get(row.score.account_id)) for row in rows]


def _one(row: Delivery, membership_id: uuid.UUID | None) -> Told:
    account, reason = row.score.account, BY_CODE.get(row.reason)
    sentence, step = (str(text).format_map(Blanks()) for text in reason.value[:2]) if reason else ("", "")
    return Told(
        id=row.id,
        person=account.username,
        sign_in=account.sign_in,
        membership_id=membership_id,
        activity=row.score.activity.title,
        course=str(row.link.course or ""),
        platform=row.link.deployment.platform.name or row.link.deployment.platform.get_family_display(),
        given=row.score.given,
        maximum=row.score.maximum,
        state=row.state,
        at=row.changed_at,
        reason=row.reason,
        sentence=sentence,
        next_step=step,
        detail=row.detail,
    )


# Once more


def again(
    organization: Organization, activity: Activity | None, groups: Groups = None, *, only: uuid.UUID | None = None
) -> int:
    """Send what was refused once more, or the one that is named, whatever its state; returns how many.

    What waits for its next try is tried at once.
    """
    found = _here(organization, activity, groups)
    found = found.filter(id=only) if only else found.filter(state=State.REFUSED)
    ids = list(found.values_list("id", flat=True))
    for start in range(0, len(ids), PIECE):
        _begin_anew(ids[start : start + PIECE])
    return len(ids)


@retrying
def _begin_anew(ids: Sequence[uuid.UUID]) -> None:
    with transaction.atomic():
        ScoreJob.wake(ids)
        here = Delivery.objects.filter(id__in=ids)
        here.update(state=State.WAITING, reason="", detail="", changed_at=clock.now())
        ScoreJob.add(dict(here.values_list("id", "link__deployment__platform_id")))
