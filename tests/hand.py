"""One process of the race and crash proofs: takes orders as JSON lines, does them at once or at a given moment.

Started by ``crew.py`` with the environment of a real Usher process and a database of its own; no pytest here.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import django

django.setup()

import hand_of_domains  # noqa: E402 - models want Django ready
import hand_of_invitations  # noqa: E402
import hand_of_lti  # noqa: E402
import hand_of_owners  # noqa: E402
import hand_of_runs  # noqa: E402
import hand_of_sso  # noqa: E402
import hand_of_strangers  # noqa: E402
import recount  # noqa: E402
from allauth.mfa.models import Authenticator  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from ticks import ticking  # noqa: E402
from world import BY_OPERATOR, House, somebody  # noqa: E402

from usher.core import checks, schema  # noqa: E402
from usher.core.errors import UsherError  # noqa: E402
from usher.core.models import Mail  # noqa: E402
from usher.events.models import Event  # noqa: E402
from usher.lifecycle import join as door  # noqa: E402
from usher.lifecycle.joiner import By, Outcome  # noqa: E402
from usher.lifecycle.leave import deactivate, reactivate  # noqa: E402
from usher.lifecycle.lists.parse import read  # noqa: E402
from usher.lifecycle.move import add_to_group, move  # noqa: E402
from usher.lifecycle.run import Run  # noqa: E402
from usher.methods.csv_import import run as imports  # noqa: E402
from usher.methods.csv_import.models import Import, ImportLine  # noqa: E402
from usher.methods.csv_import.options import Options  # noqa: E402
from usher.organizations.models import OldSlug, Organization, SeatPool  # noqa: E402
from usher.organizations.plans import Method  # noqa: E402
from usher.organizations.settings import change, settings_of  # noqa: E402
from usher.people import factors, passkeys, passwords, second_step, totp  # noqa: E402
from usher.people.models import Account, Group, GroupMembership, Membership  # noqa: E402

passwords.COST = passwords.Cost(memory_kib=8, passes=1, lanes=1, tag_bytes=16)
FILLING = "license:filling"
WAYS = (Method.INVITE_CODE, Method.EMAIL_INVITATION, Method.MICROSOFT, Method.LTI, Method.API, Method.CONSOLE)

# Preparing and looking


def prepare() -> None:
    schema.migrate()


@transaction.atomic
def found(*, slug: str, seats: dict[str, int], cap: int | None = None) -> dict[str, str]:
    """A school with two admins, a teacher and two pupils of the choir who were deactivated."""
    house = House(slug, slug.title(), "school")
    choir = house.group("Choir")
    ids = {"organization": house.id, "choir": choir.id}
    for name, role in (("Ada", "admin"), ("Ann", "admin"), ("Tom", "teacher"), ("Pia", "student"), ("Kim", "student")):
        person = house.settle(name, role, ("Choir",) if role == "student" else ())
        ids[name.lower()] = person.membership.id
        ids[f"{name.lower()}_account"] = person.account_id
    for name in ("pia", "kim"):
        deactivate(house.id, ids[name], BY_OPERATOR)
    for pool, limit in seats.items():
        house.seats(pool, limit)
    Group.objects.filter(id=choir.id).update(cap=cap)
    return {key: str(value) for key, value in ids.items()} | {"slug": slug}


def look(*, organization: str) -> dict[str, Any]:
    """What stands in the books, and what is wrong with them."""
    pools = SeatPool.objects.filter(organization_id=organization)
    groups = Group.objects.filter(organization_id=organization)
    admins = Membership.objects.filter(organization_id=organization, role="admin", state="active")
    return {
        "used": {pool.pool: pool.used for pool in pools},
        "places": {group.name: group.used for group in groups},
        "admins": admins.count(),
        "told": [one.data["level"] for one in Event.objects.filter(organization_id=organization, type=FILLING)],
        "seat_mails": Mail.objects.filter(organization_id=organization, kind="seats").count(),
        "faults": recount.faults(uuid.UUID(organization)),
    }


def check() -> list[str]:
    return [case for verdict in checks.run(checks.everything()).invariants for case in verdict.cases]


# Acts that race


def _told(outcomes: list[Outcome]) -> list[str]:
    return [outcome.reason or outcome.result.value for outcome in outcomes]


def join_one(*, organization: str, number: int, group: str = "") -> list[str]:
    way = WAYS[number % len(WAYS)]
    groups = (group,) if group else ()
    joiner = somebody(f"P{number}", email=f"p{number}@cedar.example", groups=groups, method=way)
    return _told([door.join(uuid.UUID(organization), joiner, BY_OPERATOR)])


def join_nameless(*, organization: str, group: str = "") -> list[str]:
    joiner = somebody("", groups=(group,) if group else (), method=Method.BULK_ACCOUNTS)
    return _told([door.join(uuid.UUID(organization), joiner, BY_OPERATOR)])


def join_class(*, organization: str, start: int, count: int, group: str = "") -> list[str]:
    people = [
        somebody(f"P{n}", email=f"p{n}@cedar.example", groups=(group,) if group else (), method=Method.API)
        for n in range(start, start + count)
    ]
    batches = door.join_many(Run(uuid.UUID(organization), BY_OPERATOR), people)
    return _told([outcome for batch in batches for outcome in batch])


def come_back(*, organization: str, membership: str) -> list[str]:
    return ["created" if reactivate(uuid.UUID(organization), uuid.UUID(membership), BY_OPERATOR) else "unchanged"]


def become(*, organization: str, membership: str, role: str, by: str = "") -> list[str]:
    giver = By(BY_OPERATOR.actor, 3) if by else BY_OPERATOR
    move(uuid.UUID(organization), uuid.UUID(membership), role, giver)
    return ["created"]


def rename(*, organization: str, slug: str) -> list[str]:
    here = Organization.objects.get(id=organization)
    change(here, replace(settings_of(here), slug=slug), BY_OPERATOR.actor)
    return ["renamed"]


def slugs() -> list[str]:
    """Every short name that leads somewhere, new and old."""
    old = OldSlug.objects.values_list("slug", flat=True)
    return sorted([*Organization.objects.values_list("slug", flat=True), *old])


def go(*, organization: str, membership: str) -> list[str]:
    return ["created" if deactivate(uuid.UUID(organization), uuid.UUID(membership), BY_OPERATOR) else "unchanged"]


def into_group(*, organization: str, membership: str, group: str) -> list[str]:
    added = add_to_group(uuid.UUID(organization), uuid.UUID(membership), uuid.UUID(group), BY_OPERATOR)
    return ["created" if added else "unchanged"]


# Imports

_begun: dict[str, tuple[imports.Order, Import]] = {}


def _order(organization: str, text: str) -> imports.Order:
    options = Options("student", make_groups=True, file_name="people.csv")
    sheet = read(text.encode(), "people.csv")
    return imports.Order(Organization.objects.get(id=organization), sheet, options, BY_OPERATOR)


def begin_import(*, organization: str, text: str) -> str:
    order = _order(organization, text)
    _begun[organization] = order, imports.start(order)
    return str(_begun[organization][1].id)


def write_import(*, organization: str) -> str:
    order, source = _begun.pop(organization)
    return "".join(imports.write(order, source))


def set_batch(*, size: int) -> None:
    door.BATCH = dict.fromkeys(door.BATCH, size)


def import_until(*, organization: str, text: str, out: str, tick: int) -> str:
    """Import in a child process that is killed at the tick; what it had delivered by then is in ``out``."""
    connection.close()
    child = os.fork()
    if child == 0:
        _import_and_die(organization, text, Path(out), tick)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "killed" if os.WTERMSIG(status) == signal.SIGKILL else f"signal {os.WTERMSIG(status)}"
    return "done" if os.WEXITSTATUS(status) == 0 else Path(f"{out}.error").read_text()


def _import_and_die(organization: str, text: str, out: Path, tick: int) -> None:
    try:
        with ticking(tick) as count, out.open("w", newline="") as file:
            order = _order(organization, text)
            for piece in imports.write(order, imports.start(order)):
                file.write(piece)
                file.flush()
        Path(f"{out}.ticks").write_text(str(count[0]))
    except BaseException:
        Path(f"{out}.error").write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)


def state(*, organization: str) -> dict[str, Any]:
    """All that an import leaves behind, in words that are the same in every organisation."""
    slug = Organization.objects.get(id=organization).slug
    members = Membership.objects.filter(organization_id=organization).select_related("account").order_by("id")
    events = Event.objects.filter(organization_id=organization).exclude(type="membership:refused")
    source = Import.objects.filter(organization_id=organization).first()
    lines = ImportLine.objects.filter(source=source).order_by("line")
    return {
        "members": [
            (m.account.sign_in.replace(slug, "SLUG"), m.account.username, m.role, m.state, m.evidence, _groups(m))
            for m in members
        ],
        "pools": sorted(SeatPool.objects.filter(organization_id=organization).values_list("pool", "used")),
        "groups": sorted(Group.objects.filter(organization_id=organization).values_list("name", "used")),
        "lines": [(line.line, line.result, line.reason) for line in lines],
        "events": sorted(Counter(events.values_list("type", flat=True)).items()),
        "finished": bool(source and source.finished_at),
    }


def _groups(member: Membership) -> list[str]:
    links = GroupMembership.objects.filter(membership=member)
    return sorted(links.values_list("group__name", flat=True))


def opens(*, organization: str, logins: list[tuple[str, str]]) -> list[str]:
    """The sign-ins that their password does not open."""
    accounts = Account.objects.filter(memberships__organization_id=organization)
    stored = dict(accounts.values_list("sign_in_key", "password"))
    return [name for name, password in logins if not passwords.verify(password, stored[name.lower()]).ok]


# A second proof


def protect(*, account: str) -> dict[str, Any]:
    """An app, recovery codes and a passkey for somebody: the code of now, the recovery codes, the passkey's row."""
    person, seed = Account.objects.get(id=account), totp.new_seed()
    shared, step = totp.key(person.id, seed), totp.step_now()
    codes = factors.add_app(person, seed, totp.code(shared, step - 1))
    row = Authenticator.objects.create(user=person, type=factors.PASSKEY, data={"answered": 0, "counter": 0})
    return {"now": totp.code(shared, step), "codes": codes, "row": row.pk}


def prove(*, account: str, code: str) -> list[str]:
    return [second_step.prove(Account.objects.get(id=account), code)]


def answer(*, row: int, at: int) -> list[str]:
    """A challenge of this time is answered by a passkey, if it counts."""
    return ["answered" if passkeys.spend(row, at, 0) else "replayed"]


# The loop

OWN: dict[str, Callable[..., Any]] = {
    act.__name__: act
    for act in (
        prepare, found, look, check, join_one, join_nameless, join_class, come_back, become, go, into_group,
        begin_import, write_import, set_batch, import_until, state, opens, protect,
        prove, answer, rename, slugs,
    )
}  # fmt: skip
ROOMS = (
    hand_of_strangers, hand_of_runs, hand_of_owners, hand_of_invitations, hand_of_domains, hand_of_sso, hand_of_lti,
)  # fmt: skip
ACTS = OWN | {name: act for room in ROOMS for name, act in room.ACTS.items()}
assert len(ACTS) == len(OWN) + sum(len(room.ACTS) for room in ROOMS), "two acts have one name"


def _do(name: str, args: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"done": ACTS[name](**args)}
    except UsherError as no:
        return {"done": [finding.code for finding in no.findings]}
    except Exception:
        return {"error": traceback.format_exc()}


def serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        time.sleep(max(0.0, order["at"] - time.time()))
        answers = [_do(name, args) for name, args in order["acts"]]
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    serve()
