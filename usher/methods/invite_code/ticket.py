"""The code at the door: what it allows in this moment, and who came by it, both under its row's lock."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F
from django.utils.formats import date_format
from django.utils.timezone import localtime

from usher.core import bulk, clock
from usher.core.reasons import Finding, Reason
from usher.core.rows import new_id
from usher.lifecycle.facts import TicketFacts
from usher.lifecycle.joiner import Outcome, Result
from usher.methods.invite_code.models import CodeUse, InviteCode, Standing

CAME = (Result.CREATED, Result.JOINED, Result.PLACED)


class FormUsedError(Exception):
    """This very form has brought somebody in already; nothing was written."""


class CodeTicket:
    """One code, held in the door's transaction: licence, then code, then groups and accounts.

    ``form`` is the hash of the token of the form that was sent, where one makes a new account.
    """

    def __init__(self, code: InviteCode, form: str = "") -> None:
        self.code, self.form = code, form

    def hold(self) -> TicketFacts:
        """Read anew under the lock: paused, rotated or used up since the page was shown.

        Raises FormUsedError; the lock makes the second of two who come at once wait for the first.
        """
        held = InviteCode.objects.select_for_update().filter(id=self.code.id, code=self.code.code).first()
        if self.form and CodeUse.objects.filter(form=self.form).exists():
            raise FormUsedError
        if held is None:
            return TicketFacts(stop=Reason.CODE_DEAD())
        standing = held.standing(clock.now())
        asks = held.at_end == InviteCode.AtEnd.ASK
        return TicketFacts(
            stop=stop_of(held, standing),
            uses_left=held.uses_left,
            waits=held.needs_approval or (asks and standing is Standing.ENDED),
            asks_when_spent=asks,
            domains=frozenset(held.domains),
        )

    def punch(self, outcomes: Sequence[Outcome]) -> None:
        """A use for everybody who came in; whoever waits is listed and takes none."""
        came = [outcome for outcome in outcomes if outcome.result in CAME]
        asked = [outcome for outcome in outcomes if outcome.result is Result.WAITING]
        now, organization_id, form = clock.now(), self.code.organization_id, self.form or None
        bulk.insert(
            CodeUse,
            ("id", "organization_id", "code", "membership", "asked", "form", "at"),
            [
                (new_id(), organization_id, self.code.id, outcome.membership_id, outcome in asked, form, now)
                for outcome in (*came, *asked)
            ],
        )
        if came:
            InviteCode.objects.filter(id=self.code.id).update(used=F("used") + len(came))


def stop_of(code: InviteCode, standing: Standing) -> Finding | None:
    """Why it lets nobody in. Used up is the door's to say: a member already needs no use."""
    if standing is Standing.PAUSED:
        return Reason.CODE_PAUSED()
    if standing is Standing.NOT_STARTED and code.starts_at:
        return Reason.CODE_NOT_STARTED(date=date_format(localtime(code.starts_at), "j M Y H:i"))
    if standing is Standing.ENDED and code.ends_at and code.at_end == InviteCode.AtEnd.REFUSE:
        return Reason.CODE_ENDED(date=date_format(localtime(code.ends_at), "j M Y H:i"))
    return None


def group_names(code: InviteCode) -> tuple[str, ...]:
    """The groups that the code leads into: its own first."""
    own = (code.group.name,) if code.group else ()
    return (*own, *code.groups.order_by("name_key").values_list("name", flat=True))
