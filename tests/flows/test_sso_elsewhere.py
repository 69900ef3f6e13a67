"""The buttons of single sign-on on the pages of other ways in, and what the pages at the door say of a "no"."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from inviting import invite, token_of
from standins import Form, StandIns, Walker
from trips import back, google, leads_to, microsoft, travel
from world import PASSWORD, World

from usher.core import clock
from usher.methods.email_invitation.models import Invitation
from usher.methods.invite_code.models import InviteCode
from usher.methods.sso.models import Kind
from usher.organizations.models import Organization
from usher.people.models import Identity

pytestmark = pytest.mark.django_db
BUTTON = re.compile(r'<form method="post" action="/sso/start">.*?</form>', re.DOTALL)


def pressed(browser: Client, page: str, label: str) -> str:
    """The address at the provider, by the button of a page as it stands there; empty where there is none."""
    html = browser.get(page, follow=True).content.decode()
    found = next((form for form in BUTTON.findall(html) if f"Continue with {label}" in form), None)
    form = Form.of(found) if found else None
    return leads_to(browser.post("/sso/start", form.fields)) if form else ""


@pytest.mark.parametrize("address", ["vera@cedar.example", "tom@cedar.example"], ids=["new", "has_account"])
def test_an_invitation_can_be_taken_with_microsoft(
    world: World, providers: StandIns, client: Client, address: str
) -> None:
    invitation = invite(world.birch, world.bob, address)
    page = f"/invitation/{token_of(invitation)}"
    assert not pressed(client, page, "Microsoft"), "nothing is connected"
    microsoft(world, providers, "birch")
    url = pressed(client, page, "Microsoft")
    answer = back(client, Walker(providers).walk(url, "mallory"))
    assert (answer.status_code, answer["Location"]) == (302, page)
    invitation.refresh_from_db()
    assert invitation.state == Invitation.State.OPEN, "it is of another address"


def test_whoever_was_invited_lands_inside(world: World, providers: StandIns, client: Client) -> None:
    invitation = invite(world.cedar, world.ada, "vera@cedar.example", role="teacher")
    page = f"/invitation/{token_of(invitation)}"
    microsoft(world, providers)
    answer = back(client, Walker(providers).walk(pressed(client, page, "Microsoft"), "vera"))
    assert client.get(answer["Location"])["Location"] == "/o/cedar/"
    invitation.refresh_from_db()
    assert invitation.state == Invitation.State.ACCEPTED


def test_a_code_can_be_used_with_microsoft(world: World, providers: StandIns, client: Client) -> None:
    code = InviteCode.objects.create(
        organization=world.cedar.organization, code="7K4M29QX", role="student", group=world.year5
    )
    page = f"/join/{code.code}"
    assert not pressed(client, page, "Microsoft"), "nothing is connected"
    microsoft(world, providers, lets_in=False)
    back(client, Walker(providers).walk(pressed(client, page, "Microsoft"), "paul"))
    code.refresh_from_db()
    assert code.used == 1


def test_after_a_no_another_account_can_be_chosen(world: World, providers: StandIns, client: Client) -> None:
    """Without it the provider would send back the same person at once."""
    google(world)
    html = travel(client, providers, Kind.GOOGLE, "frank").content.decode()
    form = Form.of(BUTTON.findall(html)[0])
    assert form
    asked = parse_qs(urlsplit(leads_to(client.post("/sso/start", form.fields))).query)
    assert asked["prompt"] == ["select_account"]
    first = parse_qs(urlsplit(leads_to(client.post("/sso/start", {"kind": "google"}))).query)
    assert "prompt" not in first, "nobody is asked to choose before"


def test_whoever_proves_to_be_somebody_else_is_told_so(world: World, providers: StandIns, client: Client) -> None:
    travel(client, providers, microsoft(world, providers), "paul")
    form = {"identity": str(Identity.objects.get().id), "next": "/account/security"}
    with time_machine.travel(clock.now() + dt.timedelta(minutes=11), tick=True):
        answer = back(client, Walker(providers).walk(leads_to(client.post("/sso/again", form)), "vera"))
    assert "Microsoft did not prove that it is you." in unescape(answer.content.decode())


def test_who_has_no_password_is_not_asked_to_change_it(world: World, providers: StandIns, client: Client) -> None:
    travel(client, providers, microsoft(world, providers), "paul")
    for page in ("/account/security", "/o/cedar/"):
        assert 'href="/password"' not in client.get(page).content.decode()


def test_at_the_common_door_a_right_password_leads_to_the_own_one(
    world: World, providers: StandIns, client: Client
) -> None:
    microsoft(world, providers)
    Organization.objects.filter(id=world.cedar.id).update(passwords_for="admins")
    given = {"name": "tom@cedar.example", "password": PASSWORD, "next": "/o/cedar/groups"}
    link = 'href="/o/cedar/sign-in?next=%2Fo%2Fcedar%2Fgroups"'
    assert link in client.post("/", given).content.decode()
    assert link not in client.post("/", {**given, "password": "guessed"}).content.decode()
    at_its_own = client.post("/o/cedar/sign-in", given).content.decode()
    assert link not in at_its_own
    assert at_its_own.index("Continue with Microsoft") < at_its_own.index("Sign in with a password")


def test_an_empty_address_is_asked_for(world: World, providers: StandIns, client: Client) -> None:
    microsoft(world, providers)
    answer = client.post("/sso/by-address", {"name": " "}, follow=True)
    assert "Type the address of your school or work account first." in answer.content.decode()
