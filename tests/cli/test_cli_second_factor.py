"""usher operator reset-second-factor: for whoever lost phone and recovery codes, and has proved an address."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from command import Usher
from django.core import mail
from django.test import Client
from world import PASSWORD, Person, World

from usher.core.work import drain
from usher.events.models import Event
from usher.people import factors, totp

RESET = ("operator", "reset-second-factor")


def protect(person: Person) -> None:
    seed = totp.new_seed()
    factors.add_app(person.account, seed, totp.code(totp.key(person.account_id, seed), totp.step_now()))


def test_the_password_is_enough_again(world: World, usher: Usher) -> None:
    protect(world.eve)
    told = usher(*RESET, "EVE@elsewhere.example")
    assert (told.code, told.out) == (0, "")
    assert "eve@elsewhere.example signs in by the password alone" in told.err
    assert not Authenticator.objects.exists()
    browser = Client()
    browser.post("/", {"name": "eve@elsewhere.example", "password": PASSWORD})
    assert browser.get("/account/security").status_code == 200
    event = Event.objects.get(type="factor:removed")
    assert (event.actor_kind, event.account_id) == ("operator", world.eve.account_id)
    drain()
    assert "Your second step at sign-in was removed" in [one.subject for one in mail.outbox]


def test_nothing_to_reset_is_told(world: World, usher: Usher) -> None:
    told = usher(*RESET, world.eve.account.email)
    assert (told.code, "neither an authenticator app nor a passkey" in told.err) == (2, True)


def test_an_account_that_an_organisation_made_is_its_staffs_to_help(world: World, usher: Usher) -> None:
    protect(world.pia)
    told = usher(*RESET, "pia@cedar.example")
    assert (told.code, "Nobody has proved the address" in told.err) == (2, True)
    assert factors.has_second(world.pia.account)
