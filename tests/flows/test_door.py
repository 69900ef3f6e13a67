"""The door with a database behind it: who gets in, what is written, and that a preview is the truth."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from world import BY_OPERATOR, World, class_list, known, somebody

from usher.core import work
from usher.core.reasons import Reason
from usher.events import record
from usher.events.models import Event
from usher.events.types import EventType
from usher.lifecycle import join as door
from usher.lifecycle.joiner import Joiner, Outcome, Result, Terms
from usher.lifecycle.leave import deactivate
from usher.organizations.create import change_license
from usher.organizations.models import License, SeatPool
from usher.organizations.plans import Method
from usher.people.models import Account, Group, HashBatch, MadeName, Membership

T = EventType


def told(outcomes: list[Outcome]) -> list[tuple[str, str, str, str]]:
    return [(o.result.value, o.reason, o.sign_in, o.username) for o in outcomes]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BATCH", dict.fromkeys(door.BATCH, 3))


def a_mixed_file(world: World) -> list[Joiner]:
    """Everything that can become of a line, with seats that run out before the end."""
    world.cedar.seats("student", 7)
    world.cedar.group("Choir", cap=2)
    eve = world.eve.account.email
    return [
        somebody("Åsa Öberg", line=2),
        somebody("Bo", email="bo@cedar.example", line=3, groups=("Year 9",)),
        somebody("Bo again", email="BO@cedar.example", line=4),
        somebody("Pia", email="pia@cedar.example", line=5),
        somebody("Eve", email=eve, line=6),
        somebody("Åsa Öberg", line=7),
        somebody("山田", line=8, groups=("Choir",)),
        somebody("Cy", role="teacher", line=9, groups=("Choir", "year 9")),
        somebody("Di", line=10, groups=("Choir",)),
        somebody("Nobody", line=11, findings=(Reason.PASSWORD_TOO_COMMON("password"),)),
        somebody("Pia", email="pia@cedar.example", line=12),
        *class_list(6, start=20),
        somebody("Late", role="admin", email="late@cedar.example", line=90),
        somebody("Bo thrice", email="bo@cedar.example", line=91),
    ]


@pytest.mark.usefixtures("small_batches")
def test_the_write_does_what_the_preview_said(world: World) -> None:
    people, terms = a_mixed_file(world), Terms(make_groups=True)
    before = Event.objects.count()
    dry = world.cedar.add_many(people, terms=terms, dry_run=True)
    assert (Event.objects.count(), world.cedar.seats("student").used) == (before, 1)
    real = world.cedar.add_many(people, terms=terms)
    assert told(dry) == told(real)
    assert Counter(o.reason for o in real) == {
        "": 9, "seats_taken": 3, "duplicate_in_file": 3, "has_account": 1, "same_name": 1, "group_full": 1,
        "password_too_common": 1,
    }  # fmt: skip
    assert world.cedar.seats("student").used == world.cedar.seats("student").limit


def test_a_preview_takes_no_lock_and_writes_nothing(world: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        world.cedar.add_many(class_list(5, groups=("Year 5",)), dry_run=True)
    statements = [query["sql"].upper() for query in queries]
    assert all(sql.startswith("SELECT") and "FOR UPDATE" not in sql for sql in statements), statements


def test_the_number_of_queries_does_not_grow_with_the_people(world: World) -> None:
    with CaptureQueriesContext(connection) as few:
        world.cedar.add_many(class_list(2, groups=("Year 5",)))
    with CaptureQueriesContext(connection) as many:
        world.cedar.add_many(class_list(120, start=10, groups=("Year 5",)))
    assert len(many) == len(few) < 25


def test_what_is_written_for_one_person(world: World, clock: time_machine.Traveller) -> None:
    outcome = world.cedar.add(somebody("Åsa Öberg", "teacher", email="Asa@Cedar.example", groups=("Year 5",)))
    member = world.cedar.member(outcome)
    account = member.account
    assert (account.email, account.sign_in_key, account.sign_in) == (
        "Asa@Cedar.example", "asa@cedar.example", "Asa@Cedar.example"
    )  # fmt: skip
    assert (account.is_claimed, account.home_id, account.must_change_password) == (False, world.cedar.id, True)
    assert account.password_expires_at == account.created_at + dt.timedelta(days=30)
    assert (member.role, member.state, member.method, member.sort_name) == (
        "teacher", "active", "csv_import", "asa oberg"
    )  # fmt: skip
    assert {word.word for word in member.words.all()} == {"asa", "oberg", "asa@cedar.example"}
    assert [link.group_id for link in member.group_links.all()] == [world.year5.id]


def test_the_lowest_role_keeps_its_first_password(world: World) -> None:
    account = world.cedar.account(world.cedar.add(somebody("Åsa", email="asa@cedar.example")))
    assert (account.must_change_password, account.password_expires_at) == (False, None)
    assert account.password_set_at == account.created_at


def test_events_are_the_changes(world: World) -> None:
    seen = {event.id for event in world.cedar.events()}
    people = [
        somebody("Åsa", line=2, groups=("Year 9",)),
        somebody("Bo", role="learner", line=3),
        somebody("Pia", email="pia@cedar.example", line=4),
    ]
    terms = Terms(make_groups=True)
    (asa, _, _) = world.cedar.add_many(people, world.ada.by, terms=terms)
    group, came, refused = (event for event in world.cedar.events() if event.id not in seen)
    assert (group.type, came.type, refused.type) == (T.GROUP_CREATED, T.MEMBERSHIP_CREATED, T.MEMBERSHIP_REFUSED)
    assert (came.account_id, came.method, came.actor_id) == (asa.account_id, "csv_import", world.ada.account_id)
    assert came.address_hash == record.address_hash("asa@cedar.usher.invalid")
    assert (came.data["role"], came.data["evidence"], came.data["line"]) == ("student", "a test", 2)
    assert (refused.reason, refused.account_id, refused.data["line"]) == ("unknown_role", None, 3)
    assert "Bo" not in str(refused.data)


def test_a_refusal_is_found_by_its_address(world: World) -> None:
    world.cedar.add(somebody("Bo", role="learner", email="Bo@Cedar.example"))
    (refused,) = world.cedar.events(T.MEMBERSHIP_REFUSED)
    assert refused.address_hash == record.address_hash("bo@cedar.example")


def test_no_change_without_its_event(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_drafts: object) -> None:
        raise RuntimeError("the event cannot be written")

    before = (Membership.objects.count(), Account.objects.count(), world.cedar.seats("student").used)
    monkeypatch.setattr(record, "record_many", breaks)
    with pytest.raises(RuntimeError):
        world.cedar.add(somebody("Åsa", groups=("Year 5",)))
    assert (Membership.objects.count(), Account.objects.count(), world.cedar.seats("student").used) == before
    assert Group.objects.get(id=world.year5.id).used == 2


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        record.record_many([])


# Names that are made


def test_a_made_name_is_never_made_again(world: World) -> None:
    first = world.cedar.add(somebody("Åsa Öberg"))
    assert first.sign_in == "asa.oberg@cedar.usher.invalid"
    assert first.membership_id
    deactivate(world.cedar.id, first.membership_id, BY_OPERATOR)
    assert world.cedar.add(somebody("Åsa Öberg")).sign_in == "asa.oberg-2@cedar.usher.invalid"
    assert MadeName.objects.get(organization_id=world.cedar.id, stem="asa.oberg").used == 2


def test_the_same_name_is_asked_about_and_may_be_allowed(world: World) -> None:
    world.cedar.add(somebody("Åsa Öberg"))
    assert world.cedar.add(somebody("åsa  ÖBERG")).reason == "same_name"
    (allowed,) = world.cedar.add_many([somebody("åsa  ÖBERG")], terms=Terms(allow_same_name=True))
    assert allowed.sign_in == "asa.oberg-2@cedar.usher.invalid"
    assert world.birch.add(somebody("Åsa Öberg", "learner")).sign_in == "asa.oberg@birch.usher.invalid"


@pytest.mark.usefixtures("small_batches")
def test_made_names_count_on_from_batch_to_batch(world: World) -> None:
    people = [somebody("山田", line=n) for n in range(2, 9)]
    outcomes = world.cedar.add_many(people, terms=Terms(allow_same_name=True))
    assert [o.sign_in.partition("@")[0] for o in outcomes] == [f"student.{n}" for n in range(1001, 1008)]


# Seats and groups


def test_seats_run_out_in_the_middle(world: World) -> None:
    world.cedar.seats("student", 4)
    outcomes = world.cedar.add_many(class_list(6))
    assert [o.reason for o in outcomes] == ["", "", "", "seats_taken", "seats_taken", "seats_taken"]
    assert world.cedar.seats("student").used == 4
    assert world.cedar.seats("teacher").used == 2


def test_admins_take_a_seat_of_the_staff(world: World) -> None:
    world.cedar.seats("teacher", 3)
    people = [somebody("A", "admin", email="a@cedar.example"), somebody("B", "teacher", email="b@cedar.example")]
    assert [o.reason for o in world.cedar.add_many(people)] == ["", "seats_taken"]


def test_a_lowered_licence_removes_nobody(world: World) -> None:
    world.cedar.add_many(class_list(5))
    change_license(world.cedar.organization, BY_OPERATOR.actor, seats={"student": 2})
    assert world.cedar.seats("student").used == 6
    assert world.cedar.add(somebody("Late")).reason == "seats_taken"


def test_group_caps_hold_within_a_batch_and_between_them(world: World) -> None:
    world.cedar.group("Choir", cap=2)
    outcomes = world.cedar.add_many(class_list(3, groups=("CHOIR", "Year 5")))
    assert [o.reason for o in outcomes] == ["", "", "group_full"]
    assert world.cedar.add(somebody("Late", groups=("Choir",))).reason == "group_full"
    assert Group.objects.get(name="Choir").used == 2
    assert Group.objects.get(name="Year 5").used == 4


def test_a_group_named_twice_takes_one_place(world: World) -> None:
    outcome = world.cedar.add(somebody("Åsa", groups=("Year 5", "year 5")))
    assert outcome.result is Result.CREATED
    assert Group.objects.get(id=world.year5.id).used == 3


@pytest.mark.usefixtures("small_batches")
def test_missing_groups_are_made_once(world: World) -> None:
    people = class_list(3, groups=("Year 9",)) + class_list(4, start=9, groups=("year 9",))
    world.cedar.add_many(people, terms=Terms(make_groups=True))
    group = Group.objects.get(organization_id=world.cedar.id, name_key="year 9")
    assert (group.name, group.used, group.members.count()) == ("Year 9", 7, 7)
    assert len(world.cedar.events(T.GROUP_CREATED)) == 1


def test_a_plan_without_groups(world: World) -> None:
    assert world.maple.add(somebody("Max", "member", groups=("Year 5",))).reason == "no_groups_in_plan"
    assert world.maple.add(somebody("Max", "member")).result is Result.CREATED


# Who is here already, who is elsewhere


def test_a_member_stays_as_he_is(world: World) -> None:
    before = Membership.objects.values().get(id=world.pia.membership.id)
    events = len(world.cedar.events())
    outcome = world.cedar.add(somebody("Other Name", "teacher", email="PIA@cedar.example", groups=("Year 5",)))
    assert (outcome.result, outcome.username, outcome.membership_id) == (
        Result.UNCHANGED, "Pia Pine", world.pia.membership_id
    )  # fmt: skip
    assert Membership.objects.values().get(id=world.pia.membership.id) == before
    assert len(world.cedar.events()) == events


def test_a_proved_address_has_its_own_account(world: World) -> None:
    assert world.cedar.add(somebody("Eve", email=world.eve.account.email.upper())).reason == "has_account"


def test_two_organisations_hold_one_address_unseen(world: World) -> None:
    ours = world.cedar.add(somebody("Kim", email="kim@shared.example"))
    theirs = world.birch.add(somebody("Kim", "learner", email="kim@shared.example"))
    assert (ours.result, theirs.result) == (Result.CREATED, Result.CREATED)
    assert ours.account_id != theirs.account_id


def test_a_proved_account_joins_with_what_it_has(world: World) -> None:
    outcome = world.cedar.add(known(world.eve, groups=("Year 5",)))
    assert (outcome.result, outcome.account_id) == (Result.JOINED, world.eve.account_id)
    assert world.cedar.add(known(world.eve)).result is Result.UNCHANGED
    assert (world.eve.account.memberships.count(), world.cedar.seats("student").used) == (1, 2)
    assert world.birch.add(known(world.eve, "learner")).result is Result.JOINED


def test_an_account_of_another_organisation_stays_there(world: World) -> None:
    assert world.birch.add(known(world.pia, "learner")).reason == "account_belongs_elsewhere"


def test_one_account_takes_one_seat_however_often_it_comes(world: World) -> None:
    outcomes = world.cedar.add_many([known(world.eve), known(world.eve)])
    assert [o.result for o in outcomes] == [Result.JOINED, Result.UNCHANGED]
    assert world.cedar.seats("student").used == 2


@pytest.mark.usefixtures("small_batches")
def test_one_account_takes_one_seat_also_in_a_preview(world: World) -> None:
    people = [known(world.eve), *class_list(3), known(world.eve)]
    assert told(world.cedar.add_many(people, dry_run=True))[-1][0] == "unchanged"


@pytest.mark.usefixtures("small_batches")
def test_duplicates_are_met_across_batches(world: World) -> None:
    people = [*class_list(4), somebody("Again", email="pupil1@cedar.example", line=99)]
    (finding,) = world.cedar.add_many(people)[-1].findings
    assert (finding.code, finding.facts) == ("duplicate_in_file", {"first_line": 2})


def test_a_deactivated_member_is_sent_to_the_admin(world: World) -> None:
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert world.cedar.add(somebody("Pia", email="pia@cedar.example")).reason == "member_inactive"


# The licence


def test_an_ended_licence_lets_nobody_new_in(world: World, clock: time_machine.Traveller) -> None:
    License.objects.filter(organization_id=world.cedar.id).update(ends_on=dt.date(2026, 3, 1))
    outcomes = world.cedar.add_many(class_list(2))
    assert {o.reason for o in outcomes} == {"license_ended"}
    assert "1" in outcomes[0].findings[0].sentence
    assert world.pia.membership.state == "active"


@pytest.mark.parametrize(
    ("zone", "reason"), [("Pacific/Auckland", "license_ended"), ("UTC", ""), ("America/Los_Angeles", "")]
)
def test_a_licence_ends_at_the_organisations_own_midnight(
    world: World, clock: time_machine.Traveller, zone: str, reason: str
) -> None:
    clock.move_to(dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC))
    License.objects.filter(organization_id=world.cedar.id).update(ends_on=dt.date(2026, 3, 1))
    world.cedar.organization.time_zone = zone
    world.cedar.organization.save()
    assert world.cedar.add(somebody("Åsa")).reason == reason


def test_a_way_in_that_the_operator_took_from_the_plan(world: World) -> None:
    License.objects.filter(organization_id=world.cedar.id).update(overrides={"methods": ["invite_code"]})
    assert world.cedar.add(somebody("Åsa")).reason == "method_not_in_plan"
    assert world.cedar.add(somebody("Åsa", method=Method.OPERATOR)).result is Result.CREATED


# Rank


def test_nobody_grants_above_his_own_rank(world: World) -> None:
    assert world.cedar.add(somebody("Åsa", "teacher", groups=("Year 5",)), world.tom.by).reason == "role_above_yours"
    assert world.cedar.add(somebody("Åsa", groups=("Year 5",)), world.tom.by).result is Result.CREATED
    assert world.cedar.add(somebody("Bo"), world.tom.by).reason == "not_your_group"
    assert world.cedar.add(somebody("Cy", "admin", email="cy@cedar.example"), world.ada.by).result is Result.CREATED


# Behind the door


def test_every_digest_of_a_batch_is_wrapped_by_the_worker(world: World) -> None:
    world.cedar.add_many(class_list(40))
    work.drain([HashBatch])
    assert not HashBatch.objects.exists()
    assert not Account.objects.filter(password__startswith="keyed$").exists()


def test_an_organisation_that_is_not_there(world: World) -> None:
    SeatPool.objects.filter(organization_id=world.maple.id).delete()
    License.objects.filter(organization_id=world.maple.id).delete()
    with pytest.raises(License.DoesNotExist):
        world.maple.add(somebody("Max", "member"))
