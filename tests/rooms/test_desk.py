"""The desk: who sees which invitations, what is done to one or many, the file, and the link that is shown once."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from inviting import ZOE, invite, order
from world import Person, World, signed_in, somebody

from usher.core import clock
from usher.core.reasons import Reason
from usher.events.types import OPERATOR, EventType
from usher.lifecycle.licensing import Wanted
from usher.lifecycle.licensing import change as relicense
from usher.methods.email_invitation import desk as desk_
from usher.methods.email_invitation.found import find
from usher.methods.email_invitation.models import Invitation, Standing
from usher.methods.email_invitation.send import send
from usher.organizations.models import Organization, SeatReservation
from usher.organizations.standing import standing

DESK = "/o/cedar/invitations"


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


@pytest.fixture
def tom(world: World) -> Client:
    """Manages Year 5, and is no admin."""
    return signed_in(world.tom)


def page(response: Any) -> str:
    return str(response.content.decode())


def listed(response: Any) -> list[str]:
    return [shown.one.email for shown in response.context["rows"]]


def at(one: Invitation, act: str = "") -> str:
    return f"{DESK}/{one.id}{act and '/'}{act}"


def of_year5(world: World, email: str = ZOE, by: Person | None = None) -> Invitation:
    return invite(world.cedar, by or world.tom, email, groups=("Year 5",))


def change(one: Invitation, **facts: Any) -> None:
    Invitation.objects.filter(id=one.id).update(**facts)


def after(one: Invitation) -> Invitation:
    return Invitation.objects.get(id=one.id)


# Who sees what


def test_an_admin_sees_all_a_manager_those_of_his_groups(world: World, ada: Client, tom: Client) -> None:
    world.cedar.group("Choir")
    mine = of_year5(world)
    both = invite(world.cedar, world.ada, "both@mail.example", groups=("Year 5", "Choir"))
    none = invite(world.cedar, world.ada, "none@mail.example")
    assert listed(ada.get(DESK)) == ["none@mail.example", "both@mail.example", ZOE]
    assert listed(tom.get(DESK)) == [ZOE]
    for one, status in ((mine, 200), (both, 404), (none, 404)):
        assert tom.get(at(one)).status_code == status
        for act in ("resend", "revoke", "role", "link"):
            if status == 404:
                assert tom.post(at(one, act), {"role": "student", "how": "prove"}).status_code == 404
    assert "none@mail.example" not in tom.get(f"{DESK}.csv").getvalue().decode()


def test_pupils_and_strangers_see_nothing(world: World) -> None:
    one = of_year5(world)
    for person, status in ((world.pia, 403), (world.bob, 404), (world.eve, 404)):
        browser = signed_in(person)
        for address in (DESK, f"{DESK}.csv", at(one)):
            assert browser.get(address).status_code == status, address


def test_another_organisations_invitation_is_as_none(world: World, ada: Client) -> None:
    foreign = invite(world.birch, world.bob)
    for one_id in (foreign.id, uuid.uuid4()):
        assert ada.get(f"{DESK}/{one_id}").status_code == 404
        for act in ("resend", "revoke", "role", "link"):
            assert ada.post(f"{DESK}/{one_id}/{act}", {"role": "student", "how": "prove"}).status_code == 404
    answer = ada.post(f"{DESK}/bulk", {"do": "revoke", "sure": "1", "who": [str(foreign.id)]}, follow=True)
    assert "Nothing was ticked." in page(answer)
    assert ZOE not in page(answer)
    assert after(foreign).state == "open"


def test_a_manager_learns_no_address_by_ticking_what_is_not_his(world: World, tom: Client) -> None:
    one = invite(world.cedar, world.ada, "secret@mail.example")
    answer = tom.post(f"{DESK}/bulk", {"do": "resend", "who": [str(one.id)]}, follow=True)
    assert "secret@mail.example" not in page(answer)


def test_the_users_page_leads_to_it(world: World, ada: Client) -> None:
    assert re.search(rf'href="{DESK}"\s*>Invitations</a>', page(ada.get("/o/cedar/users")))
    of_year5(world)
    shown = page(ada.get("/o/cedar/users"))
    assert re.search(rf'href="{DESK}"\s*>Invitations waiting <span class="num">1</span>', shown)


# The list


def test_nobody_invited_and_nobody_found_are_told_apart(world: World, ada: Client) -> None:
    assert "Nobody is invited yet" in page(ada.get(DESK))
    of_year5(world)
    assert "No one matches “bob”." in page(ada.get(f"{DESK}?q=bob"))
    assert "No invitation fits these filters." in page(ada.get(f"{DESK}?standing=bounced"))


def test_every_standing_is_a_filter_with_its_number(world: World, ada: Client) -> None:
    over = clock.now() - dt.timedelta(days=1)
    states: dict[str, dict[str, Any]] = {
        "queued": {"mailing": "queued"},
        "sent": {"mailing": "sent"},
        "failed": {"mailing": "failed", "mail_code": 550},
        "bounced": {"mailing": "bounced", "mail_code": 552},
        "not_mailed": {"mailing": "none"},
        "accepted": {"state": "accepted", "method": "invite_code", "ended_at": over},
        "expired": {"expires_at": over},
        "revoked": {"state": "revoked", "ended_at": over},
        "declined": {"state": "declined", "ended_at": over},
    }
    for name, facts in states.items():
        change(of_year5(world, f"{name}@mail.example"), **facts)
    whole = ada.get(DESK)
    assert {chip.count for chip in whole.context["chips"][:-1]} == {1}
    assert len(whole.context["chips"]) == len(states) + 1
    for name in states:
        found = ada.get(f"{DESK}?standing={name}")
        assert listed(found) == [f"{name}@mail.example"]
        assert 'aria-current="true"' in page(found)
    shown = page(whole)
    assert "There is no such mailbox, or it takes no mail from outside." in shown
    assert "The mailbox is full." in shown
    assert listed(ada.get(f"{DESK}?standing=nonsense&after=x")) == listed(whole), "nonsense filters nothing"


def test_more_than_a_thousand_are_not_counted_to_the_end(
    world: World, ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_, "counts", lambda *_: dict.fromkeys(Standing, 1001))
    assert "Sent: more than 1,000" in page(ada.get(DESK))


def test_one_searches_by_the_beginning_of_an_address_and_for_ones_own(world: World, ada: Client) -> None:
    of_year5(world)
    invite(world.cedar, world.ada, "Zack@mail.example")
    assert listed(ada.get(f"{DESK}?q=ZA")) == ["Zack@mail.example"]
    assert listed(ada.get(f"{DESK}?q=ack")) == []
    assert listed(ada.get(f"{DESK}?q=z&mine=1")) == ["Zack@mail.example"]


def test_pages_go_on_and_back_and_keep_the_filter(world: World, ada: Client) -> None:
    send(order(world.cedar, world.ada.by, *[f"p{n:03}@mail.example" for n in range(60)]))
    first = ada.get(f"{DESK}?standing=queued")
    assert (len(listed(first)), first.context["back_url"]) == (50, "")
    second = ada.get(first.context["next_url"])
    assert (len(listed(second)), second.context["next_url"]) == (10, "")
    assert len({*listed(first), *listed(second)}) == 60
    assert "standing=queued" in second.context["back_url"]
    assert listed(ada.get(second.context["back_url"])) == listed(first)


def test_the_file_has_the_same_rows_with_guarded_cells(world: World, ada: Client) -> None:
    made = order(world.cedar, world.ada.by, ZOE, role="teacher", groups=("Year 5",))
    send(made)
    one = invite(world.cedar, world.tom, "ann@mail.example", groups=("Year 5",))
    change(one, username="=HYPERLINK(1)", mailing="failed", mail_code=550)
    answer = ada.get(f"{DESK}.csv?q=a")
    assert answer["Content-Disposition"] == 'attachment; filename="cedar-invitations.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.getvalue().decode(), newline=""))
    assert list(row) == (
        ["address", "name", "role", "groups", "standing", "why", "invited_by", "invited_at", "until", "came_at", "way"]
    )
    assert row["name"] == "'=HYPERLINK(1)"
    assert (row["address"], row["role"], row["groups"]) == ("ann@mail.example", "student", "Year 5")
    assert (row["standing"], row["invited_by"], row["came_at"]) == ("failed", "Tom Thorn", "")
    assert row["why"].startswith("There is no such mailbox")
    whole = list(csv.DictReader(io.StringIO(ada.get(f"{DESK}.csv").getvalue().decode(), newline="")))
    assert [one["address"] for one in whole] == ["ann@mail.example", ZOE]


def test_a_long_file_loses_nobody(world: World, ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usher.methods.email_invitation.files.PIECE", 7)
    people = [f"p{n:03}@mail.example" for n in range(23)]
    send(order(world.cedar, world.ada.by, *people))
    rows = csv.DictReader(io.StringIO(ada.get(f"{DESK}.csv").getvalue().decode(), newline=""))
    assert sorted(row["address"] for row in rows) == people


# Many at once


def test_many_are_sent_again_and_each_refusal_is_named(world: World, ada: Client) -> None:
    good, gone = of_year5(world), of_year5(world, "ann@mail.example")
    change(gone, state="accepted", ended_at=clock.now())
    answer = ada.post(f"{DESK}/bulk", {"do": "resend", "who": [str(good.id), str(gone.id)]})
    shown = page(answer)
    assert "1 invitation is on its way again." in shown
    no = Reason.INVITATION_OVER(standing="accepted")
    assert no.sentence in shown
    assert no.next_step in shown
    assert after(good).link_id != good.link_id
    assert len(world.cedar.events(EventType.INVITATION_RESENT)) == 1


def test_taking_back_asks_first(world: World, ada: Client) -> None:
    ones = [of_year5(world), of_year5(world, "ann@mail.example")]
    who = [str(one.id) for one in ones]
    asked = page(ada.post(f"{DESK}/bulk", {"do": "revoke", "who": who}))
    assert "Take back 2 invitations?" in asked
    assert "Their links stop at once" in asked
    assert {after(one).state for one in ones} == {"open"}
    done = ada.post(f"{DESK}/bulk", {"do": "revoke", "who": who, "sure": "1"}, follow=True)
    assert "2 invitations are taken back." in page(done)
    assert {after(one).state for one in ones} == {"revoked"}


def test_the_role_of_many_is_chosen_and_changed(world: World, ada: Client) -> None:
    one = of_year5(world)
    asked = page(ada.post(f"{DESK}/bulk", {"do": "role", "who": [str(one.id)]}))
    assert '<option value="teacher">' in asked
    done = ada.post(f"{DESK}/bulk", {"do": "role", "who": [str(one.id)], "role": "teacher"}, follow=True)
    assert "1 invitation has another role." in page(done)
    assert after(one).role == "teacher"


def test_a_manager_gives_no_higher_role(world: World, tom: Client) -> None:
    one = of_year5(world)
    assert 'value="role"' not in page(tom.get(DESK))
    shown = page(tom.post(f"{DESK}/bulk", {"do": "role", "who": [str(one.id)], "role": "teacher"}))
    assert Reason.ROLE_ABOVE_YOURS(role="Teacher").sentence in shown.replace("&#x27;", "'")
    assert after(one).role == "student"


def test_nothing_ticked_is_said(ada: Client) -> None:
    for sent in ({"do": "revoke"}, {"do": "nonsense", "who": [str(uuid.uuid4())]}, {"who": ["x"]}):
        assert "Nothing was ticked." in page(ada.post(f"{DESK}/bulk", sent, follow=True))


# One


def test_its_page_says_what_it_is(world: World, ada: Client) -> None:
    one = invite(world.cedar, world.ada, ZOE, groups=("Year 5",), note="See <b>you</b>", reserve=True)
    change(one, mailing="failed", mail_code=550)
    shown = page(ada.get(at(one)))
    for words in ("Student", "Year 5", "Ada Ash", "See &lt;b&gt;you", "A seat is kept until then.", "no such mailbox"):
        assert words in shown, words
    assert settings.USHER_BASE_URL + "/invitation/" not in shown


def test_sent_again_the_old_link_is_dead(world: World, ada: Client) -> None:
    one = of_year5(world)
    assert "on its way again" in page(ada.post(at(one, "resend"), follow=True))
    assert after(one).token_hash != one.token_hash


def test_taken_back_it_says_so_and_offers_nothing_more(world: World, ada: Client) -> None:
    one = of_year5(world)
    shown = page(ada.post(at(one, "revoke"), follow=True))
    assert "Taken back. Its link stopped working." in shown
    assert "This invitation is over" in shown
    assert at(one, "resend") not in shown
    again = page(ada.post(at(one, "resend"), follow=True))
    assert Reason.INVITATION_OVER(standing="taken back").sentence in again


def test_its_role_is_changed(world: World, ada: Client) -> None:
    one = of_year5(world)
    assert "The role is changed." in page(ada.post(at(one, "role"), {"role": "teacher"}, follow=True))
    assert after(one).role == "teacher"
    refused = page(ada.post(at(one, "role"), {"role": "king"}, follow=True))
    assert "king" in refused
    assert after(one).role == "teacher"


# The link that is copied


def link_in(response: Any) -> str:
    found = re.search(r'id="link">\s*(\S+?)\s*</p>', page(response))
    assert found, "the page shows no link"
    return found[1]


@pytest.mark.parametrize(("how", "unproved"), [("prove", False), ("unproved", True)])
def test_a_link_is_copied_once_and_does_what_was_chosen(world: World, ada: Client, how: str, *, unproved: bool) -> None:
    one = invite(world.cedar, world.ada, ZOE, role="teacher")
    answer = ada.post(at(one, "link"), {"how": how})
    assert answer["Cache-Control"].startswith("no-store")
    link = link_in(answer)
    found = find(link.rpartition("/")[2])
    assert (found.invitation.id, found.is_copied, found.is_unproved) == (one.id, True, unproved)
    words = "comes in as Student, without proving the address" if unproved else "joins as Teacher"
    assert words in page(answer)
    assert link not in page(ada.get(at(one)))
    (event,) = world.cedar.events(EventType.INVITATION_COPIED)
    assert event.actor_id == world.ada.account_id


def test_looking_makes_no_link_and_neither_does_an_unmade_choice(world: World, ada: Client) -> None:
    one = of_year5(world)
    assert ada.get(at(one, "link")).status_code == 405
    ada.get(at(one))
    for sent in ({}, {"how": "nonsense"}):
        answer = ada.post(at(one, "link"), sent)
        assert answer.status_code == 400
        assert "Choose what the link does." in page(answer)
    assert after(one).copied_hash is None
    assert world.cedar.events(EventType.INVITATION_COPIED) == []


def test_of_one_that_is_over_there_is_no_link(world: World, ada: Client) -> None:
    one = of_year5(world)
    change(one, expires_at=clock.now() - dt.timedelta(minutes=1))
    assert at(one, "link") not in page(ada.get(at(one)))
    refused = page(ada.post(at(one, "link"), {"how": "prove"}, follow=True))
    assert Reason.INVITATION_OVER(standing="expired").sentence in refused
    assert after(one).copied_hash is None


# Seats that are kept, and how long an invitation lives


def test_seats_that_are_kept_are_neither_taken_nor_free(world: World, ada: Client) -> None:
    invite(world.cedar, world.ada, ZOE, reserve=True)
    students = standing(world.cedar.organization).pools[0]
    assert (students.used, students.kept, students.free) == (1, 1, 498)
    assert "1 more is invited." in page(ada.get("/o/cedar/users"))
    SeatReservation.objects.update(until=clock.now())
    assert standing(world.cedar.organization).pools[0].kept == 0


def test_the_last_seats_may_all_be_kept(world: World, ada: Client) -> None:
    relicense(world.cedar.organization, Wanted("", {"student": 2}), OPERATOR)
    invite(world.cedar, world.ada, ZOE, reserve=True)
    (students, _teachers) = standing(world.cedar.organization).pools
    assert students.free == 0
    assert students.advice == "The last seats are kept for people who are invited. Take one back, or ask for more."
    refused = world.cedar.add(somebody("Late"))
    assert refused.reason == Reason.SEATS_TAKEN.code


def test_an_organisation_says_how_long_its_invitations_live(world: World, ada: Client) -> None:
    general = {"name": "Cedar School", "slug": "cedar", "accent": "#0d5160", "time_zone": "UTC", "language": "en"}
    early = of_year5(world)
    for days in ("0", "91", "-1"):
        refused = ada.post("/o/cedar/settings", general | {"invitation_days": days})
        assert refused.status_code == 400
        no = Reason.INVITATION_DAYS(given=days, limit=90)
        assert f"{no.sentence} {no.next_step}" in page(refused)
    assert ada.post("/o/cedar/settings", general | {"invitation_days": "x"}).status_code == 400
    assert ada.post("/o/cedar/settings", general | {"invitation_days": "30"}).status_code == 302
    assert Organization.objects.get(slug="cedar").invitation_days == 30
    (event,) = world.cedar.events(EventType.ORGANIZATION_CHANGED)
    assert event.data == {"changed": ["invitation_days"], "invitation_days": 30}
    assert "days of an invitation 30" in page(ada.get("/o/cedar/events"))
    ada.post("/o/cedar/users/invite", {"role": "student", "text": "late@mail.example", "confirm": "1"})
    late = Invitation.objects.get(address_key="late@mail.example")
    assert (late.expires_at - late.created_at).days == 30
    assert after(early).expires_at == early.expires_at
