"""An address for which an organisation vouches and that nobody proved: worth something there, and nothing elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from by_provider import comes_by_provider, identity
from command import run as usher
from django.test import Client
from doors import text_of
from invited import IN, copied, page_of, press, to
from invited import register as accept
from inviting import ZOE, invite
from mailing import link_in, mails, one_mail
from world import PASSWORD, House, Person, World, signed_in, somebody

from usher.core import clock as clocks
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events.types import EventType
from usher.lifecycle import offers
from usher.methods.invite_code.models import InviteCode
from usher.people import factors, links, passwords
from usher.people.addresses import parse_address
from usher.people.claim import claim, offers_to
from usher.people.models import Account, Identity, Membership

OWN = "four words in a row"
OTHER = "another-lamp-4821"


def vouched(house: House, role: str = "learner", email: str = ZOE, password: str = PASSWORD) -> Person:
    """As the organisation's single sign-on makes them: claimed, and the mailbox not proved."""
    outcome = house.add(somebody("Zoë Zimt", role, email=email))
    account = house.account(outcome)
    links.set_own_password(account, passwords.digest(password))
    Account.objects.filter(id=account.id).update(claimed_at=clocks.now(), home=None, vouched_by_organization=house.id)
    person = Person(account.id, outcome.membership_id, password)
    identity(house, person)
    return person


def own_of(house: House, role: str = "student", password: str = OTHER) -> Person:
    """An account that an organisation made for the same address."""
    outcome = house.add(somebody("Zoë of Cedar", role, email=ZOE))
    account = house.account(outcome)
    links.set_own_password(account, passwords.digest(password))
    return Person(account.id, outcome.membership_id, password)


def who_is_in(at: str, password: str) -> str:
    """Whose session a password opens at a door; empty for nobody's."""
    browser = Client()
    browser.post(at, {"name": ZOE, "password": password})
    return str(browser.session.get("_auth_user_id", ""))


# Signing in


def test_it_signs_in_at_its_own_door_and_at_the_common_one(world: World) -> None:
    zoe = vouched(world.birch)
    for at in ("/", "/o/birch/sign-in"):
        assert who_is_in(at, PASSWORD) == str(zoe.account_id)
    assert who_is_in("/o/cedar/sign-in", PASSWORD) == "", "it is no member there"


def test_an_older_account_of_another_organisation_is_shut_out_nowhere(world: World) -> None:
    mine = own_of(world.cedar)
    vouched(world.birch)
    for at in ("/", "/o/cedar/sign-in"):
        assert who_is_in(at, OTHER) == str(mine.account_id)


def test_nor_is_a_younger_one_at_its_own_door(world: World) -> None:
    zoe = vouched(world.birch)
    mine = own_of(world.cedar)
    assert who_is_in("/o/cedar/sign-in", OTHER) == str(mine.account_id)
    assert who_is_in("/", PASSWORD) == str(zoe.account_id)


def test_whose_membership_has_ended_it_opens_that_door_no_more(world: World) -> None:
    zoe = vouched(world.birch)
    Membership.objects.filter(id=zoe.membership.id).update(state="inactive")
    assert who_is_in("/o/birch/sign-in", PASSWORD) == ""


# What others made


def test_nothing_is_offered_to_it(world: World) -> None:
    mine, zoe = own_of(world.cedar), vouched(world.birch)
    assert list(offers_to(zoe.account)) == []
    assert offers.listed(zoe.account) == []
    with pytest.raises(UsherError):
        offers.take(zoe.account, mine.membership.id)


def test_another_organisation_imports_the_address_as_if_there_were_nobody(world: World) -> None:
    vouched(world.birch)
    outcome = world.cedar.add(somebody("Zoë", email=ZOE))
    assert outcome.membership_id
    assert world.cedar.account(outcome).home_id == world.cedar.id


def test_the_organisation_that_vouches_sees_it(world: World) -> None:
    zoe = vouched(world.birch)
    again = world.birch.add(somebody("Zoë", "learner", email=ZOE))
    assert again.account_id == zoe.account_id


def test_a_founder_is_not_taken_for_it(world: World) -> None:
    zoe = vouched(world.birch)
    ran = usher("org", "create", "oak", "--plan", "school", "--admin", ZOE)
    assert ran.code == 0, ran.err
    assert Membership.objects.get(organization__slug="oak").account_id != zoe.account_id


def test_who_becomes_operator_by_it_is_no_longer_the_providers(world: World) -> None:
    zoe = vouched(world.birch)
    ran = usher("operator", "create", ZOE)
    assert ran.code == 0, ran.err
    account = zoe.account
    assert (account.is_operator, account.is_proved, account.has_usable_password()) == (True, True, False)
    assert not Identity.objects.filter(account=account).exists()


# The owner of the mailbox


def all_that_opened_it_is_void(person: Person) -> bool:
    return (
        not Identity.objects.filter(account_id=person.account_id).exists()
        and not Authenticator.objects.filter(user=person.account_id).exists()
        and not passwords.verify(person.password, person.account.password).ok
    )


def by_a_reset(world: World, zoe: Person) -> None:
    Client().post("/forgot", {"email": ZOE})
    sent = one_mail()
    assert "this account becomes yours" in str(sent.body)
    path = link_in(sent, "/reset/")
    assert "single sign-on too" in text_of(Client().get(path))
    assert Client().post(path, {"password": OWN, "again": OWN}).status_code == 302


def by_registering(world: World, zoe: Person) -> None:
    code = InviteCode.objects.create(organization=world.maple.organization, code="10AB29QX", role="member")
    browser = Client()
    browser.post("/register", {"username": "Zoë", "email": ZOE, "password": OWN, "code": code.code})
    assert browser.post(link_in(one_mail(), "/confirm/")).status_code == 302


def by_the_mail_of_an_invitation(world: World, zoe: Person) -> None:
    assert to(accept(Client(), page_of(invite(world.cedar, world.ada)), OWN)) == IN


def by_the_proof_of_its_own_address(world: World, zoe: Person) -> None:
    browser = signed_in(zoe)
    assert browser.post("/account/address", {"email": ZOE}).status_code == 302
    path = link_in(next(one for one in mails() if one.to == [ZOE] and "/address/" in str(one.body)), "/address/")
    assert "single sign-on too" in text_of(browser.get(path))
    assert browser.post(path, {"password": OWN, "again": OWN}).status_code == 302


WAYS = (by_a_reset, by_registering, by_the_mail_of_an_invitation, by_the_proof_of_its_own_address)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_proof_of_the_mailbox_takes_it_over(world: World, way: Any) -> None:
    mine, zoe = own_of(world.cedar) if way is by_a_reset else None, vouched(world.birch)
    elsewhere = comes_by_provider(world.birch, zoe.account)
    assert elsewhere.get("/o/birch/").status_code == 200
    way(world, zoe)
    assert all_that_opened_it_is_void(zoe)
    account = zoe.account
    assert (account.is_proved, account.vouched_by_organization, account.email) == (True, None, ZOE)
    assert passwords.verify(OWN, account.password).ok
    assert zoe.membership.state == "active", "the memberships stay"
    assert elsewhere.get("/o/birch/")["Location"].startswith("/o/birch/sign-in"), "its sessions have ended"
    assert who_is_in("/", OWN) == str(account.id)
    assert world.birch.events(EventType.ACCOUNT_CLAIMED), "the organisation that vouched hears of it"
    if mine:
        assert not passwords.verify(OTHER, mine.account.password).ok
        assert [offer.id for offer in offers_to(account)] == [mine.membership_id]


def test_a_second_factor_that_somebody_set_up_goes_too(world: World) -> None:
    zoe = vouched(world.birch)
    Authenticator.objects.create(user=zoe.account, type=factors.APP, data={})
    by_a_reset(world, zoe)
    assert all_that_opened_it_is_void(zoe)


def test_a_proof_on_the_way_to_another_account_ends_in_it(world: World) -> None:
    mine, zoe = own_of(world.cedar), vouched(world.birch)
    proved = claim(mine.account, parse_address(ZOE), passwords.make(OWN))
    assert proved.id == zoe.account_id
    assert all_that_opened_it_is_void(zoe)
    assert [offer.id for offer in offers_to(proved)] == [mine.membership_id]


def test_an_admins_account_wants_a_long_password_of_who_takes_it_over(world: World) -> None:
    zoe = vouched(world.birch, "admin")
    Client().post("/forgot", {"email": ZOE})
    path = link_in(one_mail(), "/reset/")
    short = "14 characters!"
    answer = Client().post(path, {"password": short, "again": short})
    assert (answer.status_code, "at least 15 are needed" in text_of(answer)) == (400, True)
    assert not zoe.account.is_proved


def test_another_person_does_not_get_the_address_by_a_change_of_his(world: World) -> None:
    """Whose mailbox it is gets the account that has it, by a forgotten password: no address opens two."""
    zoe = vouched(world.birch)
    browser = signed_in(world.eve)
    browser.post("/account/address", {"email": ZOE})
    sent = [one for one in mails() if one.to == [ZOE]]
    assert "has an account already" in sent[0].subject
    assert not zoe.account.is_proved


# What counts as proved


def test_an_invitation_of_the_same_organisation_is_taken_at_once(world: World) -> None:
    zoe = vouched(world.birch)
    Membership.objects.filter(id=zoe.membership.id).delete()
    invitation = invite(world.birch, world.bob, role="learner")
    assert to(press(signed_in(zoe), page_of(invitation)))[0] == 302
    assert Membership.objects.get(account_id=zoe.account_id, organization_id=world.birch.id).state == "active"


def test_one_of_another_organisation_wants_the_mailbox(world: World) -> None:
    zoe = vouched(world.birch)
    path = copied(world, invite(world.cedar, world.ada), unproved=False)
    press(signed_in(zoe), path)
    assert not Membership.objects.filter(account_id=zoe.account_id, organization_id=world.cedar.id).exists()
    assert not zoe.account.is_proved


@pytest.mark.parametrize(("house", "is_let_in"), [("birch", True), ("cedar", False)])
def test_a_code_for_a_domain_takes_the_word_of_its_own_organisation_alone(
    world: World, house: str, is_let_in: bool
) -> None:
    zoe = vouched(world.birch)
    Membership.objects.filter(id=zoe.membership.id).delete()
    place: House = getattr(world, house)
    role = place.organization.license.plan.lowest.slug
    InviteCode.objects.create(organization=place.organization, code="10AB29QX", role=role, domains=["mail.example"])
    answer = signed_in(zoe).post("/join/10AB29QX")
    found = Membership.objects.filter(account_id=zoe.account_id, organization_id=place.id).exists()
    assert found is is_let_in
    if not is_let_in:
        assert Reason.CODE_NEEDS_ADDRESS(domains="mail.example").sentence in text_of(answer)


def test_staff_of_another_organisation_reset_their_own_account(world: World) -> None:
    mine = own_of(world.cedar)
    vouched(world.birch)
    answer = signed_in(world.ada).post(f"/o/cedar/users/{mine.membership_id}/password")
    assert answer.status_code == 200
    assert not passwords.verify(OTHER, mine.account.password).ok
