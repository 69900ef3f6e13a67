"""Databases of one's own, and quick usher commands on them; for what a test's own transaction cannot hold."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from command import Ran
from crew import ROOT, TESTS, database


class Zygote:
    """See zygote.py."""

    def __init__(self, folder: Path) -> None:
        with database(folder) as environ:  # of the right kind; which one is said with each order
            self.process = subprocess.Popen(
                [sys.executable, str(TESTS / "zygote.py")],
                env=environ,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )

    def order(self, **order: Any) -> Ran:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return Ran(**json.loads(self.process.stdout.readline()))

    def stop(self) -> None:
        self.process.communicate(timeout=10)


class Place:
    """One database, and the usher command on it."""

    def __init__(self, zygote: Zygote, environ: dict[str, str]) -> None:
        self.environ, self._zygote = environ, zygote
        self.on_sqlite = "DATABASE_URL" not in environ
        self.file = Path(environ["USHER_DATA_DIR"]) / "usher.sqlite3"
        self._name = str(self.file) if self.on_sqlite else urlsplit(environ["DATABASE_URL"]).path[1:]

    def usher(self, *words: object, peppers: Sequence[str] = (), **environ: str) -> Ran:
        return self._order([str(word) for word in words], peppers=list(peppers), environ=environ)

    def run(self, code: str, *given: str) -> Any:
        """A piece of Python inside Usher; it says ``answer(value)`` and finds ``given``."""
        ran = self._order(list(given), code=code)
        assert ran.code == 0, ran.err
        return ran.document

    def _order(self, words: list[str], **order: Any) -> Ran:
        known = {"code": "", "peppers": [], "environ": {}, "database": self._name, "words": words}
        return self._zygote.order(**known | order)

    def process(self, *words: str) -> subprocess.Popen[str]:
        """The command as a process of its own, that goes on."""
        command = [sys.executable, "-m", "usher", *words]
        return subprocess.Popen(command, env=self.environ, cwd=ROOT, stderr=subprocess.PIPE, text=True)

    @contextmanager
    def sql(self) -> Iterator[Any]:
        """Somebody else's connection, in a transaction."""
        if self.on_sqlite:
            with closing(sqlite3.connect(self.file)) as opened, opened:
                yield opened
        else:
            with psycopg.connect(self.environ["DATABASE_URL"]) as opened_:
                yield opened_


@contextmanager
def place(zygote: Zygote, folder: Path) -> Iterator[Place]:
    folder.mkdir(exist_ok=True)
    with database(folder) as environ:
        yield Place(zygote, environ)


@contextmanager
def zygote(folder: Path) -> Iterator[Zygote]:
    started = Zygote(folder)
    try:
        yield started
    finally:
        started.stop()
