"""What nobody can do by an invitation: rows C1 to C14 of the security list, at the pages where it would be tried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client
from doors import text_of
from invited import EVE, IN, OWN, copied, members, page_of, press, register, state, to
from inviting import ZOE, invite, token_of
from mailing import link_in, mails, one_mail
from world import Person, World, signed_in

from usher.core.models import Mail
from usher.events.models import Event
from usher.events.types import OPERATOR
from usher.lifecycle.leave import deactivate
from usher.lifecycle.move import move, set_group_right
from usher.methods.email_invitation import changes, links
from usher.methods.email_invitation.models import Invitation, Suppression
from usher.methods.email_invitation.refusal import Scope, refuse
from usher.methods.invite_code.models import InviteCode
from usher.organizations import suspend
from usher.people import links as one_time
from usher.people.models import Account, Membership, OneTimeLink

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
Undo = Callable[[World, Invitation], object]


# Tokens


def test_c1_a_token_with_one_bit_changed_opens_nothing(world: World) -> None:
    """C1."""
    token = token_of(invite(world.cedar, world.ada))
    before, client = state(), Client()
    for at, sign in enumerate(token):
        for bit in range(6):
            changed = ALPHABET[ALPHABET.index(sign) ^ (1 << bit)]
            path = f"/invitation/{token[:at]}{changed}{token[at + 1 :]}"
            assert client.get(path).status_code == 410
            assert (at % 8 != 0) or register(client, path).status_code == 410
    for odd in (
        token[:-1],
        f"{token}A",
        f"{token}.",
        token.swapcase(),
        f"{token}%00",
        "%2e%2e",
        "eyJhbGciOiJub25lIn0.e30.",
    ):
        assert client.get(f"/invitation/{odd}").status_code in (400, 410)
    assert state() == before


@pytest.fixture
def others(world: World) -> dict[str, str]:
    """A living token of every other purpose, by the page it is for."""
    actor, account = OPERATOR, world.pia.account
    found = {"set-up": one_time.make_setup_link(account, world.cedar.id, actor).rpartition("/")[2]}
    for page, purpose in (("reset", OneTimeLink.Purpose.RESET), ("address", OneTimeLink.Purpose.ADDRESS)):
        link = OneTimeLink(purpose=purpose, account=world.eve.account, address=EVE)
        one_time.write(link, lasts=dt.timedelta(hours=1))
        found[page] = one_time.address_of(link).rpartition("/")[2]
    InviteCode.objects.create(organization=world.cedar.organization, code="7K4M29QX", role="student")
    filled = {"username": "Yan", "email": "yan@mail.example", "password": OWN, "code": "7K4M29QX"}
    Client().post("/register", filled)
    found["confirm"] = link_in(one_mail(), "/confirm/").rpartition("/")[2]
    return found


def test_c2_no_other_token_opens_an_invitation(world: World, others: dict[str, str]) -> None:
    """C2: every token at every consumer."""
    invitation = invite(world.cedar, world.ada, EVE)
    refusal = links.refusal_link(invitation).rpartition("/")[2]
    before = state()
    for token in (*others.values(), refusal):
        for client in (Client(), signed_in(world.eve)):
            path = f"/invitation/{token}"
            answers = [client.get(path), press(client, path), register(client, path), press(client, path, "mail")]
            assert {answer.status_code for answer in answers} == {410}
    for token in (*others.values(), token_of(invitation)):
        path = f"/not-for-me/{token}"
        answers = [Client().get(path), Client().post(path, {"act": "refuse", "scope": "all"})]
        assert {answer.status_code for answer in answers} == {410}
    assert state()[:3] == before[:3]
    assert not Suppression.objects.exists()


def test_c2_the_token_of_an_invitation_opens_nothing_else(world: World, others: dict[str, str]) -> None:
    """C2, C6: above all no new password."""
    invitation = invite(world.cedar, world.ada, EVE)
    tokens = [token_of(invitation), links.refusal_link(invitation).rpartition("/")[2]]
    tokens.append(copied(world, invitation, unproved=True).rpartition("/")[2])
    client = signed_in(world.eve)
    before = state()
    for page in others:
        for token in tokens:
            for answer in (
                client.get(f"/{page}/{token}"),
                client.post(f"/{page}/{token}", {"password": OWN, "again": OWN}),
            ):
                assert answer.status_code in (403, 404, 409, 410), page
    for token in tokens:
        assert client.get(f"/join/{token}").status_code != 302
    assert state() == before


def test_c2_a_token_is_of_one_organization(world: World) -> None:
    """C2: the link of Birch brings nobody into Cedar, whatever is sent with it."""
    mine = invite(world.birch, world.bob, role="learner")
    client = Client()
    assert to(register(client, page_of(mine), organization="cedar", slug="cedar")) == (302, "/o/birch/")
    assert [member.organization_id for member in members()] == [world.birch.id]


def test_c4_the_link_is_the_invited_ones_alone(world: World) -> None:
    """C4: whoever else is signed in."""
    path = page_of(invite(world.cedar, world.ada, EVE))
    for other in (world.bob, world.mia, world.olga, world.pia, world.ada):
        client = signed_in(other)
        assert "This invitation is for somebody else" in text_of(client.get(path))
        press(client, path)
        register(client, path)
    assert members(EVE) == []
    assert Invitation.objects.get().state == "open"


# C6, C7: the end


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_c6_it_ends_to_the_second(world: World, clock: time_machine.Traveller, late: int) -> None:
    """C6: with nothing cleaned up."""
    invitation = invite(world.cedar, world.ada)
    path = page_of(invitation)
    clock.move_to(invitation.expires_at + dt.timedelta(seconds=late))
    if late < 0:
        assert to(register(Client(), path)) == IN
        return
    before = state()
    page = Client().get(path)
    assert (page.status_code, "This invitation ended on 16 March 2026." in text_of(page)) == (410, True)
    assert register(Client(), path).status_code == 410
    assert state() == before


def test_c6_no_new_password_by_an_invitation(world: World) -> None:
    """C6: an expired one least of all (devise_invitable CVE-2023-48220)."""
    invitation = invite(world.cedar, world.ada)
    mails()
    Client().post("/forgot", {"email": ZOE})
    assert "no account with this address" in str(one_mail().body)
    token = token_of(invitation)
    assert Client().post(f"/reset/{token}", {"password": OWN, "again": OWN}).status_code == 410
    assert not Account.objects.filter(sign_in_key=ZOE).exists()


def vera(world: World) -> Person:
    return world.cedar.settle("Vera Vine", "admin")


def revoke(world: World, invitation: Invitation) -> object:
    return changes.revoke(world.cedar.organization, [invitation.id], world.ada.by)


def send_again(world: World, invitation: Invitation) -> object:
    return changes.resend(world.cedar.organization, [invitation.id], world.ada.by)


def actor_of(invitation: Invitation) -> Membership:
    assert invitation.actor_id
    return Membership.objects.get(account_id=invitation.actor_id)


def remove(world: World, invitation: Invitation) -> object:
    return deactivate(world.cedar.id, actor_of(invitation).id, world.ada.by)


def demote(world: World, invitation: Invitation) -> object:
    return move(world.cedar.id, actor_of(invitation).id, "teacher", world.ada.by)


def take_the_group(world: World, invitation: Invitation) -> object:
    Invitation.objects.filter(id=invitation.id).update(actor_id=world.tom.account_id)
    return set_group_right(world.cedar.id, world.tom.membership.id, world.year5.id, "member", world.ada.by)


def shut(world: World, invitation: Invitation) -> object:
    return suspend.suspend(world.cedar.organization, "late with money", world.olga.actor)


def decline(world: World, invitation: Invitation) -> object:
    return refuse(invitation, Scope.THIS)


ENDS: dict[str, tuple[Undo, int, str]] = {
    "revoked": (revoke, 410, "This invitation was taken back."),
    "superseded": (send_again, 410, "Use the newest mail you got"),
    "inviter removed": (remove, 409, "Whoever invited you may not invite people any more."),
    "inviter demoted": (demote, 409, "Whoever invited you may not invite people any more."),
    "manager lost the group": (take_the_group, 409, "Whoever invited you may not invite people any more."),
    "suspended": (shut, 403, "This organisation is suspended."),
    "declined": (decline, 410, "This invitation does not work any more."),
}


@pytest.mark.parametrize("name", ENDS)
def test_c7_all_that_ends_it_ends_it_at_once(world: World, name: str) -> None:
    """C7: for somebody new, before a password is chosen for nothing, and for who has an account."""
    undo, status, said = ENDS[name]
    second = vera(world)
    one = invite(world.cedar, second, groups=("Year 5",))
    two = invite(world.cedar, second, EVE, groups=("Year 5",))
    paths = [page_of(one), page_of(two)]
    world.olga  # noqa: B018
    eve = signed_in(world.eve)
    for invitation in (one, two):
        undo(world, invitation)
    before = state()
    for client, path in ((Client(), paths[0]), (eve, paths[1])):
        for answer in (client.get(path), register(client, path), press(client, path)):
            assert (answer.status_code, said in text_of(answer)) == (status, True), text_of(answer)
    assert state() == before
    assert mails() == [] or name == "superseded"


# C8, C10, C13, C14


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_c10_looking_changes_nothing(world: World, method: str) -> None:
    """C10: mail scanners, previews, and every visitor there is."""
    mine = invite(world.cedar, world.ada)
    hers = invite(world.cedar, world.ada, EVE)
    paths = [page_of(mine), page_of(hers), copied(world, mine, unproved=True), copied(world, hers, unproved=False)]
    clients = [Client(), signed_in(world.eve), signed_in(world.bob)]
    before = state()
    for path in paths:
        for client in clients:
            assert getattr(client, method)(path).status_code in (200, 405, 410)
    assert state() == before
    assert to(register(Client(), paths[0])) == IN, "and the person still comes in"


def test_c10_a_program_that_sends_the_forms_changes_nothing(world: World) -> None:
    """C10: it has the link, the form with its token, and every button; it types nothing."""
    paths = [page_of(invite(world.cedar, world.ada)), page_of(invite(world.cedar, world.ada, EVE))]
    world.eve  # noqa: B018
    before = state()
    for path in paths:
        for act in ("", "accept", "register", "switch", "mail", "refuse", "allow"):
            for more in ({}, {"username": "", "password": ""}, {"username": "Zoë", "address": ZOE}):
                assert Client().post(path, {"act": act, **more}).status_code in (302, 400, 409)
    assert state() == before
    assert to(register(Client(), paths[0])) == IN


def test_c10_a_form_needs_its_own_token(world: World) -> None:
    """C10: without the cookie of the page nothing is taken."""
    path = page_of(invite(world.cedar, world.ada))
    assert register(Client(enforce_csrf_checks=True), path).status_code == 403


def test_c8_the_address_with_the_token_goes_nowhere(world: World) -> None:
    """C8: kept by no cache, named to no other site, and not in what is kept."""
    path = page_of(invite(world.cedar, world.ada))
    answer = Client().get(path)
    assert answer["Referrer-Policy"] == "same-origin", "stricter, and browsers would send the form without its origin"
    assert answer["Cache-Control"] == "no-store, private"
    kept = (
        repr(list(Invitation.objects.values())) + repr(list(Event.objects.values())) + repr(list(Mail.objects.values()))
    )
    assert path.rpartition("/")[2] not in kept


HOSTILE = (
    {"HTTP_HOST": "evil.example"},
    {"HTTP_X_FORWARDED_HOST": "evil.example"},
    {"HTTP_FORWARDED": "for=1.2.3.4;host=evil.example;proto=http"},
    {"HTTP_X_FORWARDED_PROTO": "ftp", "HTTP_X_FORWARDED_PORT": "1"},
    {"HTTP_X_HOST": "evil.example", "HTTP_X_FORWARDED_SERVER": "evil.example"},
    {"HTTP_X_ORIGINAL_URL": "http://evil.example/", "HTTP_X_REWRITE_URL": "http://evil.example/"},
)


@pytest.mark.parametrize("headers", HOSTILE, ids=lambda headers: next(iter(headers)))
def test_c13_no_header_changes_the_link_in_the_mail(world: World, headers: dict[str, str]) -> None:
    """C13."""
    invitation = invite(world.cedar, world.ada)
    first = link_in(one_mail(), "/invitation/")
    path = copied(world, invitation, unproved=False)
    answer: Any = Client().post(path, {"act": "mail"}, headers=None, **headers)  # type: ignore[arg-type]
    assert answer.status_code in (302, 400)
    assert "evil" not in answer.headers.get("Location", "")
    if answer.status_code == 302:
        message = one_mail()
        assert link_in(message, "/invitation/") == first
        assert "evil" not in str(message.message())
    else:
        assert mails() == []


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/%09/evil.example"]
)
def test_c14_nothing_leads_elsewhere(world: World, target: str) -> None:
    """C14: neither after accepting, nor after switching, nor from the way to sign in."""
    world.eve  # noqa: B018
    path = page_of(invite(world.cedar, world.ada))
    hers = page_of(invite(world.cedar, world.ada, EVE))
    assert "evil" not in Client().get(f"{hers}?next={target}").content.decode()
    client = signed_in(world.bob)
    switched = client.post(f"{hers}?next={target}", {"act": "switch", "next": target})
    assert to(switched) == (302, hers)
    answer = register(Client(), f"{path}?next={target}", next=target, target_link_uri=target)
    assert to(answer) == IN
