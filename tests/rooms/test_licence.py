"""The licence as its admins see it: seats, what to do when they run out, and what became of it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from world import World, class_list, signed_in

from usher.core.rows import new_id
from usher.events.models import Event
from usher.events.types import OPERATOR
from usher.organizations.create import change_license
from usher.organizations.models import SeatPool
from usher.organizations.standing import standing

PAGE = "/o/cedar/licence"


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


def text(client: Client, page: str = PAGE) -> str:
    return client.get(page).content.decode()


def fill(world: World, used: int, limit: int = 100) -> None:
    SeatPool.objects.filter(organization_id=world.cedar.id, pool="student").update(used=used, limit=limit)


@pytest.mark.parametrize(
    ("used", "kind", "title"),
    [
        (79, "", ""),
        (80, "info", "Students: 20 seats of 100 are left."),
        (95, "warn", "Students: 5 seats of 100 are left."),
        (99, "warn", "Students: 1 seat of 100 is left."),
        (100, "bad", "Students: all 100 seats are taken."),
        (103, "warn", "Students: 103 people on 100 seats."),
    ],
)
def test_what_is_said_at_each_step(world: World, ada: Client, used: int, kind: str, title: str) -> None:
    fill(world, used)
    cautions = standing(world.cedar.organization).cautions
    assert [(one.kind, one.title) for one in cautions] == ([(kind, title)] if kind else [])
    for page in (PAGE, "/o/cedar/"):
        assert (f"note {kind}" in text(ada, page)) == bool(kind)
        assert title in text(ada, page)


def test_every_warning_says_what_to_do(world: World, ada: Client) -> None:
    for used in (80, 95, 100, 103):
        fill(world, used)
        (caution,) = standing(world.cedar.organization).cautions
        assert caution.sentence.endswith(".")
        assert caution.sentence in text(ada)


def test_the_list_of_people_warns_only_of_what_cannot_wait(world: World, ada: Client) -> None:
    fill(world, 80)
    assert "20 seats of 100 are left." not in text(ada, "/o/cedar/users")
    fill(world, 95)
    assert "5 seats of 100 are left." in text(ada, "/o/cedar/users")


def test_a_pool_without_seats_is_not_full_of_nobody(world: World) -> None:
    fill(world, 0, 0)
    assert standing(world.cedar.organization).cautions == []


def test_what_became_of_the_licence(world: World, ada: Client) -> None:
    change_license(world.cedar.organization, OPERATOR, seats={"student": 600})
    change_license(world.cedar.organization, OPERATOR, dates={"ends_on": dt.date(2030, 7, 31)})
    page = text(ada)
    assert page.index("ends 2030-07-31") < page.index("seats student 600") < page.index("Organisation made")


def test_its_history_is_found_however_much_has_happened(world: World, ada: Client) -> None:
    """It is read from an index of its own: the same few questions, and nothing is looked through."""
    change_license(world.cedar.organization, OPERATOR, seats={"student": 600})

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert "seats student 600" in text(ada)
        return len(queries)

    before = asked()
    some = Event.objects.filter(organization_id=world.cedar.id).exclude(type="license:changed").first()
    assert some
    rows = []
    for _ in range(300):
        copy = Event.objects.get(id=some.id)
        copy.id = new_id()
        rows.append(copy)
    Event.objects.bulk_create(rows)
    assert asked() == before
    history = Event.objects.filter(organization_id=world.cedar.id, type="license:changed").order_by("-id")[:50]
    plan = history.explain()
    if connection.vendor == "sqlite":
        assert "event_of_license" in plan


def test_a_long_history_leads_on_to_the_events(world: World, ada: Client) -> None:
    for number in range(51):
        change_license(world.cedar.organization, OPERATOR, seats={"student": 600 + number})
    page = text(ada)
    assert "All changes" in page
    assert "seats student 650" in page
    assert "seats student 600" not in page


def test_only_admins_see_it(world: World) -> None:
    world.cedar.add_many(class_list(2))
    assert signed_in(world.tom).get(PAGE).status_code == 403
    assert signed_in(world.bob).get(PAGE).status_code == 404
