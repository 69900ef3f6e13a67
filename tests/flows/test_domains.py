"""Domains: proved by a record in a real DNS, looked at again, lost when it stays away (security.md B4, B5)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from command import run as usher
from django.core import mail
from mailing import mails
from nameserver import Mode, Nameserver, nameserver
from world import House, World

from usher.core import chores
from usher.core import clock as clocks
from usher.core.errors import UsherError
from usher.core.limits import DOMAIN_LOOKS
from usher.core.reasons import Finding
from usher.events.types import OPERATOR, EventType
from usher.lifecycle.telling import tell
from usher.organizations import domains, suspend, txt_records
from usher.organizations.domains import State
from usher.organizations.models import Domain, Organization

HOUR = dt.timedelta(hours=1)
HOST = "_usher.cedar.example"


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nameserver]:
    monkeypatch.setattr(txt_records, "LIFETIME", 0.3)
    monkeypatch.setattr(txt_records, "TRY", 0.1)
    with nameserver() as server:
        yield server


def added(house: House, name: str = "cedar.example") -> Domain:
    return domains.add(house.organization, name, OPERATOR)


def publish(dns: Nameserver, domain: Domain, *others: str) -> None:
    record = domains.record_of(domain)
    dns.texts[record.host] = [*others, record.value]


def proved(dns: Nameserver, house: House, name: str = "cedar.example") -> Domain:
    domain = added(house, name)
    publish(dns, domain)
    return domains.prove(house.organization, domain.id, OPERATOR)


def refused(dns: Nameserver, house: House, domain: Domain) -> Finding:
    with pytest.raises(UsherError) as no:
        domains.prove(house.organization, domain.id, OPERATOR)
    (finding,) = no.value.findings
    return finding


def now(domain: Domain) -> Domain:
    return Domain.objects.get(id=domain.id)


def state(domain: Domain) -> State:
    return domains.state_of(now(domain))


def owner(name: str) -> str:
    found = domains.owner_of(name)
    return found.slug if found else ""


# Adding


def test_a_domain_is_added_once_and_opens_nothing(world: World) -> None:
    first = domains.add(world.cedar.organization, " @Cedar.EXAMPLE ", world.ada.actor)
    assert (added(world.cedar).id, first.name, state(first)) == (first.id, "cedar.example", State.WAITING)
    assert owner("ada@cedar.example") == ""
    (event,) = world.cedar.events(EventType.DOMAIN_ADDED)
    assert tell(world.cedar.organization, [event])[0].sentence == "cedar.example, by Ada Ash. Not proved yet."


def test_several_may_add_a_name_each_with_a_record_of_its_own(world: World) -> None:
    mine, theirs = domains.record_of(added(world.cedar)), domains.record_of(added(world.birch))
    assert mine.host == theirs.host == HOST
    assert mine.value.startswith("usher-verification=")
    assert len(mine.value) >= 43
    assert mine.value != theirs.value


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("gmail.com", "domain_is_shared"),
        ("x.gmail.com", "domain_is_shared"),
        ("co.uk", "domain_is_shared"),
        ("github.io", "domain_is_shared"),
        ("onmicrosoft.com", "domain_is_shared"),
        ("cedar", "domain_not_allowed"),
        ("cedar.usher.invalid", "domain_not_allowed"),
        ("b2345678." * 27 + "example", "domain_not_allowed"),  # with _usher. before it, too long for DNS
    ],
)
def test_what_cannot_be_ones_own_is_refused(world: World, name: str, code: str) -> None:
    for act in (domains.add, domains.vouch):
        with pytest.raises(UsherError) as no:
            act(world.cedar.organization, name, OPERATOR)
        assert [finding.code for finding in no.value.findings] == [code]
    assert not Domain.objects.exists()


def test_there_is_a_most(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "MOST", 2)
    added(world.cedar, "one.example")
    added(world.cedar, "two.example")
    with pytest.raises(UsherError) as no:
        added(world.cedar, "three.example")
    assert no.value.findings[0].code == "too_many_domains"
    assert added(world.cedar, "two.example").name == "two.example"
    assert added(world.birch, "three.example").name == "three.example"


# Proving


def test_the_record_proves_it(world: World, dns: Nameserver, clock: time_machine.Traveller) -> None:
    domain = added(world.cedar)
    publish(dns, domain, "v=spf1 -all")
    got = domains.prove(world.cedar.organization, domain.id, world.ada.actor)
    assert (got.proof, got.proved_at, got.checked_at, state(got)) == ("dns", clocks.now(), clocks.now(), State.PROVED)
    assert dns.asked == [HOST]
    (event,) = world.cedar.events(EventType.DOMAIN_PROVED)
    assert (event.actor_id, event.data) == (world.ada.account_id, {"domain": "cedar.example"})
    domains.prove(world.cedar.organization, domain.id, world.ada.actor)
    assert len(world.cedar.events(EventType.DOMAIN_PROVED)) == 1


def test_quotation_marks_of_a_panel_do_no_harm(world: World, dns: Nameserver) -> None:
    domain = added(world.cedar)
    dns.texts[HOST] = [f'"{domains.record_of(domain).value}"']
    assert domains.prove(world.cedar.organization, domain.id, OPERATOR).proof == "dns"


def test_what_is_missing_is_said_plainly(world: World, dns: Nameserver) -> None:
    domain = added(world.cedar)
    value = domains.record_of(domain).value
    cases: list[tuple[dict[str, list[str]], str]] = [
        ({}, f"there is no record {HOST}."),
        ({"cedar.example": [value]}, f"there is no record {HOST}."),
        ({HOST: []}, f"{HOST} is there, but has no TXT record."),
        (
            {HOST: ["v=spf1 -all", value[:-1], f"{value}x", value.swapcase()]},
            f"the TXT record {HOST} has another value.",
        ),
    ]
    for texts, why in cases:
        dns.texts = texts
        finding = refused(dns, world.cedar, domain)
        assert finding.sentence == f"The proof for cedar.example was not found: {why}"
        assert finding.next_step
    assert (state(domain), now(domain).checked_at is not None) == (State.WAITING, True)


def test_the_record_of_another_organisation_proves_nothing(world: World, dns: Nameserver) -> None:
    mine, theirs = added(world.cedar), added(world.birch)
    publish(dns, theirs)
    assert "another value" in refused(dns, world.cedar, mine).sentence


def test_a_record_behind_an_alias_is_somebody_elses(world: World, dns: Nameserver) -> None:
    domain = added(world.cedar)
    dns.aliases[HOST] = "pages.host.example"
    dns.texts["pages.host.example"] = [domains.record_of(domain).value]
    assert "alias (CNAME)" in refused(dns, world.cedar, domain).sentence


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (Mode.SERVFAIL, "the DNS servers of the domain answered with a failure."),
        (Mode.SILENCE, "no DNS server answered in time."),
    ],
)
def test_a_dns_that_does_not_answer_proves_nothing(world: World, dns: Nameserver, mode: Mode, why: str) -> None:
    domain = added(world.cedar)
    publish(dns, domain)
    dns.mode = mode
    assert refused(dns, world.cedar, domain).sentence.endswith(why)
    assert state(domain) is State.WAITING


def test_looks_are_counted_for_each_organisation(world: World, dns: Nameserver) -> None:
    mine, theirs = added(world.cedar), added(world.birch)
    DOMAIN_LOOKS.add(str(world.cedar.id), DOMAIN_LOOKS.capacity)
    assert refused(dns, world.cedar, mine).code == "too_many_tries"
    assert dns.asked == []
    assert refused(dns, world.birch, theirs).code == "domain_not_proved"


def test_one_organisation_alone_can_have_proved_it(world: World, dns: Nameserver) -> None:
    mine = proved(dns, world.cedar)
    theirs = added(world.birch)
    publish(dns, theirs, domains.record_of(mine).value)
    assert refused(dns, world.birch, theirs).code == "domain_taken"
    with pytest.raises(UsherError) as no:
        domains.vouch(world.birch.organization, "cedar.example", OPERATOR)
    assert no.value.findings[0].code == "domain_taken"
    assert owner("cedar.example") == "cedar"
    domains.remove(world.cedar.organization, mine.id, OPERATOR)
    domains.prove(world.birch.organization, theirs.id, OPERATOR)
    assert owner("cedar.example") == "birch"


def test_a_domain_of_others_cannot_be_proved_or_removed(world: World, dns: Nameserver) -> None:
    mine = added(world.cedar)
    publish(dns, mine)
    for act in (domains.prove, domains.remove):
        with pytest.raises(UsherError) as no:
            act(world.birch.organization, mine.id, OPERATOR)
        assert no.value.findings[0].code == "unknown_domain"
    assert (state(mine), dns.asked) == (State.WAITING, [])


def test_its_admin_can_vouch_for_it(world: World, dns: Nameserver) -> None:
    domain = domains.vouch(world.cedar.organization, "Cedar.example", world.ada.actor)
    assert (domain.proof, owner("cedar.example")) == ("admin", "cedar")
    assert [event.type for event in world.cedar.events()][-2:] == ["domain:added", "domain:proved"]
    again = domains.vouch(world.cedar.organization, "cedar.example", world.ada.actor)
    assert (again.id, len(world.cedar.events(EventType.DOMAIN_PROVED))) == (domain.id, 1)
    assert domains.prove(world.cedar.organization, domain.id, OPERATOR).proof == "admin"
    assert dns.asked == [], "nothing is asked of the DNS"


def test_removed_and_added_again_it_wants_another_record(world: World, dns: Nameserver) -> None:
    domain = proved(dns, world.cedar)
    domains.remove(world.cedar.organization, domain.id, world.ada.actor)
    assert owner("cedar.example") == ""
    assert len(world.cedar.events(EventType.DOMAIN_REMOVED)) == 1
    assert refused(dns, world.cedar, added(world.cedar)).code == "domain_not_proved"


# Whose an address is


def test_whose_an_address_is(world: World, dns: Nameserver, django_assert_num_queries: object) -> None:
    proved(dns, world.cedar)
    proved(dns, world.birch, "students.cedar.example")
    proved(dns, world.maple, "münchen.example")
    whose = {
        "ada@cedar.example": "cedar",
        "Ada@CEDAR.example": "cedar",
        "cedar.example": "cedar",
        "x@staff.cedar.example": "cedar",
        "x@students.cedar.example": "birch",
        "x@a.students.cedar.example": "birch",
        "x@xn--mnchen-3ya.example": "maple",
        "x@MÜNCHEN.example": "maple",
        "x@evil-cedar.example": "",
        "x@evilcedar.example": "",
        "x@cedar.example.evil.example": "",
        "x@cedar.example@evil.example": "",
        "x@example": "",
        "x@cedar.example.": "",
        "x@ced\u0430r.example": "",  # a Cyrillic а
        "pia.pine@cedar.usher.invalid": "",
        "": "",
    }
    assert {address: owner(address) for address in whose} == whose
    assert callable(django_assert_num_queries)
    with django_assert_num_queries(1):
        found = domains.owner_of("x@a.b.students.cedar.example")
        assert found
        assert found.license.plan_slug == "elearning"
    assert domains.answers_for(world.cedar.id, "x@cedar.example")
    assert not domains.answers_for(world.cedar.id, "x@students.cedar.example")
    assert not domains.answers_for(world.birch.id, "x@elsewhere.example")


def test_what_became_shared_since_opens_nothing(world: World) -> None:
    Domain.objects.create(
        organization=world.cedar.organization, name="gmail.com", token="t", proof="dns", proved_at=clocks.now()
    )
    assert owner("x@gmail.com") == owner("x@below.gmail.com") == ""


def test_a_suspended_organisation_stays_the_owner(world: World, dns: Nameserver) -> None:
    proved(dns, world.cedar)
    suspend.suspend(Organization.objects.get(id=world.cedar.id), "", OPERATOR)
    found = domains.owner_of("cedar.example")
    assert found
    assert (found.slug, found.is_suspended) == ("cedar", True)


# Looking again


def tidy() -> None:
    chores.run("organizations.look_at_domains")


def test_a_proof_is_looked_at_once_a_day(world: World, dns: Nameserver, clock: time_machine.Traveller) -> None:
    domain = proved(dns, world.cedar)
    added(world.cedar, "waiting.example")
    domains.vouch(world.cedar.organization, "vouched.example", OPERATOR)
    for hours in (0, 1, 22):
        clock.shift(hours * HOUR)
        tidy()
    assert dns.asked == [HOST]
    clock.shift(HOUR)
    tidy()
    tidy()
    assert dns.asked == [HOST, HOST], "and neither what waits nor what its admin proved"
    assert (now(domain).checked_at, state(domain)) == (clocks.now(), State.PROVED)


def test_the_longest_not_looked_at_come_first(
    world: World, dns: Nameserver, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usher.organizations.tidying.AT_ONCE", 2)
    for name in ("b.example", "a.example", "c.example"):
        proved(dns, world.cedar, name)
        clock.shift(HOUR)
    clock.shift(24 * HOUR)
    dns.asked.clear()
    tidy()
    assert dns.asked == ["_usher.b.example", "_usher.a.example"]
    tidy()
    assert dns.asked[2:] == ["_usher.c.example"]


GONE = [{}, {HOST: []}, {HOST: ["usher-verification=another"]}]


@pytest.mark.parametrize("texts", GONE, ids=["no name", "no record", "another value"])
def test_a_proof_that_stays_away_is_lost(
    world: World, dns: Nameserver, clock: time_machine.Traveller, texts: dict[str, list[str]]
) -> None:
    world.cedar.settle("Ann Alder", "admin")
    domain = proved(dns, world.cedar)
    dns.texts = dict(texts)
    clock.shift(24 * HOUR)
    tidy()
    assert (state(domain), owner("cedar.example")) == (State.FAILING, "cedar")
    sent = mails()
    assert sorted(one.to[0] for one in sent) == ["ada@cedar.example", "ann@cedar.example"]
    for one in sent:
        assert one.subject == "The proof for a domain is gone"
        assert "6 Mar 2026, 08:00" in str(one.body)
        assert f"{HOST} does not prove any more that cedar.example belongs to" in str(one.body)
        assert "/o/cedar/settings/domains" in str(one.body)
    assert [case for case in usher("check").err.splitlines() if "cedar.example of cedar is lost at 2026-03-06" in case]
    for _ in range(2):
        clock.shift(24 * HOUR)
        tidy()
    assert (state(domain), mails()) == (State.FAILING, []), "one mail, and time until the third day"
    clock.shift(24 * HOUR)
    tidy()
    assert (state(domain), now(domain).proof, owner("cedar.example")) == (State.LOST, "", "")
    (event,) = world.cedar.events(EventType.DOMAIN_LOST)
    assert (event.actor_kind, event.data) == ("system", {"domain": "cedar.example"})
    assert {str(one.subject) for one in mails()} == {"A domain is not proved any more"}
    clock.shift(24 * HOUR)
    tidy()
    assert mails() == []
    publish(dns, domain)
    domains.prove(world.cedar.organization, domain.id, OPERATOR)
    assert (state(domain), owner("cedar.example")) == (State.PROVED, "cedar")


def test_a_proof_that_comes_back_in_time_is_as_before(
    world: World, dns: Nameserver, clock: time_machine.Traveller
) -> None:
    domain = proved(dns, world.cedar)
    dns.texts.clear()
    clock.shift(24 * HOUR)
    tidy()
    publish(dns, domain)
    assert mails(), "they were told"
    domains.prove(world.cedar.organization, domain.id, OPERATOR)
    assert (state(domain), now(domain).failing_since) == (State.PROVED, None)
    dns.texts.clear()
    for _ in range(3):
        clock.shift(24 * HOUR)
        tidy()
    assert state(domain) is State.FAILING, "three days from the second time"


def test_looking_at_a_proved_domain_by_hand_says_that_the_record_is_gone(
    world: World, dns: Nameserver, clock: time_machine.Traveller
) -> None:
    domain = proved(dns, world.cedar)
    dns.texts.clear()
    assert refused(dns, world.cedar, domain).code == "domain_not_proved"
    assert (state(domain), len(mails())) == (State.FAILING, 1)


@pytest.mark.parametrize("mode", [Mode.SERVFAIL, Mode.SILENCE])
def test_a_dns_that_is_down_loses_nothing(world: World, dns: Nameserver, mode: Mode) -> None:
    """The clock runs here, since the library measures its patience by it."""
    with time_machine.travel(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)) as clock:
        domain = proved(dns, world.cedar)
        dns.mode = mode
        for _ in range(5):
            clock.shift(25 * HOUR)
            tidy()
        checked = now(domain).checked_at
        assert checked
        assert clocks.now() - checked < HOUR
    assert (state(domain), mails()) == (State.PROVED, [])


def test_a_mail_that_waited_is_not_sent_when_all_is_well_again(
    world: World, dns: Nameserver, clock: time_machine.Traveller
) -> None:
    domain = proved(dns, world.cedar)
    dns.texts.clear()
    clock.shift(24 * HOUR)
    tidy()
    publish(dns, domain)
    domains.prove(world.cedar.organization, domain.id, OPERATOR)
    assert mails() == []


def test_a_look_that_comes_late_writes_nothing_over_a_newer_one(
    world: World, dns: Nameserver, clock: time_machine.Traveller
) -> None:
    """Two workers: one saw the record gone, and writes when the other has found it back."""
    domain = proved(dns, world.cedar)
    dns.texts.clear()
    clock.shift(24 * HOUR)
    tidy()
    mails()
    late = now(domain)
    clock.shift(72 * HOUR)
    publish(dns, domain)
    domains.recheck(now(domain))
    dns.texts.clear()
    domains.recheck(late)
    assert (state(domain), mail.outbox, world.cedar.events(EventType.DOMAIN_LOST)) == (State.PROVED, [], [])
