"""usher domain: added, shown, proved and removed from a terminal, by the same rules as on the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from command import Usher
from nameserver import Nameserver, nameserver
from world import World

from usher.events.types import EventType
from usher.organizations.models import Domain

HERE = ("--org", "cedar", "cedar.example")


@pytest.fixture
def dns() -> Iterator[Nameserver]:
    with nameserver() as server:
        yield server


def test_add_prints_the_record(world: World, usher: Usher) -> None:
    ran = usher("domain", "add", "--org", "cedar", "@Cedar.EXAMPLE")
    domain = Domain.objects.get()
    line = f'_usher.cedar.example. TXT "usher-verification={domain.token}"\n'
    assert (ran.code, ran.out) == (0, line)
    assert "cedar.example is waiting" in ran.err
    assert usher("domain", "add", *HERE).out == line
    (event,) = world.cedar.events(EventType.DOMAIN_ADDED)
    assert event.actor_kind == "operator"


def test_check_proves_and_says_what_is_missing(
    world: World, usher: Usher, dns: Nameserver, clock: time_machine.Traveller
) -> None:
    shown = usher("domain", "add", *HERE, "--json").document
    before = usher("domain", "check", *HERE)
    assert (before.code, before.out) == (2, "")
    assert "was not found: there is no record _usher.cedar.example." in before.err
    dns.texts[shown["host"]] = [shown["value"]]
    assert usher("domain", "check", *HERE, "--json").document == {
        **shown,
        "state": "proved",
        "proof": "dns",
        "proved_at": "2026-03-02T08:00:00+00:00",
        "checked_at": "2026-03-02T08:00:00+00:00",
    }
    assert "cedar.example is proved by dns" in usher("domain", "show", *HERE).err
    dns.texts.clear()
    assert usher("domain", "check", *HERE).code == 2
    failing = usher("domain", "show", *HERE, "--json").document
    assert (failing["state"], failing["lost_at"]) == ("failing", "2026-03-05T08:00:00+00:00")


def test_the_list_is_of_one_organisation(world: World, usher: Usher) -> None:
    assert usher("domain", "list", "--org", "cedar", "--json").document == []
    for name in ("b.example", "a.example"):
        usher("domain", "add", "--org", "cedar", name)
    usher("domain", "add", "--org", "birch", "c.example")
    assert usher("domain", "list", "--org", "cedar").out.splitlines() == [
        "domain\tstate\tproof\tlooked at",
        "a.example\twaiting\t–\t–",
        "b.example\twaiting\t–\t–",
    ]
    assert [one["domain"] for one in usher("domain", "list", "--org", "birch", "--json").document] == ["c.example"]


def test_remove_takes_it_away(world: World, usher: Usher) -> None:
    usher("domain", "add", *HERE)
    assert usher("domain", "remove", "--org", "birch", "cedar.example").code == 2
    ran = usher("domain", "remove", *HERE)
    assert (ran.code, ran.out, ran.err) == (0, "", "cedar.example is removed.\n")
    assert not Domain.objects.exists()
    usher("domain", "add", *HERE)
    assert usher("domain", "remove", *HERE, "--json").document == {"removed": "cedar.example"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "--org", "cedar", "gmail.com"), "gmail.com is a domain that many people share."),
        (("add", "--org", "cedar", "cedar"), "“cedar” is not a mail domain."),
        (("show", *HERE), "There is no such domain here."),
        (("check", *HERE), "There is no such domain here."),
        (("remove", *HERE), "There is no such domain here."),
        (("list", "--org", "nobody"), "nobody"),
    ],
)
def test_what_is_refused_says_why(world: World, usher: Usher, words: tuple[str, ...], said: str) -> None:
    ran = usher("domain", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
