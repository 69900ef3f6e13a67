"""Telling by mail those for whom an import makes an account; nobody else, and nobody twice for one import."""

from __future__ import annotations

from collections.abc import Sequence

from usher.core import mail
from usher.core.errors import UsherError
from usher.core.mail import Envelope
from usher.core.reasons import Reason
from usher.lifecycle import outreach
from usher.lifecycle.joiner import By, NewAccount, Outcome, Result
from usher.lifecycle.lists.parse import Sheet
from usher.methods.csv_import.models import ImportLine
from usher.organizations.models import Organization

LETTER = "added"  # the kind of the mail


class Teller:
    """Posts the mails of one run, in the transactions that make the accounts. ``lines`` are those of the told."""

    def __init__(self, organization: Organization, by: By) -> None:
        self.organization = organization
        self.by = by
        self.lines: set[int] = set()

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """What was decided in this transaction; lines that stand from an earlier run are not among it.

        Who wants no mails, or had enough of them, is in all the same. A transaction that is tried again tells again.
        """
        made = {_address(outcome): outcome for outcome in outcomes if outcome.result is Result.CREATED}
        made.pop("", None)
        for address in outreach.suppressed(self.organization, made) if made else ():
            del made[address]
        for address in outreach.count_mails(self.organization, self.by, list(made)) if made else ():
            del made[address]
        self.lines -= {outcome.joiner.line for outcome in outcomes}
        self.lines |= {outcome.joiner.line for outcome in made.values()}
        envelopes = [(one.email, Envelope(self.organization.id, ref=one.membership_id)) for one in made.values()]
        mail.post_many(LETTER, envelopes)


def _address(outcome: Outcome) -> str:
    """The key of the address; empty for somebody whose sign-in name was made, and who has none."""
    account = outcome.joiner.account
    return account.address if isinstance(account, NewAccount) else ""


def check(organization: Organization, by: By, sheet: Sheet, identity: str) -> None:
    """Raises UsherError (too_many_to_tell) when not everybody whom the file may bring can be told now.

    Those whom an earlier run of the same import made were counted then.
    """
    left = outreach.left_of(organization, by, sheet.row_count)
    if left >= sheet.row_count:
        return
    lines = ImportLine.objects.filter(source__organization=organization, source__identity=identity)
    made = set(lines.filter(result=Result.CREATED.value).values_list("line", flat=True))
    count = sum(1 for row in sheet.rows() if row.address and row.line not in made)
    if count > left:
        raise UsherError(Reason.TOO_MANY_TO_TELL(count=count, left=left))
