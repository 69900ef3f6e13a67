"""Several real processes on one real database: a file on SQLite, a database of its own on PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
SECRETS = {
    "USHER_SECRET_KEY": "only-for-tests-secret-key-0123456789",
    "USHER_PEPPER": "only-for-tests-pepper-0123456789abcdef",
}
GATE = 0.02  # seconds until all begin: longer than it takes to tell them

Act = tuple[str, dict[str, Any]]
numbers = count(1)  # one for all: the tests share a database


class Hand:
    """One process that waits for orders; see hand.py."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(TESTS / "hand.py")],
            env=environ,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def order(self, acts: Sequence[Act], at: float = 0.0) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"at": at, "acts": acts}) + "\n")
        self.process.stdin.flush()

    def told(self) -> list[dict[str, Any]]:
        """What became of each act."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the process has died"
        told: list[dict[str, Any]] = json.loads(line)
        return told

    def stop(self) -> None:
        with suppress(BrokenPipeError):
            self.process.communicate(timeout=10)


def answers(told: Sequence[dict[str, Any]]) -> list[Any]:
    """Raises AssertionError for an act that broke."""
    assert not (errors := [one["error"] for one in told if "error" in one]), errors[0]
    return [one["done"] for one in told]


class Crew:
    """Hands on one database. The first one also does what one alone can do."""

    def __init__(self, environ: dict[str, str], hands: int = 4) -> None:
        self.environ = environ
        self.hands = [Hand(environ) for _ in range(hands)]

    def do(self, act: str, **args: Any) -> Any:
        """One act by one process, now."""
        self.hands[0].order([(act, args)])
        return answers(self.hands[0].told())[0]

    def at_once(self, *lists: Sequence[Act]) -> list[Any]:
        """Each list by a process of its own, all beginning at one moment; the answers of all acts, in order."""
        at = time.time() + GATE
        chosen = self.hands[: len(lists)]
        for hand, acts in zip(chosen, lists, strict=True):
            hand.order(acts, at)
        # Heard to the end before one is looked at: what stayed unread would answer the next question.
        return answers([one for told in [hand.told() for hand in chosen] for one in told])

    def deal(self, acts: Sequence[Act]) -> list[Any]:
        """The acts dealt out to all hands, at once."""
        dealt = [acts[at :: len(self.hands)] for at in range(len(self.hands))]
        return self.at_once(*[hand for hand in dealt if hand])

    def found(self, **args: Any) -> dict[str, str]:
        """A new organisation; its slug has one length, so that states can be compared."""
        told: dict[str, str] = self.do("found", slug=f"school-{next(numbers):05}x", **args)
        return told


@contextmanager
def crew(folder: Path) -> Iterator[Crew]:
    """A crew on a new database of the kind the suite runs on."""
    with database(folder) as environ:
        crew = Crew(environ)
        try:
            crew.do("prepare")
            yield crew
        finally:
            for hand in crew.hands:
                hand.stop()


@contextmanager
def database(folder: Path) -> Iterator[dict[str, str]]:
    url = os.environ.get("DATABASE_URL", "")
    environ = own_environment(folder)
    if not url.startswith("postgres"):
        yield environ
        return
    name = f"usher_crew_{os.getpid()}_{next(numbers)}"
    parts = urlsplit(url)
    server = urlunsplit(parts._replace(path="/postgres"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield environ | {"DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}"))}
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def own_environment(folder: Path) -> dict[str, str]:
    """An Usher of its own: data directory ``folder``, embedded database, secrets given."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("USHER_") and key != "DATABASE_URL"}
    return (
        kept
        | SECRETS
        | {
            "DJANGO_SETTINGS_MODULE": "usher.settings",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{TESTS}",
            "USHER_DATA_DIR": str(folder),
            "USHER_LOG_LEVEL": "ERROR",
        }
    )
