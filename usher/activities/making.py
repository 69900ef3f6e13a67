"""Making and changing activities: what may be in one is decided here, for the page, a list and the API alike."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import transaction

from usher.activities import scenarios, texts
from usher.activities.models import Activity
from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.models import License, Organization
from usher.people.models import Group
from usher.people.names import LONGEST, name_key

LONGEST_DESCRIPTION: Final = 2000
MOST_POINTS: Final = 10_000
MOST: Final = 20_000  # of one organisation, archived or not


@dataclass(frozen=True, slots=True)
class Wish:
    """An activity as somebody wants it. Exactly one of ``target_url`` and ``scenario`` says what it opens."""

    title: str
    description: str = ""
    picture_url: str = ""
    target_url: str = ""
    scenario: str = ""
    is_graded: bool = False
    score_maximum: float = 100.0
    audience: str = Activity.Audience.EVERYONE
    group: uuid.UUID | None = None


def wish_of(activity: Activity) -> Wish:
    """How it is now."""
    return Wish(
        title=activity.title,
        description=activity.description,
        picture_url=activity.picture_url,
        target_url=activity.target_url,
        scenario=activity.scenario,
        is_graded=activity.is_graded,
        score_maximum=activity.score_maximum,
        audience=activity.audience,
        group=activity.group_id,
    )


def with_changes(activity: Activity, changes: Mapping[str, Any]) -> Wish:
    """How it is now, but for these fields of a wish."""
    return replace(wish_of(activity), **changes)


# Changing


def add(organization: Organization, wish: Wish, actor: Actor) -> Activity:
    """Raises UsherError with all that is wrong: see :func:`faults`; too_many_activities."""
    return add_many(organization, [wish], actor)[0]


@retrying
def add_many(organization: Organization, wishes: Sequence[Wish], actor: Actor) -> list[Activity]:
    """All of them or none. Raises UsherError as :func:`add`."""
    with transaction.atomic():
        License.objects.select_for_update().get(organization=organization)
        if Activity.objects.filter(organization=organization).count() + len(wishes) > MOST:
            raise UsherError(Reason.TOO_MANY_ACTIVITIES(limit=MOST))
        groups = groups_of(organization)
        made = [Activity(organization=organization, **_checked(wish, groups)) for wish in wishes]
        Activity.objects.bulk_create(made)
        record.record_many([_draft(EventType.ACTIVITY_CREATED, one, actor) for one in made])
    return made


@retrying
def change(organization: Organization, activity_id: uuid.UUID, wish: Wish, actor: Actor) -> Activity:
    """Raises UsherError: unknown_activity, and as :func:`add`."""
    with transaction.atomic():
        held = _held(organization, activity_id)
        values = _checked(wish, groups_of(organization))
        changed = {name: value for name, value in values.items() if getattr(held, name) != value}
        _write(held, changed, actor, {name: _told(value) for name, value in changed.items()})
    return held


def archive(organization: Organization, activity_id: uuid.UUID, actor: Actor) -> Activity:
    """Nobody opens or picks it any more; its scores stay. Raises UsherError: unknown_activity."""
    return _set_state(organization, activity_id, Activity.State.ARCHIVED, actor)


def restore(organization: Organization, activity_id: uuid.UUID, actor: Actor) -> Activity:
    """Raises UsherError: unknown_activity."""
    return _set_state(organization, activity_id, Activity.State.OPEN, actor)


@retrying
def _set_state(organization: Organization, activity_id: uuid.UUID, state: Activity.State, actor: Actor) -> Activity:
    with transaction.atomic():
        held = _held(organization, activity_id)
        if held.state != state:
            _write(held, {"state": state}, actor, {"state": state.value})
    return held


def _held(organization: Organization, activity_id: uuid.UUID) -> Activity:
    found = Activity.objects.select_for_update().filter(organization=organization, id=activity_id).first()
    if found is None:
        raise UsherError(Reason.UNKNOWN_ACTIVITY())
    return found


def _write(held: Activity, changed: Mapping[str, Any], actor: Actor, told: Mapping[str, Any]) -> None:
    if not changed:
        return
    for name, value in changed.items():
        setattr(held, name, value)
    held.changed_at = clock.now()
    held.save()
    record.record(_draft(EventType.ACTIVITY_CHANGED, held, actor, told))


def _told(value: object) -> object:
    return str(value) if isinstance(value, uuid.UUID) else value


def _draft(kind: EventType, activity: Activity, actor: Actor, changes: Mapping[str, Any] | None = None) -> Draft:
    """Of the changes the names alone: what an event has to say is that somebody changed a text, not both of them."""
    facts = {"activity": str(activity.id), "title": activity.title}
    told = {"changed": sorted(changes)} if changes else {}
    if changes and "state" in changes:
        told |= {"state": changes["state"]}
    return Draft(kind, activity.organization_id, actor, data=facts | told)


# What may be in one


def groups_of(organization: Organization) -> frozenset[uuid.UUID]:
    """The groups an activity may be for."""
    return frozenset(Group.objects.filter(organization=organization).values_list("id", flat=True))


def faults(wish: Wish, groups: frozenset[uuid.UUID]) -> list[Finding]:
    """All that is wrong, each with the name of its field: title_missing and the findings of a name, text_not_clean,
    words_too_long, web_address_not_allowed, web_address_without_tls, activity_opens_nothing, activity_opens_two,
    unknown_scenario, maximum_not_allowed, audience_not_known, no_such_group."""
    return _judged(wish, groups)[1]


def _checked(wish: Wish, groups: frozenset[uuid.UUID]) -> dict[str, Any]:
    values, findings = _judged(wish, groups)
    if findings:
        raise UsherError(*findings)
    return values


def _judged(wish: Wish, groups: frozenset[uuid.UUID]) -> tuple[dict[str, Any], list[Finding]]:
    """The columns of the row, and what is wrong."""
    findings: list[Finding] = []
    values: dict[str, Any] = {
        "title": _or_fault(findings, texts.clean_title, wish.title),
        "description": _or_fault(findings, texts.clean_text, wish.description, LONGEST_DESCRIPTION, "description"),
        "picture_url": _or_fault(findings, texts.clean_address, wish.picture_url, "picture_url"),
        "target_url": _or_fault(findings, texts.clean_address, wish.target_url, "target_url"),
        "scenario": wish.scenario.strip(),
        "is_graded": wish.is_graded,
        "score_maximum": float(wish.score_maximum),
        "audience": wish.audience,
        "group_id": wish.group,
    }
    values["title_key"] = name_key(values["title"])[:LONGEST]
    return values, [*findings, *_other_faults(wish, groups)]


def _or_fault(findings: list[Finding], clean: Callable[..., str], text: str, *rest: Any) -> str:
    try:
        return clean(text, *rest)
    except UsherError as no:
        findings.extend(no.findings)
        return ""


def _other_faults(wish: Wish, groups: frozenset[uuid.UUID]) -> list[Finding]:
    findings = []
    target, scenario = wish.target_url.strip(), wish.scenario.strip()
    if not target and not scenario:
        findings.append(Reason.ACTIVITY_OPENS_NOTHING("target_url"))
    if target and scenario:
        findings.append(Reason.ACTIVITY_OPENS_TWO("target_url"))
    if scenario and scenario not in scenarios.names():
        findings.append(Reason.UNKNOWN_SCENARIO("scenario", given=scenario[:40]))
    if not (math.isfinite(wish.score_maximum) and 0 < wish.score_maximum <= MOST_POINTS):
        findings.append(Reason.MAXIMUM_NOT_ALLOWED("score_maximum", limit=MOST_POINTS))
    if wish.audience not in Activity.Audience.values:
        findings.append(Reason.AUDIENCE_NOT_KNOWN("audience", given=wish.audience[:40]))
    if wish.group and wish.group not in groups:
        findings.append(Reason.NO_SUCH_GROUP("group", group=str(wish.group)))
    return findings
