"""Invite by e-mail: who may, what the preview says, and what is sent only after it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from inviting import ZOE, invite
from world import PASSWORD, World, signed_in, somebody

from usher.core import clock
from usher.core.models import Mail
from usher.core.reasons import Reason
from usher.methods.email_invitation.entries import Entry, from_text
from usher.methods.email_invitation.files import carried
from usher.methods.email_invitation.models import Invitation
from usher.organizations.models import License, Organization, SeatReservation
from usher.people.models import Group

PAGE = "/o/cedar/users/invite"


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


@pytest.fixture
def tom(world: World) -> Client:
    """Manages Year 5, and is no admin."""
    return signed_in(world.tom)


@pytest.fixture
def known(world: World) -> None:
    """The operator knows who they are."""
    Organization.objects.filter(slug="cedar").update(trusted_at=clock.now())


def sent(browser: Client, **fields: Any) -> Any:
    return browser.post(PAGE, {"role": "student"} | fields)


def confirmed(browser: Client, **fields: Any) -> Any:
    return sent(browser, confirm="1", **fields)


def page(response: Any) -> str:
    return str(response.content.decode())


def counts(response: Any) -> dict[str, int]:
    return {one.kind: one.count for one in response.context["tallies"] if one.count}


# Who may


def test_an_admin_finds_it_among_the_ways_to_add_people(ada: Client) -> None:
    for address in ("/o/cedar/users/add", "/o/cedar/users/add/csv", "/o/cedar/users/add/manual"):
        assert f'href="{PAGE}"' in page(ada.get(address)), address
    shown = page(ada.get(PAGE))
    assert all(f'<option value="{role}"' in shown for role in ("student", "teacher", "admin"))


def test_a_manager_invites_with_the_lowest_role_into_his_groups(world: World, tom: Client) -> None:
    world.cedar.group("Choir")
    shown = page(tom.get(PAGE))
    assert 'value="student"' in shown
    assert 'value="teacher"' not in shown
    assert "Choir" not in shown
    assert "users/add/csv" not in shown
    assert "users/add/manual" in shown
    assert 'value="Year 5" checked' in " ".join(shown.split()), "his only group is chosen already"
    assert sent(tom, text=ZOE, role="teacher", groups="Year 5").status_code == 400
    assert sent(tom, text=ZOE, groups="Choir").status_code == 400
    refused = confirmed(tom, text=ZOE)
    assert refused.status_code == 400
    assert "Choose at least one of your groups." in page(refused)
    assert not Invitation.objects.exists()
    assert confirmed(tom, text=ZOE, groups="Year 5").status_code == 302
    assert Invitation.objects.get().groups.get() == world.year5


def test_pupils_and_strangers_do_not_get_in(world: World) -> None:
    for person, status in ((world.pia, 403), (world.bob, 404), (world.eve, 404)):
        browser = signed_in(person)
        assert browser.get(PAGE).status_code == status
        assert confirmed(browser, text=ZOE).status_code == status
    assert not Invitation.objects.exists()


def test_a_plan_without_it_has_neither_tab_nor_page(world: World, ada: Client) -> None:
    License.objects.filter(organization=world.cedar.id).update(overrides={"methods": ["csv_import"]})
    tabs = page(ada.get("/o/cedar/users/add/csv"))
    assert PAGE not in tabs
    assert "users/add/manual" not in tabs
    refused = ada.get(PAGE)
    assert refused.status_code == Reason.METHOD_NOT_IN_PLAN.status
    assert sent(ada, text=ZOE).status_code == Reason.METHOD_NOT_IN_PLAN.status


def test_a_plan_without_groups_asks_for_none(world: World) -> None:
    mia = signed_in(world.mia)
    assert 'name="groups"' not in page(mia.get("/o/maple/users/invite"))
    answer = mia.post("/o/maple/users/invite", {"role": "member", "text": ZOE, "confirm": "1"})
    assert answer.status_code == 302
    assert Invitation.objects.get().role == "member"


def test_the_page_of_a_group_leads_here_with_the_group_chosen(world: World, ada: Client, tom: Client) -> None:
    choir = world.cedar.group("Choir")
    for browser in (ada, tom):
        assert f'href="{PAGE}?group={world.year5.id}"' in page(browser.get(f"/o/cedar/groups/{world.year5.id}"))
    shown = " ".join(page(ada.get(f"{PAGE}?group={choir.id}")).split())
    assert 'value="Choir" checked' in shown
    assert 'value="Year 5" checked' not in shown
    birds = world.birch.group("Birds")
    for nonsense in (birds.id, "x"):
        assert "Birds" not in page(ada.get(f"{PAGE}?group={nonsense}"))


# The preview


def test_the_preview_says_what_would_become_of_each_and_sends_nothing(world: World, ada: Client) -> None:
    invite(world.cedar, world.ada, "waits@mail.example")
    text = f"Zoe <{ZOE}>\n{world.eve.account.email}\npia@cedar.example; waits@mail.example\nkofi@cedar"
    before = Invitation.objects.count(), Mail.objects.count()
    response = sent(ada, text=text)
    assert response.status_code == 200
    assert counts(response) == {"new": 1, "account": 1, "member": 1, "invited": 1, "refused": 1}
    shown = page(response)
    assert "Invite 2 people" in shown
    assert "Nothing has been sent yet." in shown
    assert str(Reason.ALREADY_INVITED().next_step) in shown
    assert (Invitation.objects.count(), Mail.objects.count()) == before


def test_back_keeps_everything_that_was_typed(world: World, ada: Client, known: None) -> None:
    typed = {
        "text": f"\n  Zoe <{ZOE}>",
        "role": "teacher",
        "groups": "Year 5",
        "note": "See <b>you</b>",
        "reserve": "on",
    }
    shown = page(ada.post(PAGE, typed | {"fill": "1"}))
    assert f"Zoe &lt;{ZOE}&gt;" in shown
    assert "See &lt;b&gt;you&lt;/b&gt;" in shown
    flat = " ".join(shown.split())
    assert '<option value="teacher" selected>' in flat
    assert 'value="Year 5" checked' in flat
    assert "checked" in flat.partition('name="reserve"')[2].partition(">")[0]
    assert not Invitation.objects.exists()


def test_a_list_hands_its_people_over(world: World, ada: Client) -> None:
    """As the check of a CSV does for those who have an account of their own."""
    shown = " ".join(page(ada.post(PAGE, {"fill": "1", "text": ZOE, "role": "teacher", "group": "year 5"})).split())
    assert ZOE in shown
    assert '<option value="teacher" selected>' in shown
    assert 'value="Year 5" checked' in shown


def test_nobody_to_invite_leaves_no_button_to_press(ada: Client) -> None:
    shown = page(sent(ada, text="pia@cedar.example"))
    assert "Nobody here can be invited now." in shown
    assert 'name="confirm"' not in shown


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": "  "}, Reason.NOBODY_TO_INVITE()),
        ({"text": "a@b.example\n" * 5001}, Reason.TOO_MANY_TO_INVITE(limit=5000, count=5001)),
        ({"text": ZOE, "note": "Hello"}, Reason.NOTE_NOT_ALLOWED()),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(ada: Client, fields: dict[str, str], reason: Any) -> None:
    for browse in (sent, confirmed):
        response = browse(ada, **fields)
        assert response.status_code == reason.reason.status
        assert f"{reason.sentence} {reason.next_step}" in page(response).replace("&#x27;", "'")
        assert fields["text"].strip()[:500] in page(response)
    assert not Invitation.objects.exists()


def test_a_file_and_a_text_at_once_are_one_too_many(ada: Client) -> None:
    response = sent(ada, text=ZOE, file=SimpleUploadedFile("people.csv", b"email\nann@x.example\n"))
    assert response.status_code == 400
    assert "one of the two at a time" in page(response)
    assert ZOE in page(response)


# Notes


def test_a_note_is_off_until_the_operator_knows_the_organisation(ada: Client) -> None:
    shown = page(ada.get(PAGE))
    assert "disabled" in shown.partition('name="note"')[2].partition(">")[0]
    assert str(Reason.NOTE_NOT_ALLOWED().sentence) in shown


def test_a_note_goes_with_the_mail_of_a_known_one(ada: Client, known: None) -> None:
    assert "disabled" not in page(ada.get(PAGE)).partition('name="note"')[2].partition(">")[0]
    assert "Welcome" in page(sent(ada, text=ZOE, note="Welcome"))
    confirmed(ada, text=ZOE, note="Welcome")
    assert Invitation.objects.get().note == "Welcome"


def test_a_note_has_an_end(ada: Client, known: None) -> None:
    assert sent(ada, text=ZOE, note="x\r\n" * 249 + "xx").status_code == 200, "as its browser counts: 500"
    response = confirmed(ada, text=ZOE, note="x" * 501)
    assert response.status_code == 400
    assert "The note has 501 characters" in page(response)


# Sending


def test_confirmed_they_are_invited(world: World, ada: Client) -> None:
    response = confirmed(ada, text=f"Zoe <{ZOE}>\nann@mail.example", role="teacher", groups="Year 5", reserve="on")
    assert (response.status_code, response["Location"]) == (302, "/o/cedar/invitations")
    assert "2 invitations are on their way." in page(ada.get(response["Location"]))
    zoe = Invitation.objects.get(address_key=ZOE)
    assert (zoe.username, zoe.role, zoe.actor_id, zoe.reserves) == ("Zoe", "teacher", world.ada.account_id, True)
    assert SeatReservation.objects.filter(organization=world.cedar.id, pool="teacher").count() == 2


def test_who_is_refused_is_named_and_can_be_corrected(world: World, ada: Client) -> None:
    response = confirmed(ada, text=f"{ZOE}\nKofi <kofi@cedar>\npia@cedar.example")
    assert response.status_code == 200
    shown = page(response)
    assert "1 invitation is on its way." in shown
    assert counts(response) == {"new": 1, "member": 1, "refused": 1}
    assert response.context["refused_lines"] == "Kofi <kofi@cedar>"
    assert response.context["refused_list"].splitlines()[1].startswith("kofi@cedar,Kofi,")
    assert "Kofi &lt;kofi@cedar&gt;" in shown


def test_sent_twice_nobody_is_invited_twice(ada: Client) -> None:
    confirmed(ada, text=ZOE)
    shown = page(confirmed(ada, text=ZOE))
    assert "Nobody new was invited." in shown
    assert Invitation.objects.count() == 1


def test_an_unknown_organisation_sends_fifty_a_day(world: World, ada: Client) -> None:
    people = [f"p{n}@mail.example" for n in range(52)]
    refused = sent(ada, text="\n".join(people[:51]))
    assert refused.status_code == 429
    assert "Only 50 more invitations can go out now." in page(refused)
    assert people[50] in page(refused), "what was typed stays"
    assert confirmed(ada, text="\n".join(people[:50])).status_code == 302
    assert confirmed(ada, text=people[51]).status_code == 429
    assert Invitation.objects.count() == 50
    Organization.objects.filter(slug="cedar").update(trusted_at=clock.now())
    assert confirmed(ada, text=people[51]).status_code == 302


# Files


def upload(text: str, name: str = "people.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode(), "text/csv")


def test_a_file_with_roles_and_groups_of_its_own_is_carried_whole(world: World, ada: Client) -> None:
    world.cedar.group("Choir")
    seen = sent(ada, file=upload(f"email,name,role,groups\n{ZOE},Zoe,teacher,Choir|Year 5\nann@mail.example,,,\n"))
    assert counts(seen) == {"new": 2}
    assert confirmed(ada, text=seen.context["text"]).status_code == 302
    zoe = Invitation.objects.get(address_key=ZOE)
    assert (zoe.role, zoe.username, zoe.groups.count()) == ("teacher", "Zoe", 2)
    assert Invitation.objects.get(address_key="ann@mail.example").role == "student"


def test_a_plain_file_is_carried_as_lines(ada: Client) -> None:
    seen = sent(ada, file=upload(f"email,name\n{ZOE},Zoe Zander\nann@mail.example,\n"))
    assert seen.context["text"] == f"Zoe Zander <{ZOE}>\nann@mail.example"
    assert "people.csv" in page(seen)


NASTY = ("Doe, Ann", '"; drop', "=1+1", "a@b.example <c@d.example>", "Zoë\tvan Dijk", "name", "email,", "'x'")


@pytest.mark.parametrize("name", NASTY)
def test_what_is_carried_reads_the_same_whatever_the_name(name: str) -> None:
    for role, groups in (("", ()), ("teacher", ("Year 5", "Choir"))):
        entries = [Entry(2, ZOE, ZOE, name, role, groups), Entry(3, "ann@mail.example", "ann@mail.example", "")]
        read = from_text(carried(entries))
        assert [(one.email, one.username, one.role, one.groups) for one in read] == [
            (one.email, " ".join(one.username.split()), one.role, one.groups) for one in entries
        ]


def test_a_file_that_is_none_is_refused_beside_it(ada: Client) -> None:
    response = sent(ada, file=upload("", "empty.csv"))
    assert response.status_code == 400
    assert "file_wrong" in page(response)


def test_names_are_shown_and_never_obeyed(ada: Client) -> None:
    shown = page(sent(ada, text=f"<script>alert(1)</script> <{ZOE}>\nBob <b>x</b> <bob@mail.example>"))
    assert "<script>alert" not in shown
    assert "<b>x</b>" not in shown


def test_a_group_that_closed_meanwhile_is_said_of_each(world: World, ada: Client) -> None:
    Group.objects.filter(id=world.year5.id).update(state="closed")
    assert confirmed(ada, text=ZOE, groups="Year 5").status_code == 400
    assert not Invitation.objects.exists()


def test_somebody_who_came_meanwhile_is_a_member(world: World, ada: Client) -> None:
    seen = sent(ada, text=ZOE)
    world.cedar.add(somebody("Zoe", email=ZOE))
    done = confirmed(ada, text=seen.context["text"])
    assert counts(done) == {"member": 1}
    assert PASSWORD not in page(done)
    assert not Invitation.objects.exists()


def test_a_name_without_an_address_comes_back_as_it_was(ada: Client) -> None:
    done = confirmed(ada, text=f"{ZOE}\nJust A Name")
    assert done.context["refused_lines"] == "Just A Name"
