"""A suspended organisation: every door of it is shut to everybody, with one sentence, and nothing is lost."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
import time_machine
from command import run as usher
from django.test import Client
from mailing import mails
from routes import LOCKED, Route
from world import PASSWORD, Person, World, known, signed_in, somebody

from usher.core import clock as clocks
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events.types import OPERATOR, EventType
from usher.lifecycle import deletion, offers
from usher.lifecycle.approve import approve
from usher.lifecycle.desk import Choices
from usher.lifecycle.joiner import Outcome
from usher.lifecycle.leave import deactivate, reactivate
from usher.methods.bulk_accounts import names
from usher.methods.bulk_accounts import run as bulk_accounts
from usher.methods.bulk_accounts.order import Order
from usher.methods.invite_code import entry
from usher.methods.invite_code.models import InviteCode
from usher.organizations.models import Organization
from usher.organizations.suspend import resume, suspend
from usher.people import claim, links, passwords
from usher.people.addresses import parse_address
from usher.people.models import Account, Membership

SENTENCE = "This organisation is suspended."
OF_AN_ORGANIZATION = {text: route for text, route in LOCKED.items() if "slug" in route.names}


def cedar(world: World) -> Organization:
    return Organization.objects.get(id=world.cedar.id)


def shut(world: World) -> None:
    assert suspend(cedar(world), "Unpaid since August", OPERATOR)


def plan_the_end(world: World) -> None:
    deletion.plan(cedar(world), OPERATOR)


def values_of(world: World) -> dict[str, object]:
    return {"slug": "cedar", "member_id": world.pia.membership_id, "group_id": world.year5.id}


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


def says_no(world: World, browser: Client, route: Route) -> list[str]:
    """What of a route is not 403 with the sentence, for a visit and for a change."""
    address = route.address(**values_of(world))
    answers = {"GET": browser.get(address), "POST": browser.post(address, {"q": "x"})}
    return [
        f"{how} {route.text}: {one.status_code}"
        for how, one in answers.items()
        if one.status_code != 403 or SENTENCE not in text_of(one)
    ]


# Pages


def test_there_are_routes_of_an_organisation() -> None:
    assert len(OF_AN_ORGANIZATION) > 40


@pytest.mark.parametrize("shutting", [shut, plan_the_end], ids=["suspended", "to be deleted"])
def test_every_page_of_it_says_the_sentence_to_every_member(world: World, shutting: Callable[[World], None]) -> None:
    shutting(world)
    for person in (world.ada, world.tom, world.pia):
        browser = signed_in(person)
        wrong = [one for route in OF_AN_ORGANIZATION.values() for one in says_no(world, browser, route)]
        assert wrong == []


def test_a_stranger_learns_nothing_of_it(world: World) -> None:
    shut(world)
    for person in (world.bob, world.eve, world.olga):
        response = signed_in(person).get("/o/cedar/")
        assert (response.status_code, SENTENCE in text_of(response)) == (404, False)


def test_the_neighbours_do_not_notice(world: World) -> None:
    shut(world)
    assert signed_in(world.bob).get("/o/birch/").status_code == 200


def test_its_pages_open_again_when_it_goes_on(world: World) -> None:
    shut(world)
    assert resume(cedar(world), OPERATOR)
    page = signed_in(world.ada).get("/o/cedar/events")
    assert page.status_code == 200
    assert "By the operator: Unpaid since August." in text_of(page)
    assert [event.data for event in world.cedar.events(EventType.ORGANIZATION_RESUMED)] == [{}]


# Signing in


def at_the_door(person: Person, page: str) -> tuple[Client, Any]:
    browser = Client()
    return browser, browser.post(page, {"name": person.account.sign_in, "password": PASSWORD}, follow=True)


def test_whoever_belongs_elsewhere_too_signs_in_and_goes_there(world: World) -> None:
    joined = world.cedar.add(known(world.eve, "teacher"))
    assert world.birch.add(known(world.eve, "learner")).membership_id
    assert joined.membership_id
    shut(world)
    browser, page = at_the_door(world.eve, "/o/cedar/sign-in")
    assert page.status_code == 200
    assert "Birch" in text_of(page)
    assert browser.get("/o/birch/").status_code == 200
    assert browser.get("/o/cedar/").status_code == 403


def test_whoever_belongs_here_alone_reads_the_sentence_and_can_sign_out(world: World) -> None:
    shut(world)
    browser, page = at_the_door(world.pia, "/o/cedar/sign-in")
    assert "uspended" in text_of(page)
    assert page.status_code in (200, 403)
    assert browser.post("/sign-out").status_code == 302
    assert browser.get("/password").status_code == 302


def test_a_set_up_link_still_sets_a_password(world: World) -> None:
    link = links.make_setup_link(world.ada.account, world.cedar.id, OPERATOR)
    shut(world)
    new = "river-lamp-4821-meadow"
    response = Client().post("/set-up/" + link.rpartition("/")[2], {"password": new, "again": new})
    assert response.status_code == 302
    assert passwords.verify(new, world.ada.account.password).ok


# Ways in, at the door itself


def a_code(world: World) -> InviteCode:
    return InviteCode.objects.create(organization=cedar(world), code="7K4M29QX", role="student")


def made_by_hand(world: World) -> list[Outcome]:
    order = Order(cedar(world), names.named("Nina New"), Choices("student"), world.ada.by)
    return list(bulk_accounts.make(order).outcomes)


WAYS: dict[str, Callable[[World], list[Outcome]]] = {
    "code": lambda world: [entry.enter(a_code(world), world.eve.account_id)],
    "list": lambda world: world.cedar.add_many([somebody("Nina New")], world.ada.by),
    "made by hand": made_by_hand,
    "the operator": lambda world: [world.cedar.add(somebody("Nina New"))],
}


@pytest.mark.parametrize("way", WAYS)
def test_nobody_comes_in_by_any_way(world: World, way: str) -> None:
    shut(world)
    before = Membership.objects.count()
    assert [outcome.reason for outcome in WAYS[way](world)] == ["organization_suspended"]
    assert Membership.objects.count() == before


def waiting(world: World) -> uuid.UUID:
    code = InviteCode.objects.create(organization=cedar(world), code="7K4M29QX", role="student", needs_approval=True)
    outcome = entry.enter(code, world.eve.account_id)
    assert outcome.membership_id
    return outcome.membership_id


def offered(world: World) -> tuple[Account, Membership]:
    """Cedar made an account for an address whose owner has proved it since, by another account."""
    mine = world.birch.add(somebody("Nina New", "learner", email="nina@home.example"))
    world.cedar.add(somebody("Nina New", email="nina@home.example"))
    account = claim.claim(world.birch.account(mine), parse_address("nina@home.example"))
    return account, claim.offers_to(account).get()


def test_who_waits_is_not_let_in_and_who_left_does_not_come_back(world: World) -> None:
    asked = waiting(world)
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    shut(world)
    for let_in, member_id in ((approve, asked), (reactivate, world.pia.membership.id)):
        with pytest.raises(UsherError) as no:
            let_in(world.cedar.id, member_id, world.ada.by)
        assert no.value.findings[0].reason is Reason.ORGANIZATION_SUSPENDED


def test_an_offer_of_it_cannot_be_taken_but_ended(world: World) -> None:
    account, offer = offered(world)
    shut(world)
    with pytest.raises(UsherError) as no:
        offers.take(account, offer.id)
    assert no.value.findings[0].reason is Reason.ORGANIZATION_SUSPENDED
    offers.end(account, offer.id)
    offer.refresh_from_db()
    assert offer.state == "inactive"


def test_an_import_at_the_command_line_is_refused_row_by_row(world: World, tmp_path: Any) -> None:
    shut(world)
    source, result = tmp_path / "list.csv", tmp_path / "out.csv"
    source.write_text("username\nNina New\n")
    ran = usher("import", source, "--org", "cedar", "--role", "student", "--out", result)
    assert ran.code == 1
    assert "organization_suspended" in result.read_text()


# Codes


def test_before_sign_in_its_codes_are_as_codes_that_nobody_has(world: World) -> None:
    code = a_code(world)
    shut(world)
    pages = [text_of(Client().get(f"/join/{text}")) for text in (code.code, "7K4M29QY")]
    assert "This code does not work." in pages[0]
    assert SENTENCE not in pages[0]
    assert "Cedar" not in pages[0]
    assert pages[0].replace(code.code, "7K4M29QY").count("7K4M29QY") == pages[1].count("7K4M29QY")


def test_somebody_signed_in_reads_why_the_code_does_not_work(world: World) -> None:
    code = a_code(world)
    shut(world)
    browser = signed_in(world.eve)
    for response in (browser.get(f"/join/{code.code}"), browser.post(f"/join/{code.code}")):
        assert (response.status_code, SENTENCE in text_of(response)) == (403, True)


# What is kept


def test_nothing_in_it_changes(world: World) -> None:
    before = [*Membership.objects.order_by("id").values()], world.cedar.seats("student").used
    shut(world)
    resume(cedar(world), OPERATOR)
    assert ([*Membership.objects.order_by("id").values()], world.cedar.seats("student").used) == before


def test_twice_is_once(world: World) -> None:
    shut(world)
    at = cedar(world).suspended_at
    assert not suspend(cedar(world), "again", OPERATOR)
    assert cedar(world).suspended_at == at
    assert len(world.cedar.events(EventType.ORGANIZATION_SUSPENDED)) == 1
    assert resume(cedar(world), OPERATOR)
    assert not resume(cedar(world), OPERATOR)


@pytest.mark.parametrize("is_shut", [False, True])
def test_its_admins_are_not_written_to(world: World, clock: time_machine.Traveller, is_shut: bool) -> None:
    """What was queued before has nothing to say to people who cannot come in."""
    Account.objects.filter(id=world.ada.account_id).update(claimed_at=clocks.now(), home=None)
    waiting(world)
    if is_shut:
        shut(world)
    clock.shift(dt.timedelta(hours=1))
    assert bool(mails()) is not is_shut
