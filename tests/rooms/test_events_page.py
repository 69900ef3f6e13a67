"""What happened: filtered by what, how, why, whom, by whom and when, and taken away whole as a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from world import Person, World, class_list, signed_in, somebody

from usher.core.rows import first_id, new_id
from usher.events import reading
from usher.events.models import Event
from usher.events.types import EventType
from usher.lifecycle import leave
from usher.lifecycle.joiner import By
from usher.organizations.models import Organization
from usher.people.models import Account

PAGE = "/o/cedar/events"
T = EventType


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


def shown(client: Client, **filters: object) -> list[tuple[str, str]]:
    """Type and subject of the events on the page."""
    page = client.get(PAGE, {name: str(value) for name, value in filters.items()})
    assert page.status_code == 200
    return [(one.type, one.subject) for one in page.context["told"]]


def happened(world: World, at: dt.datetime, kind: EventType = T.GROUP_CHANGED, **facts: Any) -> Event:
    """An event of another day; its id is of that day too, as every id is."""
    key = first_id(at).int | (new_id().int & ((1 << 80) - 1))
    columns: dict[str, Any] = {"actor_kind": "operator", "data": {}, **facts}
    return Event.objects.create(id=f"{key:032x}", at=at, type=kind.value, organization_id=world.cedar.id, **columns)


def member_id(person: Person) -> str:
    return str(person.membership_id)


# Filters


def test_about_one_person(world: World, ada: Client) -> None:
    leave.deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    found = shown(ada, person=member_id(world.pia))
    assert found[0] == ("membership:deactivated", "Pia Pine")
    assert {subject for _type, subject in found} == {"Pia Pine"}
    assert ("membership:created", "Pia Pine") in found
    page = ada.get(PAGE, {"person": member_id(world.pia)}).content.decode()
    assert "About Pia Pine" in page
    both = shown(ada, person=member_id(world.pia), type="membership:created")
    assert both == [("membership:created", "Pia Pine")]


def test_by_whom(world: World, ada: Client) -> None:
    leave.deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    world.cedar.add(somebody("Zoë", groups=("Year 5",)), By(world.tom.actor, 1, frozenset({world.year5.id})))
    assert shown(ada, by=member_id(world.ada)) == [("membership:deactivated", "Pia Pine")]
    assert shown(ada, by=member_id(world.tom)) == [("membership:created", "Zoë")]
    assert ("organization:created", "") in shown(ada, by="operator")
    assert shown(ada, by="usher") == []
    page = ada.get(PAGE, {"by": member_id(world.tom)}).content.decode()
    assert "By whom: Tom Thorn" in page, "also of somebody who is no admin"


def test_the_page_of_a_person_leads_to_both(world: World, ada: Client) -> None:
    page = ada.get(f"/o/cedar/users/{world.pia.membership_id}").content.decode()
    for query in ("person", "by"):
        assert f"{PAGE}?{query}={world.pia.membership_id}" in page


def test_what_a_foreign_person_did_is_not_to_be_asked_for(world: World, ada: Client) -> None:
    """Bob's sign-ins belong to no organisation: neither the id of his place nor that of his account finds them."""
    Account.objects.filter(id=world.bob.account_id).update(claimed_at=dt.datetime.now(dt.UTC), home=None)
    Event.objects.create(
        at=dt.datetime.now(dt.UTC), type="account:signed_in", account_id=world.bob.account_id, actor_kind="account"
    )
    for somebody_else in (world.bob.membership_id, world.bob.account_id, new_id()):
        assert shown(ada, person=somebody_else) == []
        assert shown(ada, by=somebody_else) == []
    assert "Bob" not in ada.get(PAGE, {"person": member_id(world.bob)}).content.decode()


def test_a_period_of_whole_days_where_the_organisation_is(world: World, ada: Client) -> None:
    Organization.objects.filter(id=world.cedar.id).update(time_zone="Europe/Helsinki")  # UTC+2 in November
    midnight = dt.datetime(2025, 11, 10, 22, tzinfo=dt.UTC)
    second = dt.timedelta(seconds=1)
    times = [midnight - second, midnight, midnight + dt.timedelta(days=1) - second, midnight + dt.timedelta(days=1)]
    before, first, last, after = (happened(world, at) for at in times)

    def found(**days: str) -> list[Any]:
        page = ada.get(PAGE, days)
        return [event.id for event in page.context["page"].events if event.at.year == 2025]

    keys = [event.id for event in Event.objects.filter(at__year=2025).order_by("-id")]
    assert [str(key) for key in keys] == [str(Event.objects.get(id=one.id).id) for one in (after, last, first, before)]
    assert found(since="2025-11-11", until="2025-11-11") == keys[1:3]
    assert found(since="2025-11-11") == keys[:3]
    assert found(until="2025-11-11") == keys[1:]
    assert found(since="2025-11-12", until="2025-11-10") == []


def test_filters_stay_while_one_pages_and_changes_others(world: World, ada: Client) -> None:
    world.cedar.add_many(class_list(150))
    page = ada.get(PAGE, {"type": "membership:created", "by": "operator", "since": "2020-01-01"})
    assert len(page.context["told"]) == reading.PAGE
    for part in ("type=membership%3Acreated", "by=operator", "since=2020-01-01"):
        assert part in page.context["next_url"]
    rest = ada.get(page.context["next_url"])
    assert len(rest.context["told"]) == 150 + 3 - reading.PAGE
    back = ada.get(rest.context["back_url"])
    assert back.context["page"].events == page.context["page"].events
    assert '<input type="hidden" name="by" value="operator">' in page.content.decode()


@pytest.mark.parametrize(
    "nonsense",
    [
        {"type": "x", "way": "y", "reason": "z", "since": "when", "until": "9999-12-31", "before": "b", "after": "a"},
        {"since": "0001-01-01", "until": "0001-01-01"},
        {"reason": "\u202e<script>"},
    ],
)
def test_nonsense_breaks_nothing(ada: Client, nonsense: dict[str, str]) -> None:
    assert ada.get(PAGE, nonsense).status_code == 200
    assert ada.post(f"{PAGE}/export", nonsense).status_code == 200


def test_the_page_asks_as_much_of_a_long_history_as_of_a_short_one(world: World, ada: Client) -> None:
    def asked(**filters: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert ada.get(PAGE, filters).status_code == 200
        return len(queries)

    filters = {"type": "membership:created", "by": "operator", "since": "2020-01-01", "until": "2099-01-01"}
    world.cedar.add_many(class_list(120))
    before = asked(), asked(**filters), asked(person=member_id(world.pia))
    world.cedar.add_many(class_list(400, start=200))
    assert (asked(), asked(**filters), asked(person=member_id(world.pia))) == before


def test_a_rare_one_is_looked_for_within_reach(world: World, ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "REACH", 50)
    world.cedar.add_many(class_list(120))
    page = ada.get(PAGE, {"type": "organization:created"})
    assert page.context["told"] == []
    assert page.context["page"].cut
    for _ in range(5):
        page = ada.get(page.context["next_url"])
        if page.context["told"]:
            break
    assert [one.type for one in page.context["told"]] == ["organization:created"]


# The file


def export(client: Client, **filters: object) -> list[dict[str, str]]:
    answer = client.post(f"{PAGE}/export", filters)
    assert answer.status_code == 200
    assert "cedar-events.csv" in answer["Content-Disposition"]
    content: Iterator[bytes] = answer.streaming_content  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(b"".join(content).decode())))


def test_the_file_holds_everything_that_matches(world: World, ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WHOLE", 40)
    monkeypatch.setattr(reading, "REACH", 30)
    world.cedar.add_many(class_list(150))
    rows = export(ada, type="membership:created")
    assert len(rows) == 153
    assert {row["type"] for row in rows} == {"membership:created"}
    assert rows[-1]["person"] == "Ada Ash"
    assert (rows[0]["person"], rows[0]["sign_in"]) == ("Pupil 150", "pupil150@cedar.example")
    everything = export(ada)
    assert len(everything) == Event.objects.filter(organization_id=world.cedar.id).count()


def test_the_file_in_the_time_of_the_organisation(world: World, ada: Client) -> None:
    Organization.objects.filter(id=world.cedar.id).update(time_zone="Asia/Kathmandu")
    happened(world, dt.datetime(2025, 11, 10, 22, tzinfo=dt.UTC))
    rows = export(ada, since="2025-11-11", until="2025-11-11")
    assert [row["at"] for row in rows] == ["2025-11-11T03:45:00+05:45"]


def test_one_event_says_who_took_it(world: World, ada: Client) -> None:
    export(ada, type="group:created", by="operator", page="7")
    (event,) = world.cedar.events(T.EVENTS_EXPORTED)
    assert (event.actor_id, event.data) == (
        world.ada.account_id,
        {"filters": {"type": "group:created", "by": "operator"}},
    )
    assert "Events exported" in ada.get(PAGE).content.decode()


def test_only_a_button_takes_it(world: World, ada: Client) -> None:
    assert ada.get(f"{PAGE}/export").status_code == 405
    assert world.cedar.events(T.EVENTS_EXPORTED) == []
    assert signed_in(world.tom).post(f"{PAGE}/export").status_code == 403
    assert signed_in(world.bob).post(f"{PAGE}/export").status_code == 404


def test_no_cell_is_a_formula(world: World, ada: Client) -> None:
    Account.objects.filter(id=world.pia.account_id).update(username="=HYPERLINK(1)")
    row = next(row for row in export(ada, person=member_id(world.pia)) if row["type"] == "membership:created")
    assert row["person"] == "'=HYPERLINK(1)"


def test_a_file_that_breaks_off_says_so(world: World, ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WHOLE", 40)
    world.cedar.add_many(class_list(60))
    real, pages = reading.of_organization, []

    def breaks(*args: Any, **kwargs: Any) -> reading.EventPage:
        pages.append(1)
        if len(pages) == 2:
            raise RuntimeError("the database has gone")
        return real(*args, **kwargs)

    monkeypatch.setattr(reading, "of_organization", breaks)
    rows = export(ada)
    assert len(rows) == 41
    assert "list_stopped: The list stops here, before its end." in rows[-1]["reason"]


def test_every_piece_of_the_file_costs_the_same(world: World, ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WHOLE", 50)
    world.cedar.add_many(class_list(100))
    chosen = reading.EventFilter(type="membership:created")
    costs = []
    pieces = reading.every(world.cedar.id, chosen)
    while True:
        with CaptureQueriesContext(connection) as queries:
            piece = next(pieces, None)
        if piece is None:
            break
        costs.append(len(queries))
    assert len(costs) == 3
    assert set(costs) == {2}
