"""Seats of people who have left the provider come back by themselves; a quiet provider costs nobody a seat."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from standins import StandIns
from trips import microsoft, providers, travel  # noqa: F401
from world import World

from usher.core import chores, clock
from usher.events.types import EventType
from usher.methods.sso.models import Attempt, Connection, Question, Trip
from usher.people.models import Identity, Membership

pytestmark = pytest.mark.django_db
CHORE = "methods.sso.free_the_seats_of_leavers"
PEOPLE = ("paul", "otto", "nora", "vera")


@pytest.fixture
def tenant(world: World, providers: StandIns) -> Connection:  # noqa: F811
    """A tenant of four people who have come in by it, and in which 90 days are the most."""
    one = microsoft(world, providers, leaver_days=90)
    for login in PEOPLE:
        assert travel(Client(), providers, one, login)["Location"] == "/home"
    return one


def quiet(days: int, *logins: str) -> None:
    """So long ago they were here last."""
    for login in logins:
        mine = Identity.objects.filter(address=f"{login}@cedar.example")
        assert mine.update(last_used_at=clock.now() - dt.timedelta(days=days)) == 1


def who_is_in() -> set[str]:
    active = Membership.objects.filter(method="microsoft", state="active")
    return {str(one.account.identities.get().address).partition("@")[0] for one in active.select_related("account")}


def test_who_was_not_signed_in_for_so_long_gives_the_seat_back(world: World, tenant: Connection) -> None:
    used = world.cedar.seats("student").used
    quiet(91, "paul")
    quiet(89, "otto")
    chores.run(CHORE)
    chores.run(CHORE)
    assert who_is_in() == {"otto", "nora", "vera"}
    assert world.cedar.seats("student").used == used - 1
    (event,) = world.cedar.events(EventType.MEMBERSHIP_DEACTIVATED)
    assert event.actor_kind == "system"
    assert Identity.objects.count() == 4


def test_nobody_goes_while_the_provider_is_quiet(tenant: Connection) -> None:
    quiet(91, "paul")
    quiet(8, "otto", "nora", "vera")
    chores.run(CHORE)
    assert who_is_in() == set(PEOPLE)


def test_nobody_goes_where_it_would_be_more_than_half(tenant: Connection) -> None:
    quiet(91, "paul", "otto", "nora")
    chores.run(CHORE)
    assert who_is_in() == set(PEOPLE)
    quiet(1, "nora")
    chores.run(CHORE)
    assert who_is_in() == {"nora", "vera"}


@pytest.mark.parametrize("facts", [{"leaver_days": None}, {"state": "off"}, {"state": "draft"}])
def test_nobody_goes_without_the_option_or_when_it_is_off(tenant: Connection, facts: dict[str, object]) -> None:
    Connection.objects.filter(id=tenant.id).update(**facts)
    quiet(500, "paul")
    chores.run(CHORE)
    assert who_is_in() == set(PEOPLE)


def test_admins_and_those_who_came_another_way_stay(world: World, tenant: Connection) -> None:
    def of(login: str) -> Membership:
        return Membership.objects.get(account__identities__address=f"{login}@cedar.example")

    Membership.objects.filter(id=of("paul").id).update(role="admin")
    Membership.objects.filter(id=of("otto").id).update(method="csv_import")
    quiet(500, "paul", "otto")
    chores.run(CHORE)
    assert set(Membership.objects.filter(organization=world.cedar.organization).values_list("state", flat=True)) == {
        "active"
    }


def test_another_sign_in_by_the_same_connection_counts(tenant: Connection) -> None:
    mine = Identity.objects.get(address="paul@cedar.example")
    quiet(500, "paul")
    Identity.objects.create(
        account=mine.account, organization=mine.organization, connection_id=tenant.id, issuer=mine.issuer, subject="two"
    )
    chores.run(CHORE)
    assert Membership.objects.get(account=mine.account).state == "active"


def test_what_came_to_nothing_is_forgotten(tenant: Connection) -> None:
    now = clock.now()
    for age in (1, 20):
        facts = {"created_at": now - dt.timedelta(minutes=age), "expires_at": now + dt.timedelta(minutes=10 - age)}
        Trip.objects.create(state_hash=str(age), browser_hash="b", kind="microsoft", purpose="sign_in", **facts)
        Question.objects.create(token_hash=str(age), browser_hash="b", connection=tenant, person={}, **facts)
    Attempt.objects.filter(subject__in=Identity.objects.filter(address__startswith="paul").values("subject")).update(
        at=now - dt.timedelta(days=31)
    )
    before = Attempt.objects.count()
    for name in ("forget_trips", "forget_attempts"):
        chores.run(f"methods.sso.{name}")
    assert list(Trip.objects.values_list("state_hash", flat=True)) == ["1"]
    assert list(Question.objects.values_list("token_hash", flat=True)) == ["1"]
    assert Attempt.objects.count() == before - 1
