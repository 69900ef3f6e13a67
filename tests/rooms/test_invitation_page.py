"""The page of an invitation: who opens it, and what each of them does there (behind it: test_invitations.py)."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from doors import text_of
from invited import EVE, IN, OWN, copied, members, page_of, press, register, state, to
from inviting import ZOE, invite
from mailing import link_in, mails, one_mail
from world import PASSWORD, World, signed_in, somebody

from usher.core.errors import UsherError
from usher.core.limits import INVITE_TO, MAIL_FROM, MAIL_TO, SIGN_IN_ACCOUNT
from usher.core.reasons import Reason
from usher.events.models import Event
from usher.methods.email_invitation import accept
from usher.methods.email_invitation.found import find
from usher.methods.email_invitation.models import Invitation
from usher.methods.email_invitation.refusal import Scope, refuse
from usher.methods.invite_code.models import InviteCode
from usher.people import passwords
from usher.people.models import Account, Membership

# Each visitor


def test_somebody_new_chooses_name_and_password_and_is_in(world: World) -> None:
    invitation = invite(world.cedar, world.ada, groups=("Year 5",))
    client, path = Client(), link_in(one_mail(), "/invitation/")
    page = client.get(path)
    assert "You are invited to Cedar School as Student, in Year 5." in text_of(page)
    assert f"E-mail {ZOE} You sign in with it from now on." in text_of(page)
    assert to(register(client, path)) == IN, "and away from the address with the token"
    assert "You are in Cedar School now, as Student." in text_of(client.get("/o/cedar/"))
    (member,) = members()
    assert (member.role, member.account.username, member.account.is_claimed) == ("student", "Zoë Zimt", True)
    assert member.group_links.get().group_id == world.year5.id
    invitation.refresh_from_db()
    assert invitation.membership_id == member.id
    assert to(Client().post("/", {"name": ZOE, "password": OWN}))[0] == 302


def test_the_name_is_offered_and_the_address_is_not_asked(world: World) -> None:
    """C3, C4: role, organisation and address are the row's, whatever is sent."""
    invitation = invite(world.cedar, world.ada)
    Invitation.objects.update(username="Zoë Offered")
    client, path = Client(), page_of(invitation)
    assert 'value="Zoë Offered"' in client.get(path).content.decode()
    more = {"email": "me@evil.example", "address": "me@evil.example", "role": "admin", "organization": "birch"}
    assert to(register(client, path, **more)) == IN
    assert [member.role for member in members()] == ["student"]
    assert not Account.objects.filter(sign_in_key="me@evil.example").exists()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"password": "short"}, "at least 10 are needed"),
        ({"password": "basketball"}, "many people use"),
        ({"password": ""}, "Choose a password and type it here."),
        ({"username": ""}, "Type your name."),
        ({"username": "=1+1"}, "=1+1"),
    ],
)
def test_what_was_typed_is_judged_at_its_field(world: World, sent: dict[str, str], said: str) -> None:
    path = page_of(invite(world.cedar, world.ada))
    before = state()
    answer = register(Client(), path, **sent)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert sent.get("password") not in answer.content.decode().split('"'), "a password is never written back"
    assert state() == before


def test_an_admin_to_be_needs_a_longer_password(world: World) -> None:
    path = page_of(invite(world.cedar, world.ada, role="admin"))
    assert "15 characters or more." in text_of(Client().get(path))
    assert "at least 15 are needed" in text_of(register(Client(), path, password="14 characters!"))
    assert to(register(Client(), path, password="15 characters!!")) == IN


def test_who_has_an_account_signs_in_and_comes_back(world: World) -> None:
    world.eve  # noqa: B018 - makes her
    invitation = invite(world.cedar, world.ada, EVE)
    client, path = Client(), page_of(invitation)
    page = client.get(path)
    assert "has an account already" in text_of(page)
    way = f"/?next={path}"
    assert f'href="{way}"' in page.content.decode()
    signed = client.post(way, {"name": EVE, "password": PASSWORD, "next": path})
    assert to(signed) == (302, path)
    assert "Join Cedar School" in text_of(client.get(path))
    assert to(press(client, path)) == IN
    assert len(members(EVE)) == 1


def test_the_second_step_leads_back_too(world: World) -> None:
    path = page_of(invite(world.cedar, world.ada, EVE))
    Authenticator.objects.create(user=world.eve.account, type=Authenticator.Type.TOTP, data={"secret": "x"})
    answer = Client().post("/", {"name": EVE, "password": PASSWORD, "next": path})
    assert to(answer) == (302, f"/sign-in/second?next={path.replace('/', '%2F')}")


def test_the_wrong_person_is_told_and_switches(world: World) -> None:
    """C4: a forwarded link."""
    world.eve  # noqa: B018
    path = page_of(invite(world.cedar, world.ada, EVE))
    client = signed_in(world.bob)
    page = text_of(client.get(path))
    assert f"It went to {EVE}. You are signed in as bob@birch.example." in page
    before = state()
    for act in ("accept", "register", "mail"):
        assert to(press(client, path, act)) == (302, path)
    assert state() == before
    assert to(press(client, path, "switch")) == (302, path)
    assert "has an account already" in text_of(client.get(path))
    assert Event.objects.filter(type="invitation:accepted").count() == 0


def test_an_account_that_the_school_made_becomes_the_owners(world: World) -> None:
    """Signed in or not: the mailed link proves the address, the card does not."""
    outcome = world.birch.add(somebody("Zoë Zimt", "learner", email=ZOE))
    path = page_of(invite(world.cedar, world.ada))
    assert to(register(Client(), path)) == IN
    made = world.birch.account(outcome)
    assert (made.is_claimed, made.has_usable_password()) == (False, False)


def test_a_password_that_is_due_comes_first(world: World) -> None:
    outcome = world.cedar.add(somebody("New Teacher", "teacher", email="new@cedar.example"))
    client = Client()
    client.force_login(world.cedar.account(outcome))
    assert to(client.get(page_of(invite(world.cedar, world.ada)))) == (302, "/first-password")


# A copied link


def test_c9_a_copied_link_has_the_mail_sent(world: World) -> None:
    """C9: whoever has the link, and be it the admin who copied it, gets nothing but a mail to the address."""
    invitation = invite(world.cedar, world.ada, mailed=False)
    path, client = copied(world, invitation, unproved=False), Client()
    assert f"First show that {ZOE} is yours" in text_of(client.get(path))
    before = state()
    assert to(register(client, path)) == (302, path)
    assert state() == before
    assert to(press(client, path, "mail")) == (302, f"{path}?sent=1")
    assert "A mail is on its way" in text_of(client.get(f"{path}?sent=1"))
    mailed = link_in(one_mail(), "/invitation/")
    assert mailed != path
    assert to(register(client, mailed)) == IN


def test_c9_by_a_copied_link_without_proof_one_is_the_lowest_and_unproved(world: World) -> None:
    """C9."""
    invitation = invite(world.cedar, world.ada, role="admin", mailed=False)
    path, client = copied(world, invitation, unproved=True), Client()
    page = text_of(client.get(path))
    assert "Your address is not proved." in page
    assert "so you join as Student, the lowest role." in page
    assert to(register(client, path)) == IN
    assert "You are in Cedar School now, as Student." in text_of(client.get("/o/cedar/"))
    (member,) = members()
    assert (member.role, member.account.is_claimed, member.account.home_id) == ("student", False, world.cedar.id)
    other = Client()
    assert to(register(other, path)) == IN, "R14: the second of two equal sendings"
    assert register(Client(), path, "another password").status_code == 410
    assert len(members()) == 1


def test_c9_nobody_gets_an_account_that_is_there_by_a_copied_link(world: World) -> None:
    """C9: somebody asked by a code with this address; whoever has the link is not signed in as that person."""
    world.cedar.add(somebody("Zoë Zimt", "teacher", email=ZOE))
    Membership.objects.filter(account__sign_in_key=ZOE).update(state="waiting")
    invitation = invite(world.cedar, world.ada, "another@mail.example", mailed=False)
    Invitation.objects.update(email=ZOE, address_key=ZOE)  # she asked after she was invited
    path, client = copied(world, invitation, unproved=True), Client()
    assert f"First show that {ZOE} is yours" in text_of(client.get(path))
    register(client, path)
    assert client.get("/password").status_code == 302, "signed in"
    with pytest.raises(UsherError) as no:  # the same between the page and the door
        accept.come_in_unproved(find(path.rpartition("/")[2]), "Zoë Zimt", OWN)
    assert no.value.findings[0].reason is Reason.ACCOUNT_EXISTS


def test_c11_the_mail_is_sent_a_few_times_and_nobody_is_told(world: World) -> None:
    """C11: a copied link is no cannon."""
    path = copied(world, invite(world.cedar, world.ada, mailed=False), unproved=False)
    for _ in range(MAIL_TO.capacity + 3):
        assert to(press(Client(), path, "mail")) == (302, f"{path}?sent=1")
    assert len(mails()) == INVITE_TO.capacity, "as many as any mailbox gets"
    for _ in range(MAIL_FROM.capacity):
        MAIL_FROM.add("127.0.0.1")
    assert press(Client(), path, "mail").status_code == 429


def test_who_wants_no_mail_gets_none_by_a_copied_link(world: World) -> None:
    """C11."""
    refuse(invite(world.birch, world.bob, role="learner"), Scope.ALL)
    mails()
    path = copied(world, invite(world.cedar, world.ada, mailed=False), unproved=False)
    answer = press(Client(), path, "mail")
    assert (answer.status_code, "wanted no more invitations" in text_of(answer)) == (409, True)
    assert mails() == []


# What the door says no to


def test_the_account_stays_when_the_door_refuses(world: World) -> None:
    invitation = invite(world.cedar, world.ada)
    world.cedar.seats("student", world.cedar.seats("student").used)
    client, path = Client(), page_of(invitation)
    answer = register(client, path)
    assert answer.status_code == 409
    page = text_of(answer)
    assert "Your account is ready" in page
    assert "student seats are taken. An admin frees a seat or asks for more" in page
    assert client.get("/password").status_code == 200, "signed in"
    assert press(client, path).status_code == 409
    world.cedar.seats("student", 10)
    assert to(press(client, path)) == IN
    assert len(members()) == 1


def test_who_waits_for_a_yes_uses_nothing_up(world: World) -> None:
    invitation = invite(world.cedar, world.ada, EVE)
    code = InviteCode.objects.create(
        organization=world.cedar.organization, code="7K4M29QX", role="student", needs_approval=True
    )
    client = signed_in(world.eve)
    client.post(f"/join/{code.code}")
    answer = press(client, page_of(invitation))
    assert (answer.status_code, "nobody has decided yet" in text_of(answer)) == (409, True)
    invitation.refresh_from_db()
    assert invitation.state == "open"


def test_the_last_seat_is_kept_for_the_invited_one(world: World) -> None:
    world.cedar.seats("student", world.cedar.seats("student").used + 1)
    path = page_of(invite(world.cedar, world.ada, reserve=True))
    InviteCode.objects.create(organization=world.cedar.organization, code="7K4M29QX", role="student")
    refused = signed_in(world.eve).post("/join/7K4M29QX")
    assert (refused.status_code, "seats are taken" in text_of(refused)) == (409, True)
    assert to(register(Client(), path)) == IN


# Used, and dead


def test_who_is_in_goes_on_into_the_house(world: World) -> None:
    client, path = Client(), page_of(invite(world.cedar, world.ada))
    register(client, path)
    assert to(client.get(path)) == IN
    stranger = Client().get(path)
    assert stranger.status_code == 410
    assert "This invitation was used. If it was you, sign in." in text_of(stranger)
    assert 'href="/"' in stranger.content.decode()


def test_r14_the_form_sent_twice_is_one_person_who_is_in(world: World) -> None:
    """R14: a double click, with and without the first answer; and going back to send it once more."""
    client, path = Client(), page_of(invite(world.cedar, world.ada))
    assert to(register(client, path)) == IN
    assert to(register(client, path)) == IN, "back, and sent again"
    second = Client()
    assert to(register(second, path)) == IN, "before the first answer was there"
    assert second.get("/password").status_code == 200
    assert (len(members()), Event.objects.filter(type="invitation:accepted").count()) == (1, 1)


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_r14_also_between_the_account_and_the_door(world: World, is_signed_in: bool) -> None:
    """R14: the first sending made the account and no more, and the second one brings the person in."""
    path = page_of(invite(world.cedar, world.ada))
    seats = world.cedar.seats("student")
    world.cedar.seats("student", seats.used)
    client = Client()
    assert register(client, path).status_code == 409
    world.cedar.seats("student", 10)
    assert to(register(client if is_signed_in else Client(), path)) == IN
    assert (len(members()), Account.objects.filter(sign_in_key=ZOE).count()) == (1, 1)


@pytest.mark.parametrize("is_copied", [False, True])
def test_r14_the_other_one_was_faster_by_a_moment(
    world: World, monkeypatch: pytest.MonkeyPatch, is_copied: bool
) -> None:
    """R14: both have found the invitation open, and the second one is done first."""
    invitation = invite(world.cedar, world.ada)
    path = copied(world, invitation, unproved=True) if is_copied else page_of(invitation)
    real, answers = passwords.make, []

    def make(password: str) -> str:
        monkeypatch.setattr(passwords, "make", real)
        answers.append(register(Client(), path))
        return real(password)

    monkeypatch.setattr(passwords, "make", make)
    answers.append(register(Client(), path))
    assert [to(answer) for answer in answers] == [IN, IN]
    assert (len(members()), Event.objects.filter(type="invitation:accepted").count()) == (1, 1)


def test_r14_two_clicks_of_somebody_signed_in(world: World) -> None:
    """R14."""
    client, path = signed_in(world.eve), page_of(invite(world.cedar, world.ada, EVE))
    assert [to(press(client, path)) for _ in range(2)] == [IN, IN]
    assert len(members(EVE)) == 1


def test_another_password_opens_nothing_and_is_counted(world: World) -> None:
    """The page of a used link is one more sign-in form, with the same limit."""
    path = page_of(invite(world.cedar, world.ada))
    register(Client(), path)
    before = state()
    for _ in range(SIGN_IN_ACCOUNT.capacity):
        client = Client()
        assert register(client, path, "a wild guess").status_code == 410
        assert client.get("/password").status_code == 302
    assert state() == before
    assert register(Client(), path).status_code == 410, "the right one too: it has to wait now"


def test_an_account_that_came_meanwhile_is_not_guessed(world: World) -> None:
    world.eve  # noqa: B018
    path = page_of(invite(world.cedar, world.ada, EVE))
    answer = register(Client(), path, "a wild guess")
    assert (answer.status_code, "There is an account with this address already." in text_of(answer)) == (409, True)
    assert SIGN_IN_ACCOUNT.free(EVE) == SIGN_IN_ACCOUNT.capacity - 1
    assert members(EVE) == []
