"""New passwords for an import whose list was lost: for those who never signed in and changed nothing."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db import transaction
from django.db.models import F

from usher.core import clock, pepper
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
from usher.organizations.plans import Method, Plan
from usher.people import passwords
from usher.people.models import Account, HashBatch, Membership

BATCH = 500
Lines = Sequence[tuple[int, uuid.UUID | None]]


@dataclass(frozen=True, slots=True)
class Reissue:
    """An import with its counter raised, and by whom. ``plan`` says how long a first password lives."""

    organization: Organization
    source: Import
    plan: Plan
    by: By


def reissue(organization: Organization, source: Import, by: By) -> Iterator[str]:
    """Raise the import's counter, set the passwords it now stands for, and yield their list piece by piece.

    Left alone: who signed in, claimed the account, got another password since, is not active any more, or has
    a role that is not below that of the asking: staff make passwords for lower ranks alone.
    Raises UsherError: run_undone, and import_open for an import that is not finished: sending the file again
    completes it.
    """
    if source.undo_began_at:
        raise UsherError(Reason.RUN_UNDONE())
    if source.finished_at is None:
        raise UsherError(Reason.IMPORT_OPEN())
    asked = Reissue(organization, _count_up(organization, source, by), organization.license.plan, by)
    lines = ImportLine.objects.filter(source=source, result=Result.CREATED.value).order_by("line")
    return _pieces(asked, lines.values_list("line", "membership_id").iterator(chunk_size=5000))


def _count_up(organization: Organization, source: Import, by: By) -> Import:
    with transaction.atomic():
        # Under the pepper of today: the one of then may be gone.
        Import.objects.filter(id=source.id).update(reissue=F("reissue") + 1, pepper_id=pepper.current_id())
        record.record(Draft(EventType.IMPORT_REISSUED, organization.id, by.actor, data=_facts(source)))
        return Import.objects.get(id=source.id)


def _facts(source: Import) -> dict[str, str]:
    return {"import": str(source.id), "file": source.file_name}


def _pieces(asked: Reissue, lines: Iterator[tuple[int, uuid.UUID | None]]) -> Iterator[str]:
    yield userlist.HEADER
    while batch := list(islice(lines, BATCH)):
        outcomes, plain = _write(asked, batch)
        yield userlist.rows_of(outcomes, plain, desk.sign_in_at(asked.organization))


@retrying
def _write(asked: Reissue, lines: Lines) -> tuple[list[Outcome], dict[int, str]]:
    """One batch; nothing when a later reissue has taken over meanwhile, whose list is the one that counts."""
    source = asked.source
    key = pepper.subkey("made-passwords", source.pepper_id)
    plain: dict[int, str] = {}
    outcomes: list[Outcome] = []
    with transaction.atomic():
        if Import.objects.select_for_update().get(id=source.id).reissue != source.reissue:
            return [], {}
        members = Membership.objects.select_related("account").in_bulk([member for _, member in lines if member])
        for line, member_id in lines:
            member = members.get(member_id) if member_id else None
            password = made_password(key, source, line)
            if member and _is_untouched(member) and _set(asked, member, password):
                plain[line] = password
                outcomes.append(_outcome(line, member))
        _harden_later(source.organization_id, outcomes)
    return outcomes, plain


def _is_untouched(member: Membership) -> bool:
    return (
        member.state == Membership.State.ACTIVE and member.last_seen_at is None and has_first_password(member.account)
    )


def _set(asked: Reissue, member: Membership, plain: str) -> bool:
    """A new digest, good for as long as the first one was; False for somebody who is not below the asking.

    ``password_set_at`` stays, since it is still the import that set the password.
    """
    role, account = asked.plan.role(member.role) or asked.plan.lowest, member.account
    if role.rank >= asked.by.rank:
        return False
    days = role.initial_password.expires_days
    mine = Account.objects.filter(id=account.id, claimed_at=None, password_set_at=account.password_set_at)
    changed = mine.update(
        password=passwords.digest(plain),
        password_expires_at=clock.now() + dt.timedelta(days=days) if days else None,
    )
    return bool(changed)


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


def _harden_later(lane: uuid.UUID, outcomes: Sequence[Outcome]) -> None:
    ids = sorted(outcome.account_id for outcome in outcomes if outcome.account_id)
    if ids:
        HashBatch.objects.create(lane=lane, first_id=ids[0], last_id=ids[-1])
