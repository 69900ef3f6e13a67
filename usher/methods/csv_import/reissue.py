"""New passwords for an import whose list was lost: for those who never signed in and changed nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from itertools import islice

from django.db import transaction
from django.db.models import F

from usher.core import pepper
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Draft, EventType
from usher.lifecycle import desk, userlist
from usher.lifecycle.joiner import By, Joiner, NewAccount, Outcome, Result
from usher.methods.csv_import.journal import has_first_password
from usher.methods.csv_import.models import Import, ImportLine
from usher.methods.csv_import.run import made_password
from usher.organizations.models import Organization
from usher.organizations.plans import Method
from usher.people import passwords
from usher.people.models import Account, HashBatch, Membership

BATCH = 500


def reissue(organization: Organization, source: Import, by: By) -> Iterator[str]:
    """Raise the import's counter, set the passwords it now stands for, and yield their list piece by piece.

    Left alone: who signed in, claimed the account, got another password since, or is not active any more.
    Raises UsherError (import_open) for an import that is not finished: sending the file again completes it.
    """
    if source.finished_at is None:
        raise UsherError(Reason.IMPORT_OPEN())
    counted = _count_up(organization, source, by)
    lines = ImportLine.objects.filter(source=source, result=Result.CREATED.value).order_by("line")
    return _pieces(organization, counted, lines.values_list("line", "membership_id").iterator(chunk_size=5000))


def _count_up(organization: Organization, source: Import, by: By) -> Import:
    with transaction.atomic():
        Import.objects.filter(id=source.id).update(reissue=F("reissue") + 1)
        record.record(Draft(EventType.IMPORT_REISSUED, organization.id, by.actor, data={"import": str(source.id)}))
        return Import.objects.get(id=source.id)


def _pieces(organization: Organization, source: Import, lines: Iterator[tuple[int, uuid.UUID | None]]) -> Iterator[str]:
    yield userlist.HEADER
    while batch := list(islice(lines, BATCH)):
        outcomes, plain = _write(source, batch)
        yield userlist.rows_of(outcomes, plain, desk.sign_in_at(organization))


@retrying
def _write(source: Import, lines: Sequence[tuple[int, uuid.UUID | None]]) -> tuple[list[Outcome], dict[int, str]]:
    """One batch; nothing when a later reissue has taken over meanwhile, whose list is the one that counts."""
    key = pepper.subkey("made-passwords", source.pepper_id)
    plain: dict[int, str] = {}
    outcomes: list[Outcome] = []
    with transaction.atomic():
        if Import.objects.select_for_update().get(id=source.id).reissue != source.reissue:
            return [], {}
        members = Membership.objects.select_related("account").in_bulk([member for _, member in lines if member])
        for line, member_id in lines:
            member = members.get(member_id) if member_id else None
            if member and _is_untouched(member):
                plain[line] = made_password(key, source, line)
                outcomes.append(_outcome(line, member))
                _set(member.account, plain[line])
        _harden_later(outcomes)
    return outcomes, plain


def _is_untouched(member: Membership) -> bool:
    return (
        member.state == Membership.State.ACTIVE and member.last_seen_at is None and has_first_password(member.account)
    )


def _set(account: Account, plain: str) -> None:
    """A new digest; ``password_set_at`` stays, since it is still the import that set the password."""
    mine = Account.objects.filter(id=account.id, password_set_at=account.password_set_at)
    mine.update(password=passwords.digest(plain))


def _outcome(line: int, member: Membership) -> Outcome:
    account = member.account
    joiner = Joiner(Method.CSV_IMPORT, NewAccount(account.username, account.email), member.role, line=line)
    return Outcome(
        joiner,
        Result.CREATED,
        account_id=account.id,
        membership_id=member.id,
        sign_in=account.sign_in,
        username=account.username,
        email=account.email,
    )


def _harden_later(outcomes: Sequence[Outcome]) -> None:
    ids = sorted(outcome.account_id for outcome in outcomes if outcome.account_id)
    if ids:
        HashBatch.objects.create(first_id=ids[0], last_id=ids[-1])
