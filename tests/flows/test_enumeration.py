"""Nobody learns at a door who has an account, or which codes there are (security.md D1, C16).

One harness for every page that takes an address or a code of a stranger: whatever stands behind what he typed, the
page answers with the same status and body, asks the database the same, hashes as often and queues as many mails.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from mailing import mails
from world import Person, World, somebody

from usher.core import clock as clocks
from usher.core.limits import CODE_ADDRESS
from usher.core.models import Mail
from usher.lifecycle.leave import deactivate
from usher.methods.invite_code.models import InviteCode
from usher.people import passwords
from usher.people.addresses import parse_address
from usher.people.claim import claim
from usher.people.models import Account

LIVING = "10AB29QX"
ADDRESS = "somebody@mail.example"
PASSWORD = "four words in a row"


# What can be seen


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer, as far as it may be the same for everybody."""

    status: int
    body: bytes
    queries: tuple[str, ...]
    hashes: int
    mails: tuple[tuple[str, int], ...]

    def differences(self, other: Seen) -> list[str]:
        return [name for name in self.__slots__ if getattr(self, name) != getattr(other, name)]


VALUES = re.compile(r"'(?:[^']|'')*'(?:::\w+)?|\b[0-9a-f]{32}\b|\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b")
SAVEPOINT = re.compile(r'"s\w+_x\w+"')
ONE_TIME = re.compile(rb'(name="(?:csrfmiddlewaretoken|form)" value=)"[^"]*"|"X-CSRFToken": "[^"]*"')


def look(act: Callable[[], HttpResponse], typed: str, hashes: list[str]) -> Seen:
    """Do something at a door, and keep what it showed and cost."""
    hashes.clear()
    before = Counter(Mail.objects.values_list("kind", flat=True))
    with CaptureQueriesContext(connection) as queries:
        answer = act()
    posted = Counter(Mail.objects.values_list("kind", flat=True)) - before
    body = ONE_TIME.sub(rb"\1", answer.content).replace(typed.encode(), b"TYPED")
    return Seen(
        answer.status_code,
        body + answer.headers.get("Location", "").replace(typed, "TYPED").encode(),
        tuple(VALUES.sub("?", SAVEPOINT.sub("SAVEPOINT", query["sql"])) for query in queries),
        len(hashes),
        tuple(sorted(posted.items())),
    )


def assert_alike(seen: Mapping[str, Seen]) -> None:
    first_name, first = next(iter(seen.items()))
    apart = {name: first.differences(one) for name, one in seen.items() if one != first}
    detail = [
        f"{name}, {part}: {_apart(getattr(first, part), getattr(seen[name], part))}"
        for name, parts in apart.items()
        for part in parts
    ]
    assert not apart, f"not as {first_name}:\n" + "\n".join(detail)


def _apart(one: object, other: object) -> str:
    """Both from where they differ."""
    texts = repr(one), repr(other)
    apart = next((at for at, (here, there) in enumerate(zip(*texts, strict=False)) if here != there), 0)
    return " | ".join(text[max(0, apart - 40) :][:200] for text in texts)


@contextmanager
def undone() -> Iterator[None]:
    """What happens in here did not happen afterwards, so that everybody finds the same house."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _everybody_is_there(world: World) -> None:
    assert len(world.people) == 7


# Whose address it may be


def nobody(world: World) -> None:
    """No account has it."""


def proved(world: World) -> None:
    give(world.eve)


def unclaimed(world: World) -> None:
    world.cedar.add(somebody("Made By Ada", email=ADDRESS))


def twice_unclaimed(world: World) -> None:
    world.birch.add(somebody("Made By Bob", "learner", email=ADDRESS))
    world.cedar.add(somebody("Made By Ada", email=ADDRESS))


def proved_and_offered(world: World) -> None:
    twice_unclaimed(world)
    account = Account.objects.filter(sign_in_key=ADDRESS).order_by("id").first()
    assert account
    claim(account, parse_address(ADDRESS), passwords.make("one of her own"))


def without_password(world: World) -> None:
    """As somebody who comes by single sign-on alone."""
    give(world.eve)
    Account.objects.filter(sign_in_key=ADDRESS).update(password=passwords.UNUSABLE)


def operator(world: World) -> None:
    give(world.olga)


def of_a_suspended_organisation(world: World) -> None:
    world.birch.add(somebody("Made By Bob", "learner", email=ADDRESS))
    suspend(world)


def proved_in_a_suspended_organisation(world: World) -> None:
    of_a_suspended_organisation(world)
    claim(Account.objects.get(sign_in_key=ADDRESS), parse_address(ADDRESS))


def deactivated(world: World) -> None:
    outcome = world.cedar.add(somebody("Gone", email=ADDRESS))
    assert outcome.membership_id
    deactivate(world.cedar.id, outcome.membership_id, world.ada.by)


def suspend(world: World) -> None:
    world.birch.organization.suspended_at = clocks.now()
    world.birch.organization.save()


def give(person: Person) -> None:
    Account.objects.filter(id=person.account_id).update(sign_in_key=ADDRESS, email=ADDRESS)


KINDS = (
    nobody, proved, unclaimed, twice_unclaimed, proved_and_offered, without_password, operator,
    of_a_suspended_organisation, proved_in_a_suspended_organisation, deactivated,
)  # fmt: skip

# Where it can be typed: the page, and what is sent there beside the address.
GATES: Mapping[str, tuple[str, str, dict[str, str]]] = {
    "sign-in": ("/", "name", {"password": "not the right one"}),
    "sign-in at an organisation": ("/o/cedar/sign-in", "name", {"password": "not the right one"}),
    "registration": ("/register", "email", {"username": "Zoe", "password": PASSWORD, "code": LIVING}),
    "registration, refused": ("/register", "email", {"username": "Zoe", "password": "short", "code": LIVING}),
    "reset": ("/forgot", "email", {}),
    "reset at an organisation": ("/o/cedar/forgot", "email", {}),
}


@pytest.mark.parametrize("gate", GATES)
def test_an_address_tells_nothing_of_itself(world: World, hashes: list[str], gate: str) -> None:
    a_code(world, LIVING)
    page, field, more = GATES[gate]
    seen = {}
    for kind in KINDS:
        with undone():
            kind(world)
            seen[kind.__name__] = look(lambda: post(page, {field: ADDRESS, **more}), ADDRESS, hashes)
    assert_alike(seen)
    first = seen["nobody"]
    assert first.hashes == (1 if "sign-in" in gate or gate == "registration" else 0)
    assert sum(count for _, count in first.mails) == (1 if gate == "registration" or "reset" in gate else 0)


def test_the_harness_sees_a_difference(world: World, hashes: list[str]) -> None:
    """Pages that may tell are told apart: somebody's own sign-in, and a page with another address in it."""
    with undone():
        give(world.pia)
        right = look(lambda: post("/", {"name": ADDRESS, "password": "river-lamp-4821"}), ADDRESS, hashes)
    wrong = look(lambda: post("/", {"name": ADDRESS, "password": "not the right one"}), ADDRESS, hashes)
    assert set(right.differences(wrong)) == {"status", "body", "queries"}
    other = look(lambda: post("/", {"name": "x@mail.example", "password": "wrong"}), ADDRESS, hashes)
    assert wrong.differences(other) == ["body"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_registration_sends_one_mail(world: World, kind: Callable[[World], None]) -> None:
    """What it says, only the owner of the mailbox reads."""
    a_code(world, LIVING)
    kind(world)
    post("/register", {"username": "Zoe", "email": ADDRESS, "password": PASSWORD, "code": LIVING})
    assert [message.to for message in mails()] == [[ADDRESS]]


# Codes


def a_code(world: World, code: str, **facts: Any) -> InviteCode:
    facts = {"organization": world.cedar.organization, "role": "student", **facts}
    return InviteCode.objects.create(code=code, **facts)


HOUR = timedelta(hours=1)
DEAD: Mapping[str, Callable[[World], object]] = {
    "8HW5C3D1": lambda world: None,  # nobody made it
    "8HW5C3D2": lambda world: a_code(world, "8HW5C3D2", paused_at=clocks.now()),
    "8HW5C3D3": lambda world: a_code(world, "8HW5C3D3", ends_at=clocks.now() - HOUR),
    "8HW5C3D4": lambda world: a_code(world, "8HW5C3D4", starts_at=clocks.now() + HOUR),
    "8HW5C3D5": lambda world: a_code(world, "8HW5C3D5", max_uses=3, used=3),
    "8HW5C3D6": lambda world: a_code(world, "NEWC0DE9", rotated_at=clocks.now()),  # what it was before
    "8HW5C3D7": lambda world: a_code(world, "8HW5C3D7", organization=world.birch.organization, role="learner"),
    "8HW5C3D8": lambda world: a_code(world, "8HW5C3D8", paused_at=clocks.now(), group=world.year5, proof="at_once"),
    "8HW5C3D9": lambda world: a_code(world, "8HW5C3D9", at_end="ask", paused_at=clocks.now()),
}
CODE_GATES: Mapping[str, Callable[[str], HttpResponse]] = {
    "typed": lambda code: post("/join", {"code": code}),
    "opened": lambda code: get(f"/join/{code}"),
    "sent": lambda code: post(f"/join/{code}", {"username": "Anna", "password": PASSWORD, "form": "f" * 43}),
    "registration": lambda code: post(
        "/register", {"username": "Zoe", "email": ADDRESS, "password": PASSWORD, "code": code}
    ),
    "registration by link": lambda code: get(f"/register?code={code}"),
}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("gate", CODE_GATES)
def test_a_dead_code_tells_nothing_of_itself(world: World, hashes: list[str], gate: str) -> None:
    suspend(world)
    seen = {}
    for code, make in DEAD.items():
        make(world)
        seen[code] = look(lambda: CODE_GATES[gate](code), code, hashes)  # noqa: B023 - called at once
    assert_alike(seen)
    first = next(iter(seen.values()))
    assert first.hashes == 0
    assert b"Cedar" not in first.body
    assert b"Birch" not in first.body
    assert any("INTO core_bucket" in query for query in first.queries), "a dead code is a wrong guess"
    if gate != "registration by link":
        assert first.status == 404
    a_code(world, LIVING, proof="at_once")
    living = look(lambda: CODE_GATES[gate](LIVING), LIVING, hashes)
    assert "queries" in first.differences(living)


@pytest.mark.usefixtures("clock")
def test_wrong_guesses_of_every_kind_count_alike(world: World) -> None:
    suspend(world)
    for code, make in DEAD.items():
        make(world)
        with undone():
            for _ in range(CODE_ADDRESS.capacity - 2):
                CODE_ADDRESS.add("127.0.0.1")
            assert [get(f"/join/{code}").status_code for _ in range(3)] == [404, 404, 429], code


# How it is done


def post(page: str, sent: Mapping[str, str]) -> HttpResponse:
    answer = Client().post(page, sent)
    assert isinstance(answer, HttpResponse)
    return answer


def get(page: str) -> HttpResponse:
    answer = Client().get(page)
    assert isinstance(answer, HttpResponse)
    return answer
