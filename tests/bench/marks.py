"""Scores of a whole class on their way to one LMS: how long until it has them all, and whether it throttles."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mails import workers
from report import SLUG, organization, say
from stage import Stage

SECONDS = "0.15"  # that the LMS takes for each: a middling one
PATIENCE = 300.0


@contextmanager
def gradebook() -> Iterator[str]:
    program = [sys.executable, str(Path(__file__).with_name("gradebook.py")), SECONDS]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(10)


def asked(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=5) as answer:
        return json.load(answer)


def grades(on: Stage, *, quick: bool) -> None:
    """Put by the call that the API makes, sent by one worker; on PostgreSQL by four as well."""
    organization(on)
    count = 100 if quick else 500
    on.child("members", SLUG, str(count))
    for number, hired in enumerate((1, 4) if on.name == "PostgreSQL" else (1,)):
        with gradebook() as address:
            on.environ["USHER_PRIVATE_HOSTS"] = "127.0.0.1"
            made = on.child("graded", SLUG, address, str(number))
            say("scores put, each in a transaction", f"{made['puts'] / made['seconds']:.0f} /s")
            _watch(on, address, count, hired)


def _watch(on: Stage, address: str, count: int, hired: int) -> None:
    begun = time.time()
    with workers(on, hired):
        while len(times := asked(f"{address}/times")) < count:
            if time.time() - begun > PATIENCE:
                raise RuntimeError(f"Only {len(times)} of {count} scores arrived.")
            time.sleep(0.1)
    told, seconds = asked(f"{address}/counts"), times[-1] - times[0]
    left = on.child("undelivered")["left"]
    if told["scores"] != count or left:
        raise RuntimeError(f"{told['scores']} scores arrived instead of {count}, {left} are not written down.")
    say(f"scores delivered by {hired} worker{'s' * (hired > 1)}", f"{(count - 1) / seconds:.1f} /s",
        f"{count} in {seconds:.1f} s, {times[-1] - begun:.1f} s from the start; one takes it {SECONDS} s")  # fmt: skip
    say("   times that the LMS said: slower", f"{told.get('throttled', 0)}", f"its bucket at {told['level']} of 600")
