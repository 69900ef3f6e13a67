"""How commands speak: results to stdout, notes to stderr, with --json one document and nothing else on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import click
from rich.console import Console
from rich.table import Table

organization_option = click.option(
    "--org", "slug", required=True, metavar="SLUG", help="Short name of the organisation (usher org list)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")


def note(text: str) -> None:
    click.echo(text, err=True)


def document(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def list_document(items: Iterable[Any]) -> None:
    """A JSON list of any length, written while it is read."""
    before = "[\n"
    for item in items:
        click.echo(before + json.dumps(item, ensure_ascii=False), nl=False)
        before = ",\n"
    click.echo("\n]" if before[0] == "," else "[]")


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on a terminal; in a pipe one line a row, cells parted by tabs, as they come."""
    if not sys.stdout.isatty():
        for row in chain([titles], rows):
            click.echo("\t".join(row))
        return
    drawn = Table(*titles, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        drawn.add_row(*row)
    Console(markup=False, highlight=False).print(drawn)
