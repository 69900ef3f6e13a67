"""The book of lines, kept in the door's own transactions: each line is done once, whoever sends the file."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from usher.core import bulk
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle.joiner import Joiner, Outcome, Result
from usher.methods.csv_import.models import Import, ImportLine
from usher.methods.csv_import.told import Teller
from usher.people.models import Account, Membership


class ImportJournal:
    """The lines of one import. ``changed`` collects lines whose person has a password of their own by now.

    ``teller`` tells those who come in by mail; None where nobody is to be told.
    """

    def __init__(self, source: Import, teller: Teller | None = None) -> None:
        self.source = source
        self.teller = teller
        self.changed: set[int] = set()
        self._is_reissued = False  # a parallel run finished it, and new passwords were made since this one began

    def done(self, joiners: Sequence[Joiner]) -> Mapping[int, Outcome]:
        """Lines that made a member in an earlier or a parallel run.

        Until the result file was delivered they are ``created`` again, so that it holds their password;
        after that, those whose member is still active are ``unchanged`` and the rest is judged afresh.
        Raises UsherError (run_undone) when an undo has begun meanwhile: nobody comes by this import any more.
        """
        by_line = {joiner.line: joiner for joiner in joiners}
        reissue, undone = Import.objects.values_list("reissue", "undo_began_at").get(id=self.source.id)
        if undone:
            raise UsherError(Reason.RUN_UNDONE())
        self._is_reissued = reissue != self.source.reissue
        lines = ImportLine.objects.filter(
            source=self.source, line__in=by_line, result=Result.CREATED.value
        ).values_list("line", "membership_id")
        made = dict(lines)
        members = Membership.objects.select_related("account").in_bulk(list(made.values())) if made else {}
        return {
            line: self._outcome(by_line[line], members[membership_id])
            for line, membership_id in made.items()
            if self._stands(members.get(membership_id))
        }

    def _stands(self, member: Membership | None) -> bool:
        return member is not None and (self.source.finished_at is None or member.state != Membership.State.INACTIVE)

    def _outcome(self, joiner: Joiner, member: Membership) -> Outcome:
        if self._is_reissued or not has_first_password(member.account):
            self.changed.add(joiner.line)
        account = member.account
        return Outcome(
            joiner,
            Result.UNCHANGED if self.source.finished_at else Result.CREATED,
            account_id=account.id,
            membership_id=member.id,
            sign_in=account.sign_in,
            username=account.username,
            email=account.email,
        )

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Enter the outcomes of one batch; a line refused or unchanged before is entered anew."""
        lines = [outcome.joiner.line for outcome in outcomes]
        ImportLine.objects.filter(source=self.source, line__in=lines).delete()
        bulk.insert(
            ImportLine,
            ("source", "line", "result", "reason", "membership_id"),
            [
                (self.source.id, outcome.joiner.line, outcome.result.value, outcome.reason, _member(outcome))
                for outcome in outcomes
            ],
        )
        if self.teller:
            self.teller.tell(outcomes)


def _member(outcome: Outcome) -> uuid.UUID | None:
    return outcome.membership_id


def has_first_password(account: Account) -> bool:
    """Whether the password that an import set still opens the account: nobody has set another since."""
    return account.claimed_at is None and account.password_set_at == account.created_at
