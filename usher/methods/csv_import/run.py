"""Running an import: preview, write with resumption, new passwords. POST in, CSV out; nothing else is kept."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import transaction

from usher.core import clock, pepper
from usher.core.errors import UsherError
from usher.core.limits import PREVIEWS
from usher.core.reasons import Reason
from usher.events import record
from usher.events.types import Draft, EventType
from usher.lifecycle import desk, userlist
from usher.lifecycle.joiner import By, Outcome, Result
from usher.lifecycle.lists.parse import Row, Sheet
from usher.lifecycle.run import Run
from usher.lifecycle.userlist import Report
from usher.lifecycle.visitor import check_still
from usher.methods.csv_import import told
from usher.methods.csv_import.entry import enter
from usher.methods.csv_import.journal import ImportJournal
from usher.methods.csv_import.models import Import
from usher.methods.csv_import.options import Options, check
from usher.methods.csv_import.told import Teller
from usher.organizations.models import Organization
from usher.organizations.plans import Role
from usher.people import passwords
from usher.people.friendly import derived_password


@dataclass(slots=True)
class Order:
    """One file, read, for one organisation, with the options and who sends it.

    ``report`` counts as it runs; ``told`` counts the mails of this run.
    """

    organization: Organization
    sheet: Sheet
    options: Options
    by: By
    report: Report = field(default_factory=Report)
    told: int = 0

    def identity(self) -> str:
        """Keyed hash of organisation, options and bytes: the same file sent again is the same import."""
        digest = hmac.new(pepper.subkey("imports"), digestmod=hashlib.sha256)
        for part in (self.organization.id.bytes, self.options.identity().encode(), self.sheet.content):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()

    @property
    def role(self) -> Role | None:
        return self.organization.license.plan.role(self.options.role)

    @property
    def sign_in_at(self) -> str:
        return desk.sign_in_at(self.organization)


def preview(order: Order) -> Iterator[list[Outcome]]:
    """What an import would do, batch by batch; writes nothing but the count of an organisation's previews.

    Raises UsherError as :func:`options.check`, too_many_to_tell, and too_many_tries.
    """
    _check(order)
    _count_look(order)
    known = Import.objects.filter(organization=order.organization, identity=order.identity()).first()
    run = Run(
        order.organization.id,
        order.by,
        order.options.terms,
        journal=ImportJournal(known) if known else None,
        dry_run=True,
    )
    return _counted(order, enter(run, order.sheet.rows(), order.options, lambda _row: ""))


def _check(order: Order) -> None:
    check(order.organization, order.options, order.by)
    if order.options.tell:
        told.check(order.organization, order.by, order.sheet, order.identity())


def _count_look(order: Order) -> None:
    """It says which addresses have an account of their own. The operator may look as often as he likes."""
    if order.by.actor.kind != "account":
        return
    who = str(order.organization.id)
    minutes = PREVIEWS.wait_minutes(who)
    if minutes:
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=minutes))
    PREVIEWS.add(who)


def start(order: Order) -> Import:
    """The row of this import, new or from an earlier run.

    Raises UsherError as :func:`preview`, too_many_tries too: an import tells as much as its preview.
    """
    _check(order)
    if not Import.objects.filter(organization=order.organization, identity=order.identity()).exists():
        _count_look(order)
    with transaction.atomic():
        source, is_new = Import.objects.get_or_create(
            organization=order.organization,
            identity=order.identity(),
            defaults={
                "file_name": order.options.file_name,
                "account_id": order.by.actor.account_id,
                "options": {"role": order.options.role, "group": order.options.group},
                "pepper_id": pepper.current_id(),
                "rows": order.sheet.row_count,
                "started_at": clock.now(),
            },
        )
        if is_new:
            _record(order, source, EventType.IMPORT_STARTED)
    return source


def write(order: Order, source: Import) -> Iterator[str]:
    """Write the import and yield the result file piece by piece, each piece after its commit.

    The import counts as finished when the last piece was taken; a consumer that goes away leaves it open,
    and the same file sent again completes it.
    """
    teller = Teller(order.organization, order.by) if order.options.tell else None
    journal = ImportJournal(source, teller)
    plain: dict[int, str] = {}
    run = Run(order.organization.id, order.by, order.options.terms, journal=journal)
    yield userlist.HEADER
    for outcomes in _counted(order, enter(run, order.sheet.rows(), order.options, _digester(source, plain))):
        yield userlist.rows_of(outcomes, _shown(outcomes, plain, journal.changed), order.sign_in_at)
        plain.clear()
        order.told = len(teller.lines) if teller else 0
        Import.objects.filter(id=source.id).update(rows_done=order.report.rows)
        check_still(order.organization, order.by)
    finish(order, source)


def finish(order: Order, source: Import) -> None:
    """The result file was delivered."""
    with transaction.atomic():
        mine = Import.objects.filter(id=source.id, finished_at=None, undo_began_at=None)
        if mine.update(finished_at=clock.now()):
            _record(order, source, EventType.IMPORT_FINISHED)


def _digester(source: Import, plain: dict[int, str]) -> Callable[[Row], str]:
    """Digests of supplied passwords, or of made ones; the plain text stays in ``plain`` until it is written out."""
    key = pepper.subkey("made-passwords", source.pepper_id)

    def digest_for(row: Row) -> str:
        password = row.password or made_password(key, source, row.line)
        plain[row.line] = password
        return passwords.digest(password)

    return digest_for


def made_password(key: bytes, source: Import, line: int) -> str:
    """The made password of a line: derived, so that every run writes the same one and none is stored."""
    return derived_password(key, f"{source.id}|{line}|{source.reissue}".encode())


def _shown(outcomes: list[Outcome], plain: dict[int, str], changed: set[int]) -> dict[int, str]:
    return {
        outcome.joiner.line: plain.get(outcome.joiner.line, "")
        for outcome in outcomes
        if outcome.result is Result.CREATED and outcome.joiner.line not in changed
    }


def _counted(order: Order, batches: Iterator[list[Outcome]]) -> Iterator[list[Outcome]]:
    begun = time.perf_counter()
    for outcomes in batches:
        order.report.add(outcomes)
        order.report.seconds = time.perf_counter() - begun
        yield outcomes


def _record(order: Order, source: Import, kind: EventType) -> None:
    counts = {} if kind is EventType.IMPORT_STARTED else order.report.as_json()
    record.record(
        Draft(
            kind,
            order.organization.id,
            order.by.actor,
            data={"import": str(source.id), "file": source.file_name, "rows": source.rows, **counts},
        )
    )
