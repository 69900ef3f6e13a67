"""Real workers in processes of their own, a real database and a real mail server: what arrives, and how often."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crew import ROOT, TESTS, database
from mailserver import Server, serving

PATIENCE = 90.0


class Office:
    """A desk that takes orders, the workers it has started, and the server to which they all send."""

    def __init__(self, environ: dict[str, str], server: Server, lease: float) -> None:
        self.environ = environ | {"USHER_SMTP_URL": f"smtp://127.0.0.1:{server.port}"}
        self.server = server
        self.lease = lease
        self.workers: list[subprocess.Popen[str]] = []
        self.desk = self._start("desk", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ask("prepare")

    def _start(self, *words: str, **pipes: int) -> subprocess.Popen[str]:
        command = [sys.executable, str(TESTS / "mailman.py"), str(self.lease), *words]
        return subprocess.Popen(command, env=self.environ, cwd=ROOT, text=True, **pipes)  # type: ignore[call-overload,no-any-return]

    def ask(self, act: str, **args: Any) -> Any:
        assert self.desk.stdin
        assert self.desk.stdout
        self.desk.stdin.write(json.dumps({"act": act, **args}) + "\n")
        self.desk.stdin.flush()
        line = self.desk.stdout.readline()
        assert line, "the desk has died"
        return json.loads(line)

    def hire(self, count: int = 1) -> list[subprocess.Popen[str]]:
        """So many workers more, with a short lease."""
        new = [self._start() for _ in range(count)]
        self.workers += new
        return new

    def hire_usher(self) -> subprocess.Popen[str]:
        """`usher worker` itself, with the lease that it has."""
        command = [sys.executable, "-m", "usher", "worker"]
        self.workers.append(subprocess.Popen(command, env=self.environ, cwd=ROOT, text=True))
        return self.workers[-1]

    def empty(self) -> bool:
        return int(self.ask("left")["alive"]) == 0

    def close(self) -> None:
        for process in self.workers:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        try:
            self.desk.communicate(timeout=PATIENCE)
        finally:
            self.desk.kill()


@contextmanager
def office(folder: Path, lease: float) -> Iterator[Office]:
    with database(folder) as environ, serving() as server:
        opened = Office(environ, server, lease)
        try:
            yield opened
        finally:
            opened.close()


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.02)


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
