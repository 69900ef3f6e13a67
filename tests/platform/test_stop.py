"""Told to stop: what is under way ends, what is not begun is left to others, and all of it soon."""

from __future__ import annotations

import http.client
import re
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from places import Place, place, zygote
from served import PATIENCE, Served, start, stop

from usher.cli.serve import HEADER_MS

AT_MOST = 20.0  # seconds, as promised in docs/deploy


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    running = start(tmp_path / "var", web_processes=2)
    yield running
    stop(running)


def end(served: Served) -> float:
    begun = time.monotonic()
    assert stop(served) == 0
    return time.monotonic() - begun


def test_a_request_under_way_gets_its_answer(served: Served, tmp_path: Path) -> None:
    """A sign-in waits for the database; meanwhile the server is told to stop."""
    with closing(sqlite3.connect(tmp_path / "var" / "usher.sqlite3", isolation_level=None)) as other:
        browser = http.client.HTTPConnection(served.listen, timeout=30)
        browser.request("GET", "/")
        page = browser.getresponse()
        cookie = str(page.headers["set-cookie"]).partition(";")[0]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
        assert token
        form = urlencode({"csrfmiddlewaretoken": token[1], "name": "nobody@cedar.example", "password": "not this one"})
        headers = {"cookie": cookie, "content-type": "application/x-www-form-urlencoded"}
        other.execute("BEGIN IMMEDIATE")
        browser.request("POST", "/", form, headers)
        time.sleep(0.5)
        served.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert served.process.poll() is None
        other.execute("ROLLBACK")
        answer = browser.getresponse()
        page_after = answer.read()
        assert b"The name or the password is not right" in page_after
        assert page_after.rstrip().endswith(b"</html>")
    assert served.process.wait(PATIENCE) == 0


def test_under_load_no_answer_is_cut_and_nothing_new_is_taken(served: Served) -> None:
    seen: Counter[str] = Counter()
    told = threading.Event()
    clients = [threading.Thread(target=visit, args=(served, seen, told, n % 2 == 0)) for n in range(6)]
    for client in clients:
        client.start()
    time.sleep(1.0)
    told.set()
    assert end(served) < AT_MOST
    for client in clients:
        client.join()
    assert seen["whole"] > 20
    assert seen["cut"] == 0
    assert seen["refused"] == 6


def visit(served: Served, seen: Counter[str], told: threading.Event, keeps: bool) -> None:
    """Ask again and again, until nobody listens any more."""
    connection = http.client.HTTPConnection(served.listen, timeout=30)
    while True:
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
        except ConnectionRefusedError:
            seen["refused"] += 1
            return
        except (http.client.HTTPException, OSError):
            connection.close()  # closed before anything was answered: asked again
            continue
        try:
            seen["whole" if answer.read().rstrip().endswith(b"</html>") else "cut"] += 1
        except (http.client.HTTPException, OSError):
            seen["cut"] += 1
        if not keeps:
            connection.close()


def test_an_idle_connection_does_not_hold_the_server(served: Served) -> None:
    with closing(http.client.HTTPConnection(served.listen, timeout=30)) as idle:
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        assert end(served) < HEADER_MS / 1000


@pytest.mark.proof
def test_half_a_request_does_not_hold_the_server_for_long(served: Served) -> None:
    with closing(http.client.HTTPConnection(served.listen, timeout=30)) as half:
        half.connect()
        half.sock.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        assert end(served) < AT_MOST


MANY = """
from usher.people import passwords
from usher.people.models import Account, HashBatch
from usher.core import clock
digest = passwords.digest("river-lamp-4821")
made = [Account(sign_in_key=f"a{n}@x.example", claimed_at=clock.now(), password=digest) for n in range(1500)]
Account.objects.bulk_create(made)
HashBatch.objects.create(first_id=made[0].id, last_id=made[-1].id)
answer(len(made))
"""
LEFT = """
from usher.people.models import Account, HashBatch
answer({
    "digests": Account.objects.filter(password__startswith="keyed$").count(),
    "rows": list(HashBatch.objects.values_list("lease_until", "attempts", "failure")),
})
"""


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with zygote(tmp_path_factory.mktemp("zygote")) as loaded, place(loaded, tmp_path_factory.mktemp("stop")) as made:
        assert made.usher("migrate").code == 0
        yield made


def test_the_worker_keeps_what_it_did_and_puts_the_rest_back(ready: Place) -> None:
    total = ready.run(MANY)
    with ready.process("worker") as worker:
        deadline = time.monotonic() + PATIENCE
        while ready.run(LEFT)["digests"] == total:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        worker.terminate()
        assert worker.wait(PATIENCE) == 0
        worker.communicate()
    left = ready.run(LEFT)
    assert 0 < left["digests"] < total
    assert left["rows"] == [[None, 0, ""]]
