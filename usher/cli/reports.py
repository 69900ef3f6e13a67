"""What a run of many people says at its end: the counts, as text or as a document, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from usher.cli.base import REFUSED_ROWS
from usher.cli.output import document, note
from usher.lifecycle.joiner import Outcome
from usher.lifecycle.userlist import Report


def conclude(report: Report, out: Path | None, *, dry_run: bool, as_json: bool) -> None:
    """Say what became of everybody; ends with exit code 1 when somebody was refused."""
    if as_json:
        document(report.as_json())
    else:
        click.echo(summary(report, dry_run=dry_run))
    if out:
        note(f"One row for every person: {out}{'' if dry_run else ' (it holds the passwords; keep it safe)'}")
    if dry_run:
        note("Nothing was written: this was a dry run.")
    if report.refused:
        click.get_current_context().exit(REFUSED_ROWS)


def refusals(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """A line for everybody refused, with all that is wrong."""
    for outcome in outcomes:
        if outcome.findings:
            told = " ".join(f"{finding.sentence} {finding.next_step}" for finding in outcome.findings)
            yield f"Line {outcome.joiner.line}: {told}"


def summary(report: Report, *, dry_run: bool) -> str:
    would = "would be" if dry_run else "are"
    lines = [f"{_people(report.created)} {would if report.created != 1 or dry_run else 'is'} in."]
    if report.unchanged:
        lines.append(f"{_people(report.unchanged)} here already, unchanged.")
    if report.refused:
        reasons = ", ".join(f"{count:,} {code}" for code, count in report.reasons.most_common())
        lines.append(f"{_people(report.refused)} refused: {reasons}.")
    lines.append(f"{report.rows:,} rows in {report.seconds:.1f} s.")
    return "\n".join(lines)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
