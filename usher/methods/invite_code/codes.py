"""Codes: made, changed, paused, rotated, and the door of a group opened and closed by its code.

Every change holds the licence row, then the code's, and is written with its event. No event holds a code.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Draft, EventType
from usher.lifecycle.joiner import By
from usher.methods.invite_code import find
from usher.methods.invite_code.models import CodeGroup, InviteCode
from usher.methods.invite_code.text import new_code
from usher.methods.invite_code.wish import Weighed, Wish, weigh
from usher.organizations.models import License, Organization
from usher.organizations.plans import Method, Plan
from usher.people.models import Group

LONGEST_LESSON = 24 * 60  # minutes
MORE = dt.timedelta(minutes=5)


@retrying
def create(organization: Organization, wish: Wish, by: By, group_id: uuid.UUID | None = None) -> InviteCode:
    """A new code of the organisation, or of one of its groups, which has one at the most.

    Raises UsherError: method_not_in_plan, no_groups_in_plan, unknown_group, group_closed, not_your_group,
    group_has_code, and everything that is wrong with the wish.
    """
    with transaction.atomic():
        plan = _lock(organization)
        group = _group(organization, group_id, plan, by)
        if group and find.of_group(group):
            raise UsherError(Reason.GROUP_HAS_CODE("group", group=group.name))
        return _make(organization, wish, by, group)


@retrying
def change(organization: Organization, code_id: uuid.UUID, wish: Wish, by: By) -> InviteCode:
    """Let a code do something else; what it does already is no event.

    Raises UsherError: unknown_code, not_your_group, role_above_yours, and what is wrong with the wish.
    """
    with transaction.atomic():
        code = _locked(organization, code_id, _lock(organization), by)
        weighed = _weighed(organization, wish, by, code)
        changes = _differences(code, weighed.values) | _other_groups(code, weighed.groups)
        if "groups" in changes:
            _link(code, weighed.groups)
        _save(EventType.CODE_CHANGED, code, by, weighed.values, changes)
    return code


@retrying
def pause(organization: Organization, code_id: uuid.UUID, by: By) -> InviteCode:
    """Nobody comes in by it until it goes on. Raises UsherError: unknown_code, not_your_group, role_above_yours."""
    with transaction.atomic():
        code = _locked(organization, code_id, _lock(organization), by)
        if code.paused_at is None:
            _save(EventType.CODE_CHANGED, code, by, {"paused_at": clock.now()}, {"state": "paused"})
    return code


@retrying
def resume(organization: Organization, code_id: uuid.UUID, by: By) -> InviteCode:
    """A paused code goes on as it was. Raises UsherError as :func:`pause`."""
    with transaction.atomic():
        code = _locked(organization, code_id, _lock(organization), by)
        if code.paused_at:
            _save(EventType.CODE_CHANGED, code, by, {"paused_at": None}, {"state": "open"})
    return code


@retrying
def rotate(organization: Organization, code_id: uuid.UUID, by: By) -> InviteCode:
    """Another value on the same row: the old one is dead at once. Raises UsherError as :func:`pause`."""
    with transaction.atomic():
        code = _locked(organization, code_id, _lock(organization), by)
        values = {"code": _unused(), "rotated_at": clock.now()}
        _save(EventType.CODE_ROTATED, code, by, values, {"role": code.role})
    return code


# The door of a group


@retrying
def open_door(organization: Organization, group_id: uuid.UUID, minutes: int, by: By) -> InviteCode:
    """Let people into a group for so many minutes from now; its code is made when it has none.

    Raises UsherError as :func:`create`, door_minutes.
    """
    if not 1 <= minutes <= LONGEST_LESSON:
        raise UsherError(Reason.DOOR_MINUTES("minutes", limit=LONGEST_LESSON))
    with transaction.atomic():
        plan = _lock(organization)
        group = _group(organization, group_id, plan, by)
        now = clock.now()
        ends_at = now + dt.timedelta(minutes=minutes)
        code = find.of_group(group) if group else None
        if code is None:
            return _make(organization, Wish(), by, group, ends_at)
        code = _locked(organization, code.id, plan, by)
        values: dict[str, Any] = {"ends_at": ends_at}
        if code.starts_at and code.starts_at > now:
            values["starts_at"] = None
        state = {"state": "open"} if code.paused_at else {}
        _save(EventType.CODE_CHANGED, code, by, values | {"paused_at": None}, _told(values) | state)
    return code


@retrying
def keep_open(organization: Organization, group_id: uuid.UUID, by: By) -> InviteCode:
    """Five more minutes; from now, when the door has closed meanwhile. A door without an end stays as it is.

    Raises UsherError: unknown_code, not_your_group, role_above_yours.
    """
    with transaction.atomic():
        code, now = _of_group(organization, group_id, by), clock.now()
        if code.ends_at and code.ends_at - now < dt.timedelta(minutes=LONGEST_LESSON):
            values = {"ends_at": max(now, code.ends_at) + MORE}
            _save(EventType.CODE_CHANGED, code, by, values, _told(values))
    return code


@retrying
def close_door(organization: Organization, group_id: uuid.UUID, by: By) -> InviteCode:
    """The code ends now. Raises UsherError: unknown_code, not_your_group, role_above_yours."""
    with transaction.atomic():
        code, now = _of_group(organization, group_id, by), clock.now()
        if code.ends_at is None or code.ends_at > now:
            values: dict[str, Any] = {"ends_at": now}
            if code.starts_at and code.starts_at >= now:
                values["starts_at"] = None
            _save(EventType.CODE_CHANGED, code, by, values, _told(values))
    return code


# Under the lock


def _lock(organization: Organization) -> Plan:
    """The licence row is the lock of the house; the plan it holds."""
    return License.objects.select_for_update().get(organization=organization).plan


def _locked(organization: Organization, code_id: uuid.UUID, plan: Plan, by: By) -> InviteCode:
    codes = InviteCode.objects.select_for_update(of=("self",)).select_related("group")
    code = codes.filter(organization=organization, id=code_id).first()
    if code is None:
        raise UsherError(Reason.UNKNOWN_CODE())
    further = code.group_links.values_list("group_id", flat=True)
    if no := find.refusal(code, further, plan, by):
        raise UsherError(no)
    return code


def _of_group(organization: Organization, group_id: uuid.UUID, by: By) -> InviteCode:
    plan = _lock(organization)
    first = InviteCode.objects.filter(organization=organization, group=group_id).order_by("id").first()
    if first is None:
        raise UsherError(Reason.UNKNOWN_CODE())
    return _locked(organization, first.id, plan, by)


def _group(organization: Organization, group_id: uuid.UUID | None, plan: Plan, by: By) -> Group | None:
    """The group that the code is of, ready to take people in."""
    if Method.INVITE_CODE not in plan.methods:
        raise UsherError(Reason.METHOD_NOT_IN_PLAN(plan=str(plan.name)))
    if by.groups is not None and group_id not in by.groups:
        raise UsherError(Reason.NOT_YOUR_GROUP("group"))
    if group_id is None:
        return None
    if not plan.groups:
        raise UsherError(Reason.NO_GROUPS_IN_PLAN("group", plan=str(plan.name)))
    group = Group.objects.filter(organization=organization, id=group_id).first()
    if group is None:
        raise UsherError(Reason.UNKNOWN_GROUP("group", group=str(group_id)))
    if group.state != Group.State.OPEN:
        raise UsherError(Reason.GROUP_CLOSED("group", group=group.name))
    return group


def _make(
    organization: Organization, wish: Wish, by: By, group: Group | None, ends_at: dt.datetime | None = None
) -> InviteCode:
    code = InviteCode(organization=organization, group=group, code=_unused(), created_at=clock.now())
    weighed = _weighed(organization, wish, by, code)
    for column, value in weighed.values.items():
        setattr(code, column, value)
    if ends_at:
        code.ends_at = ends_at
    code.save(force_insert=True)
    _link(code, weighed.groups)
    given = {name: value for name, value in weighed.values.items() if value}
    _record(EventType.CODE_CREATED, code, by, _told(given | ({"ends_at": ends_at} if ends_at else {})))
    return code


def _weighed(organization: Organization, wish: Wish, by: By, code: InviteCode) -> Weighed:
    weighed = weigh(organization, wish, by, code)
    if weighed.findings:
        raise UsherError(*weighed.findings)
    return weighed


def _unused() -> str:
    while InviteCode.objects.filter(code=(code := new_code())).exists():
        pass
    return code


def _differences(code: InviteCode, values: dict[str, Any]) -> dict[str, Any]:
    return _told({name: value for name, value in values.items() if getattr(code, name) != value})


def _other_groups(code: InviteCode, groups: Iterable[Group]) -> dict[str, list[str]]:
    now, wanted = set(code.group_links.values_list("group_id", flat=True)), {group.id for group in groups}
    return {} if now == wanted else {"groups": [str(one) for one in sorted(wanted)]}


def _link(code: InviteCode, groups: Iterable[Group]) -> None:
    code.group_links.all().delete()
    CodeGroup.objects.bulk_create([CodeGroup(code=code, group=group) for group in groups])


def _save(kind: EventType, code: InviteCode, by: By, values: dict[str, Any], changes: dict[str, Any]) -> None:
    """Write the row, and the event where something is another than before."""
    for column, value in values.items():
        setattr(code, column, value)
    code.save(update_fields=list(values))
    if changes:
        _record(kind, code, by, changes)


def _told(values: dict[str, Any]) -> dict[str, Any]:
    """Values as an event keeps them: moments as text."""
    return {name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in values.items()}


def _record(kind: EventType, code: InviteCode, by: By, changes: dict[str, Any]) -> None:
    group = {"group": str(code.group_id)} if code.group_id else {}
    method = Method.INVITE_CODE.value
    data = {"code": str(code.id), **group, **changes}
    record.record(Draft(kind, code.organization_id, by.actor, method=method, data=data))
