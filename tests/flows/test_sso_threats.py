"""Rows of the threat table about single sign-on for which no other test stands: merged accounts, proofs for another."""

from __future__ import annotations

import pytest
from django.test import Client
from standins import StandIns
from trips import google, microsoft, prove, travel
from world import PASSWORD, World, signed_in, somebody

from usher.methods.sso.models import Question
from usher.people.models import Account, Identity, Membership

pytestmark = pytest.mark.django_db
PAUL = "paul@cedar.example"


def gets_in(path: str, password: str = PASSWORD) -> bool:
    return Client().post(path, {"name": PAUL, "password": password}).status_code == 302


@pytest.mark.parametrize("first", ["the stranger", "the owner"])
def test_a1_a3_what_another_made_for_the_address_is_never_merged(
    world: World, providers: StandIns, client: Client, first: str
) -> None:
    """Birch made an account for Paul's address, and knows its password; Paul comes by the provider of Cedar, whose
    domain it is. In either order there are two accounts, and Birch's password opens Birch's alone."""
    prove(world.cedar.organization, "cedar.example")
    connection = microsoft(world, providers)
    made = somebody("Paul", "learner", email=PAUL)
    if first == "the stranger":
        world.birch.add(made)
    assert travel(client, providers, connection, "paul")["Location"] == "/home"
    if first == "the owner":
        world.birch.add(made)
    his = Identity.objects.get().account
    assert Account.objects.filter(sign_in_key=PAUL).count() == 2
    assert not his.has_usable_password()
    assert not gets_in("/o/cedar/sign-in")
    assert gets_in("/o/birch/sign-in"), "where it was made, and nowhere else"
    assert not Membership.objects.filter(account=his, organization=world.birch.id).exists()


def test_a2_every_session_from_before_ends_with_the_first_sign_in(
    world: World, providers: StandIns, client: Client
) -> None:
    prove(world.cedar.organization, "cedar.example")
    made = world.cedar.member(world.cedar.add(somebody("Paul Holm", email=PAUL)))
    person = type(world.tom)(made.account_id, made.id)
    before = [signed_in(person) for _ in range(3)]
    assert {one.get("/o/cedar/").status_code for one in before} == {200}
    travel(client, providers, microsoft(world, providers), "paul")
    assert {one.get("/o/cedar/").status_code for one in before} == {302}
    assert client.get("/home", follow=True).status_code == 200


def test_b16_a_proof_links_only_whom_it_was_asked_for(world: World, providers: StandIns, client: Client) -> None:
    """Two people of the provider come in one browser, both with the address of one account, proved once."""
    made = world.cedar.member(world.cedar.add(somebody("Paul Holm", email=PAUL)))
    connection = microsoft(world, providers)
    first = travel(client, providers, connection, "paul")["Location"]
    subject = providers.person("entra/paul")["oid"]
    providers.control(
        people={"entra/otto": {"login": PAUL, "mail": PAUL}, "entra/paul": {"login": "gone@cedar.example"}}
    )
    second = travel(client, providers, connection, PAUL)["Location"]
    assert Question.objects.count() == 2
    assert {one.person["subject"] for one in Question.objects.all()} == {subject, providers.person("entra/otto")["oid"]}
    client.post("/o/cedar/sign-in", {"name": PAUL, "password": PASSWORD, "next": first})
    assert client.post(first, {"act": "link"}).status_code == 302
    assert Identity.objects.get().subject == subject
    refused = client.post(second, {"act": "link"})
    assert refused.status_code == 409
    assert Identity.objects.get().account_id == made.account_id


def test_b13_whom_nobody_lets_in_leaves_nothing_behind(world: World, providers: StandIns, client: Client) -> None:
    """Google knows her; the organisation lets nobody new in by it."""
    connection = google(world, lets_in=False)
    assert travel(client, providers, connection, "cora").status_code == 403
    assert not Identity.objects.exists()
    assert not Account.objects.filter(sign_in_key="cora@cedar.example").exists()
