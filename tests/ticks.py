"""The clock of the crash proofs: a process that dies at a chosen statement, commit or COPY."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from usher.core import bulk


@contextmanager
def ticking(last: int) -> Iterator[list[int]]:
    """Before and after every statement, commit and COPY there is a tick; the process dies at the last."""
    count = [0]

    def tick() -> None:
        count[0] += 1
        if count[0] == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(act: Callable[..., Any]) -> Callable[..., Any]:
        def ticked(*args: Any, **kwargs: Any) -> Any:
            tick()
            result = act(*args, **kwargs)
            tick()
            return result

        return ticked

    connection._commit = around(connection._commit)  # type: ignore[attr-defined]
    bulk._copy = around(bulk._copy)
    with connection.execute_wrapper(lambda execute, *args: around(execute)(*args)):
        yield count
