"""usher jobs: how much work there is, what of it was given up and why, and once more with that."""

from __future__ import annotations

import uuid

import pytest
from command import Ran, Usher

from usher.core import clock
from usher.core.models import Mail
from usher.core.work import KEPT
from usher.events.models import Event
from usher.events.types import EventType

WHY = "The mail server refused the address with 550."


def dead(to: str = "zoe@mail.example") -> str:
    now = clock.now()
    row = Mail.objects.create(kind="reset", to=to, attempts=3, failure=WHY, dead_at=now, run_at=now + KEPT)
    return str(row.id)


def warned(usher: Usher) -> list[str]:
    return [case for one in usher("check", "--json").document["warnings"] for case in one["cases"]]


def test_one_line_for_each_kind(usher: Usher) -> None:
    Mail.objects.create(kind="reset", to="zoe@mail.example", run_at=clock.now() + KEPT)
    dead()
    lines = usher("jobs").out.splitlines()
    assert lines[0].split("\t") == ["kind", "due", "waiting", "in hand", "dead"]
    assert lines[1].split("\t") == ["mail", "0", "1", "0", "1"]
    assert {line.split("\t")[0] for line in lines} >= {"hashbatch", "erasure"}
    first = usher("jobs", "--json").document[0]
    assert first == {"kind": "mail", "due": 0, "waiting": 1, "in_hand": 0, "dead": 1}


def test_what_was_given_up_says_why_and_never_to_whom(usher: Usher) -> None:
    key = dead()
    said = usher("jobs", "--dead")
    (line,) = said.out.splitlines()[1:]
    number, kind, _, tries, reason = line.split("\t")
    assert (number, kind, tries, reason) == (key, "mail reset", "3", WHY)
    told = usher("jobs", "--dead", "--json")
    (one,) = told.document
    assert {name: one[name] for name in ("id", "kind", "what", "tries", "reason")} == {
        "id": key, "kind": "mail", "what": "reset", "tries": 3, "reason": WHY,
    }  # fmt: skip
    assert "mail.example" not in said.out + told.out


def test_check_warns_until_it_is_tried_again(usher: Usher) -> None:
    key = dead()
    assert "1 job was given up. See why with: usher jobs --dead" in warned(usher)
    assert usher("jobs", "retry", key).err == "1 will be tried again.\n"
    assert not any("given up" in case for case in warned(usher))
    row = Mail.objects.get()
    assert (row.dead_at, row.attempts) == (None, 0)
    assert row.run_at <= clock.now()
    assert Event.objects.get(type=EventType.SERVER_CHANGED).data == {"jobs_retried": 1}


def test_all_at_once(usher: Usher) -> None:
    for n in range(3):
        dead(f"p{n}@mail.example")
    assert usher("jobs", "retry", "--all").err == "3 will be tried again.\n"
    assert not Mail.objects.filter(dead_at__isnull=False).exists()


def test_dropped_it_is_gone_and_what_lives_is_not(usher: Usher) -> None:
    key = dead()
    living = str(Mail.objects.create(kind="reset", to="yve@mail.example").id)
    said = usher("jobs", "drop", key, living)
    assert said.code == 1
    assert said.err.splitlines() == ["1 thrown away.", "1 not found among what was given up: see usher jobs --dead"]
    assert str(Mail.objects.get().id) == living


@pytest.mark.parametrize("words", [("retry",), ("retry", "--all", uuid.uuid4()), ("drop",), ("retry", "zoe")])
def test_what_makes_no_sense_is_refused(usher: Usher, words: tuple[object, ...]) -> None:
    key = dead()
    ran: Ran = usher("jobs", *words)
    assert ran.code == 2
    assert str(Mail.objects.get(dead_at__isnull=False).id) == key
