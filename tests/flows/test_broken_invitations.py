"""Invitations that met something else on their way: another plan, another pepper, a smaller licence, a second look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from invited import OWN, page_of, register
from inviting import ZOE, by_mail, entry, invite
from mailing import link_in, mails, one_mail
from world import World, signed_in, somebody

from usher.core import checks, chores, limits, pepper
from usher.events.types import OPERATOR
from usher.lifecycle import licensing, outreach, past, undo
from usher.lifecycle.joiner import Result
from usher.lifecycle.lists.parse import read
from usher.methods.csv_import import run as imports
from usher.methods.csv_import.options import Options
from usher.methods.email_invitation import changes, desk
from usher.methods.email_invitation.arrived import close
from usher.methods.email_invitation.entry import enter
from usher.methods.email_invitation.models import Invitation, InvitationGroup, Standing
from usher.methods.invite_code.entry import enter as enter_by_code
from usher.methods.invite_code.models import InviteCode
from usher.organizations import suspend
from usher.organizations.models import License, Organization, SeatReservation
from usher.organizations.plans import Method
from usher.people import passwords
from usher.people.models import Account, Membership

EVE = "eve@elsewhere.example"


def faults() -> list[str]:
    """What `usher check` says."""
    return [case for verdict in checks.run(checks.everything()).invariants for case in verdict.cases]


def another_plan(world: World) -> Organization:
    """Birch is a school now, with other roles and other seats. As a page finds it."""
    licensing.change(world.birch.organization, licensing.Wanted(plan="school"), OPERATOR)
    world.birch.organization = Organization.objects.get(id=world.birch.id)
    return world.birch.organization


def eve_is_zoe(world: World) -> None:
    """Eve is in by a code, and proves the invited address only now."""
    code = InviteCode.objects.create(organization=world.cedar.organization, code="7K4M29QX", role="student")
    enter_by_code(code, world.eve.account_id)
    Account.objects.filter(id=world.eve.account_id).update(sign_in_key=ZOE, email=ZOE)


# Seats that are kept


def test_whoever_is_invited_anew_leaves_no_seat_kept_twice(world: World, clock: time_machine.Traveller) -> None:
    invite(world.cedar, world.ada, reserve=True)
    clock.shift(dt.timedelta(days=14))
    again = invite(world.cedar, world.ada, reserve=True)
    assert list(SeatReservation.objects.values_list("ref", flat=True)) == [again.id]
    assert faults() == []


def test_a_member_who_accepts_needs_no_kept_seat(world: World) -> None:
    invitation = invite(world.cedar, world.ada, reserve=True)
    eve_is_zoe(world)
    used = world.cedar.seats("student").used
    assert signed_in(world.eve).post(page_of(invitation), {"act": "accept"}).status_code == 302
    invitation.refresh_from_db()
    assert (invitation.state, world.cedar.seats("student").used) == ("accepted", used)
    assert not SeatReservation.objects.exists()
    assert faults() == []


def test_a_smaller_licence_still_lets_in_those_it_has_room_for(world: World) -> None:
    used = world.cedar.seats("student", 500).used
    invitation = invite(world.cedar, world.ada, EVE, "b@mail.example", "c@mail.example", reserve=True)
    other = Invitation.objects.get(address_key="b@mail.example")
    world.cedar.seats("student", used + 1)
    assert world.cedar.add(somebody("Late", email="late@mail.example")).reason == "seats_taken"
    assert enter(by_mail(invitation), world.eve.account_id).result is Result.JOINED
    account = Account.objects.create(
        username="Ben", email="b@mail.example", sign_in_key="b@mail.example", claimed_at=other.created_at
    )
    assert enter(by_mail(other), account.id).findings[0].code == "seats_taken"
    assert world.cedar.seats("student").used == used + 1


# Another plan


def test_a_role_that_the_plan_lost_is_the_lowest_also_when_it_is_sent_again(world: World) -> None:
    invitation = invite(world.birch, world.bob, role="creator", reserve=True)
    (done,) = changes.resend(another_plan(world), [invitation.id], world.bob.by)
    assert done.changed
    assert list(SeatReservation.objects.values_list("pool", flat=True)) == ["student"]
    assert "invites you to Birch as Student." in one_mail().body


def test_a_seat_of_a_kind_that_the_plan_lost_stops_nobody(world: World) -> None:
    invitation = invite(world.birch, world.bob, EVE, role="creator", reserve=True)
    another_plan(world)
    invite(world.birch, world.bob, "new@mail.example", reserve=True)
    assert enter(by_mail(invitation), world.eve.account_id).result is Result.JOINED
    assert SeatReservation.objects.count() == 1
    assert faults() == []


def test_a_plan_that_lost_this_way_in_sends_nothing_again(world: World) -> None:
    invitation = invite(world.cedar, world.ada)
    one_mail()
    licensing.override(world.cedar.organization, {Method.CSV_IMPORT}, OPERATOR, groups=True)
    organization = Organization.objects.get(id=world.cedar.id)
    (done,) = changes.resend(organization, [invitation.id], world.ada.by)
    assert [finding.code for finding in done.findings] == ["method_not_in_plan"]
    assert mails() == []


# Between the look and the lock


def test_the_role_that_an_admin_changed_meanwhile_is_the_one(world: World) -> None:
    found = by_mail(invite(world.cedar, world.ada, EVE, role="admin"))
    changes.set_role(world.cedar.organization, [found.invitation.id], "student", world.ada.by)
    assert enter(found, world.eve.account_id).result is Result.JOINED
    assert Membership.objects.get(account=world.eve.account_id).role == "student"


def test_also_while_somebody_new_sends_the_form(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    invitation = invite(world.cedar, world.ada, role="teacher")
    make: Callable[[str], str] = passwords.make

    def slowly(password: str) -> str:
        changes.set_role(world.cedar.organization, [invitation.id], "student", world.ada.by)
        return make(password)

    monkeypatch.setattr(passwords, "make", slowly)
    client = Client()
    assert register(client, page_of(invitation), OWN).status_code == 302
    assert Membership.objects.get(account__sign_in_key=ZOE).role == "student"
    assert "as Student." in client.get("/o/cedar/").content.decode()


def test_somebody_taken_back_before_the_tidying_had_the_lock_is_not_in(world: World) -> None:
    invitation = invite(world.cedar, world.ada)
    close(world.cedar.id, {ZOE: invitation.id})  # an id that is no membership any more
    invitation.refresh_from_db()
    assert invitation.state == "open"


def test_an_import_can_be_undone_also_where_it_closed_invitations(world: World) -> None:
    invitation = invite(world.cedar, world.ada, reserve=True)
    text = f"email,username\n{ZOE},Zoë\nann@mail.example,Ann\n".encode()
    given = imports.Order(world.cedar.organization, read(text, "list.csv"), Options("student"), world.ada.by)
    source = imports.start(given)
    list(imports.write(given, source))
    invitation.refresh_from_db()
    assert (invitation.state, invitation.method) == ("accepted", "csv_import")
    book = past.find(world.cedar.organization, None, source.id)
    assert book
    assert undo.undo(world.cedar.organization, book, world.ada.by).goes == 2
    assert invite(world.cedar, world.ada).state == "open"
    assert faults() == []


# What is said of them


def test_an_invitation_that_came_true_after_its_end_was_not_used_too_late(
    world: World, clock: time_machine.Traveller
) -> None:
    first, second = invite(world.cedar, world.ada, EVE), invite(world.cedar, world.ada)
    assert enter(by_mail(first), world.eve.account_id).result is Result.JOINED
    clock.shift(dt.timedelta(days=15))
    Account.objects.filter(id=world.eve.account_id).update(sign_in_key=ZOE, email=ZOE)
    chores.run_all()
    second.refresh_from_db()
    assert second.state == "accepted"
    assert faults() == []
    Invitation.objects.filter(id=first.id).update(ended_at=first.expires_at)
    assert faults() == [f"The invitation {first.id} was used after its end."], "one that was is still seen"


def test_under_another_pepper_all_links_of_a_mail_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    invitation = invite(world.cedar, world.ada)
    one_mail()
    before = pepper.subkey
    monkeypatch.setattr(pepper, "subkey", lambda purpose: before(f"{purpose} of another"))
    changes.resend(world.cedar.organization, [invitation.id], world.ada.by)
    message = one_mail()
    for page in ("/invitation/", "/not-for-me/"):
        assert Client().get(link_in(message, page)).status_code == 200, page


# What is counted


def test_c11_mails_that_cannot_go_out_use_up_nobodys_share(world: World) -> None:
    limits.INVITE_UNKNOWN.add(str(world.birch.id), 50)
    refused = outreach.count_mails(world.birch.organization, world.bob.by, [ZOE])
    assert refused[ZOE].code == "too_many_invitations"
    assert limits.INVITE_TO.free(ZOE) == 2


def test_c11_nor_does_what_one_may_not_send(world: World) -> None:
    invitation = invite(world.cedar, world.ada, role="teacher", groups=("Year 5",))
    free = limits.INVITE_TO.free(ZOE)
    (done,) = changes.resend(world.cedar.organization, [invitation.id], world.tom.by)
    assert [finding.code for finding in done.findings] == ["role_above_yours"]
    assert limits.INVITE_TO.free(ZOE) == free


def test_a_group_is_not_renamed_while_people_are_invited_into_it(world: World) -> None:
    """On PostgreSQL a KeyError, when its name changed between the look and the writing: it is held meanwhile."""
    with CaptureQueriesContext(connection) as queries:
        invite(world.cedar, world.ada, groups=("Year 5",))
    if connection.vendor == "postgresql":
        assert any('FROM "people_group"' in one["sql"] and "FOR UPDATE" in one["sql"] for one in queries)
    assert InvitationGroup.objects.get().group == world.year5


def test_what_was_not_sent_says_why_and_how_to_go_on(world: World) -> None:
    """Suspended while the mail waited: it was "not mailed" for good, without a word."""
    invitation = invite(world.cedar, world.ada)
    suspend.suspend(world.cedar.organization, "late with money", world.olga.actor)
    assert mails() == []
    (row,) = desk.page(world.cedar.organization, world.ada.by).rows
    assert (row.standing, "the organisation was closed" in row.why) == (Standing.FAILED, True)
    suspend.resume(world.cedar.organization, world.olga.actor)
    changes.resend(world.cedar.organization, [invitation.id], world.ada.by)
    assert len(mails()) == 1


def test_nothing_that_was_typed_goes_out_from_where_nobody_is_known(world: World) -> None:
    """Group names and names of people were free text too."""
    invite(world.cedar, world.ada, entries=[entry(ZOE, username="Call 555 now")], groups=("Year 5",))
    Organization.objects.filter(id=world.cedar.id).update(trusted_at=None)
    body = str(one_mail().body)
    assert not [typed for typed in ("Call 555", "Year 5", "Ada Ash") if typed in body]


def test_the_last_day_is_that_of_the_organisation(world: World) -> None:
    Organization.objects.filter(id=world.cedar.id).update(time_zone="Pacific/Auckland")
    invitation = invite(world.cedar, world.ada)
    Invitation.objects.filter(id=invitation.id).update(expires_at=dt.datetime(2126, 3, 1, 20, tzinfo=dt.UTC))
    assert "2 March 2126" in str(one_mail().body)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ends_on": dt.date(2026, 1, 31)}, "The licence ended on"),
        ({"starts_on": dt.date(2126, 1, 31)}, "The licence starts on"),
        ({"overrides": {"methods": ["csv_import"]}}, "does not include this way in"),
    ],
)
def test_nobody_makes_up_a_password_for_nothing(world: World, values: dict[str, object], said: str) -> None:
    """The account was made, and then the door said no."""
    invitation = invite(world.cedar, world.ada)
    License.objects.filter(organization=world.cedar.id).update(**values)
    for answer in (Client().get(page_of(invitation)), register(Client(), page_of(invitation))):
        assert answer.status_code >= 400
        assert said in answer.content.decode(), answer.content.decode()
    assert not Account.objects.filter(sign_in_key=ZOE).exists()
