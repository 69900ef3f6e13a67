"""How usher platform shows an LMS, its launches, what is wrong with it, and the keys of this server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from usher.cli.output import document, note, table
from usher.core import clock
from usher.lifecycle.letters_shared import page_of
from usher.methods.lti.doctor import Check
from usher.methods.lti.models import Deployment, ToolKey
from usher.methods.lti.overview import Past, Stage, View


def show(view: View, *, as_json: bool) -> None:
    """What to paste on stdout; the next step beside it."""
    if as_json:
        document(as_document(view))
        return
    table(("what", "is"), _facts(view))
    note(next_step(view))


def _facts(view: View) -> Iterator[tuple[str, str]]:
    one = view.platform
    yield "id", str(one.id)
    yield "family", one.family
    yield "name", view.label
    yield "state", view.word
    yield from ((f"into the LMS: {named.label}", named.value) for named in view.ours)
    yield from ((named.label, named.value or "–") for named in view.theirs)
    yield "instructors become", view.instructors_are or "the role above the lowest"
    yield "new people", _yes(one.lets_in)
    yield "asks", one.asks
    yield "courses make groups", _yes(one.makes_groups)
    yield "rosters", f"every {one.roster_hours} hours" if one.roster_hours else "by hand"
    yield "shown inside", " ".join(view.origins) or "–"
    yield from (("deployment", _deployment(each)) for each in view.deployments)


def _deployment(one: Deployment) -> str:
    whose = one.organization.slug if one.organization else "nobody yet"
    return f"{one.deployment_id} ({'approved' if one.approved_at else 'waits'}, {whose})"


def page(view: View) -> str | None:
    """Where its admins see it."""
    whose = view.platform.organization
    return page_of(whose, f"settings/integrations/lti/{view.platform.id}/") if whose else None


def next_step(view: View) -> str:
    """In one sentence."""
    whose = view.platform.organization
    which = f"{f'--org {whose.slug}' if whose else '--shared'} {view.platform.id}"
    if view.only_waiting:
        return f"Next: usher platform deployment approve {which} DEPLOYMENT"
    steps = {
        Stage.FILL: f"Next: copy what the LMS shows: usher platform change {which} --client-id …",
        Stage.APPROVE: f"Next: usher platform approve {which}",
        Stage.OFF: f"It is off. To switch it on: usher platform on {which}",
        Stage.ON: f"It is on: {view.people:,} people have come by it.",
    }
    return steps[view.stage]


def as_document(view: View) -> dict[str, Any]:
    """What a program is told."""
    one = view.platform
    return {
        "id": str(one.id),
        "organization": one.organization.slug if one.organization else None,
        "family": one.family,
        "name": view.label,
        "state": one.state,
        "stage": view.stage.value,
        "is_registered": one.is_registered,
        "tool": {named.name: named.value for named in view.ours},
        **{named.name: named.value or None for named in view.theirs},
        "origins": list(view.origins),
        "instructor_role": one.instructor_role or None,
        "new_people": one.lets_in,
        "asks": one.asks,
        "groups": one.makes_groups,
        "roster_hours": one.roster_hours,
        "deployments": [deployment_document(each) for each in view.deployments],
        "people": view.people,
        "page": page(view),
    }


def deployment_document(one: Deployment) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "deployment_id": one.deployment_id,
        "name": one.name or None,
        "organization": one.organization.slug if one.organization else None,
        "approved_at": _moment(one.approved_at),
    }


def list_row(view: View) -> tuple[str, ...]:
    one = view.platform
    approved = len(view.deployments) - len(view.waiting)
    return (str(one.id), one.family, view.label, view.word, f"{approved} of {len(view.deployments)}", str(view.people))


# The doctor


def check_document(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "is_good": check.is_good,
        "sentence": check.sentence,
        "side": check.side.value if check.side else None,
        "next_step": check.next_step or None,
    }


def check_rows(checks: Sequence[Check]) -> Iterator[tuple[str, ...]]:
    for check in checks:
        side = check.side.value if check.side and check.is_good is not True else ""
        yield (check.word.lower(), check.name, check.sentence, side, check.next_step)


# Past launches


def attempt_document(past: Past) -> dict[str, Any]:
    one, finding = past.attempt, past.finding
    return {
        "at": _moment(one.at),
        "message": one.message,
        "result": one.result,
        "role": one.role or None,
        "reason": one.reason or None,
        "side": one.side or None,
        "sentence": finding.sentence if finding else None,
        "next_step": finding.next_step if finding else None,
        "detail": one.detail or None,
        "deployment_id": one.deployment_id or None,
        "claims": one.claims,
        "line": past.line,
    }


def attempt_rows(pasts: Sequence[Past]) -> Iterator[tuple[str, ...]]:
    for past in pasts:
        yield (past.word, past.finding.sentence if past.finding else "", past.attempt.side, past.line)


# Keys


def key_document(key: ToolKey, signing: str) -> dict[str, Any]:
    return {
        "kid": key.kid,
        "state": _key_state(key, signing),
        "signs_from": _moment(key.signs_from),
        "published_until": _moment(key.published_until),
    }


def key_rows(keys: Sequence[ToolKey], signing: str) -> Iterator[tuple[str, ...]]:
    for key in keys:
        told = key_document(key, signing)
        yield (key.kid, told["state"], told["signs_from"], told["published_until"] or "–")


def _key_state(key: ToolKey, signing: str) -> str:
    if key.kid == signing:
        return "signs"
    return "next" if key.signs_from > clock.now() else "old"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _moment(at: dt.datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
