"""usher serve: starts, says a taken port, answers for its health, and goes as one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from served import PATIENCE, Served, start, stop, usher

pytestmark = pytest.mark.xdist_group("serve")  # one server for all of them


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


def test_its_processes_count_together(data_dir: Path, served: Served) -> None:
    several = start(data_dir, web_processes=2)
    try:
        for _ in range(30):  # each by a connection of its own, so that both processes get some
            with urlopen(f"http://{several.listen}/", timeout=10) as answer:
                assert answer.status == 200
        with urlopen(f"http://{several.listen}/metrics", timeout=10) as answer:
            told = answer.read().decode()
    finally:
        stop(several)
    assert 'usher_request_seconds_count{method="GET",route="/",status="2xx"} 30.0' in told
    counted = [len(list(folder.glob("histogram_*.db"))) for folder in (data_dir / "metrics").iterdir()]
    assert max(counted) == 2
    assert served.process.poll() is None


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


def test_it_listens_by_name_too(data_dir: Path) -> None:
    """The web server itself takes addresses only; passkeys want a name."""
    named = start(data_dir, host="localhost")
    try:
        assert named.get("/healthz")[1] == {"status": "ok"}
    finally:
        stop(named)


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
