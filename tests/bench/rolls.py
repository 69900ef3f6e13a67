"""A large course: its roster pulled, compared and followed, the first time and with some changes."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from report import SLUG, organization, say
from stage import Finished, Stage


@contextmanager
def registrar(people: int) -> Iterator[str]:
    program = [sys.executable, str(Path(__file__).with_name("registrar.py")), str(people)]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(10)


def rosters(on: Stage, *, quick: bool) -> None:
    """Whole commands, the start of Python included: 10,000 people should take less than 20 s."""
    organization(on)
    count = 1_000 if quick else 10_000
    on.environ["USHER_PRIVATE_HOSTS"] = "127.0.0.1"
    with registrar(count) as address:
        on.child("enrolled", SLUG, address)
        _told("seen beforehand", _pull(on), count)
        _told("followed", _pull(on, "--apply"), count)
        _told("followed again, nothing new", _pull(on, "--apply"), count)
        urllib.request.urlopen(f"{address}/change", b"", timeout=5).close()
        ran = _pull(on, "--apply")
        counts = ran.json["counts"]
        if (counts["created"], counts["moved"], counts["left"]) != (80, 10, 10):
            raise RuntimeError(f"Not what has changed in the LMS: {counts}")
        _told("followed again, 100 changes", ran, count)


def _pull(on: Stage, *how: str) -> Finished:
    return on.usher("roster", "--org", SLUG, "--course", "1", "--json", *how)


def _told(what: str, ran: Finished, count: int) -> None:
    listed = ran.json["counts"]["listed"]
    if listed < count:
        raise RuntimeError(f"The roster has {listed} of {count} people.")
    say(
        f"{listed:,} people {what}",
        f"{ran.seconds:.1f} s",
        f"{listed / ran.seconds:,.0f} /s, peak {ran.peak_mb:.0f} MB",
    )
