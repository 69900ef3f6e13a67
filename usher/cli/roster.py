"""usher roster: who is in the courses of an LMS, looked at or followed from a terminal."""

from __future__ import annotations

import sys
from typing import Any

import click

from usher.cli.base import REFUSED_ROWS, InputError, command, example
from usher.cli.output import document, json_option, list_document, note, organization_option, table
from usher.core.findings import Finding
from usher.core.work import NotNowError
from usher.lifecycle.founding import BY_OPERATOR
from usher.methods.lti import roster_run, rosters
from usher.methods.lti.models import Course, RosterRun
from usher.methods.lti.roster_showing import in_words, preview_of
from usher.organizations.find import by_slug


@command(epilog=example("usher roster --org cedar --course BIO1 --apply"))
@organization_option
@click.option("--course", "typed", metavar="COURSE", help="Id, title or label of a course. Left out: list them.")
@click.option("--apply", "applies", is_flag=True, help="Follow the roster. Left out: only say what would change.")
@json_option
def roster(slug: str, typed: str | None, applies: bool, as_json: bool) -> None:
    """Look at the roster of a course in the LMS, or follow it.

    Exit code 1 when somebody did not come in, or removals wait for an admin.
    """
    organization = by_slug(slug)
    if typed is None:
        _list(rosters.rows(organization)[0], as_json=as_json)
        return
    found = rosters.typed(organization, typed)
    try:
        told = _applied(found) if applies else _foreseen(found)
    except NotNowError as later:
        raise InputError(f"The LMS wants to be left alone until {later.until:%H:%M} UTC.") from later
    _show(told, as_json=as_json)
    if told["refused"] or told["state"] == RosterRun.State.HELD:
        sys.exit(REFUSED_ROWS)


def _list(rows: list[rosters.Row], *, as_json: bool) -> None:
    if as_json:
        list_document(_row(row) for row in rows)
        return
    titles = ("id", "course", "group", "people", "state")
    table(titles, ([str(value or "") for value in _row(row).values()] for row in rows))


def _row(row: rosters.Row) -> dict[str, Any]:
    group = row.course.group
    return {
        "id": str(row.course.id),
        "course": str(row.course),
        "group": group.name if group else None,
        "people": row.people,
        "state": row.state or None,
    }


def _foreseen(course: Course) -> dict[str, Any]:
    seen = preview_of(course)
    state = RosterRun.State.HELD.value if seen.is_held else RosterRun.State.APPLIED.value
    return {
        "course": str(course),
        "dry_run": True,
        "state": state,
        "counts": dict(seen.counts),
        "new": list(seen.new),
        "leaving": list(seen.leaving),
        "refused": [_refusal(name, finding) for name, finding in seen.refused],
    }


def _applied(course: Course) -> dict[str, Any]:
    """Raises InputError for a roster that could not be used."""
    run = roster_run.apply(course, BY_OPERATOR.actor)
    if run.state == RosterRun.State.FAILED:
        raise InputError(f"The roster was not followed, nothing was changed. {run.detail}")
    no = [*rosters.refused(run, asked=False), *rosters.refused(run, asked=True)]
    return {
        "course": str(course),
        "dry_run": False,
        "state": str(run.state),
        "counts": run.counts,
        "leaving": rosters.names_of(run),
        "refused": [_refusal(name, finding) for name, finding in no],
    }


def _refusal(name: str, finding: Finding) -> dict[str, str]:
    return {"name": name, "reason": finding.code, "sentence": finding.sentence, "next_step": finding.next_step}


def _show(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        document(told)
        return
    click.echo(f"{told['course']}: {in_words(told['counts'])}")
    table(("person", "reason"), ((one["name"], one["sentence"]) for one in told["refused"]))
    if told["leaving"]:
        held = " (waits for an admin)" if told["state"] == RosterRun.State.HELD else ""
        note(f"Would leave the group{held}: {', '.join(told['leaving'])}")
    if told["dry_run"]:
        note("Nothing was changed; say --apply to follow the roster.")
