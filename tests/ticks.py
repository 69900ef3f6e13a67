"""The clock of the crash proofs: a process that dies at a chosen statement, commit or COPY."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
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


def dying(out: str, last: int, act: Callable[[], object]) -> str:
    """The act in a child process that is killed at this tick: "killed", or "done" with its ticks in ``out``.ticks."""
    connection.close()
    child = os.fork()
    if child == 0:
        try:
            with ticking(last) as count:
                act()
            Path(f"{out}.ticks").write_text(str(count[0]))
        except BaseException:
            Path(f"{out}.error").write_text(traceback.format_exc())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "killed" if os.WTERMSIG(status) == signal.SIGKILL else f"signal {os.WTERMSIG(status)}"
    return "done" if os.WEXITSTATUS(status) == 0 else Path(f"{out}.error").read_text()
