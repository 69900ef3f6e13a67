"""Invitations at the real door: who is invited, who comes in, what ends them, and what is counted meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from inviting import ZOE, by_mail, entry, invite, order, token_of
from mailing import link_in, mails, one_mail
from world import PASSWORD, Person, World, known, somebody

from usher.core import chores
from usher.core import clock as clocks
from usher.core.errors import UsherError
from usher.core.models import Mail
from usher.core.reasons import Reason
from usher.events.types import EventType
from usher.lifecycle.joiner import Result
from usher.lifecycle.leave import deactivate
from usher.lifecycle.move import move, set_group_right
from usher.lifecycle.why import why
from usher.methods.email_invitation import accept, changes, desk, refusal
from usher.methods.email_invitation.entry import enter
from usher.methods.email_invitation.found import Found, find
from usher.methods.email_invitation.models import Invitation, Standing
from usher.methods.email_invitation.order import Kind, preview
from usher.methods.email_invitation.refusal import Scope, refuse
from usher.methods.email_invitation.send import send
from usher.methods.invite_code.entry import enter as enter_by_code
from usher.methods.invite_code.models import InviteCode
from usher.organizations import suspend
from usher.organizations.models import License, Organization, SeatReservation
from usher.people.models import Account, Group, Membership

T = EventType


def come(found: Found, name: str = "Zoë Zimt", password: str = PASSWORD) -> Account:
    """Somebody new accepts by the mailed link."""
    account = accept.register(found, token_of(found.invitation), name, password)
    outcome = accept.accept(found, account)
    assert outcome.result is Result.JOINED, outcome.findings
    return account


def kinds(world: World, *emails: str, by: Person | None = None, **facts: object) -> list[Kind]:
    return [row.kind for row in preview(order(world.cedar, (by or world.ada).by, *emails, **facts)).rows]


def reasons(error: pytest.ExceptionInfo[UsherError]) -> list[str]:
    return [finding.code for finding in error.value.findings]


# Who can be invited


def test_the_preview_says_what_each_of_them_is(world: World) -> None:
    invite(world.cedar, world.ada, "waits@mail.example")
    world.eve  # noqa: B018 - makes her
    wrong = entry("x", 6, findings=(Reason.ADDRESS_INCOMPLETE("email", given="x"),))
    people = [
        entry(email, line)
        for line, email in enumerate(
            [ZOE, "eve@elsewhere.example", "pia@cedar.example", "waits@mail.example", ZOE], start=1
        )
    ]
    report = preview(order(world.cedar, world.ada.by, entries=[*people, wrong]))
    assert [row.kind.value for row in report.rows] == ["new", "account", "member", "invited", "refused", "refused"]
    assert [row.findings[0].code for row in report.rows[2:]] == [
        "already_member", "already_invited", "duplicate_in_file", "address_incomplete",
    ]  # fmt: skip
    assert report.counts == {"new": 1, "account": 1, "member": 1, "invited": 1, "refused": 2}
    assert Invitation.objects.count() == 1, "a preview writes nothing"


def test_whoever_can_be_invited_is_and_the_others_are_named(world: World) -> None:
    report = send(order(world.cedar, world.ada.by, ZOE, "pia@cedar.example", "yan@mail.example"))
    assert [row.kind.value for row in report.rows] == ["new", "member", "new"]
    assert sorted(one.to[0] for one in mails()) == ["yan@mail.example", ZOE]
    assert len(world.cedar.events(T.INVITATION_CREATED)) == 2


def test_the_same_order_sent_twice_invites_nobody_twice(world: World) -> None:
    """R14: a double click."""
    both = [send(order(world.cedar, world.ada.by, ZOE)) for _ in range(2)]
    assert [report.rows[0].kind.value for report in both] == ["new", "invited"]
    assert len(mails()) == 1


def test_a_manager_invites_with_the_lowest_role_into_his_groups(world: World) -> None:
    assert kinds(world, ZOE, by=world.tom, groups=("Year 5",)) == [Kind.NEW]
    with pytest.raises(UsherError) as above:
        preview(order(world.cedar, world.tom.by, ZOE, role="teacher", groups=("Year 5",)))
    assert reasons(above) == ["role_above_yours"]
    world.cedar.group("Year 6")
    with pytest.raises(UsherError) as other:
        preview(order(world.cedar, world.tom.by, ZOE, groups=("Year 6",)))
    assert reasons(other) == ["not_your_group"]
    (row,) = preview(order(world.cedar, world.tom.by, ZOE)).rows
    assert (row.kind, row.findings[0].code) == (Kind.REFUSED, "not_your_group"), "into no group of his"


def test_a_row_names_its_own_role_and_groups(world: World) -> None:
    """C3: also that role is not above the inviter's."""
    world.cedar.group("Choir")
    teacher = entry("new@mail.example", 1, role="teacher", groups=("Choir",))
    invitation = invite(world.cedar, world.ada, entries=[teacher], groups=("Year 5",))
    assert invitation.role == "teacher"
    assert set(invitation.groups.values_list("name", flat=True)) == {"Choir", "Year 5"}
    report = preview(order(world.cedar, world.tom.by, entries=[entry("b@mail.example", 1, role="admin")]))
    assert report.rows[0].findings[0].code == "role_above_yours"


def test_a_note_is_for_organizations_that_the_operator_knows(world: World) -> None:
    wanted = order(world.cedar, world.ada.by, ZOE, note="See you on Monday.")
    assert preview(wanted).rows[0].kind is Kind.NEW
    Organization.objects.filter(id=world.cedar.id).update(trusted_at=None)
    wanted.organization.refresh_from_db()
    with pytest.raises(UsherError) as no:
        send(wanted)
    assert reasons(no) == ["note_not_allowed"]


# Coming in


def test_somebody_new_comes_in_by_the_mailed_link(world: World) -> None:
    invitation = invite(world.cedar, world.ada, groups=("Year 5",), role="student")
    mail = one_mail()
    assert mail.to == [ZOE]
    assert link_in(mail, "/invitation/") == f"/invitation/{token_of(invitation)}"
    before = world.cedar.seats("student").used
    account = come(by_mail(invitation))
    assert (account.is_claimed, account.sign_in_key, account.home_id) == (True, ZOE, None)
    member = Membership.objects.get(account=account)
    assert (member.role, member.method, member.state) == ("student", "email_invitation", "active")
    assert world.cedar.seats("student").used == before + 1
    invitation.refresh_from_db()
    assert (invitation.state, invitation.membership_id, invitation.method) == (
        "accepted", member.id, "email_invitation",
    )  # fmt: skip
    assert world.cedar.events(T.INVITATION_ACCEPTED)[-1].account_id == account.id
    told = why(world.cedar.organization, ZOE)
    assert "by an invitation" in told.answer
    assert [event.title for event in told.events][-1] == "Invited", "why begins with who invited"


def test_an_existing_account_needs_the_invited_address_proved(world: World) -> None:
    """C4."""
    invitation = invite(world.cedar, world.ada, "eve@elsewhere.example")
    for other in (world.bob, world.olga, world.pia):
        with pytest.raises(UsherError) as no:
            accept.accept(by_mail(invitation), other.account)
        assert reasons(no) == ["invitation_for_another"]
    assert accept.accept(by_mail(invitation), world.eve.account).result is Result.JOINED


def test_a_link_is_used_once(world: World) -> None:
    invitation = invite(world.cedar, world.ada, "eve@elsewhere.example")
    found = by_mail(invitation)
    accept.accept(found, world.eve.account)
    assert accept.accept(found, world.eve.account).findings[0].code == "invitation_used"
    with pytest.raises(UsherError) as used:
        by_mail(invitation)
    assert reasons(used) == ["invitation_used"]


def test_the_seats_are_asked_at_the_door_again(world: World) -> None:
    invitation = invite(world.cedar, world.ada, "eve@elsewhere.example")
    world.cedar.seats("student", world.cedar.seats("student").used)
    outcome = enter(by_mail(invitation), world.eve.account_id)
    assert [finding.code for finding in outcome.findings] == ["seats_taken"]
    world.cedar.seats("student", 10)
    assert enter(by_mail(invitation), world.eve.account_id).result is Result.JOINED, "nothing was lost"


# What ends it


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_c6_it_ends_to_the_second_though_nobody_cleans_up(
    world: World, clock: time_machine.Traveller, late: int
) -> None:
    invitation = invite(world.cedar, world.ada, "eve@elsewhere.example")
    found = by_mail(invitation)
    clock.move_to(invitation.expires_at + dt.timedelta(seconds=late))
    outcome = enter(found, world.eve.account_id)
    assert (outcome.result is Result.JOINED) == (late < 0)
    if late >= 0:
        assert outcome.findings[0].code == "invitation_expired"


def test_c7_what_was_sent_again_taken_back_or_shut_is_dead_at_once(world: World) -> None:
    by = world.ada.by
    invitation = invite(world.cedar, world.ada, "eve@elsewhere.example")
    old = by_mail(invitation)
    changes.resend(world.cedar.organization, [invitation.id], by)
    assert enter(old, world.eve.account_id).findings[0].code == "invitation_dead", "superseded"
    newest = by_mail(invitation)
    suspend.suspend(world.cedar.organization, "late with money", world.olga.actor)
    assert enter(newest, world.eve.account_id).findings[0].code == "organization_suspended"
    suspend.resume(world.cedar.organization, world.olga.actor)
    changes.revoke(world.cedar.organization, [invitation.id], by)
    assert enter(newest, world.eve.account_id).findings[0].code == "invitation_revoked"
    with pytest.raises(UsherError) as dead:
        accept.register(newest, token_of(newest.invitation), "Eve", PASSWORD)
    assert reasons(dead)


def test_c7_an_inviter_who_may_no_longer_takes_his_invitations_with_him(world: World) -> None:
    second = world.cedar.settle("Vera Vine", "admin")
    one = invite(world.cedar, second, "eve@elsewhere.example", role="teacher")
    move(world.cedar.id, second.membership.id, "teacher", world.ada.by)
    assert enter(by_mail(one), world.eve.account_id).findings[0].code == "inviter_gone", "no admin any more"
    move(world.cedar.id, second.membership.id, "admin", world.ada.by)
    deactivate(world.cedar.id, second.membership.id, world.ada.by)
    assert enter(by_mail(one), world.eve.account_id).findings[0].code == "inviter_gone", "not here any more"
    (row,) = desk.page(world.cedar.organization, world.ada.by).rows
    assert "lets nobody in. Send it again" in row.why, "and the desk says so"
    changes.resend(world.cedar.organization, [one.id], world.ada.by)
    (row,) = desk.page(world.cedar.organization, world.ada.by).rows
    assert row.why == ""
    assert enter(by_mail(one), world.eve.account_id).result is Result.JOINED, "it is Ada's now"


def test_c7_a_manager_without_the_group_lets_nobody_in(world: World) -> None:
    invitation = invite(world.cedar, world.tom, "eve@elsewhere.example", groups=("Year 5",))
    set_group_right(world.cedar.id, world.tom.membership.id, world.year5.id, "member", world.ada.by)
    assert enter(by_mail(invitation), world.eve.account_id).findings[0].code == "inviter_gone"


def test_nothing_is_mailed_after_it_was_taken_back(world: World) -> None:
    invitation = invite(world.cedar, world.ada)
    changes.revoke(world.cedar.organization, [invitation.id], world.ada.by)
    assert mails() == []
    assert not Mail.objects.exists()


def test_of_two_links_only_the_last_is_mailed(world: World) -> None:
    invitation = invite(world.cedar, world.ada)
    changes.resend(world.cedar.organization, [invitation.id], world.ada.by)
    invitation.refresh_from_db()
    assert token_of(invitation) in link_in(one_mail(), "/invitation/")


def licence_ended(world: World) -> None:
    License.objects.filter(organization=world.cedar.id).update(ends_on=clocks.now().date() - dt.timedelta(days=1))


def way_not_in_plan(world: World) -> None:
    License.objects.filter(organization=world.cedar.id).update(overrides={"methods": ["csv_import"]})


def group_closed(world: World) -> None:
    Group.objects.filter(id=world.year5.id).update(state=Group.State.CLOSED)


def group_full(world: World) -> None:
    Group.objects.filter(id=world.year5.id).update(cap=0)


def was_deactivated(world: World) -> None:
    deactivate(world.cedar.id, world.cedar.add(known(world.eve)).membership_id or world.pia.account_id, world.ada.by)
    Invitation.objects.update(state="open", ended_at=None, membership_id=None, method="")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (licence_ended, "license_ended"),
        (way_not_in_plan, "method_not_in_plan"),
        (group_closed, "group_closed"),
        (group_full, "group_full"),
        (was_deactivated, "member_inactive"),
    ],
)
def test_c15_an_invitation_goes_round_no_rule_of_the_door(
    world: World, change: Callable[[World], None], reason: str
) -> None:
    """Whatever changed since it was sent."""
    invitation = invite(world.cedar, world.ada, "eve@elsewhere.example", groups=("Year 5",))
    change(world)
    outcome = enter(by_mail(invitation), world.eve.account_id)
    assert [finding.code for finding in outcome.findings] == [reason]
    invitation.refresh_from_db()
    assert invitation.state == "open", "it can be used when that is mended"


# Another way


def test_who_came_by_a_code_leaves_no_invitation_hanging(world: World) -> None:
    invitation = invite(world.cedar, world.ada, "eve@elsewhere.example", reserve=True)
    code = InviteCode.objects.create(organization=world.cedar.organization, code="7K4M29QX", role="student")
    enter_by_code(code, world.eve.account_id)
    invitation.refresh_from_db()
    member = Membership.objects.get(account=world.eve.account_id)
    assert (invitation.state, invitation.method, invitation.membership_id) == ("accepted", "invite_code", member.id)
    assert not SeatReservation.objects.exists()
    assert mails() == [], "whoever is in needs no mail"


def test_who_proves_the_address_later_is_found_by_the_tidying(world: World) -> None:
    code = InviteCode.objects.create(organization=world.cedar.organization, code="7K4M29QX", role="student")
    enter_by_code(code, world.eve.account_id)
    invitation = invite(world.cedar, world.ada)
    Account.objects.filter(id=world.eve.account_id).update(sign_in_key=ZOE, email=ZOE)
    chores.run_all()
    invitation.refresh_from_db()
    assert (invitation.state, invitation.method) == ("accepted", "invite_code")


# Kept seats


def test_a_kept_seat_is_nobody_elses(world: World) -> None:
    used = world.cedar.seats("student").used
    world.cedar.seats("student", used + 1)
    invitation = invite(world.cedar, world.ada, "eve@elsewhere.example", reserve=True)
    assert world.cedar.add(somebody("Late", email="late@mail.example")).reason == "seats_taken"
    assert kinds(world, "other@mail.example") == [Kind.REFUSED]
    assert enter(by_mail(invitation), world.eve.account_id).result is Result.JOINED
    assert (world.cedar.seats("student").used, SeatReservation.objects.count()) == (used + 1, 0)


@pytest.mark.parametrize("end", ["revoke", "expire", "decline"])
def test_a_kept_seat_is_free_when_the_invitation_is_over(world: World, clock: time_machine.Traveller, end: str) -> None:
    world.cedar.seats("student", world.cedar.seats("student").used + 1)
    invitation = invite(world.cedar, world.ada, reserve=True)
    if end == "revoke":
        changes.revoke(world.cedar.organization, [invitation.id], world.ada.by)
    elif end == "decline":
        refuse(invitation, Scope.THIS)
    else:
        clock.shift(dt.timedelta(days=14))
    assert world.cedar.add(somebody("Late", email="late@mail.example")).result is Result.CREATED


def test_seats_are_kept_for_as_many_as_there_are(world: World) -> None:
    world.cedar.seats("student", world.cedar.seats("student").used + 2)
    report = send(order(world.cedar, world.ada.by, *(f"p{n}@mail.example" for n in range(4)), reserve=True))
    assert [row.kind.value for row in report.rows] == ["new", "new", "refused", "refused"]


def test_another_role_keeps_another_seat(world: World) -> None:
    invitation = invite(world.cedar, world.ada, reserve=True)
    (done,) = changes.set_role(world.cedar.organization, [invitation.id], "teacher", world.ada.by)
    assert done.changed
    assert list(SeatReservation.objects.values_list("pool", flat=True)) == ["teacher"]
    world.cedar.seats("student", world.cedar.seats("student").used)
    (done,) = changes.set_role(world.cedar.organization, [invitation.id], "student", world.ada.by)
    assert [finding.code for finding in done.findings] == ["seats_taken"]
    invitation.refresh_from_db()
    assert invitation.role == "teacher", "refused as a whole"


# A copied link


def copied(world: World, invitation: Invitation, *, unproved: bool) -> Found:
    link = changes.copy_link(world.cedar.organization, invitation.id, world.ada.by, unproved=unproved)
    return find(link.rpartition("/")[2])


def test_c9_a_copied_link_proves_nothing(world: World) -> None:
    invitation = invite(world.cedar, world.ada, role="teacher", mailed=False)
    found = copied(world, invitation, unproved=False)
    assert accept.visitor(found, None) is accept.Visitor.PROVE
    with pytest.raises(UsherError):
        accept.register(found, token_of(invitation), "Ada again", PASSWORD)
    with pytest.raises(UsherError):
        accept.come_in_unproved(found, "Ada again", PASSWORD)
    accept.mail_again(found, "192.0.2.1")
    assert token_of(invitation) in link_in(one_mail(), "/invitation/"), "the mail brings the link that proves"


def test_c9_by_a_link_for_the_unproved_one_gets_the_lowest_role_and_nothing_of_ones_own(world: World) -> None:
    invitation = invite(world.cedar, world.ada, role="teacher", mailed=False)
    account = accept.come_in_unproved(copied(world, invitation, unproved=True), "Zoë", PASSWORD)
    member = Membership.objects.get(account=account)
    assert (member.role, account.is_claimed, account.home_id) == ("student", False, world.cedar.id)
    assert "not proved" in member.evidence


def test_a_new_copy_kills_the_old_one_and_a_new_mail_kills_both(world: World) -> None:
    invitation = invite(world.cedar, world.ada)
    first = changes.copy_link(world.cedar.organization, invitation.id, world.ada.by, unproved=True)
    second = changes.copy_link(world.cedar.organization, invitation.id, world.ada.by, unproved=True)
    with pytest.raises(UsherError):
        find(first.rpartition("/")[2])
    find(second.rpartition("/")[2])
    changes.resend(world.cedar.organization, [invitation.id], world.ada.by)
    with pytest.raises(UsherError):
        find(second.rpartition("/")[2])


def test_an_address_with_an_account_signs_in_whatever_the_link(world: World) -> None:
    invitation = invite(world.cedar, world.ada, "bob@elsewhere.example", mailed=False)
    found = copied(world, invitation, unproved=True)
    Account.objects.filter(id=world.eve.account_id).update(
        sign_in_key="bob@elsewhere.example", email="bob@elsewhere.example"
    )
    assert accept.visitor(found, None) is accept.Visitor.HAS_ACCOUNT
    with pytest.raises(UsherError) as no:
        accept.come_in_unproved(found, "Bob", PASSWORD)
    assert reasons(no) == ["has_account"]


# Limits and those who want none


def test_c11_one_address_gets_three_mails_a_day_whoever_sends(world: World, clock: time_machine.Traveller) -> None:
    for _day in range(2):
        got = 0
        for house, by in ((world.cedar, world.ada), (world.birch, world.bob), (world.maple, world.mia)):
            for _ in range(20):
                report = send(order(house, by.by, ZOE))
                if report.rows[0].invitation_id:
                    changes.revoke(house.organization, [report.rows[0].invitation_id], by.by)
                    got += 1
        assert 1 <= got <= 3
        clock.shift(dt.timedelta(days=1))


def test_c11_an_unknown_organization_sends_few(world: World) -> None:
    first = order(world.cedar, world.ada.by, *(f"p{n}@mail.example" for n in range(51)))
    Organization.objects.filter(id=world.cedar.id).update(trusted_at=None)
    first.organization.refresh_from_db()
    with pytest.raises(UsherError) as no:
        send(first)
    assert reasons(no) == ["too_many_invitations"]
    assert not Invitation.objects.exists(), "nothing half done"


def test_c11_sending_again_counts_too(world: World) -> None:
    invitation = invite(world.cedar, world.ada)
    done = [changes.resend(world.cedar.organization, [invitation.id], world.ada.by)[0] for _ in range(3)]
    assert [one.changed for one in done] == [True, False, False]
    assert done[1].findings[0].code == "address_has_enough"


@pytest.mark.parametrize(("scope", "still"), [(Scope.THIS, True), (Scope.ORGANIZATION, False), (Scope.ALL, False)])
def test_not_for_me_ends_it_and_is_remembered(world: World, scope: Scope, still: bool) -> None:
    invitation = invite(world.cedar, world.ada)
    refuse(invitation, scope)
    invitation.refresh_from_db()
    assert invitation.state == "declined"
    (row,) = preview(order(world.cedar, world.ada.by, ZOE)).rows
    assert (row.kind is Kind.NEW) == still
    (elsewhere,) = preview(order(world.birch, world.bob.by, ZOE)).rows
    assert (elsewhere.kind is Kind.NEW) == (scope is not Scope.ALL)
    refusal.allow_again(invitation)
    assert kinds(world, ZOE) == [Kind.NEW]


# The desk


def test_the_desk_has_every_invitation_as_it_is(world: World, clock: time_machine.Traveller) -> None:
    people = [f"p{n}@mail.example" for n in range(4)]
    invite(world.cedar, world.ada, *people)
    mails()
    sent = [row.invitation for row in desk.page(world.cedar.organization, world.ada.by).rows]
    changes.revoke(world.cedar.organization, [sent[0].id], world.ada.by)
    come(by_mail(sent[1]))
    invite(world.cedar, world.tom, "late@mail.example", groups=("Year 5",))
    page = desk.page(world.cedar.organization, world.ada.by)
    assert [row.standing.value for row in page.rows] == ["queued", "revoked", "accepted", "sent", "sent"]
    assert [row.inviter for row in page.rows] == ["Tom Thorn", *["Ada Ash"] * 4]
    assert desk.counts(world.cedar.organization, world.ada.by)[Standing.SENT] == 2
    mine = desk.page(world.cedar.organization, world.tom.by).rows
    assert [row.invitation.email for row in mine] == ["late@mail.example"], "a manager sees those of his groups"
    clock.shift(dt.timedelta(days=15))
    late = desk.page(world.cedar.organization, world.ada.by, desk.Filter(standing=Standing.EXPIRED))
    assert len(late.rows) == 3


def test_the_desk_pages_to_and_fro(world: World) -> None:
    invite(world.cedar, world.ada, *(f"p{n}@mail.example" for n in range(5)))
    organization, by = world.cedar.organization, world.ada.by
    first = desk.page(organization, by, size=2)
    second = desk.page(organization, by, size=2, after=first.next)
    third = desk.page(organization, by, size=2, after=second.next)
    assert [len(page.rows) for page in (first, second, third)] == [2, 2, 1]
    assert (first.back, third.next) == (None, None)
    again = desk.page(organization, by, size=2, before=second.back)
    assert [row.invitation.id for row in again.rows] == [row.invitation.id for row in first.rows]


def test_c18_ids_of_another_house_are_nobody(world: World) -> None:
    invitation = invite(world.cedar, world.ada)
    birch, bob = world.birch.organization, world.bob.by
    assert changes.revoke(birch, [invitation.id], bob) == changes.resend(birch, [invitation.id], bob) == []
    with pytest.raises(UsherError) as no:
        changes.copy_link(birch, invitation.id, bob, unproved=True)
    assert reasons(no) == ["unknown_invitation"]
