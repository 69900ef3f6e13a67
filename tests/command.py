"""The usher command inside the test's own process and transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner

from usher.cli import main


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Usher = Callable[..., Ran]


def run(*words: object) -> Ran:
    """The command with these words; an exception it does not turn into a sentence is the test's failure."""
    result = CliRunner().invoke(main, [str(word) for word in words], prog_name="usher")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)
