"""Why somebody is in, why somebody was refused: one look, and nothing of other houses."""

from __future__ import annotations

import json

import pytest
from world import BY_OPERATOR, World, known, somebody

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events.models import Event
from usher.events.types import EventType
from usher.lifecycle import leave, move
from usher.lifecycle.telling import findings_of, tell
from usher.lifecycle.why import why
from usher.lifecycle.wordings import WORDINGS


def test_every_type_of_event_has_its_words() -> None:
    assert set(WORDINGS) == set(EventType)


def test_a_member_by_address_in_any_case(world: World) -> None:
    answer = why(world.cedar.organization, " ADA@cedar.example ")
    assert (answer.in_, answer.role, answer.method) == (True, "admin", "operator")
    assert "The operator brought Ada Ash in on" in answer.answer


@pytest.mark.parametrize("typed", ["asa.oberg", "ASA.OBERG", "asa.oberg@cedar.usher.invalid"])
def test_a_member_by_made_name_and_its_local_part(world: World, typed: str) -> None:
    world.cedar.add(somebody("Åsa Öberg", line=14), world.ada.by)
    answer = why(world.cedar.organization, typed)
    assert answer.in_
    assert answer.answer.startswith("Ada Ash imported Åsa Öberg on ")
    assert answer.evidence == "a test"
    assert [fact.label for fact in answer.facts] == ["Role", "Group", "Seat", "Account"]


def test_everything_that_happened_newest_first(world: World) -> None:
    pia = world.pia.membership
    move.move(world.cedar.id, pia.id, "teacher", world.ada.by)
    leave.deactivate(world.cedar.id, pia.id, world.ada.by)
    answer = why(world.cedar.organization, world.pia.membership)
    assert [told.type for told in answer.events] == [
        "membership:deactivated",
        "membership:moved",
        "membership:created",
    ]
    assert not answer.in_
    assert answer.answer.startswith("Ada Ash deactivated Pia Pine on ")
    assert answer.events[1].sentence == "From Student to Teacher, by Ada Ash."
    assert answer.facts[0].source == "From Student to Teacher, by Ada Ash."


def test_somebody_who_was_refused(world: World) -> None:
    world.cedar.seats("student", 1)
    world.cedar.add(somebody("Zoë", email="zoe@other.example"), world.ada.by)
    answer = why(world.cedar.organization, "Zoe@other.example")
    assert not answer.in_
    assert answer.answer == "Zoe@other.example is not in. All 1 student seats are taken."
    assert answer.events[0].next_step
    assert answer.events[0].reason == "seats_taken"


def test_the_refusals_before_somebody_got_in(world: World) -> None:
    world.cedar.seats("student", 1)
    world.cedar.add(somebody("Zoë", email="zoe@other.example"))
    world.cedar.seats("student", 10)
    world.cedar.add(somebody("Zoë", email="zoe@other.example"))
    answer = why(world.cedar.organization, "zoe@other.example")
    assert answer.in_
    assert [told.type for told in answer.events] == ["membership:created", "membership:refused"]


@pytest.mark.parametrize("typed", ["bob@birch.example", "nobody@cedar.example", "", "@", "x" * 500])
def test_somebody_of_whom_this_house_knows_nothing(world: World, typed: str) -> None:
    with pytest.raises(UsherError) as no:
        why(world.cedar.organization, typed)
    assert no.value.findings[0].reason is Reason.NOT_A_MEMBER


def test_nothing_of_another_house_is_told(world: World) -> None:
    """Eve is in two houses; each sees its own half."""
    for house in (world.cedar, world.birch):
        role = house.organization.license.plan.lowest.slug
        house.add(known(world.eve, role), BY_OPERATOR)
    for house in (world.cedar, world.birch):
        events = why(house.organization, "eve@elsewhere.example").events
        assert [told.type for told in events] == ["membership:created"]


def test_the_json_is_the_public_one(world: World) -> None:
    told = json.loads(json.dumps(why(world.cedar.organization, "pia@cedar.example").to_json()))
    assert {"in", "role", "method", "evidence", "events"} <= set(told)
    assert told["in"] is True
    assert told["role"] == "student"
    assert told["events"][0]["type"] == "membership:created"


def test_an_erased_refusal_still_says_what_it_can(world: World) -> None:
    world.cedar.seats("student", 1)
    world.cedar.add(somebody("Zoë", email="zoe@other.example"))
    event = Event.objects.get(type="membership:refused")
    event.personal = None
    assert findings_of(event)[0].sentence == "All … … seats are taken."
    assert tell(world.cedar.organization, [event])[0].reason == "seats_taken"
