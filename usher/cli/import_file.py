"""usher import: a CSV or .xlsx file of people into an organisation."""

from __future__ import annotations

import shlex
from itertools import islice
from pathlib import Path

import click

from usher.cli.base import command, example
from usher.cli.output import json_option, note, organization_option
from usher.cli.progress import Advance, progress
from usher.cli.reports import conclude, refusals
from usher.cli.result_file import ResultFile, open_result
from usher.core.reasons import Reason
from usher.lifecycle import userlist
from usher.lifecycle.founding import BY_OPERATOR
from usher.lifecycle.lists.parse import read, refuse_too_large
from usher.methods.csv_import import run
from usher.methods.csv_import.instead import is_offered
from usher.methods.csv_import.options import Options
from usher.organizations import find

SHOWN = 20  # refused rows told by a dry run
STOPPED = 130  # what a shell expects after Ctrl+C


@command(
    "import",
    epilog=example('usher import people.csv --org cedar --role student --group "Year 5" --out userlist.csv'),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@organization_option
@click.option("--role", required=True, help="Role of everybody whose row names none.")
@click.option("--group", default="", help="Group for everybody, besides those of the rows.")
@click.option("--make-groups", is_flag=True, help="Make groups that are missing.")
@click.option("--allow-same-name", is_flag=True, help="Let in people without an address whose name is here already.")
@click.option("--tell", is_flag=True, help="Tell by mail everybody new who has an e-mail address; without a password.")
@click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing.")
@click.option("--out", type=click.Path(path_type=Path), help="The result file, with sign-ins and passwords (0600).")
@json_option
def import_file(  # noqa: PLR0913 - click hands over one parameter for each option
    *,
    file: Path,
    slug: str,
    role: str,
    group: str,
    make_groups: bool,
    allow_same_name: bool,
    tell: bool,
    dry_run: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Import the people in FILE (CSV or .xlsx). Killed half-way, the same command completes it.

    --out is required unless --dry-run is given; in a dry run it takes the preview, without passwords.
    """
    if out is None and not dry_run:
        raise click.UsageError("Name the file for sign-ins and passwords with --out, or try --dry-run first.")
    options = Options(role, group.strip(), make_groups, allow_same_name, file.name[:200], tell)
    order = _order(file, slug, options)
    if out is None:
        _work(order, None)
    else:
        with open_result(out) as result:
            _work(order, result, dry_run=dry_run)
    _tell_of_accounts(order, out)
    if tell and not dry_run:
        note("1 person is told by mail." if order.told == 1 else f"{order.told:,} people are told by mail.")
    conclude(order.report, out, dry_run=dry_run, as_json=as_json)


def _order(file: Path, slug: str, options: Options) -> run.Order:
    organization = find.by_slug(slug)
    refuse_too_large(file.stat().st_size)
    sheet = read(file.read_bytes(), file.name)
    note(f"{file.name}: {sheet.row_count:,} rows, {sheet.encoding}, columns {', '.join(sheet.columns)}")
    if sheet.ignored:
        note(f"Columns that mean nothing here and are ignored: {', '.join(sheet.ignored)}")
    return run.Order(organization, sheet, options, BY_OPERATOR)


def _work(order: run.Order, file: ResultFile | None, *, dry_run: bool = True) -> None:
    told: list[str] = []
    try:
        with progress("Checking" if dry_run else "Importing", order.sheet.row_count) as advance:
            if dry_run or file is None:
                told = _preview(order, file, advance)
            else:
                _import(order, file, advance)
    except KeyboardInterrupt:
        note("Stopped. The same command, started again, completes the import; nobody is added twice.")
        raise SystemExit(STOPPED) from None
    for line in told:
        note(line)


def _tell_of_accounts(order: run.Order, out: Path | None) -> None:
    """Those who have an account of their own, and the command that invites them from the result file."""
    count = order.report.reasons[Reason.HAS_ACCOUNT.code]
    if count and is_offered(order.organization):
        people = (
            "1 person has an account of their own" if count == 1 else f"{count:,} people have accounts of their own"
        )
        file = shlex.quote(str(out or "userlist.csv"))
        note(f"{people}. Invite them by e-mail: usher invite --org {order.organization.slug} {file}")


def _preview(order: run.Order, file: ResultFile | None, advance: Advance) -> list[str]:
    """Walk through all rows and return what to say of the first refused ones."""
    batches = run.preview(order)
    refused: list[str] = []
    if file:
        file.write(userlist.HEADER)
    for outcomes in batches:
        if file:
            file.write(userlist.rows_of(outcomes, {}, order.sign_in_at))
        refused.extend(islice(refusals(outcomes), SHOWN - len(refused)))
        advance(order.report.rows)
    if file:
        file.deliver()
    if order.report.refused > SHOWN:
        refused.append(f"... and {order.report.refused - SHOWN:,} more; --out writes them all.")
    return refused


def _import(order: run.Order, file: ResultFile, advance: Advance) -> None:
    for piece in run.write(order, run.start(order)):
        file.write(piece)
        advance(order.report.rows)
        if order.report.rows == order.sheet.row_count:
            # Before the next step, which enters the import as finished: from then on no run repeats the passwords.
            file.deliver()
