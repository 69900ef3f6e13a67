"""The owner of an account hears of a sign-in with a browser that was never used for it, and of no other."""

from __future__ import annotations

from django.test import Client
from mailing import mails
from world import PASSWORD, Person, World

from usher.people.known_browsers import COOKIE, MOST
from usher.people.models import Account

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sign_in(person: Person, client: Client) -> None:
    typed = {"name": person.account.sign_in_key, "password": PASSWORD}
    answer = client.post("/", typed, headers={"user-agent": FIREFOX})
    assert answer.status_code == 302, answer.content


def subjects() -> list[str]:
    return [str(mail.subject) for mail in mails()]


def test_the_first_sign_in_of_all_is_no_news_and_the_next_browser_is(world: World) -> None:
    sign_in(world.eve, Client())
    assert subjects() == []
    sign_in(world.eve, Client())
    (mail,) = mails()
    assert (mail.to, mail.subject) == (["eve@elsewhere.example"], "New sign-in to your account")
    assert "Firefox, Windows" in mail.body


def test_a_browser_is_known_after_signing_out(world: World) -> None:
    browser = Client()
    sign_in(world.eve, browser)
    browser.post("/sign-out")
    sign_in(world.eve, browser)
    assert subjects() == []


def test_one_browser_knows_several_people_and_nobody_by_a_made_up_cookie(world: World) -> None:
    shared = Client()
    for person in (world.eve, world.olga, world.eve):
        sign_in(person, shared)
    assert subjects() == []
    for forged in ("x", ".".join("ab" * 12 for _ in range(500)), shared.cookies[COOKIE].value[:20]):
        stranger = Client()
        stranger.cookies[COOKIE] = forged
        sign_in(world.eve, stranger)
        assert subjects() == ["New sign-in to your account"], forged
        assert len(stranger.cookies[COOKIE].value.split(".")) <= MOST


def test_an_address_that_nobody_proved_hears_nothing(world: World) -> None:
    for _ in range(2):
        sign_in(world.pia, Client())
    assert not Account.objects.get(id=world.pia.account_id).is_claimed
    assert subjects() == []


def test_many_at_once_are_one_mail(world: World) -> None:
    for _ in range(5):
        sign_in(world.eve, Client())
    assert subjects() == ["New sign-in to your account"]
