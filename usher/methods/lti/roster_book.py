"""The people of a roster at the door: who of them came by himself meanwhile, and the rows that go with who comes in."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from usher.core import bulk, clock
from usher.core.reasons import Reason
from usher.core.rows import new_id
from usher.lifecycle.facts import TicketFacts
from usher.lifecycle.joiner import Joiner, NewAccount, Outcome, Result
from usher.methods.lti.models import Course, CoursePlace, Deployment, Platform, PlatformUser
from usher.methods.lti.platforms import label_of
from usher.methods.lti.roster_diff import Listed, Pair, higher
from usher.methods.lti.roster_known import pieces
from usher.methods.lti.roster_plan import Comer, Plan

USER: Final = (
    "id", "organization", "platform", "subject", "account", "name", "address", "standing", "role", "is_linked",
    "created_at",
)  # fmt: skip
LONGEST_NAME: Final = 150


@dataclass(frozen=True, slots=True)
class Book:
    """Journal and ticket of one roster (``lifecycle/run.py``); all of it happens in the door's transactions, under the
    licence lock, so that a kill leaves an account with its person of the LMS, or neither."""

    course: Course
    plan: Plan

    def hold(self) -> TicketFacts:
        """Whether the LMS still lets in."""
        deployment = self.course.deployment
        held = Platform.objects.select_for_update().filter(id=deployment.platform_id).first()
        names = {"organization": self.course.organization.name, "platform": label_of(deployment.platform)}
        if held is None or held.state != Platform.State.ON:
            return TicketFacts(stop=Reason.LTI_OFF(**names))
        if not Deployment.objects.filter(id=deployment.id, approved_at__isnull=False).exists():
            return TicketFacts(stop=Reason.LTI_NOT_APPROVED(platform=names["platform"]))
        return TicketFacts()

    def done(self, joiners: Sequence[Joiner]) -> Mapping[int, Outcome]:
        """Those who launched, or were brought by another look at the roster, since this one was compared."""
        new = {self._comer(one.line).subject: one for one in joiners if isinstance(one.account, NewAccount)}
        here = PlatformUser.objects.filter(
            platform=self.course.deployment.platform_id, organization=self.course.organization_id
        )
        found = here.filter(subject__in=list(new)).values_list("subject", "account_id")
        return {
            new[subject].line: Outcome(new[subject], Result.UNCHANGED, account_id=account_id)
            for subject, account_id in found
        }

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """The persons of the LMS that are new, and everybody's place in the course."""
        came = [outcome for outcome in outcomes if outcome.result is not Result.REFUSED]
        users = {outcome.joiner.line: self._user_id(outcome) for outcome in came}
        new = [outcome for outcome in came if isinstance(outcome.joiner.account, NewAccount)]
        now = clock.now()
        bulk.insert(PlatformUser, USER, [self._row(outcome, users[outcome.joiner.line], now) for outcome in new])
        self._place([(users[outcome.joiner.line], self._comer_of(outcome)) for outcome in came])

    def punch(self, outcomes: Sequence[Outcome]) -> None:
        """Nothing is used up."""

    def _comer_of(self, outcome: Outcome) -> Comer:
        return self.plan.comers[outcome.joiner.line - 1]

    def _comer(self, line: int) -> Listed:
        comer = self.plan.comers[line - 1]
        return comer.listed if isinstance(comer, Pair) else comer

    def _user_id(self, outcome: Outcome) -> uuid.UUID:
        comer = self._comer_of(outcome)
        return comer.known.id if isinstance(comer, Pair) else new_id()

    def _row(self, outcome: Outcome, user_id: uuid.UUID, now: Any) -> tuple[Any, ...]:
        listed, course = self._comer(outcome.joiner.line), self.course
        return (
            user_id, course.organization_id, course.deployment.platform_id, listed.subject, outcome.account_id,
            listed.name[:LONGEST_NAME], listed.address, listed.standing, outcome.joiner.role, False, now,
        )  # fmt: skip

    def _place(self, came: Collection[tuple[uuid.UUID, Comer]]) -> None:
        """A launch may have made the row in this very moment: then it is that one."""
        now = clock.now()
        for some in pieces(came):
            proved = self._proved([user_id for user_id, _comer in some])
            CoursePlace.objects.bulk_create(
                [
                    CoursePlace(
                        course=self.course,
                        user_id=user_id,
                        standing=higher(_here(comer), proved.get(user_id, "")),
                        listed_at=now,
                    )
                    for user_id, comer in some
                ],
                update_conflicts=True,
                unique_fields=["course", "user"],
                update_fields=["standing", "listed_at", "dropped_at"],
            )

    def _proved(self, users: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
        """What launches have proved of them in this course, also since the roster was compared."""
        places = CoursePlace.objects.filter(course=self.course, user__in=users, proved_at__isnull=False)
        return dict(places.values_list("user_id", "standing"))


def _here(comer: Comer) -> str:
    return comer.here if isinstance(comer, Pair) else comer.standing
