"""Moving, leaving and coming back: seats, places, ranks, and an admin who always stays."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import time_machine
from world import BY_OPERATOR, Person, World, class_list, somebody

from usher.core import clock as clocks
from usher.core.errors import UsherError
from usher.events.types import EventType
from usher.lifecycle.joiner import Result
from usher.lifecycle.leave import deactivate, reactivate
from usher.lifecycle.move import add_to_group, change_groups, move, remove_from_group, set_group_right
from usher.organizations.models import License
from usher.people import links, passwords
from usher.people.models import Account, Group, GroupMembership, Membership

T = EventType


def reasons(error: pytest.ExceptionInfo[UsherError]) -> list[str]:
    return [finding.code for finding in error.value.findings]


def pupil(world: World, name: str = "Kim", groups: tuple[str, ...] = ()) -> uuid.UUID:
    outcome = world.cedar.add(somebody(name, email=f"{name.lower()}@cedar.example", groups=groups))
    assert outcome.membership_id, outcome.findings
    return outcome.membership_id


def used(group_id: uuid.UUID) -> int:
    return Group.objects.get(id=group_id).used


# Another role


def test_a_move_takes_a_seat_and_frees_one(world: World) -> None:
    move(world.cedar.id, world.pia.membership.id, "teacher", world.ada.by)
    assert world.pia.membership.role == "teacher"
    assert (world.cedar.seats("student").used, world.cedar.seats("teacher").used) == (0, 3)
    (event,) = world.cedar.events(T.MEMBERSHIP_MOVED)
    assert (event.data, event.account_id, event.actor_id) == (
        {"from": "student", "to": "teacher"}, world.pia.account_id, world.ada.account_id
    )  # fmt: skip


def test_a_move_within_a_kind_of_seat_needs_none(world: World) -> None:
    world.cedar.seats("teacher", 2)
    move(world.cedar.id, world.tom.membership.id, "admin", world.ada.by)
    assert world.cedar.seats("teacher").used == 2


def test_a_move_to_the_same_role_is_nothing(world: World) -> None:
    move(world.cedar.id, world.ada.membership.id, "admin", world.ada.by)
    assert not world.cedar.events(T.MEMBERSHIP_MOVED)


def test_an_inactive_member_moves_without_a_seat(world: World) -> None:
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    world.cedar.seats("teacher", 2)
    move(world.cedar.id, world.pia.membership.id, "teacher", world.ada.by)
    with pytest.raises(UsherError) as error:
        reactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert reasons(error) == ["seats_taken"]


MOVES = {
    "role of another plan": ("ada", "pia", "learner", "unknown_role"),
    "above the giver": ("tom", "pia", "teacher", "role_above_yours"),
    "somebody above": ("tom", "ada", "student", "above_you"),
    "no seat of that kind": ("ada", "pia", "teacher", "seats_taken"),
    "the last admin": ("ada", "ada", "teacher", "last_admin"),
}


@pytest.mark.parametrize("case", MOVES)
def test_a_move_is_refused(world: World, case: str) -> None:
    giver, mover, role, reason = MOVES[case]
    world.cedar.seats("teacher", 2)
    who: Person = world.people[mover]
    before = (who.membership.role, len(world.cedar.events()))
    with pytest.raises(UsherError) as error:
        move(world.cedar.id, who.membership.id, role, world.people[giver].by)
    assert reasons(error) == [reason]
    assert (who.membership.role, len(world.cedar.events())) == before


def test_members_of_another_organisation_are_not_there(world: World) -> None:
    for act in (
        lambda: move(world.birch.id, world.pia.membership.id, "learner", world.bob.by),
        lambda: deactivate(world.birch.id, world.pia.membership.id, world.bob.by),
        lambda: reactivate(world.birch.id, world.pia.membership.id, world.bob.by),
        lambda: add_to_group(world.birch.id, world.pia.membership.id, world.year5.id, world.bob.by),
    ):
        with pytest.raises(UsherError) as error:
            act()
        assert reasons(error) == ["not_a_member"]


def test_a_group_of_another_organisation_is_not_there(world: World) -> None:
    kim = world.birch.add(somebody("Kim", "learner")).membership_id
    assert kim
    with pytest.raises(UsherError) as error:
        add_to_group(world.birch.id, kim, world.year5.id, world.bob.by)
    assert reasons(error) == ["unknown_group"]


# The last admin


def second_admin(world: World) -> Person:
    return world.cedar.settle("Ann Alder", "admin")


def test_of_two_admins_one_may_go(world: World) -> None:
    ann = second_admin(world)
    assert deactivate(world.cedar.id, ann.membership.id, world.ada.by)
    with pytest.raises(UsherError) as error:
        deactivate(world.cedar.id, world.ada.membership.id, BY_OPERATOR)
    assert reasons(error) == ["last_admin"]


def test_two_admins_demoting_each_other_leave_one(world: World) -> None:
    ann = second_admin(world)
    move(world.cedar.id, ann.membership.id, "teacher", world.ada.by)
    with pytest.raises(UsherError) as error:
        move(world.cedar.id, world.ada.membership.id, "teacher", BY_OPERATOR)
    assert reasons(error) == ["last_admin"]


def test_an_admin_who_cannot_sign_in_does_not_count(world: World) -> None:
    ann = second_admin(world)
    expired = {"password_expires_at": clocks.now() - dt.timedelta(hours=1)}
    for change in ({"password": passwords.UNUSABLE}, expired):
        Account.objects.filter(id=ann.account_id).update(**change)
        with pytest.raises(UsherError) as error:
            deactivate(world.cedar.id, world.ada.membership.id, BY_OPERATOR)
        assert reasons(error) == ["last_admin"]


def test_a_living_set_up_link_counts_as_a_way_in(world: World, clock: time_machine.Traveller) -> None:
    ann = second_admin(world)
    Account.objects.filter(id=ann.account_id).update(password=passwords.UNUSABLE)
    links.make_setup_link(ann.account, world.cedar.id, BY_OPERATOR.actor)
    clock.shift(dt.timedelta(days=links.SETUP_DAYS, seconds=1))
    with pytest.raises(UsherError):
        deactivate(world.cedar.id, world.ada.membership.id, BY_OPERATOR)
    clock.shift(dt.timedelta(seconds=-2))
    assert deactivate(world.cedar.id, world.ada.membership.id, BY_OPERATOR)


# Leaving and coming back


def test_leaving_frees_the_seat_and_the_places(world: World) -> None:
    assert deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert world.cedar.seats("student").used == 0
    assert used(world.year5.id) == 1
    assert not deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert len(world.cedar.events(T.MEMBERSHIP_DEACTIVATED)) == 1


def test_coming_back_takes_them_again(world: World) -> None:
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert reactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert world.pia.membership.state == "active"
    assert world.cedar.seats("student").used == 1
    assert used(world.year5.id) == 2
    assert not reactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert len(world.cedar.events(T.MEMBERSHIP_REACTIVATED)) == 1


def refused_return(world: World) -> list[str]:
    with pytest.raises(UsherError) as error:
        reactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert world.pia.membership.state == "inactive"
    return reasons(error)


def test_nobody_comes_back_to_a_full_house(world: World) -> None:
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    world.cedar.seats("student", 1)
    pupil(world)
    assert refused_return(world) == ["seats_taken"]


def test_nobody_comes_back_into_a_full_group(world: World) -> None:
    Group.objects.filter(id=world.year5.id).update(cap=2)
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    pupil(world, groups=("Year 5",))
    assert refused_return(world) == ["group_full"]


@pytest.mark.parametrize("state", [Group.State.CLOSED, Group.State.ARCHIVED])
def test_a_closed_group_lets_its_own_back_in_but_keeps_its_cap(world: World, state: Group.State) -> None:
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    kim = pupil(world, groups=("Year 5",))
    Group.objects.filter(id=world.year5.id).update(cap=2, state=state)
    assert refused_return(world) == ["group_full"]
    deactivate(world.cedar.id, kim, world.ada.by)
    assert reactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert used(world.year5.id) == 2


def test_nobody_comes_back_after_the_licence_ended(world: World) -> None:
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    License.objects.filter(organization_id=world.cedar.id).update(ends_on=dt.date(2020, 1, 1))
    assert refused_return(world) == ["license_ended"]


def test_somebody_who_waits_is_not_let_in_by_coming_back(world: World) -> None:
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    Membership.objects.filter(id=world.pia.membership.id).update(state="waiting")
    world.cedar.seats("student", 0)
    assert not reactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert world.cedar.seats("student").used == 0


def test_nobody_sends_away_those_above(world: World) -> None:
    for giver, other in (("tom", "ada"), ("tom", "tom")):
        with pytest.raises(UsherError) as error:
            deactivate(world.cedar.id, world.people[other].membership.id, world.people[giver].by)
        assert reasons(error) == ["above_you"]


# Groups


def test_into_a_group_and_out(world: World) -> None:
    kim = pupil(world)
    assert add_to_group(world.cedar.id, kim, world.year5.id, world.tom.by)
    assert not add_to_group(world.cedar.id, kim, world.year5.id, world.tom.by)
    assert used(world.year5.id) == 3
    assert remove_from_group(world.cedar.id, kim, world.year5.id, world.tom.by)
    assert not remove_from_group(world.cedar.id, kim, world.year5.id, world.tom.by)
    assert used(world.year5.id) == 2
    assert [event.type for event in world.cedar.events()][-2:] == [T.GROUP_JOINED, T.GROUP_LEFT]


@pytest.mark.parametrize(("change", "reason"), [({"cap": 2}, "group_full"), ({"state": "closed"}, "group_closed")])
def test_a_group_that_takes_nobody(world: World, change: dict[str, object], reason: str) -> None:
    kim = pupil(world)
    Group.objects.filter(id=world.year5.id).update(**change)
    with pytest.raises(UsherError) as error:
        add_to_group(world.cedar.id, kim, world.year5.id, world.ada.by)
    assert reasons(error) == [reason]
    assert used(world.year5.id) == 2


def test_a_manager_keeps_to_his_groups(world: World) -> None:
    kim, choir = pupil(world), world.cedar.group("Choir")
    for act in (add_to_group, remove_from_group):
        with pytest.raises(UsherError) as error:
            act(world.cedar.id, kim, choir.id, world.tom.by)
        assert reasons(error) == ["not_your_group"]
    with pytest.raises(UsherError) as error:
        set_group_right(world.cedar.id, world.pia.membership.id, world.year5.id, "manager", world.tom.by)
    assert reasons(error) == ["not_your_group"]


def test_an_inactive_member_takes_no_place(world: World) -> None:
    kim = pupil(world)
    deactivate(world.cedar.id, kim, world.ada.by)
    add_to_group(world.cedar.id, kim, world.year5.id, world.ada.by)
    assert used(world.year5.id) == 2
    reactivate(world.cedar.id, kim, world.ada.by)
    assert used(world.year5.id) == 3


def test_groups_change_all_or_nothing(world: World) -> None:
    full, choir = world.cedar.group("Full", cap=0), world.cedar.group("Choir")
    wanted = {choir.id}
    change_groups(world.cedar.id, world.pia.membership.id, wanted, world.ada.by)
    held = GroupMembership.objects.filter(membership_id=world.pia.membership.id)
    assert set(held.values_list("group_id", flat=True)) == wanted
    with pytest.raises(UsherError):
        change_groups(world.cedar.id, world.pia.membership.id, {full.id, world.year5.id}, world.ada.by)
    assert set(held.values_list("group_id", flat=True)) == wanted
    assert (used(choir.id), used(world.year5.id), used(full.id)) == (1, 1, 0)


def test_who_left_and_came_back_is_one_person(world: World) -> None:
    people = class_list(3)
    first = world.cedar.add_many(people)
    for outcome in first:
        assert outcome.membership_id
        deactivate(world.cedar.id, outcome.membership_id, world.ada.by)
        reactivate(world.cedar.id, outcome.membership_id, world.ada.by)
    again = world.cedar.add_many(people)
    assert {o.result for o in again} == {Result.UNCHANGED}
    assert [o.membership_id for o in again] == [o.membership_id for o in first]
