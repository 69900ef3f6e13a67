"""The invitation at the door: whether it still stands, and that it was used, both under its row's lock."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events import record
from usher.events.types import Actor
from usher.lifecycle.facts import TicketFacts
from usher.lifecycle.joiner import Outcome, Result
from usher.methods.email_invitation.found import Found, objection, over
from usher.methods.email_invitation.history import accepted
from usher.methods.email_invitation.models import Invitation
from usher.organizations.models import SeatReservation
from usher.organizations.plans import Method
from usher.people.models import Membership

CAME = (Result.CREATED, Result.JOINED, Result.PLACED, Result.UNCHANGED)


class ChangedError(Exception):
    """The role is another one than it was when somebody asked to come in."""


class InvitationTicket:
    """One invitation by one of its links, held in the door's transaction: licence, then invitation, then groups."""

    def __init__(self, found: Found) -> None:
        self.found = found

    def hold(self) -> TicketFacts:
        """Read anew under the lock: taken back, sent again or accepted since the page was shown.

        Raises ChangedError.
        """
        held = self._row().select_for_update(of=("self",)).select_related("organization__license").first()
        if held is None:
            return TicketFacts(stop=Reason.INVITATION_DEAD())
        if held.role != self.found.invitation.role:
            raise ChangedError
        return TicketFacts(stop=over(held) or objection(held))

    def punch(self, outcomes: Sequence[Outcome]) -> None:
        """Used up by the one who came; its end is looked at once more by the statement that uses it up."""
        came = next((outcome for outcome in outcomes if outcome.result in CAME), None)
        if came is None or _waits(came):
            return
        now = clock.now()
        mine = self._row().filter(state=Invitation.State.OPEN, expires_at__gt=now)
        method = Method.EMAIL_INVITATION.value
        if not mine.update(
            state=Invitation.State.ACCEPTED, ended_at=now, membership_id=came.membership_id, method=method
        ):
            raise UsherError(Reason.INVITATION_DEAD())
        # The door gives back the seat of whoever takes one. A member already takes none, and needs no kept one.
        SeatReservation.objects.filter(ref=self.found.invitation.id).delete()
        by = Actor("account", came.account_id)
        record.record(accepted(self.found.invitation, came.account_id, came.joiner.role, method, by))

    def _row(self) -> QuerySet[Invitation]:
        link = Q(copied_hash=self.found.hash) if self.found.is_copied else Q(token_hash=self.found.hash)
        return Invitation.objects.filter(link, id=self.found.invitation.id)


def _waits(came: Outcome) -> bool:
    """Somebody who asked by a code and is still not in: the invitation stays, until an admin says yes."""
    if came.result is not Result.UNCHANGED or came.membership_id is None:
        return False
    return Membership.objects.filter(id=came.membership_id, state=Membership.State.WAITING).exists()
