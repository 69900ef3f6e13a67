"""Acts of the race and crash proofs (hand.py): codes at the door, those who wait, and undoing what brought many."""

from __future__ import annotations

import os
import signal
import traceback
import uuid
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import Client
from ticks import ticking
from world import BY_OPERATOR, PASSWORD

from usher.core import clock
from usher.events.models import Event
from usher.lifecycle import past, undo
from usher.lifecycle.approve import approve, decline
from usher.lifecycle.desk import Choices
from usher.lifecycle.joiner import NewAccount, Outcome
from usher.lifecycle.lists.parse import read
from usher.lifecycle.move import move
from usher.lifecycle.past import Book
from usher.methods.bulk_accounts import names
from usher.methods.bulk_accounts import run as creations
from usher.methods.bulk_accounts.order import Order
from usher.methods.csv_import import run as imports
from usher.methods.csv_import.options import Options
from usher.methods.invite_code import codes
from usher.methods.invite_code.entry import enter
from usher.methods.invite_code.models import CodeUse, InviteCode
from usher.organizations.models import Organization, SeatPool
from usher.people import passwords
from usher.people.models import Account, Group, GroupMembership, Membership


def _told(outcomes: list[Outcome]) -> list[str]:
    return [outcome.reason or outcome.result.value for outcome in outcomes]


# Codes


def make_code(*, organization: str, code: str, group: str | None = None, **facts: Any) -> str:
    facts = {"role": "student", "group_id": group} | facts
    return str(InviteCode.objects.create(organization_id=organization, code=code, **facts).id)


def own_account(*, address: str) -> str:
    """Somebody who has proved an address, and is nowhere a member."""
    facts = {"username": address, "email": address, "sign_in_key": address, "claimed_at": clock.now()}
    return str(Account.objects.create(password=passwords.digest(PASSWORD), **facts).id)


def by_code(*, code: str, who: str) -> list[str]:
    """Somebody types a code: an account by its id, or a name of somebody who has none. As the page does it."""
    row = InviteCode.objects.select_related("organization__license", "group").filter(code=code).first()
    if row is None:
        return ["code_dead"]
    account = uuid.UUID(who) if "-" in who else NewAccount(who, password=passwords.digest(PASSWORD), chosen=True)
    return _told([enter(row, account)])


def rotate(*, organization: str, code_id: str) -> str:
    return codes.rotate(Organization.objects.get(id=organization), uuid.UUID(code_id), BY_OPERATOR).code


def of_code(*, code_id: str) -> dict[str, int]:
    """The counter, who came in, who asked, and who came in after the code was rotated."""
    row, uses = InviteCode.objects.get(id=code_id), CodeUse.objects.filter(code=uuid.UUID(code_id))
    late = uses.filter(at__gt=row.rotated_at).count() if row.rotated_at else 0
    return {"used": row.used, "came": uses.filter(asked=False).count(), "asked": uses.filter(asked=True).count()} | {
        "late": late
    }


def ask(*, organization: str, code: str, who: str) -> str:
    """Somebody waits; the membership."""
    assert by_code(code=code, who=who) == ["waiting"]
    return str(Membership.objects.filter(organization_id=organization).latest("id").id)


def let_in(*, organization: str, membership: str) -> list[str]:
    return ["created" if approve(uuid.UUID(organization), uuid.UUID(membership), BY_OPERATOR) else "unchanged"]


def send_away(*, organization: str, membership: str) -> list[str]:
    return ["declined" if decline(uuid.UUID(organization), uuid.UUID(membership), BY_OPERATOR) else "unchanged"]


def state_of(*, membership: str) -> str:
    return Membership.objects.get(id=membership).state


# Many at once


def _order(organization: str, text: str, group: str = "") -> imports.Order:
    options = Options("student", group, make_groups=True, file_name="list.csv")
    return imports.Order(Organization.objects.get(id=organization), read(text.encode()), options, BY_OPERATOR)


def import_now(*, organization: str, text: str, group: str = "") -> list[str]:
    """A file from its first line to its last."""
    order = _order(organization, text, group)
    for _ in imports.write(order, imports.start(order)):
        pass
    told = [result for result in order.report.results.elements() if result != "refused"]
    return [*told, *order.report.reasons.elements()]


def make_accounts(*, organization: str, count: int, group: str = "") -> list[str]:
    given = Order(
        Organization.objects.get(id=organization), names.numbered(count), Choices("student", group), BY_OPERATOR
    )
    return _told(list(creations.make(given).outcomes))


# Undo


def undo_until(*, organization: str, run: str, out: str, tick: int) -> str:
    """Undo in a child process that is killed at the tick; how many ticks it has stands in ``out`` when it is not."""
    connection.close()
    child = os.fork()
    if child == 0:
        _undo_and_die(organization, run, Path(out), tick)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "killed" if os.WTERMSIG(status) == signal.SIGKILL else f"signal {os.WTERMSIG(status)}"
    return "done" if os.WEXITSTATUS(status) == 0 else Path(f"{out}.error").read_text()


def _undo_and_die(organization: str, run: str, out: Path, tick: int) -> None:
    try:
        with ticking(tick) as count:
            undo_run(organization=organization, run=run)
        Path(f"{out}.ticks").write_text(str(count[0]))
    except BaseException:
        Path(f"{out}.error").write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)


def newest_run(*, organization: str) -> str:
    return str(past.page(Organization.objects.get(id=organization), None).runs[0].kept.id)


def oldest_run(*, organization: str) -> str:
    return str(past.page(Organization.objects.get(id=organization), None).runs[-1].kept.id)


def change_one(*, organization: str) -> None:
    """The third of those whom an import brought gets another role."""
    members = Membership.objects.filter(organization_id=organization, method="csv_import").order_by("id")
    move(uuid.UUID(organization), members[2].id, "teacher", BY_OPERATOR)


def resize(*, organization: str, student: int | None = None, cap: int | None = None) -> None:
    """Other limits: of the pupils' seats, or of the choir."""
    if student is not None:
        SeatPool.objects.filter(organization_id=organization, pool="student").update(limit=student)
    if cap is not None:
        Group.objects.filter(organization_id=organization, name="Choir").update(cap=cap)


def _book(organization: str, run: str) -> Book:
    book = past.find(Organization.objects.get(id=organization), None, uuid.UUID(run))
    assert book
    return book


def undo_run(*, organization: str, run: str) -> list[str]:
    done = undo.undo(Organization.objects.get(id=organization), _book(organization, run), BY_OPERATOR)
    return ["removed"] * done.goes


def set_undo_batch(*, size: int) -> None:
    undo.BATCH = size  # type: ignore[misc]


def sign_in_of(*, organization: str, number: int) -> list[str]:
    """One of those whom an import brought signs in by the page, as long as he is there."""
    members = Membership.objects.select_related("account").filter(organization_id=organization, method="csv_import")
    member = members.order_by("id")[number : number + 1].first()
    if member is None:
        return ["gone"]
    given = {"name": member.account.sign_in, "password": PASSWORD}
    return ["signed_in" if Client(SERVER_NAME="localhost").post("/", given).status_code == 302 else "gone"]


def what_is_left(*, organization: str, run: str) -> dict[str, Any]:
    """What an undo leaves behind, in words that are the same in every organisation."""
    kept = _book(organization, run).kept
    events = Event.objects.filter(organization_id=organization)
    members = Membership.objects.filter(organization_id=organization)
    return {
        "state": past.told(Organization.objects.get(id=organization), kept).standing.value,
        "came": kept.came,
        "gone": kept.gone,
        "still_signed_in": members.filter(method="csv_import", account__last_login__isnull=False).count(),
        "members": sorted(members.values_list("account__username", "state")),
        "accounts": Account.objects.filter(home_id=uuid.UUID(organization)).count(),
        "places": GroupMembership.objects.filter(organization_id=organization).count(),
        "undone": events.filter(type="membership:undone").count(),
        "told": events.filter(type__in=("import:undone", "accounts:undone")).count(),
    }


ACTS = {
    act.__name__: act
    for act in (
        make_code, own_account, by_code, rotate, of_code, ask, let_in, send_away, state_of, import_now, make_accounts,
        newest_run, oldest_run, change_one, resize, undo_run, undo_until, set_undo_batch, sign_in_of, what_is_left,
    )
}  # fmt: skip
