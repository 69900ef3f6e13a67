"""Providers and people who mean harm: what they say opens nobody else, moves nobody up, and breaks no page."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from evil_idp import BIRCH, CEDAR, EvilIdp, entra, google, reasons, tenant, who, workspace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trips import prove
from world import World, signed_in

from usher.core import clock
from usher.core.models import Mail
from usher.methods.sso.microsoft import PERSONAL_TENANT
from usher.methods.sso.models import Attempt, Connection, Kind, Rule
from usher.methods.sso.person import Person
from usher.methods.sso.rules import fits, judge
from usher.organizations.models import Domain
from usher.organizations.plans import PLANS
from usher.people.models import Account, Identity, Membership

pytestmark = pytest.mark.django_db

IN, NO = 302, 403


# Whose account an address is


def test_b1_the_same_address_of_another_tenant_or_person_is_somebody_else(world: World, evil: EvilIdp) -> None:
    """B1: the key is (tid, oid), whatever ``email`` and the sign-in name say."""
    connection, browser = tenant(evil), Client()
    said = {"email": "paul@cedar.example", "preferred_username": "paul@cedar.example", "xms_edov": True}
    assert evil.sign_in(browser, connection, **entra(evil, CEDAR, **said)).status_code == IN
    first = who(browser)
    for other in ({"oid": "another"}, {"oid": "0-1-2", "sub": "other"}):
        again = Client()
        answer = evil.sign_in(again, connection, **entra(evil, CEDAR, **{**said, **other}))
        is_same = "oid" in other and other["oid"] == "0-1-2"
        assert (who(again) == first) is is_same, "the subject of Entra is oid"
        assert is_same or answer["Location"].startswith("/sso/question/")
    evil_tenant = Client()
    assert evil.sign_in(evil_tenant, connection, **entra(evil, BIRCH, **said)).status_code == NO
    assert who(evil_tenant) == ""


ISSUERS = [
    (CEDAR, "{entra}/" + CEDAR + "/v2.0", IN),
    (CEDAR, "{entra}/" + BIRCH + "/v2.0", NO),
    (BIRCH, "{entra}/" + CEDAR + "/v2.0", NO),
    (BIRCH, "{entra}/" + BIRCH + "/v2.0", NO),
    (CEDAR, "{entra}/{tenantid}/v2.0", NO),
    ("{tenantid}", "{entra}/{tenantid}/v2.0", NO),
    (PERSONAL_TENANT, "{entra}/" + PERSONAL_TENANT + "/v2.0", NO),
    (CEDAR, "{entra}/organizations/v2.0", NO),
    ("organizations", "{entra}/organizations/v2.0", NO),
    (CEDAR, "{entra}/" + CEDAR + "/v2.0/", NO),
    (CEDAR, "https://sts.windows.example/" + CEDAR + "/", NO),
    ("", "{entra}//v2.0", NO),
    (None, "{entra}/" + CEDAR + "/v2.0", NO),
]


@pytest.mark.parametrize("by", ["connection", "common"])
def test_b2_pairs_of_issuer_and_tenant(world: World, evil: EvilIdp, by: str) -> None:
    """B2: at the organisation's own door, and where only the answer says whose the person is."""
    connection = tenant(evil)
    for tid, iss, status in ISSUERS:
        browser = Client()
        claims = {**entra(evil, CEDAR), "tid": tid, "iss": iss.replace("{entra}", f"{evil.url}/entra")}
        answer = evil.sign_in(browser, connection if by == "connection" else Kind.MICROSOFT, **claims)
        assert (answer.status_code, bool(who(browser))) == (status, status == IN), (tid, iss)


GUESTS = [
    {"idp": "https://sts.windows.net/" + BIRCH + "/"},
    {"idp": "live.com"},
    {"idp": "mail"},
    {"preferred_username": "gus_birch.example#EXT#@cedar.example"},
    {"preferred_username": "gus_birch.example#ext#@cedar.example"},
    {"acct": 1},
    {"acct": "1"},
]


@pytest.mark.parametrize("how", GUESTS)
def test_b2_a_guest_needs_the_switch_and_never_has_the_address(
    world: World, evil: EvilIdp, how: dict[str, Any]
) -> None:
    connection = tenant(evil)
    prove(world.cedar.organization, "cedar.example")
    said = {"email": "gus@cedar.example", "xms_edov": True, **how}
    assert evil.sign_in(Client(), connection, **entra(evil, CEDAR, **said)).status_code == NO
    assert reasons() == ["guest_account"]
    Connection.objects.filter(id=connection.id).update(guests=True)
    assert evil.sign_in(Client(), connection, **entra(evil, CEDAR, **said)).status_code == IN
    assert Identity.objects.get().account.email == ""


HOSTED: list[tuple[dict[str, Any], int]] = [
    ({"hd": "cedar.example"}, IN),
    ({"hd": "CEDAR.example"}, IN),
    ({"hd": "students.cedar.example"}, IN),  # below a proved domain
    ({}, NO),
    ({"hd": ""}, NO),
    ({"hd": None}, NO),
    ({"hd": True}, NO),
    ({"hd": ["cedar.example"]}, NO),
    ({"hd": "foreign.example"}, NO),
    ({"hd": "evil-cedar.example"}, NO),
    ({"hd": "cedar.example.evil"}, NO),
    ({"hd": "example"}, NO),
    ({"hd": "*.cedar.example"}, NO),
    ({"hd": "cedar.example\u0000"}, NO),
]


@pytest.mark.parametrize("by", ["connection", "common"])
def test_b3_hosted_domains(world: World, evil: EvilIdp, by: str) -> None:
    """B3: only ``hd`` within a proved domain lets in; what ``email`` ends with never does."""
    connection = workspace(evil)
    prove(world.cedar.organization, "cedar.example")
    for hosted, status in HOSTED:
        browser, claims = Client(), google(evil, email="cora@cedar.example", **hosted)
        answer = evil.sign_in(browser, connection if by == "connection" else Kind.GOOGLE, **claims)
        assert (answer.status_code, bool(who(browser))) == (status, status == IN), hosted


@pytest.mark.parametrize("email", ["cora@alias.example", "cora@evil-cedar.example", "cora@birch.example"])
def test_b3_an_address_outside_the_proved_domain_is_nobodys(world: World, evil: EvilIdp, email: str) -> None:
    """An alias domain of the Workspace, and an address under another organisation's domain: shown, and no more."""
    connection, browser = workspace(evil), Client()
    prove(world.cedar.organization, "cedar.example")
    prove(world.birch.organization, "birch.example")
    assert evil.sign_in(browser, connection, **google(evil, hd="cedar.example", email=email)).status_code == IN
    assert Account.objects.get(id=who(browser)).email == ""


def test_b4_a_domain_that_was_lost_opens_nothing_more(world: World, evil: EvilIdp) -> None:
    """B4: the proof is gone, so who comes by that domain is nobody; once proved anew a new subject is asked."""
    connection = workspace(evil)
    domain = prove(world.cedar.organization, "cedar.example")
    said = google(evil, hd="cedar.example", email="cora@cedar.example")
    assert evil.sign_in(Client(), connection, **said).status_code == IN
    Domain.objects.filter(id=domain.id).update(proved_at=None)
    assert evil.sign_in(Client(), connection, **said).status_code == NO
    Domain.objects.filter(id=domain.id).update(proved_at=clock.now())
    other = Client()
    answer = evil.sign_in(other, connection, **{**said, "sub": "2200"})
    assert answer["Location"].startswith("/sso/question/")
    linked = other.post(answer["Location"], {"act": "link"})
    assert linked["Location"] == "/o/cedar/sign-in", "he has to prove the old account first"
    assert who(other) == ""


PROVED_BY_BIRCH = ["birch.example", "evil-cedar.example", "cedar.example.evil", "edar.example", "cedar-example.example"]


@pytest.mark.parametrize("domain", PROVED_BY_BIRCH)
@pytest.mark.parametrize("kind", ["oidc", "google", "microsoft"])
def test_a5_b5_no_provider_of_another_organisation_opens_or_changes_anybody(
    world: World, evil: EvilIdp, domain: str, kind: str
) -> None:
    """A5, B5: Birch has proved domains that look like Cedar's, and its provider says Ada's and Tom's addresses."""
    if domain != "birch.example":
        prove(world.birch.organization, domain)
    prove(world.birch.organization, "birch.example")
    prove(world.cedar.organization, "cedar.example")
    Account.objects.filter(id=world.tom.account_id).update(home=None, claimed_at=clock.now())
    connection = {"oidc": evil.connect, "google": workspace, "microsoft": tenant}[kind]
    made = connection("birch") if kind == "oidc" else connection(evil, "birch")  # type: ignore[operator]
    before = list(Account.objects.filter(memberships__organization=world.cedar.id).order_by("id").values())
    for number, address in enumerate(("ada@cedar.example", "tom@cedar.example", "pia@cedar.example")):
        said = {"email": address, "email_verified": True, "sub": f"s{number}"}
        claims = {
            "oidc": said,
            "google": google(evil, hd=domain, **said),
            "microsoft": entra(evil, BIRCH, **{**said, "oid": f"o{number}"}, preferred_username=address),
        }[kind]
        browser = Client()
        assert evil.sign_in(browser, made, **claims).status_code == IN, reasons()
        account = Account.objects.get(id=who(browser))
        assert (account.email, account.sign_in_key.endswith(".invalid")) == ("", True)
        assert browser.get("/o/cedar/").status_code == 404
    assert list(Account.objects.filter(memberships__organization=world.cedar.id).order_by("id").values()) == before


def test_a5_microsofts_own_word_for_anothers_address_asks_and_takes_nothing(world: World, evil: EvilIdp) -> None:
    """A5: Birch's tenant has the address of Cedar's admin, verified by Microsoft (edov): asked, never let in as her."""
    prove(world.cedar.organization, "cedar.example")
    Account.objects.filter(id=world.ada.account_id).update(home=None, claimed_at=clock.now())
    before = Account.objects.filter(id=world.ada.account_id).values().get()
    browser = Client()
    said = entra(evil, BIRCH, email="ada@cedar.example", xms_edov="1")
    page = evil.sign_in(browser, tenant(evil, "birch"), **said)["Location"]
    assert page.startswith("/sso/question/")
    assert browser.post(page, {"act": "new"}).status_code == IN
    mine = Account.objects.get(id=who(browser))
    assert (mine.id != world.ada.account_id, mine.email) == (True, "")
    assert Account.objects.filter(id=world.ada.account_id).values().get() == before


def test_a5_the_issuer_of_another_kind_is_another_provider(world: World, evil: EvilIdp) -> None:
    """A5: an OpenID connection with the issuer of Cedar's tenant, or of Google, knows nobody of Cedar's."""
    at_cedar, at_google = tenant(evil), workspace(evil)
    prove(world.cedar.organization, "cedar.example")
    people = [entra(evil, CEDAR, sub="one"), google(evil, hd="cedar.example", sub="two")]
    cedars = []
    for connection, claims in zip((at_cedar, at_google), people, strict=True):
        browser = Client()
        assert evil.sign_in(browser, connection, **claims).status_code == IN
        cedars.append(who(browser))
    for claims in people:
        copy = evil.connect("birch", issuer=claims["iss"])
        for subject in ("one", "two", "0-1-2", "1099"):
            browser = Client()
            assert evil.sign_in(browser, copy, **{**claims, "sub": subject}).status_code == IN
            assert who(browser) not in cedars
    assert not Membership.objects.filter(organization=world.birch.id, account__id__in=cedars).exists()


def test_a5_two_organisations_with_one_issuer_and_client_share_nobody(world: World, evil: EvilIdp) -> None:
    browsers = [Client(), Client()]
    for slug, browser in zip(("cedar", "birch"), browsers, strict=True):
        assert evil.sign_in(browser, evil.connect(slug), sub="same").status_code == IN
    assert who(browsers[0]) != who(browsers[1])
    assert Identity.objects.count() == 2
    assert [browsers[0].get("/o/birch/").status_code, browsers[1].get("/o/cedar/").status_code] == [404, 404]


def test_a13_a_provider_proves_no_mailbox(world: World, evil: EvilIdp) -> None:
    """A13: ``email_verified`` is the organisation's word; our own proof is another column."""
    prove(world.cedar.organization, "cedar.example")
    browser = Client()
    evil.sign_in(browser, evil.connect(), email="zoe@cedar.example", email_verified=True)
    account = Account.objects.get(id=who(browser))
    assert (account.email, account.is_claimed, account.is_proved) == ("zoe@cedar.example", True, False)
    assert not EmailAddress.objects.filter(user=account).exists()
    for lie in ("true", 1, "1", ["true"], None):
        other = Client()
        evil.sign_in(other, Connection.objects.get(), sub=f"x{lie}", email="eve@cedar.example", email_verified=lie)
        assert Account.objects.get(id=who(other)).email == "", lie


# What claims may hold

ADDRESSES = [
    '"ada@evil"@cedar.example', "ada@evil.example@cedar.example", "=?utf-8?q?ada?=@cedar.example",
    "ada@cedar.example\r\nBcc: eve@evil.example", "ada%evil.example@cedar.example\n", "ada@[127.0.0.1]",
    "ada@cedar.example(evil.example)", "<ada@cedar.example>", "Ada <ada@cedar.example>",
    "ada@cedar.example,eve@x.example",
    "a" * 10_000 + "@cedar.example", "ada@" + "a." * 5_000 + "cedar.example", "@", "@cedar.example",
    "ada@", "ada@cedar.example.", "ада@cedar.example", "ada@cedar\u3002example", "ada@xn--", "ada@.invalid",
    "\u202eada@cedar.example", ["ada@cedar.example"], {"a": 1}, 17, True, "",
    "ada@cedar.example;", "ada@\tcedar.example",
]  # fmt: skip


def test_b6_an_address_that_can_be_read_in_two_ways_leads_nowhere(world: World, evil: EvilIdp) -> None:
    """B6: no account of Cedar's by it, and none with another address than the strict form."""
    prove(world.cedar.organization, "cedar.example")
    Account.objects.filter(id=world.ada.account_id).update(home=None, claimed_at=clock.now())
    connection = evil.connect()
    for number, email in enumerate(ADDRESSES):
        browser = Client()
        answer = evil.sign_in(browser, connection, sub=f"s{number}", email=email, email_verified=True)
        assert (answer.status_code, answer["Location"]) == (IN, "/home"), email
        account = Account.objects.get(id=who(browser))
        assert account.id != world.ada.account_id, email
        assert re.fullmatch(r"[\x21-\x7e]{0,254}", account.email), account.email


NAMES = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ settings.SECRET_KEY }}", "%s%n{0.__class__}",
    "\u202eadA\u202c", "a" * 10_000, "Ada\r\nBcc: eve@evil.example", "=cmd|' /C calc'!A0", "\u200b\u200b", "", 7,
    ["A"], {"a": "b"},
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda one: repr(one)[:30])
def test_b6_a_name_is_text_on_every_page_and_in_every_mail(world: World, evil: EvilIdp, name: Any) -> None:
    """Names and other claims with HTML, templates, line breaks and letters that turn others round."""
    connection, browser, ada = evil.connect(), Client(), signed_in(world.ada)
    wild = "<script>alert(1)</script>"
    assert evil.sign_in(browser, connection, name=name, department=wild, given_name=wild).status_code == IN, reasons()
    account = Account.objects.get(id=who(browser))
    assert not re.search(r"[\r\n\u202a-\u202e\u2066-\u2069]", account.username), account.username
    member = Membership.objects.get(account=account)
    pages = [
        "/o/cedar/users", f"/o/cedar/users/{member.id}", "/o/cedar/events",
        f"/o/cedar/settings/integrations/{connection.id}/", f"/o/cedar/settings/integrations/{connection.id}/rules",
        f"/o/cedar/settings/integrations/{connection.id}/simulator",
    ]  # fmt: skip
    for page in pages:
        answer = ada.get(page, follow=True)
        text = answer.content.decode()
        assert answer.status_code == 200, page
        assert wild not in text, page
        assert "onerror=alert(1)>" not in text.replace("&quot;", '"').replace("&gt;", ">") or "&lt;img" in text, page
    for one in Mail.objects.all():
        assert "\r" not in str(one.data)


HUGE: dict[str, Any] = {
    "groups": [f"group-{n:05}" for n in range(1_500)],
    "deep": "[" * 200 + "]" * 200,
    "wide": {f"k{n}": f"v{n}" for n in range(1_000)},
    "floats": {"inf": float("1e308") * 10},
    "numbers": 10**3000,
    "long": "x" * 20_000,
}


def nested(depth: int) -> Any:
    value: Any = "end"
    for _ in range(depth):
        value = {"n": value}
    return value


@pytest.mark.parametrize("what", [*HUGE, "nested", "everything_too_large"])
def test_huge_and_deep_claims_break_nothing_and_are_kept_small(world: World, evil: EvilIdp, what: str) -> None:
    """R10: a person with 1,500 groups comes in; what is kept of it for the admins has a bound."""
    connection, browser = evil.connect(), Client()
    claims = {"nested": nested(300), "everything_too_large": ["y" * 100] * 400}
    answer = evil.sign_in(browser, connection, **{what: {**HUGE, **claims}[what]})
    if what in ("everything_too_large", "floats"):
        assert (answer.status_code, reasons()) == (NO, ["sso_not_trusted"])
        return
    assert answer.status_code == IN, reasons()
    attempt = Attempt.objects.get()
    assert len(str(attempt.claims)) + len(str(attempt.facts)) < 100_000
    assert signed_in(world.ada).get(f"/o/cedar/settings/integrations/{connection.id}/").status_code == 200


@pytest.mark.parametrize(
    "oid", ["x" * 300, "a\nb", "ö" * 255, " 0-1-2", {"a": 1}, 17, True, ["0-1-2"]], ids=lambda one: repr(one)[:12]
)
def test_b1_an_odd_object_id_is_nobody_else(world: World, evil: EvilIdp, oid: Any) -> None:
    connection, first, browser = tenant(evil), Client(), Client()
    assert evil.sign_in(first, connection, **entra(evil, CEDAR)).status_code == IN
    assert evil.sign_in(browser, connection, **entra(evil, CEDAR, oid=oid)).status_code in (IN, NO)
    assert who(browser) != who(first)


# Rules

CLAIMS = ["app_role", "group", "email", "domain", "department", "primary_role"]
VALUES = ["admin", "Teacher", "*", "*@cedar.example", "a*a*a*a*a*b", "x", "cedar.example"]
facts = st.dictionaries(st.sampled_from(CLAIMS), st.lists(st.sampled_from(VALUES), max_size=3).map(tuple))
ROLES = ["admin", "teacher", "student", "owner", ""]
lines = st.lists(
    st.tuples(st.sampled_from(CLAIMS), st.sampled_from(VALUES), st.sampled_from(ROLES)),
    max_size=8,
)  # fmt: skip


@given(lines, facts, st.frozensets(st.sampled_from(CLAIMS)), st.sampled_from(sorted(PLANS)))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_b14_no_rules_make_an_admin_and_what_is_incomplete_gives_nothing(
    rules: list[tuple[str, str, str]], said: dict[str, tuple[str, ...]], unknown: frozenset[str], plan: str
) -> None:
    """B14: whatever the rules and the facts; every role that is given stands in a rule that fits a known fact."""
    kept = [
        Rule(claim=claim, value=value, role=role, group_id=None if role else uuid.uuid4(), position=at)
        for at, (claim, value, role) in enumerate(rules)
    ]
    person = Person("https://id.example", "1", facts=said, unknown=unknown)
    verdict = judge(kept, person, PLANS[plan])
    assert verdict.role != PLANS[plan].admin.slug
    if verdict.role:
        assert verdict.rule
        assert verdict.rule.claim not in unknown
        assert fits(verdict.rule, person)
        assert PLANS[plan].role(verdict.role)
        before = kept[: kept.index(verdict.rule)]
        assert not any(rule.claim in unknown for rule in before if rule.role), "an earlier rule may have said less"
    giving = {rule.group_id for rule in kept if rule.group_id and rule.claim not in unknown and fits(rule, person)}
    assert set(verdict.groups) == giving


def test_b14_a_rule_with_many_stars_costs_no_time(world: World, evil: EvilIdp) -> None:
    """A pattern and an address made for each other: whoever owns both must not hold a process with them."""
    address = f"{'a' * 60}@{'a.' * 90}example"
    person = Person("https://id.example", "1", facts={"email": (address,)})
    connection = evil.connect()
    rules = [
        Rule(connection=connection, position=at, claim="email", value="*a*a*a*a*b", role="teacher") for at in range(100)
    ]
    began = time.process_time()
    assert judge(rules, person, PLANS["school"]).role == ""
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("pattern", "value", "is_like"),
    [
        ("*@cedar.example", "ada@cedar.example", True), ("*@cedar.example", "ada@cedar.example.evil", False),
        ("*@cedar.example", "@cedar.example", True), ("a*a", "a", False), ("a*a", "aa", True), ("*", "", True),
        ("ada@*", "ada@cedar.example", True), ("a*b*c", "axxbyyc", True), ("a*b*c", "axxcyyb", False),
        ("ada@cedar.example", "ADA@CEDAR.example", True), ("*.cedar.example", "cedar.example", False),
        ("a.a@cedar.example", "axa@cedar.example", False), ("*ab*ab*", "ab", False), ("**", "x", True),
    ],
)  # fmt: skip
def test_what_stars_stand_for(pattern: str, value: str, is_like: bool) -> None:
    person = Person("https://id.example", "1", facts={"email": (value,)})
    assert fits(Rule(claim="email", value=pattern, role="teacher"), person) is is_like
