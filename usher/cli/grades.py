"""usher grades: what became of the grades that go to LMSs."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from itertools import chain
from typing import Any

import click

from usher.activities import catalogue
from usher.activities.models import Activity
from usher.cli.base import command, example
from usher.cli.output import document, json_option, list_document, note, organization_option, table
from usher.methods.lti import deliveries
from usher.methods.lti.deliveries import State, Told
from usher.organizations import find
from usher.organizations.models import Organization


@command(epilog=example("usher grades --org cedar --state refused\n  usher grades --org cedar --resend"))
@organization_option
@click.option("--activity", "activity_id", type=click.UUID, metavar="ID", help="Of one activity alone.")
@click.option("--state", type=click.Choice(State.values), help="Only those that stand like that.")
@click.option("--resend", is_flag=True, help="Send all that were refused again, instead of listing.")
@json_option
def grades(slug: str, activity_id: uuid.UUID | None, state: str | None, *, resend: bool, as_json: bool) -> None:
    """List grades on their way to an LMS: whether it has them, or why not."""
    organization = find.by_slug(slug)
    activity = catalogue.find(organization, activity_id) if activity_id else None
    if resend:
        _resend(organization, activity, as_json=as_json)
        return
    found = chain.from_iterable(deliveries.every(organization, activity, state=state or ""))
    if as_json:
        list_document(map(_told, found))
    else:
        table(("sign_in", "activity", "course", "lms", "score", "state", "why"), map(_row, found))


def _resend(organization: Organization, activity: Activity | None, *, as_json: bool) -> None:
    count = deliveries.again(organization, activity)
    if as_json:
        document({"sent_again": count})
    else:
        note(f"{count} on their way again; the worker sends them.")


def _told(one: Told) -> dict[str, Any]:
    told = {**asdict(one), "id": str(one.id), "at": one.at.isoformat(timespec="seconds")}
    return {**told, "membership_id": str(one.membership_id) if one.membership_id else None}


def _row(one: Told) -> tuple[str, ...]:
    score = f"{one.given:g}/{one.maximum:g}"
    return one.sign_in, one.activity, one.course, one.platform, score, one.state, one.reason
