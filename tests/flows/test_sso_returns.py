"""The way back from a provider: state, nonce and code once, in one browser, at one place, and what a "no" says."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import time_machine
from django.test import Client
from standins import StandIns, Walker
from trips import back, google, leads_to, leave, microsoft, plain, rule, travel
from world import PASSWORD, World, known, signed_in, somebody

from usher.core import clock
from usher.methods.sso import attempts
from usher.methods.sso.models import Attempt, Connection, Kind, Trip
from usher.organizations.models import Organization
from usher.people import claim
from usher.people.addresses import parse_address
from usher.people.models import Account, Identity, Membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(world: World, providers: StandIns) -> Connection:
    return microsoft(world, providers)


def returned(browser: Client, idp: StandIns, by: Connection | Kind, who: str = "paul") -> str:
    return Walker(idp).walk(leave(browser, by), who)


def changed(url: str, **parameters: str | None) -> str:
    """The same return with other parameters; None takes one away."""
    parts = urlsplit(url)
    given = {name: values[0] for name, values in parse_qs(parts.query).items()} | parameters
    return parts._replace(query=urlencode({name: value for name, value in given.items() if value is not None})).geturl()


def is_out(browser: Client) -> bool:
    return browser.get("/home").status_code == 302


def test_a_return_works_once(connection: Connection, providers: StandIns, client: Client) -> None:
    url = returned(client, providers, connection)
    assert back(client, url).status_code == 302
    client.post("/sign-out")
    assert back(client, url).status_code == 400
    assert is_out(client)


def test_another_browser_cannot_return(connection: Connection, providers: StandIns, client: Client) -> None:
    """Login CSRF: who is made to open somebody else's return is not signed in as him."""
    url = returned(client, providers, connection)
    victim = Client()
    assert back(victim, url).status_code == 400
    leave(victim, connection)  # also with a trip of its own under way
    assert back(victim, url).status_code == 400
    assert is_out(victim)
    assert back(client, url).status_code == 302, "whose trip it is comes in all the same"


@pytest.mark.parametrize("parameters", [{"state": None}, {"state": ""}, {"state": "made-up"}, {"state": "x" * 5000}])
def test_no_state_no_sign_in(
    connection: Connection, providers: StandIns, client: Client, parameters: dict[str, str | None]
) -> None:
    assert back(client, changed(returned(client, providers, connection), **parameters)).status_code == 400
    assert is_out(client)


def test_two_states_are_none(connection: Connection, providers: StandIns, client: Client) -> None:
    url = returned(client, providers, connection)
    assert back(client, f"{url}&state=another").status_code == 400


def test_the_codes_of_two_trips_cannot_be_swapped(connection: Connection, providers: StandIns, client: Client) -> None:
    """PKCE and nonce: the code of one trip is worth nothing with the state of another."""
    one, other = returned(client, providers, connection), returned(client, providers, connection, "vera")
    swapped = changed(one, code=parse_qs(urlsplit(other).query)["code"][0])
    assert back(client, swapped).status_code == 403
    assert is_out(client)
    assert Attempt.objects.get().reason == "sso_not_trusted"


def test_a_trip_takes_ten_minutes_at_most(connection: Connection, providers: StandIns, client: Client) -> None:
    url = returned(client, providers, connection)
    with time_machine.travel(clock.now() + dt.timedelta(minutes=10, seconds=1), tick=False):
        assert back(client, url).status_code == 400
    assert is_out(client)


def test_a_code_for_one_registration_is_not_taken_at_another(
    world: World, connection: Connection, providers: StandIns, client: Client
) -> None:
    """Mix-up: each registration has its own callback, and what comes to another one is refused."""
    other = plain(world, providers)
    url = returned(client, providers, connection)
    for which in (str(other.id), "google", "nobody"):
        again = returned(client, providers, connection)
        moved = urlsplit(again)._replace(path=f"/sso/callback/{which}").geturl()
        assert back(client, moved).status_code in (400, 404), which
    assert is_out(client)
    assert back(client, url).status_code == 302


def test_an_issuer_that_is_not_the_one_asked_is_refused(world: World, providers: StandIns, client: Client) -> None:
    """RFC 9207: this provider says that it names itself in its answer."""
    connection = plain(world, providers)
    url = returned(client, providers, connection, "kim")
    assert parse_qs(urlsplit(url).query)["iss"] == [providers.plain]
    assert back(client, changed(url, iss="https://evil.example")).status_code == 403
    assert back(client, changed(returned(client, providers, connection, "kim"), iss=None)).status_code == 403
    assert back(client, returned(client, providers, connection, "kim")).status_code == 302


def test_who_says_no_there_is_told_what_to_do(connection: Connection, providers: StandIns, client: Client) -> None:
    url = changed(returned(client, providers, connection), code=None, error="access_denied")
    answer = back(client, url)
    assert answer.status_code == 403
    text = answer.content.decode()
    assert "Microsoft did not sign you in." in text
    assert "Try again with Microsoft" in text
    assert "Sign in another way" in text


def test_get_without_a_trip_changes_nothing(connection: Connection, providers: StandIns, client: Client) -> None:
    url = returned(client, providers, connection)
    assert Client().get("/sso/callback/microsoft").status_code == 400
    assert client.get("/sso/start").status_code == 405
    assert Trip.objects.count() == 1
    assert back(client, url).status_code == 302


def test_a_provider_that_is_down_is_named(connection: Connection, providers: StandIns, client: Client) -> None:
    url = returned(client, providers, connection)
    providers.control(faults={"entra.token": {"hang_up": True}})
    answer = back(client, url)
    assert answer.status_code == 503
    assert "Microsoft does not answer" in answer.content.decode()
    before = Account.objects.count()
    providers.control(faults={"entra.token": None})
    assert travel(client, providers, connection, "paul").status_code == 302
    assert Account.objects.count() == before + 1


def test_changed_keys_are_fetched_once(connection: Connection, providers: StandIns, client: Client) -> None:
    travel(client, providers, connection, "paul")
    providers.control(rotate={"entra": "drop"})
    assert travel(Client(), providers, connection, "paul").status_code == 302


def test_keys_that_cannot_be_had_let_nobody_in(world: World, providers: StandIns, client: Client) -> None:
    connection = google(world)
    providers.control(faults={"google.keys": {"size": 3_000_000}})
    assert travel(client, providers, connection, "cora").status_code == 503
    assert not Identity.objects.exists()


def test_what_a_provider_said_is_kept_without_what_could_be_used_again(
    connection: Connection, providers: StandIns, client: Client
) -> None:
    travel(client, providers, connection, "paul")
    attempt = Attempt.objects.get()
    assert attempt.claims["oid"] == providers.person("entra/paul")["oid"]
    assert not {"nonce", "aio", "at_hash"} & attempt.claims.keys()
    for _ in range(22):
        travel(Client(), providers, connection, "paul")
    attempts.sweep(connection)
    assert Attempt.objects.count() == attempts.KEPT


def test_a_link_needs_the_same_person_on_the_way_back(
    world: World, connection: Connection, providers: StandIns, client: Client
) -> None:
    """B16: whoever begins a link and is signed out, or somebody else, meanwhile, links nothing."""
    tom = signed_in(world.tom)
    url = Walker(providers).walk(link_address(tom, connection), "tom")
    tom.force_login(world.pia.account)
    assert back(tom, url).status_code == 400
    assert not Identity.objects.exists()


def link_address(browser: Client, connection: Connection) -> str:
    return leads_to(browser.post("/account/providers/link", {"connection": str(connection.id)}))


def test_one_links_and_unlinks(world: World, connection: Connection, providers: StandIns, client: Client) -> None:
    tom = signed_in(world.tom)
    assert back(tom, Walker(providers).walk(link_address(tom, connection), "tom"))["Location"] == "/account/providers"
    identity = Identity.objects.get()
    assert identity.account_id == world.tom.account_id
    assert "tom@cedar.example" in tom.get("/account/providers").content.decode()
    assert travel(Client(), providers, connection, "tom")["Location"] == "/home"
    assert signed_in(world.pia).post("/account/providers/unlink", {"identity": str(identity.id)}).status_code == 302
    assert Identity.objects.exists(), "it is not Pia's to unlink"
    tom.post("/account/providers/unlink", {"identity": str(identity.id)})
    assert not Identity.objects.exists()


def test_the_last_way_in_cannot_be_unlinked(connection: Connection, providers: StandIns, client: Client) -> None:
    travel(client, providers, connection, "paul")
    identity = Identity.objects.get()
    assert client.post("/account/providers/unlink", {"identity": str(identity.id)}).status_code == 409
    assert Identity.objects.exists()


def test_a_provider_account_opens_one_account(
    world: World, connection: Connection, providers: StandIns, client: Client
) -> None:
    travel(client, providers, connection, "paul")
    tom = signed_in(world.tom)
    answer = back(tom, Walker(providers).walk(link_address(tom, connection), "paul"))
    assert answer.status_code == 409
    assert Attempt.objects.order_by("-at").first().reason == "identity_of_another"  # type: ignore[union-attr]


def test_proving_it_again_takes_the_same_person(connection: Connection, providers: StandIns, client: Client) -> None:
    travel(client, providers, connection, "paul")
    identity = Identity.objects.get()

    def again(who: str) -> int:
        form = {"identity": str(identity.id), "next": "/account/security"}
        return back(client, Walker(providers).walk(leads_to(client.post("/sso/again", form)), who)).status_code

    with time_machine.travel(clock.now() + dt.timedelta(minutes=11), tick=True):
        page = client.get("/account/security/app")
        assert page["Location"].startswith("/sign-in/again")
        assert "Continue with Microsoft" in client.get(page["Location"]).content.decode()
        assert again("vera") == 403
        assert client.get("/account/security/app").status_code == 302
        assert again("paul") == 302
        assert client.get("/account/security/app").status_code == 200


def test_where_a_password_opens_nothing_it_still_links(
    world: World, connection: Connection, providers: StandIns, client: Client
) -> None:
    """Single sign-on only, and nobody has proved the domain: the old sign-in is good for this, and for nothing else."""
    world.cedar.add(somebody("Paul Holm", email="paul@cedar.example"))
    Organization.objects.filter(id=world.cedar.id).update(passwords_for="marked")
    form = {"name": "paul@cedar.example", "password": PASSWORD}
    page = travel(client, providers, connection, "paul")["Location"]
    assert client.post("/o/cedar/sign-in", form).status_code == 403
    assert Client().post("/o/cedar/sign-in", {**form, "next": page}).status_code == 403, "another browser"
    assert client.post("/o/cedar/sign-in", {**form, "next": page})["Location"] == page
    assert client.get("/o/cedar/users").status_code in (302, 403), "the session opens nothing yet"
    assert client.post(page, {"act": "link"}).status_code == 302
    assert Identity.objects.get().account.sign_in_key == "paul@cedar.example"


def test_one_organisations_provider_does_not_open_another_one(
    world: World, providers: StandIns, client: Client
) -> None:
    """A5: Tom has an account of his own in two organisations. What Birch's provider says opens Birch, and no more."""
    account = world.tom.account
    claim.claim(account, parse_address("tom@cedar.example"), account.password)
    world.birch.add(known(world.tom, "learner"))
    birch = microsoft(world, providers, "birch", tenant=providers.tenants["cedar"])
    tom = signed_in(world.tom)
    assert back(tom, Walker(providers).walk(link_address(tom, birch), "tom")).status_code == 302
    travel(client, providers, birch, "tom")
    assert client.get("/o/birch/").status_code in (200, 302)
    door = client.get("/o/cedar/groups")["Location"]
    assert door.startswith("/o/cedar/sign-in")
    page = client.get(door).content.decode()
    assert "does not rely on it" in page
    again = client.get("/account/security/app")["Location"]
    assert again.startswith("/sign-in/again")
    assert "Continue with Microsoft" not in client.get(again).content.decode()
    # His own password is his own word.
    client.post("/o/cedar/sign-in", {"name": "tom@cedar.example", "password": PASSWORD})
    assert client.get("/account/security/app").status_code == 200
    assert client.get("/o/cedar/groups").status_code != 302


def test_a_role_that_no_rule_gives_any_more_is_taken_back(
    connection: Connection, providers: StandIns, client: Client
) -> None:
    rule(connection, "app_role", "Teacher", "teacher")
    providers.control(people={"entra/paul": {"claims": {"roles": ["Teacher"]}}})
    travel(client, providers, connection, "paul")
    member = Membership.objects.get(account__identities__connection_id=connection.id)
    assert member.role == "teacher"
    providers.control(people={"entra/paul": {"claims": {"roles": None}}})
    travel(Client(), providers, connection, "paul")
    member.refresh_from_db()
    assert member.role == "student"
