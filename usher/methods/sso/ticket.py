"""A connection at the door: whether it still lets in, and the identity that belongs to whoever came by it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from usher.core import clock
from usher.core.reasons import Reason
from usher.lifecycle.expected import Expected
from usher.lifecycle.facts import TicketFacts
from usher.lifecycle.joiner import NewAccount, Outcome, Result
from usher.methods.sso.identities import identity_of, link, note
from usher.methods.sso.models import Connection
from usher.methods.sso.newcomer import Newcomer, promised
from usher.methods.sso.ways import label_of
from usher.people.models import Account

IN = (Result.CREATED, Result.JOINED, Result.PLACED, Result.UNCHANGED, Result.WAITING)


class ArrivedError(Exception):
    """This very person came in, or got an account, between the look and the lock; nothing was written."""


class ChangedError(Exception):
    """What was promised is not what it was a moment ago; nothing was written."""


class SsoTicket:
    """One person by one connection. Held under the licence lock: of two first sign-ins one makes the account."""

    def __init__(self, new: Newcomer) -> None:
        self.new = new

    def hold(self) -> TicketFacts:
        """Raises ArrivedError, ChangedError."""
        new = self.new
        held = Connection.objects.select_for_update().filter(id=new.connection.id).first()
        if held is None or held.state != Connection.State.ON:
            names = {"organization": new.connection.organization.name, "provider": label_of(new.connection)}
            return TicketFacts(stop=Reason.SSO_OFF(**names))
        if new.known is None and identity_of(new.connection, new.person):
            raise ArrivedError
        if _said(promised(new.connection, new.person, new.next)) != _said(new.promise):
            raise ChangedError
        return new.promise.ticket.hold() if new.promise and new.promise.ticket else TicketFacts()

    def punch(self, outcomes: Sequence[Outcome]) -> None:
        came = next((outcome for outcome in outcomes if outcome.result in IN), None)
        if came is None or came.account_id is None:
            return
        is_new = isinstance(came.joiner.account, NewAccount)
        if is_new and came.result not in (Result.CREATED, Result.WAITING):
            raise ArrivedError  # somebody made an account for the address meanwhile: what opens it is void first
        if self.new.promise and self.new.promise.ticket:
            self.new.promise.ticket.punch(outcomes)
        if is_new and self.new.person.is_vouched:
            _vouch(came.account_id, self.new)
        if self.new.known:
            note(self.new.known, self.new.person, self.new.verdict)
        else:
            link(self.new.connection, self.new.person, came.account_id, self.new.verdict)


def _said(promise: Expected | None) -> object:
    return (promise.role, promise.groups, promise.evidence) if promise else None


def _vouch(account_id: uuid.UUID, new: Newcomer) -> None:
    """The organisation answers for the address: the account is the person's own, the mailbox still unproved.

    Without that it stays the organisation's making, and goes with it (docs/decisions/0025).
    """
    Account.objects.filter(id=account_id).update(
        claimed_at=clock.now(), home=None, vouched_by_organization=new.organization_id
    )
