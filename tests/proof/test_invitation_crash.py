"""kill -9 while invitations go out (R3, V5): none lost, none after it was taken back, and the desk tells the truth."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from functools import partial
from itertools import count as counter
from pathlib import Path

import pytest
from postoffice import Office, kill, office, until

LEASE = 0.3
INVITED = 30
TAKEN_BACK = 5
NEVER = 10**9
numbers = counter(1)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office(tmp_path_factory.mktemp("invitations"), LEASE) as opened:
        yield opened


def new_house(here: Office, count: int) -> tuple[str, str]:
    """The id and the short name of a school that has invited so many."""
    slug = f"school-{next(numbers)}"
    here.server.mails.clear()
    return here.ask("invite", slug=slug, count=count), slug


@pytest.fixture(scope="module")
def ticks(here: Office) -> int:
    new_house(here, INVITED)
    return int(here.ask("send_until", tick=NEVER))


def is_whole(here: Office, organization: str, count: int, kills: int) -> None:
    """Each arrived, a kill cost one copy more at most, and the desk has each as sent."""
    copies = here.server.copies()
    assert len(copies) == len(set(here.server.got())) == count
    assert sum(copies.values()) <= count + kills
    told = here.ask("invitations", organization=organization)
    assert told == {"mailing": {"sent": count}, "broken": []}
    assert here.ask("left") == {"alive": 0, "why": []}


def die_at(here: Office, tick: int) -> None:
    organization, slug = new_house(here, INVITED)
    assert here.ask("send_until", tick=tick) == 0, tick
    # Before the rest goes out, some of those that are still here are taken back.
    sent = set(here.server.got())
    still = [address for n in range(INVITED) if (address := f"p{n}@{slug}.example") not in sent][-TAKEN_BACK:]
    here.ask("revoke", organization=organization, addresses=still)
    here.ask("send_rest")
    is_whole(here, organization, INVITED - len(still), 1)
    assert not set(still) & set(here.server.got()), "none after it was taken back"


def test_killed_at_five_points(here: Office, ticks: int) -> None:
    for point in range(5):
        die_at(here, round(1 + point * (ticks - 1) / 5))


@pytest.mark.proof
def test_killed_at_every_point(here: Office, ticks: int) -> None:
    for tick in range(1, ticks + 1):
        die_at(here, tick)


def has_got(here: Office, count: int) -> bool:
    return len(here.server.mails) >= count


@pytest.mark.proof
def test_workers_killed_at_random(tmp_path: Path) -> None:
    """1,500 invitations, three workers hired one after the other and killed, and then two to the end."""
    count, kills, dice = 1500, 12, random.Random(4)
    with office(tmp_path, LEASE) as here:
        organization, _slug = new_house(here, count)
        for number in range(kills):
            (victim,) = here.hire()
            until(partial(has_got, here, len(here.server.mails) + count // (kills + 3)), f"mails before kill {number}")
            time.sleep(dice.random() * 0.05)
            kill(victim)
        here.hire(2)
        until(here.empty, "all invitations")
        is_whole(here, organization, count, kills)
