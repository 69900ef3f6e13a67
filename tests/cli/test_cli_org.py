"""usher org change, suspend, resume, delete and keep; usher registration."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from command import Usher
from recount import broken
from world import World, somebody

from usher.core import switches
from usher.core.work import drain
from usher.events.models import Event
from usher.events.types import EventType
from usher.lifecycle.models import Erasure
from usher.organizations.models import License, Organization

T = EventType
CHANGE = ("org", "change", "--org", "cedar")


def latest(kind: EventType) -> Event:
    return Event.objects.filter(type=kind).order_by("id").reverse()[0]


def changed(usher: Usher, *words: object) -> Any:
    """The organisation as a program is told, after a change that went well."""
    ran = usher(*CHANGE, *words, "--json")
    assert ran.code == 0, ran.err
    return ran.document


# Changing


def test_seats_and_dates_are_changed(usher: Usher, world: World) -> None:
    told = changed(usher, "--seats", "student=600", "--seats", "teacher=50", "--ends", "2027-07-31")
    assert {pool: one["limit"] for pool, one in told["seats"].items()} == {"student": 600, "teacher": 50}
    assert (told["starts_on"], told["ends_on"]) == (None, "2027-07-31")
    event = latest(T.LICENSE_CHANGED)
    assert event.data == {"seats": {"student": 600, "teacher": 50}, "ends_on": "2027-07-31"}
    assert (event.actor_kind, event.actor_id) == ("operator", None)


def test_what_is_left_out_stays_and_none_clears_a_date(usher: Usher, world: World) -> None:
    changed(usher, "--starts", "2026-01-01", "--ends", "2027-07-31")
    told = changed(usher, "--ends", "none")
    assert (told["starts_on"], told["ends_on"]) == ("2026-01-01", None)
    assert world.cedar.add(somebody("Nina")).membership_id


def test_fewer_seats_remove_nobody(usher: Usher, world: World) -> None:
    told = changed(usher, "--seats", "student=0")
    assert told["seats"]["student"] == {"limit": 0, "used": 1}
    assert world.pia.membership.state == "active"


def test_the_mark_is_set_and_taken_away(usher: Usher, world: World) -> None:
    assert changed(usher, "--trusted")["trusted"] is True
    assert changed(usher)["trusted"] is True
    assert changed(usher, "--not-trusted")["trusted"] is False


def test_another_plan_with_its_own_seats(usher: Usher, world: World) -> None:
    ran = usher("org", "change", "--org", "birch", "--plan", "school", "--seats", "student=60", "--json")
    assert ran.document["seats"] == {"student": {"limit": 60, "used": 0}, "teacher": {"limit": 40, "used": 1}}
    assert broken() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--plan", "elearning"), "lacks roles that people here bear: 1 × student, 1 × teacher."),
        (("--plan", "gold"), "school, elearning, marketing"),
        (("--seats", "learner=3"), "student, teacher"),
        (("--starts", "2027-02-01", "--ends", "2027-01-01"), "before it starts on 1 Feb 2027"),
        (("--ends", "31.7.2027"), "Write it like 2027-07-31"),
        (("--ends", ""), "Write it like 2027-07-31"),
    ],
)
def test_what_is_refused_changes_nothing(usher: Usher, world: World, words: tuple[str, ...], said: str) -> None:
    before = License.objects.get(organization=world.cedar.id)
    refused = usher(*CHANGE, "--trusted", *words)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    after = License.objects.get(organization=world.cedar.id)
    assert (after.plan_slug, after.starts_on, after.ends_on) == (before.plan_slug, before.starts_on, before.ends_on)
    assert Organization.objects.get(id=world.cedar.id).trusted_at is None
    assert not Event.objects.filter(type__in=[T.LICENSE_CHANGED, T.ORGANIZATION_CHANGED]).exists()


# Suspending


def test_suspended_and_resumed(usher: Usher, world: World) -> None:
    told = usher("org", "suspend", "cedar", "--reason", "Unpaid since August", "--json")
    assert told.document["state"] == "suspended"
    assert latest(T.ORGANIZATION_SUSPENDED).personal == {"why": "Unpaid since August"}
    assert world.cedar.add(somebody("Nina")).reason == "organization_suspended"
    assert "cedar\tschool\t3\tsuspended" in usher("org", "list").out
    assert "Suspended" in usher("org", "show", "cedar").out
    assert usher("org", "resume", "cedar", "--json").document["state"] == "active"


def test_no_reason_no_suspension(usher: Usher, world: World) -> None:
    assert usher("org", "suspend", "cedar").code == 2
    assert not Organization.objects.get(id=world.cedar.id).is_suspended


# Deleting


def test_deleted_later(usher: Usher, world: World, clock: time_machine.Traveller) -> None:
    told = usher("org", "delete", "cedar", "--json")
    assert (told.document["state"], told.document["delete_on"]) == ("deleting", "2026-04-01")
    assert "usher org keep cedar" in told.err
    clock.shift(dt.timedelta(days=31))
    drain([Erasure])
    assert not Organization.objects.filter(slug="cedar").exists()
    gone = usher("org", "show", "cedar")
    assert (gone.code, "There is no organisation “cedar”." in gone.err) == (2, True)


def test_deleted_in_the_coming_night(usher: Usher, world: World, clock: time_machine.Traveller) -> None:
    assert usher("org", "delete", "cedar", "--days", "0", "--json").document["delete_on"] == "2026-03-02"
    clock.move_to(dt.datetime(2026, 3, 3, tzinfo=dt.UTC), tick=False)
    drain([Erasure])
    assert not Organization.objects.filter(slug="cedar").exists()


def test_kept(usher: Usher, world: World) -> None:
    usher("org", "delete", "cedar")
    kept = usher("org", "keep", "cedar", "--json")
    assert (kept.document["state"], kept.document["delete_on"]) == ("active", None)
    again = usher("org", "keep", "cedar")
    assert (again.code, "No deletion was planned." in again.err) == (0, True)


@pytest.mark.parametrize("days", ["-1", "soon", "4000"])
def test_a_delay_that_makes_no_sense_is_refused(usher: Usher, world: World, days: str) -> None:
    assert usher("org", "delete", "cedar", "--days", days).code == 2
    assert Organization.objects.get(id=world.cedar.id).delete_on is None


@pytest.mark.parametrize(
    "words", ["change --org nope", "suspend nope --reason x", "resume nope", "delete nope", "keep nope"]
)
def test_an_unknown_organisation_is_one_sentence(usher: Usher, words: str) -> None:
    refused = usher("org", *words.split())
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.splitlines() == ["Error: There is no organisation “nope”. See the list with: usher org list."]


# Registration


def test_registration_is_opened_and_closed(usher: Usher) -> None:
    assert usher("registration", "show", "--json").document == {"registration": "closed"}
    assert usher("registration", "open", "--json").document == {"registration": "open"}
    assert switches.is_on(switches.OPEN_REGISTRATION)
    assert latest(T.SERVER_CHANGED).data == {"open_registration": True}
    assert usher("registration", "open").out == "Open: anybody may register.\n"
    assert usher("registration", "closed").out == "Closed: who registers needs an invite code.\n"
    assert not switches.is_on(switches.OPEN_REGISTRATION)
    assert Event.objects.filter(type=T.SERVER_CHANGED).count() == 2
