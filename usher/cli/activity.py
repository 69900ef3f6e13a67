"""usher activity: what an organisation gives its people to do, from a terminal."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from usher.activities import catalogue, lists, making, scenarios
from usher.activities.lists import Line, Result
from usher.activities.making import Wish
from usher.activities.models import Activity
from usher.cli.base import REFUSED_ROWS, Group, InputError, example
from usher.cli.output import document, json_option, list_document, note, organization_option, table
from usher.lifecycle.founding import BY_OPERATOR
from usher.organizations.find import by_slug
from usher.organizations.models import Organization
from usher.people import groups

ACTOR = BY_OPERATOR.actor


@click.group(cls=Group)
def activity() -> None:
    """Activities: something to do, which teachers put into their courses."""


@activity.command("list", epilog=example("usher activity list --org cedar"))
@organization_option
@click.option("--archived", is_flag=True, help="Those that are archived instead.")
@json_option
def list_all(slug: str, archived: bool, as_json: bool) -> None:
    """List the activities of an organisation, by title."""
    state = Activity.State.ARCHIVED if archived else Activity.State.OPEN
    found = catalogue.of_organization(by_slug(slug).id).filter(state=state).iterator()
    if as_json:
        list_document(as_document(one) for one in found)
    else:
        table(("id", "title", "opens", "maximum", "for"), (_row(one) for one in found))


@activity.command(
    epilog=example("usher activity add --org cedar --title Fractions --url https://quiz.example/fractions --graded")
)
@organization_option
@click.option("--title", required=True)
@click.option("--description", default="")
@click.option("--url", "target_url", default="", metavar="URL", help="The page of your application that opens.")
@click.option("--scenario", default="", metavar="NAME", help="A built-in scenario instead of --url.")
@click.option("--picture", "picture_url", default="", metavar="URL")
@click.option("--graded", "is_graded", is_flag=True, help="With a column in the gradebook.")
@click.option("--maximum", "score_maximum", type=float, default=100.0, show_default=True, help="Maximum score.")
@click.option("--audience", type=click.Choice(Activity.Audience.values), default=Activity.Audience.EVERYONE.value)
@click.option("--group", "group", default="", metavar="NAME", help="Only for those of this group.")
@json_option
def add(slug: str, group: str, as_json: bool, **given: Any) -> None:
    """Make an activity. It opens --url or --scenario."""
    if given["scenario"] and given["scenario"] not in scenarios.names():
        raise InputError(f"There is no such scenario. Use one of: {', '.join(scenarios.names())}.")
    organization = by_slug(slug)
    made = making.add(organization, Wish(group=_group(organization, group), **given), ACTOR)
    if as_json:
        document(as_document(made))
    else:
        click.echo(f"{made.id}  {made.title}")


@activity.command("import", epilog=example("usher activity import --org cedar activities.csv --dry-run"))
@organization_option
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be made, and make nothing.")
@json_option
def import_list(slug: str, path: Path, dry_run: bool, as_json: bool) -> None:
    """Make the activities of a list (CSV or .xlsx). Refused rows stay out, and end this with exit code 1.

    Columns: title, description, picture_url, target_url, scenario, graded, score_maximum, audience, group.
    """
    organization = by_slug(slug)
    lines = lists.judge(organization, lists.read(path.read_bytes()))
    if not dry_run:
        lists.add(organization, lines, ACTOR)
    if as_json:
        list_document(_line_document(line) for line in lines)
    else:
        table(("line", "title", "result", "why"), (_line_row(line) for line in lines))
    if dry_run:
        note("Nothing was made.")
    if any(line.result is Result.REFUSED for line in lines):
        raise click.exceptions.Exit(REFUSED_ROWS)


def _group(organization: Organization, name: str) -> uuid.UUID | None:
    """Raises UsherError: no_such_group."""
    return groups.by_name(organization, name).id if name else None


def as_document(one: Activity) -> Mapping[str, Any]:
    """One activity in JSON."""
    return {
        "id": str(one.id),
        "title": one.title,
        "target_url": one.target_url,
        "scenario": one.scenario,
        "graded": one.is_graded,
        "score_maximum": one.score_maximum,
        "audience": one.audience,
        "group": one.group.name if one.group else "",
        "state": one.state,
    }


def _row(one: Activity) -> tuple[str, ...]:
    maximum = f"{one.score_maximum:g}" if one.is_graded else "-"
    group = one.group.name if one.group else ""
    whom = f"{one.audience}, {group}" if group else one.audience
    return str(one.id), one.title, one.target_url or one.scenario, maximum, whom


def _line_document(line: Line) -> Mapping[str, Any]:
    reasons = [{"code": finding.code, "column": finding.column} for finding in line.findings]
    return {"line": line.line, "title": line.wish.title, "result": line.result.value, "reasons": reasons}


def _line_row(line: Line) -> tuple[str, ...]:
    why = " ".join(f"{finding.sentence} {finding.next_step}" for finding in line.findings)
    return str(line.line), line.wish.title, line.result.value, why
