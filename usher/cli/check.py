"""usher check: is everything that must be true still true?"""

from __future__ import annotations

import click

from usher.cli.base import command, example
from usher.cli.output import document, json_option, note
from usher.core import checks

BROKEN = 1


@command(epilog=example("usher check --json"))
@json_option
def check(as_json: bool) -> None:
    """Compare seats, members, groups, imports and events with each other. Changes nothing.

    Ends with exit code 1 when something is broken. Warnings do not count.
    """
    found = checks.run(checks.everything())
    if as_json:
        document(found.as_json())
    else:
        tell(found)
    if not found.ok:
        click.get_current_context().exit(BROKEN)


def tell(found: checks.Verdicts) -> None:
    """Each verdict in a line, its cases below it, and the warnings as notes."""
    for verdict in found.invariants:
        click.echo(f"{'broken' if verdict.broken else 'ok    '}  {verdict.check.code:3}  {verdict.check.holds}")
        _cases(verdict)
    for verdict in found.warnings:
        for case in verdict.cases:
            note(f"Note: {case}")


def _cases(verdict: checks.Verdict) -> None:
    for case in verdict.cases:
        click.echo(f"             {case}")
    if verdict.broken > len(verdict.cases):
        click.echo(f"             and {verdict.broken - len(verdict.cases):,} more")
