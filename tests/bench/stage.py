"""A stage for measuring: a database of its own, commands and a server on it, all gone afterwards."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True)
class Finished:
    """A command that ended: what it wrote, how long it took and its peak memory (children included)."""

    out: str
    seconds: float
    peak_mb: float

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Server:
    """A running server: where it is, and what it has used so far."""

    address: str
    pid: int

    def cpu_seconds(self) -> float:
        """Processor time of all its processes: our clients share the cores, and rates alone would blame it for them."""
        parents: dict[int, int] = {}
        used: dict[int, float] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                pid = int(stat.parent.name)
                parents[pid] = int(fields[1])
                used[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return sum(seconds for pid, seconds in used.items() if self._holds(pid, parents))

    def _holds(self, pid: int, parents: dict[int, int]) -> bool:
        while pid > 1:
            if pid == self.pid:
                return True
            pid = parents.get(pid, 0)
        return False


@dataclass(frozen=True)
class Stage:
    name: str
    environ: dict[str, str]
    folder: Path

    def usher(self, *arguments: str) -> Finished:
        """Run the ``usher`` command. Exit codes 0 and 1 are fine: refused rows are no failure here."""
        return self.run([str(BIN / "usher"), *arguments])

    def child(self, *arguments: str) -> Any:
        """Run one of the little programs in child.py, which answer in JSON."""
        return self.run([sys.executable, str(CHILD), *arguments]).json

    def run(self, command: Sequence[str]) -> Finished:
        begun = time.perf_counter()
        with tempfile.TemporaryFile("w+") as out:
            process = subprocess.Popen(
                command, env=self.environ, stdout=out, stderr=subprocess.DEVNULL, cwd=self.folder
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - begun
            out.seek(0)
            text = out.read()
        if process.returncode not in (0, 1):
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {text[-500:]}")
        return Finished(text, seconds, usage.ru_maxrss / 1024)

    @contextmanager
    def serving(self, **settings: str) -> Iterator[Server]:
        """``usher serve`` on a free port, with these settings besides its own."""
        port = _free_port()
        environ = self.environ | {"USHER_LISTEN": f"127.0.0.1:{port}", "USHER_BASE_URL": f"http://127.0.0.1:{port}"}
        server = subprocess.Popen([str(BIN / "usher"), "serve"], env=environ | settings, stderr=subprocess.DEVNULL)
        try:
            _wait_for(f"http://127.0.0.1:{port}/readyz")
            yield Server(f"http://127.0.0.1:{port}", server.pid)
        finally:
            server.terminate()
            server.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("The server did not start.")


@contextmanager
def stage(postgresql: str = "") -> Iterator[Stage]:
    """An empty, migrated stage on SQLite, or on a database of its own beside the one of this address."""
    folder = Path(tempfile.mkdtemp(prefix="usher-bench-"))
    environ = {k: v for k, v in os.environ.items() if not k.startswith("USHER_") and k != "DATABASE_URL"}
    environ |= {"USHER_DATA_DIR": str(folder / "var"), "DJANGO_SETTINGS_MODULE": "usher.settings"}
    name = ""
    if postgresql:
        name = f"usher_bench_{secrets.token_hex(4)}"
        _admin(postgresql, f"CREATE DATABASE {name}")
        secret = {"USHER_SECRET_KEY": secrets.token_urlsafe(40), "USHER_PEPPER": secrets.token_urlsafe(40)}
        environ |= secret | {"DATABASE_URL": urlunsplit(urlsplit(postgresql)._replace(path=f"/{name}"))}
    try:
        built = Stage("PostgreSQL" if postgresql else "SQLite", environ, folder)
        built.usher("migrate")
        yield built
    finally:
        shutil.rmtree(folder)
        if name:
            _admin(postgresql, f"DROP DATABASE {name} WITH (FORCE)")


def _admin(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
