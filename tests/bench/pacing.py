"""How many of one kind a second, and how long each takes at a part of that: for what can be asked for only once."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from browsers import Browser, crowd
from report import p99, say
from stage import Server

T = TypeVar("T")
Ask = Callable[[Browser, T], None]
CLIENTS = 4
LOAD = 0.7  # of what was reached, where the latency is measured
SECONDS = 10


def rate_of(what: str, server: Server, ones: Sequence[T], ask: Ask[T]) -> tuple[float, float]:
    """How many a second, with the clients on the same cores and by the server's own time."""
    cores = os.cpu_count() or 1
    used, begun = server.cpu_seconds(), time.perf_counter()
    crowd([partial(_each, server.address, ones[n::CLIENTS], ask) for n in range(CLIENTS)])
    wall, used = time.perf_counter() - begun, server.cpu_seconds() - used
    rate, own = len(ones) / wall, len(ones) / used * cores
    say(what, f"{rate:.0f} /s", f"server's own time {own:.0f} /s, {1000 * used / len(ones):.1f} CPU-ms each")
    return rate, own


def _each(address: str, ones: Sequence[T], ask: Ask[T]) -> list[float]:
    browser = Browser(address)
    for one in ones:
        ask(browser, one)
    browser.connection.close()
    return []


def latency_of(address: str, ones: Sequence[T], rate: float, ask: Ask[T]) -> None:
    """Said for ten seconds at 70 % of the rate that was reached; ``ones`` are at least so many."""
    load = rate * LOAD
    seconds = pace(address, ones[: int(load * SECONDS)], load, ask)
    say(f"   at {LOAD:.0%} of it: median, p99", f"{statistics.median(seconds) * 1000:.0f} ms",
        f"{p99(seconds) * 1000:.0f} ms, {load:.0f} /s")  # fmt: skip


def pace(address: str, ones: Sequence[T], rate: float, ask: Ask[T], clients: int = 16) -> list[float]:
    """So many a second, whoever still waits: each counted from the moment it was to begin."""
    begun, lock, numbers = time.perf_counter() + 0.5, threading.Lock(), iter(range(len(ones)))

    def loop() -> list[float]:
        browser, seconds = Browser(address), list[float]()
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                browser.connection.close()
                return seconds
            due = begun + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            ask(browser, ones[number])
            seconds.append(time.perf_counter() - due)

    return crowd([loop] * clients)
