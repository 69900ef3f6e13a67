"""Counting for Prometheus: declared where it happens, kept by each process, added up when somebody asks (scrape.py).

``usher serve`` has several processes, so their numbers lie in small files that all of them map into memory. Every
metric has labels, none of them from outside: what a stranger sends must not make a new row.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import prometheus_client.values
from prometheus_client import CollectorRegistry, Counter, Histogram

OURS = CollectorRegistry()
FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client reads it when it opens a file
_declared: list[Counter | Histogram] = []


def counter(name: str, says: str, *labels: str) -> Counter:
    made = Counter(name, says, labels, registry=OURS)
    _declared.append(made)
    return made


def histogram(name: str, says: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
    made = Histogram(name, says, labels, buckets=buckets, registry=OURS)
    _declared.append(made)
    return made


def share(folder: Path) -> None:
    """From here on this process and its forks count together, from zero. Call it before the forks.

    Each server has a folder of its own there, named after its process; those of servers that are gone go too.
    """
    mine = folder / str(os.getpid())
    for other in folder.glob("[0-9]*"):
        if other == mine or not _lives(int(other.name)):
            shutil.rmtree(other, ignore_errors=True)
    mine.mkdir(mode=0o700, parents=True)
    for metric in _declared:
        metric.clear()  # what was counted before is in no file
    os.environ[FOLDER] = str(mine)
    prometheus_client.values.ValueClass = prometheus_client.values.MultiProcessValue()  # type: ignore[no-untyped-call]


def _lives(process: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, 0)
        return True
    return Path(f"/proc/{process}").exists()


DATABASE_ERRORS = counter("usher_database_errors", "Errors of the database, by kind; the retried ones too.", "error")
