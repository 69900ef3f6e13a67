"""usher create-accounts: accounts in advance, from a list of names or just a number."""

from __future__ import annotations

from pathlib import Path

import click
from django.db import transaction

from usher.cli.base import InputError, command, example
from usher.cli.output import json_option, organization_option
from usher.cli.reports import conclude
from usher.cli.result_file import open_result
from usher.core.retry import retrying
from usher.lifecycle.desk import Choices
from usher.lifecycle.founding import BY_OPERATOR
from usher.lifecycle.userlist import Report
from usher.methods.bulk_accounts import names, run
from usher.methods.bulk_accounts.order import Order
from usher.organizations import find

MOST_FAULTS = 50  # lines shown at once


@command("create-accounts", epilog=example("usher create-accounts --org cedar --role student --count 30 --out a.csv"))
@organization_option
@click.option("--role", required=True, help="Role of everybody.")
@click.option(
    "--names",
    "names_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with one name a line, in any script.",
)
@click.option("--count", type=int, help="So many accounts without names, instead of --names.")
@click.option("--group", default="", help="Group for everybody.")
@click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing.")
@click.option("--out", type=click.Path(path_type=Path), help="The result file, with sign-ins and passwords (0600).")
@json_option
def create_accounts(  # noqa: PLR0913 - click hands over one parameter for each option
    *,
    slug: str,
    role: str,
    names_file: Path | None,
    count: int | None,
    group: str,
    dry_run: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Make accounts for people without an e-mail address, at most 2,000 at once; each run makes new people.

    --out is required unless --dry-run is given.
    """
    if out is None and not dry_run:
        raise click.UsageError("Name the file for sign-ins and passwords with --out, or try --dry-run first.")
    organization = find.by_slug(slug)
    order = Order(organization, _people(names_file, count), Choices(role, group.strip()), BY_OPERATOR)
    report = _preview(order, out) if dry_run or out is None else _make(order, out)
    conclude(report, out, dry_run=dry_run, as_json=as_json)


def _people(names_file: Path | None, count: int | None) -> tuple[names.Person, ...]:
    if (names_file is None) == (count is None):
        raise click.UsageError("Give either --names FILE or --count N.")
    if names_file is None:
        return names.numbered(count or 0)
    try:
        return names.named(names.read(names_file.read_bytes()))
    except names.NamesError as error:
        raise InputError(_faults(error)) from error


def _faults(error: names.NamesError) -> str:
    lines = [f"Line {line}: {no.sentence} {no.next_step}" for line, no in error.faults[:MOST_FAULTS]]
    if len(error.faults) > MOST_FAULTS:
        lines.append(f"And {len(error.faults) - MOST_FAULTS:,} more.")
    return "\n".join(["Nobody was made.", *lines])


def _preview(order: Order, out: Path | None) -> Report:
    made = run.preview(order)
    if out:
        with open_result(out) as file:
            file.write(made.as_csv())
            file.deliver()
    return made.report


def _make(order: Order, out: Path) -> Report:
    """The passwords are kept nowhere else: they are on disk, as .part, before the people are."""
    with open_result(out) as file:

        @retrying
        def write() -> run.Made:
            with transaction.atomic():
                made = run.make(order)
                file.start_again()
                file.write(made.as_csv())
                file.sync()
            return made

        made = write()
        file.deliver()
    return made.report
