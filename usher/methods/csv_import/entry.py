"""From a row to the door: what the file says of a person, as a Joiner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from usher.lifecycle.join import join_many
from usher.lifecycle.joiner import Joiner, NewAccount, Outcome
from usher.lifecycle.lists.parse import Row
from usher.lifecycle.run import Run
from usher.methods.csv_import.options import Options
from usher.organizations.plans import Method

LONGEST_EVIDENCE = 200  # characters; a file's name alone may have as many


def enter(run: Run, rows: Iterable[Row], options: Options, digest_for: Callable[[Row], str]) -> Iterator[list[Outcome]]:
    """Take the rows of a file through the door; yields the outcomes batch by batch."""
    return join_many(run, (_joiner(row, options, digest_for) for row in rows))


def _joiner(row: Row, options: Options, digest_for: Callable[[Row], str]) -> Joiner:
    return Joiner(
        method=Method.CSV_IMPORT,
        account=NewAccount(row.username, row.email, row.address, "" if row.findings else digest_for(row)),
        role=row.role or options.role,
        groups=_groups(row, options),
        evidence=f"line {row.line} of {options.file_name}"[:LONGEST_EVIDENCE],
        line=row.line,
        findings=row.findings,
    )


def _groups(row: Row, options: Options) -> tuple[str, ...]:
    """The groups of the row and the one picked for all, each once."""
    if not options.group:
        return row.groups
    return tuple(dict.fromkeys((*row.groups, options.group)))
