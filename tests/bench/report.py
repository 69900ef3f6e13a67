"""What the measurements share: an organisation to measure in, people for it, and how a figure is told."""

from __future__ import annotations

import statistics
from pathlib import Path

from browsers import Browser, token_of
from stage import Stage

SLUG = "bench"


def say(what: str, value: str, note: str = "") -> None:
    print(f"{what:44} {value:>14}  {note}".rstrip(), flush=True)


def organization(on: Stage, seats: int = 2_000_000) -> None:
    on.usher("org", "create", SLUG, "--name", "Bench", "--plan", "school", "--seats", f"student={seats}",
             "--admin", "ada@bench.example")  # fmt: skip


def people(path: Path, rows: int, start: int = 0) -> Path:
    """A list of ``rows`` people, every second one with a password of his own."""
    with path.open("w", encoding="utf-8") as file:
        file.write("email,password,username\n")
        for n in range(start, start + rows):
            password = f"river-lamp-{n % 9000 + 1000}" if n % 2 else ""
            file.write(f"pupil{n}@bench.example,{password},Åsa Öberg {n}\n")
    return path


def p95(numbers: list[float]) -> float:
    return statistics.quantiles(numbers, n=20)[-1]


def p99(numbers: list[float]) -> float:
    return statistics.quantiles(numbers, n=100)[-1]


def signed_in(address: str, slug: str) -> Browser:
    browser = Browser(address)
    browser.sign_in(slug, f"boss@{slug}.example", "river-lamp-4821", forget=False)
    token = token_of(browser.ask("GET", "/first-password")[1])
    form = {"csrfmiddlewaretoken": token, "password": "a long enough pass 77", "again": "a long enough pass 77"}
    browser.ask("POST", "/first-password", form)
    return browser
