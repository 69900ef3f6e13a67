"""Writing what was decided: accounts, memberships, groups, seats and events, together in one transaction."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import F

from usher.core import bulk, clock
from usher.core.reasons import Fact, Finding, Reason
from usher.core.rows import new_id
from usher.events import record
from usher.events.types import Draft, EventType
from usher.lifecycle import alarms, arrived
from usher.lifecycle.facts import House
from usher.lifecycle.joiner import NewAccount, Outcome, Result
from usher.organizations.models import SeatPool, SeatReservation
from usher.organizations.plans import KEEPS, Role
from usher.people import passwords
from usher.people.models import Account, Group, GroupMembership, HashBatch, MadeName, Membership, SearchWord
from usher.people.names import name_key, search_words, sort_key

LONGEST_EVIDENCE = 200  # characters; a file may have any name

ACCOUNT = (
    "id", "password", "username", "email", "sign_in_key", "home", "is_operator", "must_change_password",
    "password_expires_at", "password_set_at", "created_at",
)  # fmt: skip
GROUP = ("id", "organization", "name", "name_key", "state", "used", "created_at")
MEMBERSHIP = (
    "id", "organization", "account", "role", "state", "method", "evidence", "joined_at", "sort_name",
)  # fmt: skip


def write(house: House, outcomes: Sequence[Outcome]) -> None:
    """Write one batch of outcomes and the house they left behind; events included."""
    now = clock.now()
    created = [outcome for outcome in outcomes if outcome.result is Result.CREATED]
    seated = [outcome for outcome in outcomes if outcome.result in (Result.CREATED, Result.JOINED)]
    waiting = [outcome for outcome in outcomes if outcome.result is Result.WAITING]
    placed = [outcome for outcome in outcomes if outcome.result is Result.PLACED]
    _write_groups(house, now)
    _write_accounts(house, [*created, *_without_account(waiting)], now)
    _write_memberships(house, seated, now, Membership.State.ACTIVE)
    _write_memberships(house, waiting, now, Membership.State.WAITING)
    _write_group_places(house, [*seated, *placed])
    _link_groups(house, waiting)
    _write_counts(house, seated)
    _write_made_names(house, [*seated, *waiting])
    alarms.watch(house)
    alarms.asked(house, waiting)
    alarms.arrived(house, [*seated, *placed, *waiting], now)
    record.record_many([_event(house, outcome) for outcome in outcomes if outcome.result is not Result.UNCHANGED])


def _without_account(outcomes: Iterable[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if isinstance(outcome.joiner.account, NewAccount)]


def _write_groups(house: House, now: dt.datetime) -> None:
    new = [(key, group) for key, group in house.groups.items() if group.is_new]
    here, is_open = house.organization_id, Group.State.OPEN.value
    bulk.insert(Group, GROUP, [(group.id, here, group.name, key, is_open, group.used, now) for key, group in new])
    record.record_many(
        [
            Draft(
                EventType.GROUP_CREATED,
                house.organization_id,
                house.by.actor,
                data={"group": str(group.id), "name": group.name},
            )
            for _, group in new
        ]
    )


def _write_accounts(house: House, created: Sequence[Outcome], now: dt.datetime) -> None:
    bulk.insert(Account, ACCOUNT, [_account_row(house, outcome, now) for outcome in created])
    ids = [outcome.account_id for outcome in created if outcome.account_id and _new(outcome).password]
    if ids:
        HashBatch.objects.create(lane=house.organization_id, first_id=min(ids), last_id=max(ids), run_at=now)


def _new(outcome: Outcome) -> NewAccount:
    account = outcome.joiner.account
    return account if isinstance(account, NewAccount) else NewAccount()


def _account_row(house: House, outcome: Outcome, now: dt.datetime) -> tuple[Any, ...]:
    given = _new(outcome)
    # A password of the person's own choice is nobody's first one: it is kept, and it does not expire.
    first = KEEPS if given.chosen or not given.password else _role(house, outcome).initial_password
    expires = now + dt.timedelta(days=first.expires_days) if first.expires_days else None
    return (
        outcome.account_id, given.password or passwords.UNUSABLE, outcome.username, outcome.email,
        outcome.sign_in.lower(), house.organization_id, False, first.must_change,
        expires, now if given.password else None, now,
    )  # fmt: skip


def _role(house: House, outcome: Outcome) -> Role:
    role = house.role_of(outcome.joiner)
    assert role is not None  # noqa: S101 - only people with a role of the plan are seated
    return role


def _write_memberships(house: House, outcomes: Sequence[Outcome], now: dt.datetime, state: Membership.State) -> None:
    bulk.insert(Membership, MEMBERSHIP, [_membership_row(house, outcome, now, state) for outcome in outcomes])
    words = [
        (outcome.membership_id, house.organization_id, word)
        for outcome in outcomes
        for word in search_words(outcome.username, outcome.sign_in)
    ]
    bulk.insert(SearchWord, ("membership", "organization_id", "word"), words)


def _membership_row(house: House, outcome: Outcome, now: dt.datetime, state: Membership.State) -> tuple[Any, ...]:
    joiner = outcome.joiner
    return (
        outcome.membership_id, house.organization_id, outcome.account_id, joiner.role, state.value,
        joiner.method.value, joiner.evidence[:LONGEST_EVIDENCE], now, sort_key(outcome.username),
    )  # fmt: skip


def _link_groups(house: House, outcomes: Iterable[Outcome]) -> list[tuple[Any, ...]]:
    places = [
        (new_id(), house.organization_id, house.groups[name_key(name)].id, outcome.membership_id, "member")
        for outcome in outcomes
        for name in outcome.joiner.groups
    ]
    bulk.insert(GroupMembership, ("id", "organization_id", "group", "membership", "right"), places)
    return places


def _write_group_places(house: House, seated: Iterable[Outcome]) -> None:
    places = _link_groups(house, seated)
    counted = {group.id for group in house.groups.values() if group.is_new}  # with all who are in them by now
    bulk.increase(Group, "used", Counter(place[2] for place in places if place[2] not in counted))


def _write_counts(house: House, seated: Sequence[Outcome]) -> None:
    for pool, count in Counter(_role(house, outcome).pool for outcome in seated).items():
        SeatPool.objects.filter(organization_id=house.organization_id, pool=pool).update(used=F("used") + count)
    if house.given_back:
        kept = SeatReservation.objects.filter(organization_id=house.organization_id)
        kept.filter(address_key__in=house.given_back).delete()


def _write_made_names(house: House, named: Sequence[Outcome]) -> None:
    """The licence row is locked, so the house's own count is the truth."""
    if named:
        MadeName.objects.bulk_create(
            [MadeName(organization_id=house.organization_id, stem=key, used=used) for key, used in house.made.items()],
            update_conflicts=True,
            unique_fields=["organization", "stem"],
            update_fields=["used"],
        )


def bring_back(house: House, outcome: Outcome) -> None:
    """Make a membership active that ended or waited. Its groups are linked; places in all of them count now."""
    assert outcome.membership_id is not None  # noqa: S101 - somebody who comes back was here
    Membership.objects.filter(id=outcome.membership_id).update(state=Membership.State.ACTIVE)
    Group.objects.filter(members__membership_id=outcome.membership_id).update(used=F("used") + 1)
    _write_counts(house, [outcome])
    alarms.watch(house)
    arrived.tell(house.organization_id, [outcome])


TOLD_AS = {
    Result.CREATED: EventType.MEMBERSHIP_CREATED,
    Result.JOINED: EventType.MEMBERSHIP_CREATED,
    Result.WAITING: EventType.MEMBERSHIP_ASKED,
    Result.PLACED: EventType.GROUP_JOINED,
    Result.REFUSED: EventType.MEMBERSHIP_REFUSED,
}


def _event(house: House, outcome: Outcome) -> Draft:
    joiner = outcome.joiner
    refused = outcome.result is Result.REFUSED
    role = house.role_of(joiner)
    data: dict[str, Any] = {"role": role.slug if role else "", "evidence": joiner.evidence}
    if joiner.line:
        data["line"] = joiner.line
    if joiner.groups and not refused:
        data["groups"] = [str(house.groups[name_key(name)].id) for name in joiner.groups]
    if outcome.result is Result.PLACED:
        group = house.groups[name_key(joiner.groups[0])]
        data |= {"group": str(group.id), "name": group.name}
    return Draft(
        TOLD_AS[outcome.result],
        house.organization_id,
        house.by.actor,
        account_id=outcome.account_id,
        address=_address(outcome),
        method=joiner.method.value,
        reason=outcome.reason,
        data=data,
        # The facts of a "no" may name a person: erasable.
        personal={"findings": [(f.code, f.column, _kept(f)) for f in outcome.findings]} if refused else None,
    )


# Facts that quote what was typed. In the wrong column that is a password, which rests nowhere.
TYPED = {
    Reason.UNKNOWN_ROLE: "role",
    Reason.UNKNOWN_GROUP: "group",
    Reason.PASSWORD_LOOKS_LIKE_FORMULA: "first",
}  # fmt: skip


def _kept(finding: Finding) -> dict[str, Fact]:
    """The facts of a finding that an event may keep; telling says “…” for the others."""
    typed = ("given", TYPED.get(finding.reason))
    return {name: value for name, value in finding.facts.items() if name not in typed}


def _address(outcome: Outcome) -> str:
    account = outcome.joiner.account
    if isinstance(account, NewAccount) and account.address:
        return account.address
    return outcome.sign_in.lower()
