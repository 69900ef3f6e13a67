"""One's own account: the name, and the address, which is proved before it counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from mailing import link_in, mails, one_mail
from world import PASSWORD, Person, World, known, signed_in, somebody
from world import _claimed as claimed

from usher.core.limits import MAIL_TO
from usher.events.models import Event
from usher.people import fresh, links, own_address
from usher.people.claim import offers_to
from usher.people.models import Account, OneTimeLink, SearchWord

OWN = "four words in a row"
EVE, NEW = "eve@elsewhere.example", "Eve@New.example"


def chosen(password: str = OWN) -> dict[str, str]:
    return {"password": password, "again": password}


def opens(name: str, password: str = PASSWORD, at: str = "/") -> bool:
    return Client().post(at, {"name": name, "password": password}).status_code == 302


def ask(client: Client, address: str = NEW) -> None:
    answer = client.post("/account/address", {"email": address})
    assert (answer.status_code, answer["Location"]) == (302, "/account"), answer.content


def proof_path(client: Client, address: str = NEW) -> str:
    ask(client, address)
    return link_in(next(message for message in mails() if "/address/" in str(message.body)), "/address/")


@pytest.fixture
def eve(world: World) -> Client:
    return signed_in(world.eve)


# The name


def test_a_new_name_is_found_and_told_in_every_organisation(world: World, eve: Client) -> None:
    memberships = [world.cedar.add(known(world.eve)), world.birch.add(known(world.eve, "learner"))]
    assert eve.post("/account", {"username": "  Eva   Åström "}).status_code == 302
    assert world.eve.account.username == "Eva Åström"
    for outcome in memberships:
        assert SearchWord.objects.filter(membership__in=[outcome.membership_id], word="astrom").exists()
    told = Event.objects.filter(type="account:corrected")
    assert {event.organization_id for event in told} == {world.cedar.id, world.birch.id}
    assert [event.personal for event in told] == [{"from": {"username": "Eve"}, "to": {"username": "Eva Åström"}}] * 2
    assert "Your name is changed" in eve.get("/account").content.decode()


def test_the_same_name_is_no_news(world: World, eve: Client) -> None:
    assert eve.post("/account", {"username": "Eve"}).status_code == 302
    assert not Event.objects.filter(type="account:corrected").exists()


@pytest.mark.parametrize("typed", ["=2+2", "Ada\u202e", "x" * 151, "", "   "])
def test_what_is_no_name_is_said_and_kept(world: World, eve: Client, typed: str) -> None:
    page = eve.post("/account", {"username": typed}).content.decode()
    assert 'id="id_username_wrong"' in page
    assert world.eve.account.username == "Eve"


def test_an_organisation_keeps_the_names_it_gave(world: World) -> None:
    pia = signed_in(world.pia)
    assert 'name="username"' not in pia.get("/account").content.decode()
    assert pia.post("/account", {"username": "Batman"}).status_code == 403
    assert world.pia.account.username == "Pia Pine"


# Another address


def test_the_whole_way(world: World, eve: Client) -> None:
    world.cedar.add(known(world.eve))
    ask(eve)
    by_receiver = {message.to[0]: message for message in mails()}
    assert set(by_receiver) == {NEW, EVE}
    assert NEW in str(by_receiver[EVE].body)
    assert "/address/" not in str(by_receiver[EVE].body)
    assert NEW in eve.get("/account").content.decode()
    path = link_in(by_receiver[NEW], "/address/")
    assert opens(EVE)
    assert NEW in eve.get(path).content.decode()
    answer = eve.post(path)
    assert (answer.status_code, answer["Location"]) == (302, "/account")
    assert "Your address is proved" in eve.get("/account").content.decode()
    account = world.eve.account
    assert (account.email, account.sign_in_key) == (NEW, NEW.lower())
    assert not opens(EVE)
    assert opens(NEW)
    assert [(row.email, row.verified, row.primary) for row in EmailAddress.objects.filter(user=account)] == [
        (NEW.lower(), True, True)
    ]
    assert SearchWord.objects.filter(word="eve@new.example").exists()
    assert not SearchWord.objects.filter(word="eve@elsewhere.example").exists()
    event = Event.objects.get(type="address:changed")
    assert (event.organization_id, event.personal) == (world.cedar.id, {"from": EVE, "to": NEW})
    assert EVE not in str(event.data)
    (message,) = [one for one in mails() if one.to == [EVE]]
    assert message.subject == "Your address was changed"
    assert NEW not in str(message.body)


def test_looking_uses_nothing_up_and_nobody_else_can_act(world: World, eve: Client) -> None:
    path = proof_path(eve)
    for _ in range(2):
        assert eve.get(path).status_code == 200
        assert eve.head(path).status_code == 200
    stranger, other = Client(), signed_in(world.pia)
    for answer in (stranger.get(path), stranger.post(path)):
        assert answer["Location"].startswith("/?next=") or answer["Location"] == "/"
    for answer in (other.get(path), other.post(path, chosen())):
        assert answer.status_code == 403
        assert "This link is for another account." in answer.content.decode()
        assert NEW not in answer.content.decode()
    assert world.eve.account.email == EVE
    assert eve.post(path).status_code == 302


def test_the_link_works_once_for_a_day(world: World, clock: time_machine.Traveller) -> None:
    path = proof_path(signed_in(world.eve))
    clock.shift(timedelta(hours=24, seconds=-1))
    assert signed_in(world.eve).get(path).status_code == 200
    clock.shift(timedelta(seconds=1))
    later = signed_in(world.eve)
    assert later.post(path).status_code == 410
    path = proof_path(later)
    assert later.post(path).status_code == 302
    assert later.get(path).status_code == 410


def test_of_two_changes_the_older_link_dies(world: World, eve: Client) -> None:
    """security.md A10."""
    first, second = proof_path(eve, "one@new.example"), proof_path(eve, "two@new.example")
    assert eve.post(first).status_code == 410
    assert world.eve.account.email == EVE
    assert eve.post(second).status_code == 302
    assert world.eve.account.email == "two@new.example"


@pytest.mark.parametrize("how", ["reset", "password", "set_up", "address"])
def test_a_link_on_its_way_dies_with_what_it_was_asked_under(world: World, eve: Client, how: str) -> None:
    """security.md A4: whoever had the password for a while leaves nothing behind."""
    world.cedar.add(known(world.eve))
    path = proof_path(eve, "evil@new.example")
    if how == "reset":
        Client().post("/forgot", {"email": EVE})
        Client().post(link_in(one_mail(), "/reset/"), chosen())
    elif how == "password":
        eve.post("/password", {"old": PASSWORD, **chosen()})
    elif how == "set_up":
        link = links.make_setup_link(world.eve.account, None, world.olga.actor)
        Client().post("/" + link.split("/", 3)[3], chosen())
    else:
        own = proof_path(eve, "own@new.example")
        eve.post(own)
    for browser in (eve, signed_in(world.eve)):
        assert browser.post(path).status_code in (302, 410)
    assert world.eve.account.email != "evil@new.example"
    assert signed_in(world.eve).get(path).status_code == 410


def test_the_page_asks_for_a_fresh_proof(world: World, clock: time_machine.Traveller) -> None:
    eve = signed_in(world.eve)
    clock.shift(timedelta(seconds=fresh.SECONDS + 1))
    answer = eve.get("/account/address")
    assert answer.status_code == 302
    assert answer["Location"].startswith(fresh.AGAIN)
    clock.shift(timedelta(seconds=fresh.SECONDS))
    assert eve.post("/account/address", {"email": NEW})["Location"].startswith(fresh.AGAIN)
    assert mails() == []


@pytest.mark.parametrize("typed", [EVE, EVE.upper(), "eve@", "eve@x.invalid", ""])
def test_what_cannot_become_the_address_is_said_at_the_field(world: World, eve: Client, typed: str) -> None:
    page = eve.post("/account/address", {"email": typed}).content.decode()
    assert 'id="id_email_wrong"' in page
    assert mails() == []


def test_a_mailbox_is_not_flooded(world: World, eve: Client) -> None:
    for _ in range(MAIL_TO.capacity + 4):
        ask(eve, "victim@new.example")
    assert OneTimeLink.objects.filter(purpose="address").count() == MAIL_TO.capacity
    assert [message.to for message in mails()].count(["victim@new.example"]) == 1, "dead links are not sent"


# An address that somebody else has


def test_the_page_tells_nothing_of_other_accounts(world: World, eve: Client) -> None:
    """security.md D1: the mailbox alone hears it."""
    seen = set()
    for address in ("nobody@new.example", "pia@cedar.example", "olga@usher.example"):
        world.olga  # noqa: B018 - she comes by being named
        answer = eve.post("/account/address", {"email": address})
        page = eve.get("/account").content.decode().replace(address, "ADDRESS")
        tokens = page.count("csrfmiddlewaretoken")
        seen.add((answer.status_code, answer["Location"], tokens, len(page)))
    assert len(seen) == 1


def test_a_proved_address_stays_its_owners(world: World, eve: Client) -> None:
    olga = world.olga.account.email
    ask(eve, olga)
    to_olga = next(message for message in mails() if message.to == [olga])
    assert "opens another account here already" in str(to_olga.body)
    assert "/address/" not in str(to_olga.body)
    assert "Eve" not in str(to_olga.body), "nothing that a stranger typed"


def test_a_link_that_comes_too_late_takes_nothing(world: World, eve: Client) -> None:
    path = proof_path(eve)
    claimed("Faster", NEW.lower())
    answer = eve.post(path)
    assert answer.status_code == 409
    assert "opens another account by now" in answer.content.decode()
    assert world.eve.account.email == EVE


def test_what_organisations_made_for_the_new_address_is_void_and_offered(world: World, eve: Client) -> None:
    browser = signed_in(world.pia)
    path = proof_path(eve, "pia@cedar.example")
    assert eve.post(path).status_code == 302
    assert browser.get("/account").status_code == 302
    assert not world.pia.account.has_usable_password()
    assert [offer.id for offer in offers_to(world.eve.account)] == [world.pia.membership_id]
    assert Event.objects.filter(type="account:claimed", organization_id=world.cedar.id).exists()


# An account that nobody has proved


@pytest.fixture
def lea(world: World) -> Person:
    """A pupil with a made name and a login card."""
    outcome = world.cedar.add(somebody("Lea Lund"))
    assert outcome.account_id
    return Person(outcome.account_id, outcome.membership_id)


def test_a_made_name_becomes_ones_own_with_an_address(world: World, lea: Person) -> None:
    browser, card = signed_in(lea), signed_in(lea)
    path = proof_path(browser, "lea@home.example")
    page = browser.get(path).content.decode()
    assert "Cedar School" in page
    assert browser.post(path).status_code == 200, "a program that sends the form types no password"
    assert browser.post(path, chosen("short")).status_code == 400
    assert not lea.account.is_claimed
    assert browser.post(path, chosen()).status_code == 302
    account = lea.account
    assert account.is_claimed
    assert (account.sign_in, account.home_id) == ("lea@home.example", None)
    assert browser.get("/account").status_code == 200, "whoever proved it goes on"
    assert card.get("/account").status_code == 302, "everybody else is out"
    assert opens("lea@home.example", OWN, "/o/cedar/sign-in")
    assert not opens("lea.lund", PASSWORD, "/o/cedar/sign-in")
    assert lea.membership.state == "active"


def test_an_address_of_the_organisations_choice_makes_way(world: World) -> None:
    browser = signed_in(world.pia)
    assert "not proved" in browser.get("/account").content.decode()
    path = proof_path(browser, "pia@home.example")
    assert browser.post(path, chosen()).status_code == 302
    assert world.pia.account.sign_in == "pia@home.example"
    assert opens("pia@home.example", OWN)
    assert not opens("pia@cedar.example", PASSWORD)


def test_the_organisations_own_choice_can_be_proved_too(world: World) -> None:
    browser = signed_in(world.pia)
    assert browser.post(proof_path(browser, "pia@cedar.example"), chosen()).status_code == 302
    assert world.pia.account.is_claimed


def test_of_two_accounts_of_one_house_the_other_is_offered(world: World, lea: Person) -> None:
    browser = signed_in(lea)
    assert browser.post(proof_path(browser, "pia@cedar.example"), chosen()).status_code == 302
    assert [offer.id for offer in offers_to(lea.account)] == [world.pia.membership_id]


def test_a_made_name_that_comes_too_late_stays_as_it_is(world: World, lea: Person) -> None:
    browser = signed_in(lea)
    path = proof_path(browser, "lea@home.example")
    claimed("Faster", "lea@home.example")
    before = Account.objects.values().get(id=lea.account_id)
    assert browser.post(path, chosen()).status_code == 409
    assert Account.objects.values().get(id=lea.account_id) == before


def test_the_old_address_of_an_unproved_account_hears_nothing(world: World) -> None:
    """Nobody knows whose it is."""
    ask(signed_in(world.pia), "pia@home.example")
    assert [message.to for message in mails()] == [["pia@home.example"]]


def test_a_link_without_its_mail_opens_nothing(world: World, eve: Client) -> None:
    """The row alone, as a reader of the database has it, is not enough."""
    ask(eve)
    link = OneTimeLink.objects.get(purpose="address")
    for guess in (link.token_hash, str(link.id), link.id.hex):
        assert eve.get(f"/address/{guess}").status_code == 410


@pytest.mark.parametrize(
    "headers",
    [{"HTTP_X_FORWARDED_HOST": "evil.example"}, {"HTTP_FORWARDED": "host=evil.example"}, {"HTTP_HOST": "localhost"}],
)
def test_the_link_leads_to_our_own_address(world: World, headers: dict[str, Any]) -> None:
    """security.md C13; link_in() compares with the address in the settings."""
    browser = Client(**headers)
    browser.force_login(world.eve.account)
    assert "evil" not in proof_path(browser)


def test_without_a_way_out_the_page_says_so(world: World, eve: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert "sends no mail" in eve.get("/account/address").content.decode()


def test_a_waiting_address_is_shown_while_it_waits(world: World, clock: time_machine.Traveller) -> None:
    eve = signed_in(world.eve)
    ask(eve)
    assert own_address.wanted(world.eve.account) == NEW
    clock.shift(own_address.LASTS + timedelta(seconds=1))
    assert own_address.wanted(world.eve.account) == ""
