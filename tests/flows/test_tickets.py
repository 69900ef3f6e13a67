"""An invite code at the real door: who comes in, who waits, what is counted, and what happened in between."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from world import PASSWORD, World, somebody

from usher.core.errors import UsherError
from usher.core.models import Mail
from usher.events.types import EventType
from usher.lifecycle.approve import approve, decline
from usher.lifecycle.joiner import NewAccount, Outcome, Result
from usher.lifecycle.leave import deactivate, reactivate
from usher.lifecycle.move import add_to_group
from usher.lifecycle.why import why
from usher.methods.invite_code.entry import enter
from usher.methods.invite_code.models import CodeGroup, CodeUse, InviteCode
from usher.methods.invite_code.ticket import CodeTicket
from usher.organizations.models import SeatPool
from usher.people import passwords
from usher.people.models import Account, Group, GroupMembership, Membership

T = EventType
Proof, AtEnd = InviteCode.Proof, InviteCode.AtEnd


def a_code(world: World, group: Group | None = None, **facts: Any) -> InviteCode:
    """A code of Cedar, for pupils unless told otherwise."""
    return InviteCode.objects.create(
        organization=world.cedar.organization, code="7K4M29QX", role=facts.pop("role", "student"), group=group, **facts
    )


def child(username: str = "Zoë", **facts: Any) -> NewAccount:
    """Somebody who chose a password at the door and has no address that is proved."""
    return NewAccount(username, password=passwords.digest(PASSWORD), chosen=True, **facts)


def used(code: InviteCode) -> tuple[int, int, int]:
    """The counter of the code, the rows of those who came in, and of those who asked."""
    uses = CodeUse.objects.filter(code=code)
    code.refresh_from_db()
    return code.used, uses.filter(asked=False).count(), uses.filter(asked=True).count()


def seats(world: World, pool: str = "student") -> int:
    return world.cedar.seats(pool).used


def places(group: Group) -> int:
    group.refresh_from_db()
    return group.used


# Coming in


def test_a_child_comes_in_with_a_seat_a_place_and_a_use(world: World) -> None:
    code = a_code(world, world.year5, max_uses=30, proof=Proof.AT_ONCE)
    before = seats(world), places(world.year5)
    outcome = enter(code, child())
    assert (outcome.result, outcome.sign_in) == (Result.CREATED, "zoe@cedar.usher.invalid")
    assert (seats(world), places(world.year5)) == (before[0] + 1, before[1] + 1)
    assert used(code) == (1, 1, 0)
    member = world.cedar.member(outcome)
    assert (member.role, member.state, member.method) == ("student", "active", "invite_code")
    assert CodeUse.objects.get().membership_id == member.id
    assert world.cedar.events(T.MEMBERSHIP_CREATED)[-1].account_id == member.account_id


def test_a_password_of_ones_own_is_kept(world: World, clock: time_machine.Traveller) -> None:
    """A teacher's made password would have to be changed, and ends after 30 days; this one was chosen."""
    account = world.cedar.account(enter(a_code(world, role="teacher"), child("Dana")))
    assert (account.must_change_password, account.password_expires_at) == (False, None)
    assert account.check_password(PASSWORD)
    made = world.cedar.account(world.cedar.add(somebody("Made", "teacher", email="made@cedar.example")))
    assert (made.must_change_password, bool(made.password_expires_at)) == (True, True)


def test_an_account_of_ones_own_joins(world: World) -> None:
    code = a_code(world, world.year5)
    outcome = enter(code, world.eve.account_id)
    assert (outcome.result, outcome.account_id) == (Result.JOINED, world.eve.account_id)
    assert Account.objects.get(id=world.eve.account_id).home_id is None
    assert world.cedar.events(T.MEMBERSHIP_CREATED)[-1].actor_id == world.eve.account_id
    assert enter(code, world.eve.account_id).result is Result.UNCHANGED
    assert used(code) == (1, 1, 0)


def test_the_reason_why_speaks_of_the_code_and_never_says_it(world: World) -> None:
    outcome = enter(a_code(world, world.year5), child())
    told = why(world.cedar.organization, world.cedar.member(outcome))
    assert "invite code" in told.answer
    assert "Year 5" in told.answer
    assert "7K4M29QX" not in repr(told) + repr([(event.data, event.personal) for event in world.cedar.events()])


def test_a_member_is_placed_in_the_group_without_a_seat(world: World) -> None:
    choir = world.cedar.group("Choir")
    code, before = a_code(world, choir, needs_approval=True), seats(world)
    SeatPool.objects.filter(organization=world.cedar.id, pool="student").update(limit=before)
    outcome = enter(code, world.pia.account_id)
    assert (outcome.result, outcome.membership_id) == (Result.PLACED, world.pia.membership_id)
    assert (seats(world), places(choir), used(code)) == (before, 1, (1, 1, 0))
    assert world.pia.membership.role == "student"
    told = world.cedar.events(T.GROUP_JOINED)[-1]
    assert (told.account_id, told.data["group"]) == (world.pia.account_id, str(choir.id))
    assert enter(code, world.pia.account_id).result is Result.UNCHANGED
    assert (places(choir), used(code)) == (1, (1, 1, 0))


def test_a_code_into_several_groups_counts_a_place_in_each(world: World) -> None:
    choir, code = world.cedar.group("Choir"), a_code(world, world.year5)
    CodeGroup.objects.create(code=code, group=choir)
    before = places(world.year5)
    enter(code, child())
    enter(code, world.pia.account_id)  # in Year 5 already
    assert (places(world.year5), places(choir)) == (before + 1, 2)
    assert used(code) == (2, 2, 0)


def test_the_membership_and_its_use_are_one_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    code, people, before = a_code(world), Account.objects.count(), seats(world)

    def fail(self: CodeTicket, outcomes: object) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(CodeTicket, "punch", fail)
    with pytest.raises(RuntimeError):
        enter(code, child())
    assert (Account.objects.count(), seats(world), used(code)) == (people, before, (0, 0, 0))


def test_licence_code_and_group_are_locked_in_this_order(world: World) -> None:
    code = a_code(world, world.year5)
    with CaptureQueriesContext(connection) as queries:
        enter(code, child())
    locked = [query["sql"] for query in queries if "FOR UPDATE" in query["sql"]]
    tables = ["organizations_license", "invite_code_invitecode", "people_group"]
    wanted = tables if connection.features.has_select_for_update else []  # SQLite locks the whole file
    assert [next(table for table in tables if f'FROM "{table}"' in sql) for sql in locked] == wanted


# No


@pytest.fixture
def code(world: World) -> InviteCode:
    return a_code(world, world.year5, max_uses=30)


BETWEEN: dict[str, tuple[dict[str, Any], str]] = {
    "paused": ({"paused_at": dt.datetime(2026, 3, 2, 7, tzinfo=dt.UTC)}, "code_paused"),
    "rotated": ({"code": "NEWC0DE9"}, "code_dead"),
    "not begun": ({"starts_at": dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)}, "code_not_started"),
    "ended": ({"ends_at": dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)}, "code_ended"),
    "used up": ({"max_uses": 0}, "code_used_up"),
}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("what", BETWEEN)
def test_what_changed_between_the_page_and_the_door_counts(world: World, code: InviteCode, what: str) -> None:
    """``code`` is as the page showed it."""
    facts, reason = BETWEEN[what]
    InviteCode.objects.filter(id=code.id).update(**facts)
    before = seats(world)
    for account in (child(), world.eve.account_id, world.pia.account_id):
        outcome = enter(code, account)
        # A member of the group is looked at only by a code that lives; then he is in it already.
        expected = "" if (what, account) == ("used up", world.pia.account_id) else reason
        assert outcome.reason == expected, account
    assert (seats(world), used(code)) == (before, (0, 0, 0))


def test_a_deleted_code_lets_nobody_in(code: InviteCode) -> None:
    InviteCode.objects.filter(id=code.id).delete()
    assert enter(code, child()).reason == "code_dead"


@pytest.mark.usefixtures("clock")
def test_the_last_moment_of_a_code(code: InviteCode) -> None:
    """The end is exclusive; it is asked for by the clock of the transaction, not of the page."""
    begins, ends = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC), dt.datetime(2026, 3, 2, 8, 0, 1, tzinfo=dt.UTC)
    InviteCode.objects.filter(id=code.id).update(starts_at=begins, ends_at=ends)
    assert enter(code, child("A")).result is Result.CREATED
    with time_machine.travel(ends, tick=False):
        assert enter(code, child("B")).reason == "code_ended"


GROUPS: dict[str, tuple[dict[str, Any], str]] = {
    "closed": ({"state": "closed"}, "group_closed"),
    "archived": ({"state": "archived"}, "group_closed"),
    "full": ({"cap": 2}, "group_full"),
}


@pytest.mark.parametrize("what", GROUPS)
def test_a_group_that_takes_nobody(world: World, code: InviteCode, what: str) -> None:
    facts, reason = GROUPS[what]
    Group.objects.filter(id=world.year5.id).update(**facts)
    before = seats(world), places(world.year5)
    assert enter(code, child()).reason == reason
    assert enter(code, world.ada.account_id).reason == reason  # a member, not of this group
    assert ((seats(world), places(world.year5)), used(code)) == (before, (0, 0, 0))


def test_without_a_seat_no_use_is_taken(world: World, code: InviteCode) -> None:
    world.cedar.seats("student", seats(world))
    assert enter(code, child()).reason == "seats_taken"
    assert used(code) == (0, 0, 0)


def test_a_code_for_a_domain_wants_a_proved_address_there(world: World) -> None:
    code = a_code(world, domains=["elsewhere.example"])
    assert enter(code, child()).reason == "code_needs_address"
    assert enter(code, world.olga.account_id).reason == "code_needs_address"
    assert enter(code, world.eve.account_id).result is Result.JOINED
    assert used(code) == (1, 1, 0)


def test_an_account_that_another_organisation_made_does_not_come_in(world: World, code: InviteCode) -> None:
    assert enter(code, world.bob.account_id).reason == "account_belongs_elsewhere"


def test_who_was_deactivated_stays_out_by_every_code(world: World, code: InviteCode) -> None:
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert enter(code, world.pia.account_id).reason == "member_inactive"


def test_a_code_makes_no_admin(world: World) -> None:
    assert enter(a_code(world, role="admin"), child()).reason == "role_above_yours"


def test_a_suspended_organisation_takes_nobody(world: World, code: InviteCode, clock: time_machine.Traveller) -> None:
    world.cedar.organization.suspended_at = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    world.cedar.organization.save()
    assert enter(code, child()).reason == "organization_suspended"
    assert enter(code, world.pia.account_id).reason == "organization_suspended"


# Asking


def ask(world: World, **facts: Any) -> tuple[InviteCode, Outcome]:
    code = a_code(world, world.year5, needs_approval=True, max_uses=3, **facts)
    return code, enter(code, child())


def test_who_waits_takes_neither_seat_nor_place_nor_use(world: World) -> None:
    before = seats(world), places(world.year5)
    code, outcome = ask(world)
    assert outcome.result is Result.WAITING
    assert ((seats(world), places(world.year5)), used(code)) == (before, (0, 0, 1))
    member = world.cedar.member(outcome)
    assert member.state == "waiting"
    assert GroupMembership.objects.filter(membership=member, group=world.year5).count() == 1
    assert world.cedar.events(T.MEMBERSHIP_ASKED)[-1].account_id == member.account_id
    assert not [event for event in world.cedar.events(T.MEMBERSHIP_CREATED) if event.account_id == member.account_id]


def test_the_admins_get_one_mail_however_many_ask(world: World) -> None:
    code = a_code(world, needs_approval=True)
    for name in ("Zoë", "Bo", "Cy"):
        enter(code, child(name))
    assert Mail.objects.filter(kind="asks", organization_id=world.cedar.id).count() == 1


def test_approval_takes_the_seat_and_the_place(world: World) -> None:
    before = seats(world), places(world.year5)
    code, outcome = ask(world)
    assert outcome.membership_id
    assert approve(world.cedar.id, outcome.membership_id, world.ada.by)
    assert (seats(world), places(world.year5)) == (before[0] + 1, before[1] + 1)
    assert used(code) == (0, 0, 1)
    assert world.cedar.member(outcome).state == "active"
    assert not approve(world.cedar.id, outcome.membership_id, world.ada.by)
    assert seats(world) == before[0] + 1


NO_ROOM: dict[str, Any] = {
    "seats_taken": lambda w: SeatPool.objects.filter(organization=w.cedar.id, pool="student").update(limit=1),
    "group_full": lambda w: Group.objects.filter(id=w.year5.id).update(cap=2),
    "group_closed": lambda w: Group.objects.filter(id=w.year5.id).update(state="closed"),
}


@pytest.mark.parametrize("reason", NO_ROOM)
def test_approval_without_room_says_so_and_keeps_him_waiting(world: World, reason: str) -> None:
    _, outcome = ask(world)
    before = seats(world), places(world.year5)
    NO_ROOM[reason](world)
    assert outcome.membership_id
    with pytest.raises(UsherError) as no:
        approve(world.cedar.id, outcome.membership_id, world.ada.by)
    assert [finding.code for finding in no.value.findings] == [reason]
    assert world.cedar.member(outcome).state == "waiting"
    assert (seats(world), places(world.year5)) == before


def test_a_manager_decides_for_his_groups_alone(world: World) -> None:
    _, outcome = ask(world)
    assert outcome.membership_id
    choir = world.cedar.group("Choir")
    add_to_group(world.cedar.id, outcome.membership_id, choir.id, world.ada.by)
    with pytest.raises(UsherError, match="none of your groups"):
        approve(world.cedar.id, outcome.membership_id, world.tom.by)
    GroupMembership.objects.filter(group=choir).delete()
    assert approve(world.cedar.id, outcome.membership_id, world.tom.by)


def test_declined_and_thought_better_of(world: World) -> None:
    before = seats(world)
    code, outcome = ask(world)
    assert outcome.membership_id
    assert decline(world.cedar.id, outcome.membership_id, world.ada.by)
    assert (world.cedar.member(outcome).state, seats(world)) == ("inactive", before)
    assert outcome.account_id
    assert enter(code, outcome.account_id).reason == "member_inactive"
    assert reactivate(world.cedar.id, outcome.membership_id, world.ada.by)
    assert (world.cedar.member(outcome).state, seats(world)) == ("active", before + 1)


def test_who_waits_goes_on_waiting_whatever_code_he_tries(world: World) -> None:
    _, outcome = ask(world)
    assert outcome.account_id
    other = InviteCode.objects.create(
        organization=world.cedar.organization, code="ANTHERC0", role="teacher", group=world.cedar.group("Choir")
    )
    again = enter(other, outcome.account_id)
    assert (again.result, again.membership_id) == (Result.UNCHANGED, outcome.membership_id)
    member = world.cedar.member(outcome)
    assert (member.state, member.role, member.group_links.count()) == ("waiting", "student", 1)
    assert used(other) == (0, 0, 0)


def test_no_use_left_and_the_next_one_asks(world: World) -> None:
    code = a_code(world, world.year5, max_uses=1, at_end=AtEnd.ASK)
    assert enter(code, child("A")).result is Result.CREATED
    before = seats(world)
    assert enter(code, child("B")).result is Result.WAITING
    assert enter(code, world.ada.account_id).reason == "code_used_up"  # a member asks nobody
    assert (seats(world), used(code)) == (before, (1, 1, 1))


@pytest.mark.usefixtures("clock")
def test_after_its_end_one_asks(world: World) -> None:
    code = a_code(world, ends_at=dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC), at_end=AtEnd.ASK)
    assert enter(code, child()).result is Result.WAITING
    assert used(code) == (0, 0, 1)


def test_a_lowered_maximum_removes_nobody(world: World) -> None:
    code = a_code(world, max_uses=5)
    for name in ("A", "B"):
        enter(code, child(name))
    InviteCode.objects.filter(id=code.id).update(max_uses=1)
    assert enter(code, child("C")).reason == "code_used_up"
    assert Membership.objects.filter(method="invite_code", state="active").count() == 2
    assert used(code) == (2, 2, 0)
