"""kill -9 while mails go out (R3, V5): none lost, at most one copy more for each kill, all with one Message-ID."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from postoffice import Office, kill, office, until

LEASE = 0.3
MAILS = 30
NEVER = 10**9


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office(tmp_path_factory.mktemp("mails"), LEASE) as opened:
        yield opened


@pytest.fixture(scope="module")
def ticks(here: Office) -> int:
    """How many there are while all go out and nobody is killed."""
    here.ask("post", count=MAILS)
    count = int(here.ask("send_until", tick=NEVER))
    assert len(here.server.mails) == MAILS
    assert count > MAILS * 10
    return count


def check(here: Office, count: int, kills: int) -> None:
    copies = here.server.copies()
    assert len(copies) == len(set(here.server.got())) == count, "each arrived, under one number"
    assert sum(copies.values()) <= count + kills, "and a kill costs one copy more at most"
    assert here.ask("left") == {"alive": 0, "why": []}


def die_at(here: Office, tick: int, count: int = MAILS) -> int:
    """How many copies there were of one mail."""
    here.server.mails.clear()
    here.ask("post", count=count)
    assert here.ask("send_until", tick=tick) == 0, tick
    assert here.ask("send_rest") < LEASE + 10
    check(here, count, 1)
    return max(here.server.copies().values())


def test_killed_at_six_points(here: Office, ticks: int) -> None:
    for point in range(6):
        die_at(here, round(1 + point * (ticks - 1) / 6))


def test_killed_at_every_point_of_one_mail(here: Office) -> None:
    """Before the mail is given away, and after, until it is noted: then, and only then, there is a second copy."""
    here.ask("post", count=1)
    ticks = int(here.ask("send_until", tick=NEVER))
    copies = "".join(str(die_at(here, tick, 1)) for tick in range(1, ticks + 1))
    assert re.fullmatch("1+2+1+", copies)


@pytest.mark.proof
def test_killed_at_every_point(here: Office, ticks: int) -> None:
    for tick in range(1, ticks + 1):
        die_at(here, tick)


def _has(here: Office, mails: int) -> bool:
    return len(here.server.mails) >= mails


@pytest.mark.parametrize(("count", "kills"), [(60, 2), pytest.param(1500, 12, marks=pytest.mark.proof)])
def test_workers_killed_at_random(tmp_path: Path, count: int, kills: int) -> None:
    dice = random.Random(kills)
    with office(tmp_path, LEASE) as here:
        here.ask("post", count=count)
        for number in range(kills):
            (victim,) = here.hire()
            enough = len(here.server.mails) + count // (kills + 3)
            until(partial(_has, here, enough), f"mails before kill {number}")
            time.sleep(dice.random() * 0.05)
            kill(victim)
        here.hire(2)
        until(here.empty, "all mails")
        check(here, count, kills)


@pytest.mark.proof
def test_usher_worker_killed_is_made_good_within_a_minute(tmp_path: Path) -> None:
    """With the lease that there is: the mail in hand is out 60 seconds after the kill."""
    with office(tmp_path, LEASE) as here:
        here.server.waits["RCPT"] = [0.0] * 5 + [30.0]
        here.ask("post", count=20)
        victim = here.hire_usher()
        until(lambda: len(here.server.asked) == 6, "five mails, and the sixth in hand")
        kill(victim)
        here.hire_usher()
        killed = time.monotonic()
        until(here.empty, "all mails")
        assert time.monotonic() - killed < 60
        check(here, 20, 1)
