"""Several workers, real processes, on one queue: each mail once, whoever sleeps, stops or is slow (R15, R4)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from postoffice import Office, office, until

LEASE = 1.2


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path, LEASE) as opened:
        yield opened


def test_four_workers_send_each_mail_once(here: Office) -> None:
    here.ask("post", count=150)
    here.hire(4)
    until(here.empty, "150 mails")
    assert set(here.server.copies().values()) == {1}
    assert len(here.server.copies()) == 150


def test_a_worker_that_slept_past_its_lease_sends_no_second_copy(here: Office) -> None:
    """R15: stopped while it waits for the server's word on the address; another sends; then it goes on."""
    here.server.waits["RCPT"] = [LEASE * 3]
    here.ask("post", count=1)
    (sleeper,) = here.hire()
    until(lambda: len(here.server.asked) == 1, "the first is asked for")
    os.kill(sleeper.pid, signal.SIGSTOP)
    here.hire()
    until(here.empty, "the other sends it")
    time.sleep(LEASE * 2)
    os.kill(sleeper.pid, signal.SIGCONT)
    here.ask("post", count=1, start=1)
    until(here.empty, "the next goes out")
    sleeper.send_signal(signal.SIGTERM)
    assert sleeper.wait(30) == 0
    assert sorted(here.server.got()) == ["p0@mail.example", "p1@mail.example"]
    assert here.server.asked.count("p0@mail.example") == 2


def test_a_slow_server_is_no_reason_for_a_second_copy(here: Office) -> None:
    """The lease is shorter than what the server needs: it is kept as long as its worker lives."""
    here.server.waits["DATA"] = [LEASE * 4]
    here.ask("post", count=1)
    here.hire(2)
    until(here.empty, "the slow one")
    assert here.server.got() == ["p0@mail.example"]
    assert here.server.asked == ["p0@mail.example"]
