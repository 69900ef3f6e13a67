"""Claiming: whatever was set up for an address before its owner came opens nothing afterwards (security.md A)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from world import PASSWORD, Person, World, known, signed_in, somebody

from usher.core import clock
from usher.core.errors import UsherError
from usher.events.models import Event
from usher.events.types import OPERATOR
from usher.methods.lti.models import LinkCode, Platform, PlatformUser
from usher.methods.sso.models import Connection, Trip
from usher.people import credentials, links, passwords
from usher.people.access import Visit
from usher.people.addresses import parse_address
from usher.people.claim import COLUMNS, RELATIONS, claim, offers_to, relations
from usher.people.models import Account, Identity, OneTimeLink
from usher.people.sign_in import find_for_sign_in

ADDRESS = parse_address("Zoe@Mail.example")
OWN = "a long one of my own"


@pytest.fixture
def made(world: World) -> Person:
    """Cedar's account for Zoe's address; Ada, who had it made, knows its password."""
    outcome = world.cedar.add(somebody("Zoe", email=ADDRESS.key))
    assert outcome.account_id
    return Person(outcome.account_id, outcome.membership_id)


@pytest.fixture
def twin(world: World) -> Person:
    """Birch's account for the same address."""
    outcome = world.birch.add(somebody("Zoë Z.", "learner", email=ADDRESS.key))
    assert outcome.account_id
    return Person(outcome.account_id, outcome.membership_id)


def mail_address(account: Account) -> None:
    EmailAddress.objects.create(user=account, email=f"{account.id}@evil.example", verified=True, primary=True)


def authenticators(account: Account) -> None:
    for kind in Authenticator.Type:
        Authenticator.objects.create(user=account, type=kind, data={"secret": "planted"})


def setup_link(account: Account) -> None:
    links.make_setup_link(account, account.home_id, OPERATOR)


def known_session(account: Account) -> None:
    client = Client()
    client.force_login(account)
    UserSession.objects.create(user=account, session_key=client.session.session_key, ip="203.0.113.9")


def _connection(account: Account) -> Connection:
    house = account.memberships.get().organization
    return Connection.objects.create(organization=house, kind="microsoft")


def identity(account: Account) -> None:
    connection = _connection(account)
    Identity.objects.create(
        account=account,
        organization=connection.organization,
        connection_id=connection.id,
        issuer="https://login.example",
        subject=str(account.id),
    )


def trip(account: Account) -> None:
    """On the way to a provider, to link it to the account."""
    hashed = f"{account.id.hex}{account.id.hex}"
    ends = clock.now() + dt.timedelta(minutes=5)
    Trip.objects.create(
        state_hash=hashed, browser_hash=hashed, kind="microsoft", purpose="link", account=account, expires_at=ends
    )


def lms_user(account: Account) -> None:
    house = account.memberships.get().organization
    platform = Platform.objects.create(organization=house, issuer="https://lms.example")
    PlatformUser.objects.create(
        organization=house, platform=platform, subject="5", account=account, standing="learner"
    )  # fmt: skip


def link_code(account: Account) -> None:
    ends = clock.now() + dt.timedelta(minutes=5)
    LinkCode.objects.create(account=account, code_hash=account.id.hex, expires_at=ends)


# How each kind of credential is planted. A kind without a line here fails the test below.
PLANTS: Mapping[str, Callable[[Account], None]] = {
    "account.EmailAddress.user": mail_address,
    "lti.LinkCode.account": link_code,
    "lti.PlatformUser.account": lms_user,
    "mfa.Authenticator.user": authenticators,
    "people.Identity.account": identity,
    "people.OneTimeLink.account": setup_link,
    "sso.Trip.account": trip,
    "usersessions.UserSession.user": known_session,
}


def test_everything_that_hangs_on_an_account_is_classified() -> None:
    """New? Say in people/claim.py whether it is a credential, and plant one in PLANTS above."""
    assert {name for name, _ in relations()} == set(RELATIONS)
    assert {field.name for field in Account._meta.local_fields} == set(COLUMNS)
    assert {name for name, is_credential in RELATIONS.items() if is_credential} == set(PLANTS)


@pytest.mark.parametrize("kind", PLANTS)
def test_every_kind_of_credential_is_wiped(world: World, made: Person, twin: Person, kind: str) -> None:
    for person in (made, twin, world.pia):
        PLANTS[kind](person.account)
    field = dict(relations())[kind]
    of_pia = count(kind, world.pia)
    claim(made.account, ADDRESS)
    left = field.model._base_manager.filter(**{f"{field.name}__in": [made.account_id, twin.account_id]})
    # The proof itself is all there is.
    assert [str(row) for row in left] == (["zoe@mail.example"] if kind == "account.EmailAddress.user" else [])
    assert count(kind, world.pia) == of_pia > 0


def count(kind: str, person: Person) -> int:
    field = dict(relations())[kind]
    return field.model._base_manager.filter(**{field.name: person.account_id}).count()


def test_every_column_that_is_a_credential_is_reset(made: Person) -> None:
    planted = {"password": passwords.digest(PASSWORD), "must_change_password": True}
    planted |= {"password_expires_at": clock.now(), "password_set_at": clock.now()}
    assert set(planted) == {name for name, is_credential in COLUMNS.items() if is_credential}
    Account.objects.filter(id=made.account_id).update(**planted)
    claim(made.account, ADDRESS)
    account = made.account
    assert all(getattr(account, name) != value for name, value in planted.items())
    assert not account.has_usable_password()


def test_every_session_of_every_account_with_the_address_ends(world: World, made: Person, twin: Person) -> None:
    browsers = [signed_in(person) for person in (made, made, made, twin)]
    mine = signed_in(world.pia)
    assert all(is_in(browser) for browser in browsers)
    claim(made.account, ADDRESS)
    assert not any(is_in(browser) for browser in browsers)
    assert is_in(mine)


def test_sessions_end_where_there_was_no_password_either(made: Person) -> None:
    Account.objects.filter(id=made.account_id).update(password=passwords.UNUSABLE)
    browser = signed_in(made)
    assert is_in(browser)
    claim(made.account, ADDRESS)
    assert not is_in(browser)


def test_known_sessions_are_deleted_too(made: Person) -> None:
    known_session(made.account)
    claim(made.account, ADDRESS)
    assert not Session.objects.exists()


def test_two_wiped_accounts_share_no_salt(made: Person, twin: Person) -> None:
    claim(made.account, ADDRESS)
    assert made.account.get_session_auth_hash() != twin.account.get_session_auth_hash()


def is_in(client: Client) -> bool:
    return client.get("/password").status_code == 200


# Whose it is then


def test_the_account_becomes_the_owners(world: World, made: Person) -> None:
    proved = claim(made.account, ADDRESS, passwords.make(OWN))
    account = made.account
    assert (proved.id, account.home_id, account.email, account.sign_in_key) == (
        made.account_id,
        None,
        "Zoe@Mail.example",
        "zoe@mail.example",
    )
    assert account.claimed_at
    assert EmailAddress.objects.get(user=account).verified
    assert made.membership.state == "active"
    assert opens("/o/cedar/sign-in", OWN)
    assert not opens("/o/cedar/sign-in", PASSWORD)


def test_the_others_become_offers_that_nobody_can_use(world: World, made: Person, twin: Person) -> None:
    proved = claim(made.account, ADDRESS, passwords.make(OWN))
    assert list(offers_to(proved)) == [twin.membership]
    assert not twin.account.is_claimed
    for place in ("/", "/o/cedar/sign-in", "/o/birch/sign-in"):
        assert not opens(place, PASSWORD)
        assert opens(place, OWN)
    assert find_for_sign_in(ADDRESS.key, world.maple.organization) is None


def test_staff_cannot_give_an_offer_a_password(world: World, made: Person, twin: Person) -> None:
    claim(made.account, ADDRESS)
    for boss, person in ((world.ada, made), (world.bob, twin)):
        with pytest.raises(UsherError) as refused:
            credentials.reset_password(Visit(boss.account, boss.membership), person.membership.id)
        assert refused.value.findings[0].code == "not_managed_here"


def test_who_proved_the_address_before_keeps_his_account(world: World, made: Person, twin: Person) -> None:
    claim(made.account, ADDRESS, passwords.make(OWN))
    password = made.account.password
    late = Account.objects.create(
        username="Late",
        email=ADDRESS.key,
        sign_in_key=ADDRESS.key,
        home_id=world.maple.id,
        password=passwords.make(PASSWORD),
    )
    assert find_for_sign_in(ADDRESS.key, world.maple.organization) == made.account
    proved = claim(late, ADDRESS)
    late.refresh_from_db()
    assert proved == made.account
    assert made.account.password == password
    assert not late.has_usable_password()
    assert not late.is_claimed


def test_proving_again_with_a_new_password_ends_old_sessions(made: Person) -> None:
    claim(made.account, ADDRESS, passwords.make(OWN))
    browser = signed_in(made)
    claim(made.account, ADDRESS, passwords.make("another of my own"))
    assert not is_in(browser)
    assert EmailAddress.objects.filter(user=made.account).count() == 1


def test_a_made_name_takes_the_address_that_was_proved(world: World) -> None:
    outcome = world.cedar.add(somebody("Zoe"))
    assert outcome.account_id
    account = Account.objects.get(id=outcome.account_id)
    assert account.email == ""
    proved = claim(account, ADDRESS)
    assert (proved.id, proved.sign_in) == (account.id, "Zoe@Mail.example")
    assert world.birch.add(known(Person(account.id), "learner")).result == "joined"


def test_a_made_name_that_comes_too_late_stays_as_it_is(world: World, made: Person) -> None:
    claim(made.account, ADDRESS)
    outcome = world.maple.add(somebody("Zoe", "member"))
    assert outcome.account_id
    before = Account.objects.values().get(id=outcome.account_id)
    assert claim(Account.objects.get(id=outcome.account_id), ADDRESS) == made.account
    assert Account.objects.values().get(id=outcome.account_id) == before


def test_no_other_address_is_claimed_by_mistake(world: World, made: Person) -> None:
    with pytest.raises(ValueError, match="another address"):
        claim(world.pia.account, ADDRESS)
    assert world.pia.account.check_password(PASSWORD)
    assert made.account.check_password(PASSWORD)


def test_each_organization_hears_of_its_own_account_alone(world: World, made: Person, twin: Person) -> None:
    claim(made.account, ADDRESS)
    told = {event.organization_id: event for event in Event.objects.filter(type="account:claimed")}
    assert {place: event.account_id for place, event in told.items()} == {
        world.cedar.id: made.account_id,
        world.birch.id: twin.account_id,
    }
    assert [told[house.id].data["offered"] for house in (world.cedar, world.birch)] == [False, True]
    assert str(world.cedar.id) not in str(told[world.birch.id].data)


def test_a_link_made_before_is_dead(made: Person) -> None:
    address = links.make_setup_link(made.account, made.account.home_id, OPERATOR)
    token = address.rpartition("/")[2]
    claim(made.account, ADDRESS)
    with pytest.raises(UsherError):
        links.find(token, OneTimeLink.Purpose.SETUP)
    assert Client().get(f"/set-up/{token}").status_code == 410


def test_a_request_that_began_before_changes_nothing_after(made: Person) -> None:
    stale = made.account
    claim(made.account, ADDRESS)
    with pytest.raises(UsherError) as refused:
        credentials.choose_password(stale, "planted by a slow request")
    assert refused.value.findings[0].code == "sign_in_failed"
    assert not made.account.has_usable_password()


def opens(place: str, password: str) -> bool:
    answer = Client().post(place, {"name": ADDRESS.key, "password": password})
    assert answer.status_code in (302, 403)
    return answer.status_code == 302


def test_an_unclassified_kind_stops_the_claim(made: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(RELATIONS, "mfa.Authenticator.user")
    with pytest.raises(KeyError):
        claim(made.account, ADDRESS)
    assert isinstance(made.account.home_id, uuid.UUID)
