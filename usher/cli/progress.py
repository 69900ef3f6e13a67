"""How far long work is: a bar with rate and time left on a terminal, plain lines in a pipe; all on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

LINE_EVERY = 2.0  # seconds between two lines in a pipe

Advance = Callable[[int], None]


class RateColumn(ProgressColumn):
    """Rows per second, of late."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed or 0
        return Text(f"{speed:,.0f} rows/s")


@contextmanager
def progress(title: str, total: int) -> Iterator[Advance]:
    """Gives a function to be called with the number of rows that are done."""
    if sys.stderr.isatty():
        with _bar() as bar:
            task = bar.add_task(title, total=total)
            yield lambda done: bar.update(task, completed=done)
    else:
        yield Lines(title, total).advance


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
    )


class Lines:
    """Progress where nobody watches: a line now and then, and one at the end."""

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total = title, total
        self._begun = self._last = time.monotonic()

    def advance(self, done: int) -> None:
        moment = time.monotonic()
        if done < self._total and moment - self._last < LINE_EVERY:
            return
        self._last = moment
        rate = done / max(moment - self._begun, 0.001)
        left = f", {(self._total - done) / rate:.0f} s left" if 0 < done < self._total else ""
        click.echo(f"{self._title}: {done:,} of {self._total:,} rows, {rate:,.0f} rows/s{left}", err=True)
