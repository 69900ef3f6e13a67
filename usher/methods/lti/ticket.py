"""An LMS at the door: whether it still lets in, and the person of it that belongs to whoever came."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.lifecycle.facts import TicketFacts
from usher.lifecycle.joiner import NewAccount, Outcome, Result
from usher.methods.lti.callers import Caller
from usher.methods.lti.models import Deployment, Platform, PlatformUser
from usher.methods.lti.platforms import label_of
from usher.methods.lti.recognize import Place, others_of, user_of
from usher.organizations.plans import Method

IN = (Result.CREATED, Result.JOINED, Result.PLACED, Result.UNCHANGED)


class ArrivedError(Exception):
    """This very person came in between the look and the lock; nothing was written."""


@dataclass(frozen=True, slots=True)
class LtiTicket:
    """One person by one deployment. Held under the licence lock: of two first launches one makes the account."""

    place: Place
    deployment: Deployment
    caller: Caller
    role: str
    known: PlatformUser | None = None

    def hold(self) -> TicketFacts:
        """Raises ArrivedError."""
        held = Platform.objects.select_for_update().filter(id=self.place.platform.id).first()
        names = {"organization": self.place.organization.name, "platform": label_of(self.place.platform)}
        if held is None or held.state != Platform.State.ON:
            return TicketFacts(stop=Reason.LTI_OFF(**names))
        if not Deployment.objects.filter(id=self.deployment.id, approved_at__isnull=False).exists():
            return TicketFacts(stop=Reason.LTI_NOT_APPROVED(platform=names["platform"]))
        if self.known is None and user_of(self.place, self.caller.subject):
            raise ArrivedError
        return TicketFacts()

    def punch(self, outcomes: Sequence[Outcome]) -> None:
        came = next((outcome for outcome in outcomes if outcome.result in IN), None)
        if came is not None and came.account_id is not None and self.known is None:
            add_user(self, came.account_id, is_linked=not isinstance(came.joiner.account, NewAccount))


def add_user(ticket: LtiTicket, account_id: uuid.UUID, *, is_linked: bool) -> PlatformUser:
    """From now on this person of the LMS opens that account, in its frame. Needs a transaction that holds the ticket:
    of two people of one LMS who prove the same account at once, the first has it. Raises UsherError: lms_user_known."""
    caller, place, now = ticket.caller, ticket.place, clock.now()
    if is_linked and others_of(place, caller, account_id):
        raise UsherError(Reason.LMS_USER_KNOWN(platform=label_of(place.platform)))
    user = PlatformUser.objects.create(
        organization=place.organization,
        platform=place.platform,
        subject=caller.subject,
        account_id=account_id,
        name=caller.name,
        address=caller.address,
        standing=caller.standing,
        role=ticket.role,
        is_linked=is_linked,
        proved_at=now,
    )
    record.record(
        Draft(
            EventType.LMS_USER_LINKED,
            place.organization.id,
            Actor("account", user.account_id),
            account_id=user.account_id,
            address=caller.key,
            method=Method.LTI.value,
            data={"platform": label_of(place.platform)},
        )
    )
    return user
