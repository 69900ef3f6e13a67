"""Organisation → Settings → Domains: added, proved and removed by an admin, with the record to copy."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from nameserver import Nameserver, nameserver
from world import World, signed_in

from usher.events.types import OPERATOR, EventType
from usher.organizations import domains
from usher.organizations.models import Domain

PAGE = "/o/cedar/settings/domains"
HOST = "_usher.cedar.example"


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


@pytest.fixture
def dns() -> Iterator[Nameserver]:
    with nameserver() as server:
        yield server


@pytest.fixture
def domain(world: World) -> Domain:
    return domains.add(world.cedar.organization, "cedar.example", OPERATOR)


def page(client: Client) -> str:
    return client.get(PAGE).content.decode()


def state_on(text: str) -> tuple[str, str]:
    """Shape and word."""
    found = re.search(r'<span class="state (\w+)"><i></i>([^<]+)</span>', text)
    assert found
    return found[1], found[2]


def look(client: Client, domain: Domain) -> str:
    return client.post(f"{PAGE}/{domain.id}/look", follow=True).content.decode()


def test_the_empty_page_says_what_it_is_for(ada: Client) -> None:
    text = page(ada)
    assert "No domain yet" in text
    assert 'href="#id_domain"' in text
    assert PAGE in ada.get("/o/cedar/settings").content.decode()


def test_a_domain_is_added_and_shows_its_record_to_copy(world: World, ada: Client) -> None:
    answer = ada.post(f"{PAGE}/add", {"domain": " Cedar.example"})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    (domain,) = Domain.objects.all()
    assert (domain.name, domain.organization_id) == ("cedar.example", world.cedar.id)
    text, value = page(ada), f"usher-verification={domain.token}"
    assert f'data-copy="{HOST}"' in text
    assert f'data-copy="{value}"' in text
    assert state_on(text) == ("ask", "Waits for the record")
    assert "It does nothing yet." in text
    assert "Not yet" in text
    assert world.cedar.events(EventType.DOMAIN_ADDED)[0].actor_id == world.ada.account_id


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("gmail.com", "gmail.com is a domain that many people share."),
        ("cedar", "“cedar” is not a mail domain."),
        ("", "This field is required."),
        ("<b>x", "“&lt;b&gt;x” is not a mail domain."),
    ],
)
def test_what_was_typed_stays_with_the_sentence(ada: Client, typed: str, sentence: str) -> None:
    answer = ada.post(f"{PAGE}/add", {"domain": typed})
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert typed.replace("<", "&lt;").replace(">", "&gt;") in answer.content.decode()
    assert not Domain.objects.exists()


def test_look_again_proves_it(ada: Client, dns: Nameserver, domain: Domain) -> None:
    dns.texts[HOST] = [f"usher-verification={domain.token}"]
    text = look(ada, domain)
    assert "The proof is there: cedar.example is yours." in text
    assert state_on(text) == ("in", "Proved")
    assert "People with an address of cedar.example can be let in" in text


def test_look_again_says_what_was_found_beside_the_domain(ada: Client, dns: Nameserver, domain: Domain) -> None:
    answer = ada.post(f"{PAGE}/{domain.id}/look")
    text = answer.content.decode()
    assert answer.status_code == 409
    assert f"The proof for cedar.example was not found: there is no record {HOST}." in text
    assert "Add the TXT record shown here, wait some minutes, and look again." in text
    assert "Not yet" not in text


def test_a_failing_and_a_lost_domain_say_so(
    world: World, ada: Client, dns: Nameserver, domain: Domain, clock: time_machine.Traveller
) -> None:
    dns.texts[HOST] = [f"usher-verification={domain.token}"]
    domains.prove(world.cedar.organization, domain.id, OPERATOR)
    dns.texts.clear()
    text = look(ada, domain)
    assert state_on(text) == ("no", "The record is gone")
    assert "If it is not back by 5 Mar, 08:00" in text
    clock.shift(dt.timedelta(hours=72))
    again = signed_in(world.ada)
    assert state_on(look(again, domain)) == ("off", "Lost")
    assert "The record was gone for three days" in page(again)


def test_what_its_admin_proved_needs_no_record(world: World, ada: Client) -> None:
    domains.vouch(world.cedar.organization, "cedar.example", OPERATOR)
    text = page(ada)
    assert "Proved by an admin of the domain" in text
    assert HOST not in text
    assert "/look" not in text


def test_removing_asks_first(world: World, ada: Client, domain: Domain) -> None:
    address = f"{PAGE}/{domain.id}/remove"
    asked = ada.get(address).content.decode()
    assert "Remove cedar.example?" in asked
    assert Domain.objects.exists()
    assert ada.post(address)["Location"] == PAGE
    assert not Domain.objects.exists()
    assert "cedar.example is removed." in page(ada)
    assert ada.post(address).status_code == 404
    assert len(world.cedar.events(EventType.DOMAIN_REMOVED)) == 1


def test_changes_ask_who_it_is_after_ten_minutes_but_looking_does_not(
    world: World, dns: Nameserver, domain: Domain, clock: time_machine.Traveller
) -> None:
    ada = signed_in(world.ada)
    clock.shift(dt.timedelta(minutes=21))
    for path, data in ((f"{PAGE}/add", {"domain": "b.example"}), (f"{PAGE}/{domain.id}/remove", {})):
        assert ada.post(path, data)["Location"].startswith("/sign-in/again")
    assert ada.get(f"{PAGE}/{domain.id}/remove")["Location"].startswith("/sign-in/again")
    assert [one.name for one in Domain.objects.all()] == ["cedar.example"]
    assert ada.get(PAGE).status_code == 200
    assert ada.post(f"{PAGE}/{domain.id}/look").status_code == 409


def test_only_admins_of_the_organisation_see_it(world: World, domain: Domain) -> None:
    for person, status in ((world.tom, 403), (world.pia, 403), (world.bob, 404), (world.eve, 404)):
        client = signed_in(person)
        assert client.get(PAGE).status_code == status
        for path in (f"{PAGE}/add", f"{PAGE}/{domain.id}/look", f"{PAGE}/{domain.id}/remove"):
            assert client.post(path, {"domain": "evil.example"}).status_code == status
    assert signed_in(world.bob).post(f"/o/birch/settings/domains/{domain.id}/look").status_code == 404
    assert signed_in(world.bob).post(f"/o/birch/settings/domains/{domain.id}/remove").status_code == 404
    assert [one.name for one in Domain.objects.all()] == ["cedar.example"]
