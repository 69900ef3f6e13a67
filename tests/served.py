"""A real `usher serve` in processes of its own, on a free port, with the embedded database."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from usher.cli.base import InputError
from usher.cli.serve import refuse_taken_port

PATIENCE = 120.0


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


def start(data_dir: Path, web_processes: int = 1, host: str = "127.0.0.1") -> Served:
    listen = f"{host}:{free_port()}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("USHER_") and k != "DATABASE_URL"}
    environ = kept | {
        "USHER_DATA_DIR": str(data_dir),
        "USHER_LISTEN": listen,
        "USHER_WEB_PROCESSES": str(web_processes),
    }
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
