"""“This was not for me”: whoever has the mailbox wants no more of them, and no program says so for him."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from doors import text_of
from invited import IN, page_of, register, state, to
from inviting import ZOE, invite, order
from mailing import link_in, mails, one_mail
from world import World, signed_in, somebody

from usher.events.types import EventType
from usher.lifecycle.joiner import Result
from usher.methods.email_invitation import changes, links
from usher.methods.email_invitation.models import Invitation, Suppression
from usher.methods.email_invitation.order import Kind, preview
from usher.methods.email_invitation.words import NOT_WRITTEN


def link_of(invitation: Invitation) -> str:
    return f"/not-for-me/{links.refusal_link(invitation).rpartition('/')[2]}"


def choose(path: str, scope: str = "", client: Client | None = None, **more: str) -> HttpResponse:
    sent = {"act": "refuse", **({"scope": scope} if scope else {}), **more}
    answer = (client or Client()).post(path, sent)
    assert isinstance(answer, HttpResponse)
    return answer


def allow(path: str, **ticked: str) -> HttpResponse:
    answer = Client().post(path, {"act": "allow", **ticked})
    assert isinstance(answer, HttpResponse)
    return answer


def kind(world: World, house: Any, by: Any) -> Kind:
    return preview(order(house, by.by, ZOE)).rows[0].kind


def test_the_mail_brings_the_link_and_the_header_names_it(world: World) -> None:
    invitation = invite(world.cedar, world.ada)
    message = one_mail()
    assert link_in(message, "/not-for-me/") == link_of(invitation)
    assert message.extra_headers["List-Unsubscribe"] == f"<{links.refusal_link(invitation)}>"
    assert "List-Unsubscribe-Post" not in message.extra_headers, "a mail program would choose for the person"


def test_none_of_the_three_is_chosen_beforehand(world: World) -> None:
    page = Client().get(link_of(invite(world.cedar, world.ada)))
    html = page.content.decode()
    assert html.count('type="radio"') == 3
    assert "checked" not in html
    for words in ("Only this invitation", "Nothing more from Cedar School", "No invitation from anybody here", ZOE):
        assert words in text_of(page)
    assert "Invitations may come again" not in text_of(page), "nothing was asked for before"


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_c10_looking_changes_nothing(world: World, method: str) -> None:
    """C10."""
    path = link_of(invite(world.cedar, world.ada))
    before = state()
    getattr(Client(), method)(path)
    assert state() == before


@pytest.mark.parametrize("scope", ["", "everything", "THIS", "organization all"])
def test_c10_a_form_without_a_choice_changes_nothing(world: World, scope: str) -> None:
    """C10: a program that sends the forms of a page."""
    invitation = invite(world.cedar, world.ada)
    before = state()
    answer = choose(link_of(invitation), scope)
    assert answer.status_code == 400
    assert "Choose one of the three first." in text_of(answer)
    assert allow(link_of(invitation)).status_code == 400
    assert Client().post(link_of(invitation)).status_code == 400
    assert state() == before
    assert to(register(Client(), page_of(invitation))) == IN


@pytest.mark.parametrize(
    ("scope", "cedar", "birch"),
    [("this", "new", "new"), ("organization", "refused", "new"), ("all", "refused", "refused")],
)
def test_what_is_chosen_is_so(world: World, scope: str, cedar: str, birch: str) -> None:
    invitation = invite(world.cedar, world.ada, reserve=True)
    path = link_of(invitation)
    answer = choose(path, scope)
    assert answer.status_code == 200
    assert "This invitation of Cedar School lets nobody in any more." in text_of(answer)
    invitation.refresh_from_db()
    assert invitation.state == "declined"
    assert register(Client(), page_of(invitation)).status_code == 410
    assert mails() == [], "the mail that waited is not sent"
    assert (kind(world, world.cedar, world.ada), kind(world, world.birch, world.bob)) == (cedar, birch)
    assert len(world.cedar.events(EventType.INVITATION_DECLINED)) == 1
    # Once more, by a double click: no second event, and the same page.
    assert text_of(choose(path, scope)) == text_of(answer)
    assert len(world.cedar.events(EventType.INVITATION_DECLINED)) == 1


def test_c11_what_waits_from_others_is_not_sent_either(world: World) -> None:
    """C11: a mail of another organisation that was queued before."""
    invitation = invite(world.cedar, world.ada)
    mails()
    other = invite(world.birch, world.bob, role="learner")
    choose(link_of(invitation), "all")
    assert mails() == []
    other.refresh_from_db()
    assert (other.state, other.mailing, other.mail_code) == ("open", "failed", NOT_WRITTEN)


def test_the_declined_seat_is_free(world: World) -> None:
    world.cedar.seats("student", world.cedar.seats("student").used + 1)
    choose(link_of(invite(world.cedar, world.ada, reserve=True)), "this")
    assert world.cedar.add(somebody("Late", email="late@mail.example")).result is Result.CREATED


@pytest.mark.parametrize(
    ("scope", "said"), [("organization", "Cedar School sends no more"), ("all", "Nobody here sends")]
)
def test_invitations_may_come_again(world: World, scope: str, said: str) -> None:
    path = link_of(invite(world.cedar, world.ada))
    choose(path, scope)
    page = Client().get(path)
    assert said in text_of(page)
    assert "Invitations may come again" in text_of(page)
    assert "checked" not in page.content.decode()
    refused = allow(path)
    assert (refused.status_code, "Tick this first." in text_of(refused)) == (400, True)
    assert Suppression.objects.exists()
    answer = allow(path, again="on")
    assert (answer.status_code, "Invitations may come again" in text_of(answer)) == (200, True)
    assert kind(world, world.cedar, world.ada) == "new"
    assert Invitation.objects.get().state == "declined", "that one stays over"


def test_an_older_mails_link_works_after_a_newer_mail(world: World) -> None:
    invitation = invite(world.cedar, world.ada)
    old = link_in(one_mail(), "/not-for-me/")
    changes.resend(world.cedar.organization, [invitation.id], world.ada.by)
    assert choose(old, "this").status_code == 200
    invitation.refresh_from_db()
    assert invitation.state == "declined"


def test_whoever_is_in_stays_in(world: World) -> None:
    """The mail is read later once more: nobody loses a place by it."""
    invitation = invite(world.cedar, world.ada)
    client = Client()
    register(client, page_of(invitation))
    assert choose(link_of(invitation), "organization", client).status_code == 200
    invitation.refresh_from_db()
    assert invitation.state == "accepted"
    assert client.get("/o/cedar/").status_code == 200


def test_the_address_is_kept_as_a_hash_alone(world: World) -> None:
    choose(link_of(invite(world.cedar, world.ada)), "all")
    assert ZOE not in repr(list(Suppression.objects.values()))


@pytest.mark.parametrize("token", ["A" * 43, "x", "%2e%2e"])
def test_c1_a_link_that_was_never_made_is_dead(world: World, token: str) -> None:
    """C1."""
    before = state()
    for answer in (Client().get(f"/not-for-me/{token}"), choose(f"/not-for-me/{token}", "all")):
        assert answer.status_code == 410
        assert "nothing is left to do" in text_of(answer)
    assert state() == before


def test_c10_the_form_needs_its_own_token(world: World) -> None:
    """C10: another site cannot send it."""
    path = link_of(invite(world.cedar, world.ada))
    assert choose(path, "all", Client(enforce_csrf_checks=True)).status_code == 403
    assert signed_in(world.ada).get(path).status_code == 200, "it makes no difference who is signed in"
