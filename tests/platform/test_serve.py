"""usher serve: starts, says a taken port, answers for its health, and goes as one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from usher.cli.base import InputError
from usher.cli.serve import refuse_taken_port

pytestmark = pytest.mark.xdist_group("serve")  # one server for all of them
PATIENCE = 60.0


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    listen: str
    environ: dict[str, str]

    def get(self, path: str) -> tuple[dict[str, str], dict[str, object]]:
        with urlopen(f"http://{self.listen}{path}", timeout=10) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return headers, json.load(answer)

    def can_start_again(self) -> None:
        deadline = time.monotonic() + 5  # what was killed a moment ago may still be on its way out
        while True:
            try:
                return refuse_taken_port("127.0.0.1", int(self.listen.rpartition(":")[2]))
            except InputError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def children(self) -> list[int]:
        listing = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listing.split()]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def usher(environ: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "usher", *arguments]
    return subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True)


def start(data_dir: Path) -> Served:
    listen = f"127.0.0.1:{free_port()}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("USHER_") and k != "DATABASE_URL"}
    environ = kept | {"USHER_DATA_DIR": str(data_dir), "USHER_LISTEN": listen, "USHER_WEB_PROCESSES": "1"}
    served = Served(usher(environ, "serve"), listen, environ)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and served.process.poll() is None:
        with suppress(URLError, ConnectionError):
            served.get("/healthz")
            return served
        time.sleep(0.05)
    served.process.kill()
    raise AssertionError(f"did not start: {served.process.communicate()[1]}")


def stop(served: Served, number: signal.Signals = signal.SIGTERM) -> int:
    served.process.send_signal(number)
    try:
        return served.process.wait(PATIENCE)
    finally:
        served.process.kill()
        if served.process.stderr:
            served.process.stderr.close()


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve") / "var"


@pytest.fixture(scope="module")
def served(data_dir: Path) -> Iterator[Served]:
    running = start(data_dir)
    yield running
    stop(running)


def test_it_answers_for_its_health(served: Served) -> None:
    headers, health = served.get("/healthz")
    assert health == {"status": "ok"}
    assert headers["cache-control"] == "no-store, private"
    assert served.get("/readyz")[1] == {"status": "ready", "database": "ok", "migrations": "ok"}


def test_its_files_are_for_nobody_else(served: Served, data_dir: Path) -> None:
    assert served.process.poll() is None
    files = [data_dir, *data_dir.rglob("*")]
    assert any(file.name == "usher.sqlite3" for file in files)
    assert [file for file in files if file.stat().st_mode & 0o077] == []


def test_a_taken_port_is_said(served: Served) -> None:
    second = usher(served.environ, "serve")
    _, said = second.communicate(timeout=PATIENCE)
    assert second.returncode == 2
    assert f"cannot listen on {served.listen} (Address already in use)" in said
    assert served.process.poll() is None


def test_it_stops_when_told_and_leaves_the_port(data_dir: Path, served: Served) -> None:
    other = start(data_dir)
    children = other.children()
    assert len(children) == 2
    assert stop(other, signal.SIGINT) == 0
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
    other.can_start_again()
    assert served.process.poll() is None


def test_when_one_part_dies_the_other_goes_too(data_dir: Path) -> None:
    running = start(data_dir)
    children = running.children()
    os.kill(children[0], signal.SIGKILL)  # the web server's parent: its workers must not keep the port
    try:
        assert running.process.wait(PATIENCE) == 1
        assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
        running.can_start_again()
    finally:
        stop(running)
