"""A forgotten password: from the form by the mail to a new one; the same for everybody who asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from mailing import link_in, mails, one_mail
from world import PASSWORD, Person, World, signed_in, somebody
from world import _claimed as claimed

from usher.core import clock as clocks
from usher.core.limits import MAIL_ANYWHERE, MAIL_FROM, MAIL_TO
from usher.core.models import Bucket, Mail
from usher.events.models import Event
from usher.events.types import OPERATOR
from usher.lifecycle.leave import deactivate
from usher.people import links, own_address, passwords
from usher.people.claim import offers_to
from usher.people.models import Account, OneTimeLink

OWN = "four words in a row"
EVE = "eve@elsewhere.example"
TABLES = re.compile(r'(?:FROM|INTO|UPDATE) "?\w+"?')
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')


def ask(address: str, at: str = "/forgot", client: Client | None = None) -> HttpResponse:
    answer = (client or Client()).post(at, {"email": address})
    assert isinstance(answer, HttpResponse)
    return answer


def chosen(password: str = OWN) -> dict[str, str]:
    return {"password": password, "again": password}


def opens(name: str, password: str, at: str = "/") -> bool:
    return Client().post(at, {"name": name, "password": password}).status_code == 302


def is_in(client: Client) -> bool:
    return client.get("/password").status_code == 200


def reset_path(address: str, at: str = "/forgot") -> str:
    ask(address, at)
    return link_in(one_mail(), "/reset/")


# From the form to the new password


def test_the_whole_way(world: World) -> None:
    eve = world.eve
    client = Client()
    answer = ask(EVE, client=client)
    assert (answer.status_code, answer["Location"]) == (302, "/forgot?sent=1")
    assert "Look into your mailbox" in client.get(answer["Location"]).content.decode()
    message = one_mail()
    assert message.to == [EVE]
    path = link_in(message, "/reset/")
    page = client.get(path).content.decode()
    assert EVE in page
    done = client.post(path, chosen())
    assert (done.status_code, done["Location"]) == (302, "/")
    assert "Your new password works" in client.get("/").content.decode()
    assert not is_in(client), "the link proves the mailbox, and a sign-in may want more than that"
    assert opens(EVE, OWN)
    assert not opens(EVE, PASSWORD)
    assert Event.objects.filter(type="password:changed", account_id=eve.account_id, actor_id=eve.account_id).exists()


def test_looking_uses_nothing_up(world: World) -> None:
    world.eve  # noqa: B018 - she comes by being named
    path = reset_path(EVE)
    before = OneTimeLink.objects.values().get()
    for _ in range(2):
        assert Client().get(path).status_code == 200
        assert Client().head(path).status_code == 200
    # A program that sends the forms it finds types no password.
    for typed in ({}, {"password": "", "again": ""}, chosen("short"), {"password": OWN, "again": "another"}):
        assert "Save password" in Client().post(path, typed).content.decode()
    assert OneTimeLink.objects.values().get() == before
    assert opens(EVE, PASSWORD)
    assert Client(enforce_csrf_checks=True).post(path, chosen()).status_code == 403
    assert Client().post(path, chosen()).status_code == 302


def test_a_link_works_once_for_an_hour_and_the_newest_alone(world: World, clock: time_machine.Traveller) -> None:
    world.eve  # noqa: B018
    first, second = reset_path(EVE), reset_path(EVE)
    assert Client().get(first).status_code == 410
    clock.shift(timedelta(minutes=60, seconds=-1))
    assert Client().get(second).status_code == 200
    clock.shift(timedelta(seconds=1))
    assert Client().post(second, chosen()).status_code == 410
    third = reset_path(EVE)
    Client().post(third, chosen())
    for answer in (Client().get(third), Client().post(third, chosen("another one of mine"))):
        assert answer.status_code == 410
        assert "Ask for a new link" in answer.content.decode()
    assert opens(EVE, OWN)


@pytest.mark.parametrize("place", ["/set-up/", "/address/", "/confirm/"])
def test_a_token_opens_its_own_page_alone(world: World, place: str) -> None:
    token = reset_path(world.eve.account.email).rpartition("/")[2]
    assert signed_in(world.eve).get(place + token).status_code == 410


def test_other_tokens_open_no_reset(world: World) -> None:
    own_address.ask(world.eve.account, "eve@new.example", "203.0.113.1")
    (message,) = [message for message in mails() if "/address/" in str(message.body)]
    token = link_in(message, "/address/").rpartition("/")[2]
    set_up = links.make_setup_link(world.eve.account, None, OPERATOR).rpartition("/")[2]
    for one in (token, set_up, "x" * 43, "a", f"{token[:-1]}%00"):
        assert Client().get(f"/reset/{one}").status_code in (400, 410)


def test_everything_else_that_opened_the_account_ends(world: World, client_of: Callable[[Person], Client]) -> None:
    """security.md A2, A4."""
    browsers = [client_of(world.eve) for _ in range(3)]
    links.make_setup_link(world.eve.account, None, OPERATOR)
    own_address.ask(world.eve.account, "evil@new.example", "203.0.113.1")
    mails()
    path = reset_path(EVE)
    assert all(map(is_in, browsers))
    Client().post(path, chosen())
    assert not any(map(is_in, browsers))
    assert not OneTimeLink.objects.filter(consumed_at=None).exists()


def test_second_factors_stay(world: World) -> None:
    """security.md D6: who has only the mailbox has only one proof."""
    for kind in (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES):
        Authenticator.objects.create(user=world.eve.account, type=kind, data={"secret": "kept"})
    Client().post(reset_path(EVE), chosen())
    assert Authenticator.objects.filter(user=world.eve.account).count() == 2


def test_an_admin_chooses_a_long_one(world: World) -> None:
    path = reset_path("ada@cedar.example")
    assert "15 characters or more" in Client().get(path).content.decode()
    assert Client().post(path, chosen("four words")).status_code == 400
    assert Client().post(path, chosen()).status_code == 302


# An account that an organisation made


def test_the_owner_of_the_mailbox_takes_the_account(world: World) -> None:
    """security.md A3, A6: nothing that the organisation set up opens it any more, and he stays in."""
    browser = signed_in(world.pia)
    twin = world.birch.add(somebody("Pia", "learner", email="pia@cedar.example"))
    message_before = len(Event.objects.filter(type="account:claimed"))
    path = reset_path("pia@cedar.example")
    assert "Cedar School" in Client().get(path).content.decode()
    Client().post(path, chosen())
    account = world.pia.account
    assert account.is_claimed
    assert not is_in(browser)
    for at in ("/", "/o/cedar/sign-in", "/o/birch/sign-in"):
        assert not opens("pia@cedar.example", PASSWORD, at)
        assert opens("pia@cedar.example", OWN, at)
    assert world.pia.membership.state == "active"
    assert [offer.id for offer in offers_to(account)] == [twin.membership_id]
    assert len(Event.objects.filter(type="account:claimed")) == message_before + 2


def test_the_door_one_came_by_chooses_among_two_organisations(world: World) -> None:
    twin = world.birch.add(somebody("Pia", "learner", email="pia@cedar.example"))
    answer = Client().post(reset_path("pia@cedar.example", "/o/birch/forgot"), chosen())
    assert answer["Location"] == "/o/birch/sign-in"
    assert world.birch.account(twin).is_claimed
    assert not world.pia.account.is_claimed


def test_an_account_in_use_goes_before_one_that_is_not(world: World) -> None:
    twin = world.birch.add(somebody("Pia", "learner", email="pia@cedar.example"))
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    Client().post(reset_path("pia@cedar.example"), chosen())
    assert world.birch.account(twin).is_claimed


def test_a_link_is_dead_when_another_has_proved_the_address_since(world: World) -> None:
    path = reset_path("pia@cedar.example")
    claimed("Pia herself", "pia@cedar.example")
    Account.objects.filter(id=world.pia.account_id).update(sign_in_key="another@cedar.example")
    assert Client().post(path, chosen()).status_code == 410
    assert not world.pia.account.is_claimed


def test_a_made_name_is_sent_to_a_person(world: World) -> None:
    made = world.cedar.add(somebody("Lea Lund"))
    for typed in ("lea.lund", world.cedar.account(made).sign_in_key, "  LEA.LUND@cedar.usher.INVALID "):
        answer = ask(typed)
        assert answer.status_code == 400
        assert "Ask your teacher or an admin" in answer.content.decode()
    assert mails() == []


# The same for everybody


def proved(world: World) -> str:
    return world.eve.account.email


def unclaimed(world: World) -> str:
    return world.pia.account.email


def gone(world: World) -> str:
    deactivate(world.cedar.id, world.tom.membership.id, world.ada.by)
    return world.tom.account.email


def operator(world: World) -> str:
    return world.olga.account.email


def twice(world: World) -> str:
    world.birch.add(somebody("Bo", "learner", email="bo@mail.example"))
    world.maple.add(somebody("Bo", "member", email="bo@mail.example"))
    return "bo@mail.example"


def unknown(world: World) -> str:
    return "nobody@mail.example"


KINDS = (proved, unclaimed, gone, operator, twice, unknown)


@pytest.mark.parametrize("at", ["/forgot", "/o/cedar/forgot"])
def test_every_address_costs_and_says_the_same(world: World, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """security.md D1."""
    monkeypatch.setattr(passwords, "_argon2", None)  # nothing is hashed
    seen = {}
    for kind in KINDS:
        address = kind(world)
        client = Client()
        with CaptureQueriesContext(connection) as queries:
            answer = ask(address, at, client)
            page = client.get(answer["Location"])
        shapes = tuple(" ".join(TABLES.findall(query["sql"])) for query in queries)
        seen[kind.__name__] = (answer.status_code, answer["Location"], shapes, TOKEN.sub(b"", page.content))
        assert not any("people_account" in shape for shape in shapes), "the request looks for nobody"
    assert len(set(seen.values())) == 1, seen
    assert Mail.objects.count() == len(KINDS)


def test_only_the_mailbox_hears_whether_there_is_an_account(world: World) -> None:
    for kind in KINDS:
        address = kind(world)
        ask(address)
        message = one_mail()
        assert message.to == [address]
        assert ("/reset/" in str(message.body)) == (kind is not unknown)
        assert ("There is no account" in str(message.body)) == (kind is unknown)


# To the stored address alone (security.md D5)


@pytest.mark.parametrize(
    "typed",
    [
        {"email": [EVE, "evil@mail.example"]},
        {"email[]": [EVE, "evil@mail.example"], "email": EVE},
        {"email": EVE, "to": "evil@mail.example", "email_cc": "evil@mail.example"},
        {"email": f"{EVE},evil@mail.example"},
        {"email": f"{EVE} evil@mail.example"},
        {"email": f"{EVE}\r\nCc: evil@mail.example"},
        {"email": f"{EVE}\n"},
        {"email": '["eve@elsewhere.example", "evil@mail.example"]'},
        {"email": "eve@elsewhere.example%0acc:evil@mail.example"},
        {"email": "eve@e\u217csewhere.example"},
        {"email": "eve@el\u017fewhere.example"},
        {"email": "ev\u0435@elsewhere.example"},
        {"email": "EVE@ELSEWHERE.EXAMPLE"},
    ],
)
def test_nobody_else_gets_a_link(world: World, typed: dict[str, Any]) -> None:
    world.eve  # noqa: B018
    Client().post("/forgot", typed)
    Client().post("/forgot", data=str(typed), content_type="application/json")
    for message in mails():
        if "/reset/" in str(message.body):
            assert message.recipients() == [EVE]
        assert len(message.recipients()) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"HTTP_HOST": "localhost"},
        {"HTTP_X_FORWARDED_HOST": "evil.example"},
        {"HTTP_FORWARDED": "host=evil.example;proto=https"},
        {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_PORT": "444"},
        {"HTTP_X_ORIGINAL_HOST": "evil.example", "HTTP_X_HOST": "evil.example"},
        {"HTTP_X_FORWARDED_PREFIX": "/evil", "SCRIPT_NAME": "/evil"},
    ],
)
def test_a_link_leads_to_our_own_address_whatever_the_request_says(world: World, headers: dict[str, str]) -> None:
    """security.md C13; link_in() compares with the address in the settings."""
    world.eve  # noqa: B018
    ask(EVE, client=Client(**headers))  # type: ignore[arg-type]
    assert "evil" not in link_in(one_mail(), "/reset/")


def test_a_foreign_host_is_no_host_of_ours(world: World) -> None:
    assert ask(EVE, client=Client(HTTP_HOST="evil.example")).status_code == 400
    assert mails() == []


# Limits


def test_a_mailbox_is_not_flooded_and_nobody_is_told(world: World, clock: time_machine.Traveller) -> None:
    world.eve  # noqa: B018
    answers = {(answer.status_code, answer["Location"]) for answer in (ask(EVE) for _ in range(20))}
    assert answers == {(302, "/forgot?sent=1")}
    assert len(mails()) == MAIL_TO.capacity
    clock.shift(timedelta(seconds=MAIL_TO.refill_seconds + 1))
    ask(EVE)
    assert len(mails()) == 1


@pytest.mark.parametrize(("limit", "who"), [(MAIL_FROM, "127.0.0.1"), (MAIL_ANYWHERE, "anywhere")])
def test_a_network_and_the_whole_house_have_their_limits(
    world: World, clock: time_machine.Traveller, limit: Any, who: str
) -> None:
    Bucket.objects.create(key=limit.key(who), level=limit.capacity, updated_at=clocks.now().timestamp())
    answer = ask("somebody@mail.example")
    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()
    assert 'value="somebody@mail.example"' in answer.content.decode()
    assert mails() == []


# What the owner hears


def test_a_change_is_told_to_a_proved_address_alone(world: World, client_of: Callable[[Person], Client]) -> None:
    change = {"old": PASSWORD, **chosen()}
    client_of(world.eve).post("/password", change)
    message = one_mail()
    assert (message.to, message.subject) == ([EVE], "Your password was changed")
    assert link_in(message, "/forgot") == "/forgot"
    client_of(world.pia).post("/password", change)
    assert mails() == []


def test_a_reset_is_told_as_well(world: World) -> None:
    Client().post(reset_path(world.eve.account.email), chosen())
    assert one_mail().subject == "Your password was changed"
    Client().post(reset_path("pia@cedar.example"), chosen())
    assert one_mail().to == ["pia@cedar.example"]


def test_without_a_way_out_the_page_says_so(world: World, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    page = Client().get("/forgot").content.decode()
    assert "This server sends no mail" in page
    assert 'name="email"' not in page


@pytest.mark.parametrize("typed", ["", "eve@", "eve@elsewhere", "x" * 300 + "@mail.example"])
def test_what_is_no_address_is_said_at_the_field_and_kept(world: World, typed: str) -> None:
    page = ask(typed).content.decode()
    assert ('id="id_email_wrong"' in page) or "gets no mail" in page
    assert f'value="{typed}"' in page or not typed
    assert mails() == []
