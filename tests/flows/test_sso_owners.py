"""Accounts and single sign-on, whoever comes first: what others set up opens nothing; who was sent away stays out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import chain, combinations
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client
from evil_idp import CEDAR, EvilIdp, entra, who
from trips import leads_to, prove
from world import PASSWORD, Person, World, signed_in, somebody

from usher.core import clock
from usher.core.errors import UsherError
from usher.lifecycle.leave import deactivate, reactivate
from usher.lifecycle.move import move
from usher.methods.sso import arrival, connect
from usher.methods.sso.models import Attempt, Connection, Kind, Question, Trip
from usher.methods.sso.person import Person as Proved
from usher.organizations.models import Domain, Organization
from usher.people import claim, factors, passwords
from usher.people.addresses import parse_address
from usher.people.models import Account, Identity, Membership, OneTimeLink

pytestmark = pytest.mark.django_db

ZOE = "zoe@cedar.example"
SAID: dict[str, Any] = {"email": ZOE, "email_verified": True, "name": "Zoe Zimt"}
THEIRS, HERS = PASSWORD, "four words in a row"


@pytest.fixture
def connection(world: World, evil: EvilIdp) -> Connection:
    prove(world.cedar.organization, "cedar.example")
    return evil.connect()


def opens(password: str, at: str = "/") -> str:
    browser = Client()
    browser.post(at, {"name": ZOE, "password": password})
    return who(browser)


def last_reason() -> str:
    return Attempt.objects.order_by("-at").values_list("reason", flat=True)[0]


def mailbox_proved(account: Account, password: str = HERS) -> Account:
    """Her own link, from a mail to her."""
    return claim.claim(account, parse_address(ZOE), passwords.digest(password))


# Before and after


def test_a1_a_password_that_somebody_set_before_is_dead_once_she_comes(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    """A1, one order: Cedar's admin knows the password of the account that was made for her."""
    made = world.cedar.account(world.cedar.add(somebody("Zoe", email=ZOE)))
    assert opens(THEIRS, "/o/cedar/sign-in") == str(made.id)
    browser = Client()
    assert evil.sign_in(browser, connection, **SAID)["Location"] == "/home"
    assert who(browser) == str(made.id)
    assert [opens(THEIRS), opens(THEIRS, "/o/cedar/sign-in")] == ["", ""]


def test_a1_an_account_made_elsewhere_afterwards_takes_nothing(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    """A1, the other order: she came by Cedar's provider; Birch makes an account for her address with a password."""
    browser = Client()
    evil.sign_in(browser, connection, **SAID)
    shell = world.birch.account(world.birch.add(somebody("Zoe", "learner", email=ZOE)))
    assert shell.id != Account.objects.get(id=who(browser)).id
    assert opens(THEIRS, "/o/cedar/sign-in") == ""
    again = Client()
    evil.sign_in(again, connection, **SAID)
    assert who(again) == who(browser)
    assert again.get("/o/birch/").status_code == 404, "and what Birch made is not hers by Cedar's word"


def test_a1_a_shell_of_another_organisation_is_neither_seen_nor_claimed(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    """A1, A7: Birch made it before; Cedar's provider brings her, and Birch's account stays as it was."""
    shell = world.birch.account(world.birch.add(somebody("Zoe", "learner", email=ZOE)))
    before = Account.objects.filter(id=shell.id).values().get()
    browser = Client()
    assert evil.sign_in(browser, connection, **SAID)["Location"] == "/home", "no question: it would tell of Birch"
    assert who(browser) != str(shell.id)
    assert Account.objects.filter(id=shell.id).values().get() == before
    assert opens(THEIRS, "/o/birch/sign-in") == str(shell.id)
    assert opens(THEIRS, "/o/cedar/sign-in") == ""


def test_a2_every_session_from_before_ends_with_the_silent_claim(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    """A2: three browsers in which somebody knew the password are out at their next request."""
    outcome = world.cedar.add(somebody("Zoe", email=ZOE))
    person = Person(world.cedar.account(outcome).id, outcome.membership_id)
    old = [signed_in(person) for _ in range(3)]
    assert [one.get("/account").status_code for one in old] == [200] * 3
    evil.sign_in(Client(), connection, **SAID)
    for one in old:
        for page in ("/account", "/o/cedar/", "/account/security"):
            assert one.get(page)["Location"].startswith(("/?", "/o/cedar/sign-in")), page


def plant_password(account: Account, connection: Connection) -> None:
    Account.objects.filter(id=account.id).update(password=passwords.digest(THEIRS))


def plant_address(account: Account, connection: Connection) -> None:
    EmailAddress.objects.create(user=account, email="evil@mail.example", verified=True, primary=False)


def plant_app(account: Account, connection: Connection) -> None:
    Authenticator.objects.create(user=account, type=factors.APP, data={})


def plant_codes(account: Account, connection: Connection) -> None:
    Authenticator.objects.create(user=account, type=Authenticator.Type.RECOVERY_CODES, data={})


def plant_passkey(account: Account, connection: Connection) -> None:
    Authenticator.objects.create(user=account, type=factors.PASSKEY, data={"counter": 0})


def plant_identity(account: Account, connection: Connection) -> None:
    other = Organization.objects.get(slug="birch")
    Identity.objects.create(
        account=account, organization=other, connection_id=other.id, issuer="https://evil.example", subject="evil"
    )


def plant_link(account: Account, connection: Connection) -> None:
    ends = clock.now() + dt.timedelta(hours=1)
    OneTimeLink.objects.create(account=account, purpose="reset", token_hash="x" * 64, expires_at=ends)


def plant_trip(account: Account, connection: Connection) -> None:
    """A link to a provider that is under way."""
    ends = clock.now() + dt.timedelta(minutes=10)
    facts = {"kind": "oidc", "purpose": "link", "connection": connection, "account": account}
    Trip.objects.create(state_hash="s" * 64, browser_hash="b" * 64, expires_at=ends, **facts)


PLANTS = (
    plant_password, plant_address, plant_app, plant_codes, plant_passkey, plant_identity, plant_link, plant_trip
)  # fmt: skip
SUBSETS = list(chain.from_iterable(combinations(PLANTS, size) for size in (1, 2, len(PLANTS))))


def test_a3_whatever_was_planted_is_gone_once_she_comes(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    """A3: every kind of identifier alone, every two, and all together, on the account that Cedar made for her."""
    for number, subset in enumerate(SUBSETS):
        address = f"zoe{number}@cedar.example"
        made = world.cedar.account(world.cedar.add(somebody(f"Zoe {number}", email=address)))
        for plant in subset:
            plant(made, connection)
        person = Proved(connection.issuer, f"s{number}", address, is_vouched=True)
        found = arrival.settle(connection, person)
        assert found.account, subset
        assert found.account.id == made.id, subset
        made.refresh_from_db()
        left = [
            EmailAddress.objects.filter(user=made), Authenticator.objects.filter(user=made),
            OneTimeLink.objects.filter(account=made), Trip.objects.filter(account=made),
            Identity.objects.filter(account=made).exclude(subject=f"s{number}"),
        ]  # fmt: skip
        assert [rows.count() for rows in left] == [0] * 5, subset
        assert not passwords.verify(THEIRS, made.password).ok, subset


def test_the_mailbox_takes_over_what_a_provider_claimed(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    """A6: the organisation's word gives way to the mailbox; the provider's session is dead, its next one links anew."""
    made = world.cedar.account(world.cedar.add(somebody("Zoe", email=ZOE)))
    browser = Client()
    evil.sign_in(browser, connection, **SAID)
    mailbox_proved(Account.objects.get(id=made.id))
    assert browser.get("/account").status_code == 302
    assert not Identity.objects.exists()
    assert opens(HERS) == str(made.id)
    assert evil.sign_in(Client(), connection, **SAID).status_code == 302
    assert Account.objects.get(id=made.id).has_usable_password(), "her own password stays"


# The question


def asked(evil: EvilIdp, connection: Connection, browser: Client, **said: Any) -> str:
    page = evil.sign_in(browser, connection, **{**SAID, "email_verified": False, **said})["Location"]
    assert page.startswith("/sso/question/"), page
    return page


def test_a_question_that_was_answered_elsewhere_is_no_error(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    """Asked in two browsers, answered in both: one account, and the second answer opens the same one."""
    world.cedar.add(somebody("Zoe", email=ZOE))
    browsers = [Client(), Client()]
    pages = [asked(evil, connection, browser) for browser in browsers]
    for browser, page in zip(browsers, pages, strict=True):
        assert browser.post(page, {"act": "new"}).status_code == 302
    assert who(browsers[0]) == who(browsers[1]) != ""
    assert Identity.objects.count() == 1


def test_linked_in_one_browser_new_in_the_other(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    made = world.cedar.account(world.cedar.add(somebody("Zoe", email=ZOE)))
    one, other = Client(), Client()
    first, second = asked(evil, connection, one), asked(evil, connection, other)
    one.post("/o/cedar/sign-in", {"name": ZOE, "password": PASSWORD})
    assert one.post(first, {"act": "link"}).status_code == 302
    count = Account.objects.count()
    assert other.post(second, {"act": "new"}).status_code == 302
    assert (who(other), Account.objects.count()) == (str(made.id), count)


def test_b16_the_proof_of_a_question_links_that_person_alone(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    """B16: two people of the provider ask for one account; who has proved it in his browser links himself only."""
    made = world.cedar.account(world.cedar.add(somebody("Zoe", email=ZOE)))
    hers, his = Client(), Client()
    page, other = asked(evil, connection, hers, sub="zoe"), asked(evil, connection, his, sub="mallory")
    hers.post("/o/cedar/sign-in", {"name": ZOE, "password": PASSWORD})
    assert hers.post(other, {"act": "link"}).status_code == 400, "his question is not hers"
    assert hers.post(page, {"act": "link"}).status_code == 302
    assert his.post(other, {"act": "link"})["Location"] == "/o/cedar/sign-in"
    his.post("/o/cedar/sign-in", {"name": ZOE, "password": PASSWORD})
    assert his.post(other, {"act": "link"}).status_code == 409, "another subject with the address opens nothing"
    assert list(Identity.objects.values_list("subject", "account_id")) == [("zoe", made.id)]


def test_a_question_dies_with_the_provider_that_asked(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    """Another issuer is another provider: who was proved by the old one does not come in by the new one."""
    world.cedar.add(somebody("Zoe", email=ZOE))
    browser = Client()
    page = asked(evil, connection, browser)
    Connection.objects.filter(id=connection.id).update(state="on")
    wish = connect.wish_of(connection).__class__(issuer=f"{evil.url}/other", client_id="usher-at-evil")
    connect.change(connection, wish, world.ada.actor)
    Connection.objects.filter(id=connection.id).update(state="on")
    assert browser.post(page, {"act": "new"}).status_code == 400
    assert (Question.objects.count(), Identity.objects.count()) == (0, 0)


# Who was sent away


@pytest.mark.parametrize("claimed", [False, True], ids=["made", "proved"])
@pytest.mark.parametrize("vouched", [False, True], ids=["said", "vouched"])
@pytest.mark.parametrize("linked", [False, True], ids=["never linked", "linked"])
def test_b13_who_was_deactivated_does_not_come_back_as_somebody_new(
    world: World,
    evil: EvilIdp,
    connection: Connection,
    claimed: bool,
    vouched: bool,
    linked: bool,
) -> None:
    """B13: whatever the account was, whether or not he came by the provider before: an admin lets him in again."""
    outcome = world.cedar.add(somebody("Zoe", email=ZOE))
    account, said = world.cedar.account(outcome), {**SAID, "email_verified": vouched}
    if linked:
        evil.sign_in(Client(), connection, **SAID)
    if claimed:
        account = mailbox_proved(Account.objects.get(id=account.id))
    if linked and claimed:
        evil.sign_in(Client(), connection, **SAID)
    deactivate(world.cedar.id, outcome.membership_id, world.ada.by)  # type: ignore[arg-type]
    count = Account.objects.count()
    browser = Client()
    answer = evil.sign_in(browser, connection, **said)
    assert (answer.status_code, last_reason()) == (409, "member_inactive")
    assert (who(browser), Account.objects.count()) == ("", count)
    reactivate(world.cedar.id, outcome.membership_id, world.ada.by)  # type: ignore[arg-type]
    answer = evil.sign_in(browser, connection, **said)
    assert answer.status_code == 302
    assert who(browser) in ("", str(account.id))


def test_b13_nor_by_a_question_that_was_asked_before(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    outcome = world.cedar.add(somebody("Zoe", email=ZOE))
    browser = Client()
    page = asked(evil, connection, browser)
    deactivate(world.cedar.id, outcome.membership_id, world.ada.by)  # type: ignore[arg-type]
    count = Account.objects.count()
    assert browser.post(page, {"act": "new"}).status_code == 409
    assert (who(browser), Account.objects.count()) == ("", count)


def test_who_has_the_address_of_somebody_who_left_is_asked(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    """The address was given to somebody else: the provider knows the old one by another subject, so this is not him."""
    evil.sign_in(Client(), connection, sub="old", **SAID)
    old = Identity.objects.get()
    member = Membership.objects.get(account=old.account_id)
    deactivate(world.cedar.id, member.id, world.ada.by)
    browser = Client()
    page = evil.sign_in(browser, connection, sub="young", **SAID)["Location"]
    assert browser.post(page, {"act": "new"}).status_code == 302
    assert who(browser) not in ("", str(old.account_id))


def test_who_left_the_school_and_is_taken_back_has_the_old_account(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    browser = Client()
    evil.sign_in(browser, connection, **SAID)
    member = Membership.objects.get(account__id=who(browser))
    deactivate(world.cedar.id, member.id, world.ada.by)
    reactivate(world.cedar.id, member.id, world.ada.by)
    again = Client()
    assert evil.sign_in(again, connection, **SAID)["Location"] == "/home"
    assert who(again) == who(browser)
    assert again.get("/o/cedar/", follow=True).status_code == 200


# Admins


def test_b15_who_is_no_admin_any_more_proves_and_tries_nothing(world: World, evil: EvilIdp) -> None:
    """B15: the trip began while he was one; at its end he is not."""
    facts: dict[str, Any] = {"kind": Kind.MICROSOFT, "client_id": "", "issuer": "", "state": "draft", "tested_at": None}
    made = evil.connect(**facts)
    other = world.cedar.settle("Ann Alder", "admin")
    browser = signed_in(other)
    browser.get("/home")
    for page in ("prove", "test"):
        move(world.cedar.id, other.membership.id, "admin", world.ada.by) if page == "test" else None
        browser.force_login(other.account)
        connect_to = browser.post(f"/o/cedar/settings/integrations/{made.id}/{page}")
        if connect_to.status_code == 302:  # a fresh proof first
            browser = Client()
            browser.post("/o/cedar/sign-in", {"name": "ann@cedar.example", "password": PASSWORD})
            connect_to = browser.post(f"/o/cedar/settings/integrations/{made.id}/{page}")
        url = leads_to(connect_to)
        move(world.cedar.id, other.membership.id, "teacher", world.ada.by)
        roles = ["62e90394-69f5-4237-9190-012177145e10"]
        browser.get(evil.returns(url, **entra(evil, CEDAR, wids=roles)))
        made.refresh_from_db()
        assert (made.proved_at, made.tenant, made.tested_at) == (None, "", None), page


def test_a_provider_that_passwords_rest_on_is_not_exchanged_for_an_unproved_one(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    """An admin who locks himself out: another issuer switches the only connection off, as removing it would."""
    Organization.objects.filter(id=world.cedar.id).update(passwords_for="admins")
    wish = connect.wish_of(connection).__class__(issuer=f"{evil.url}/other", client_id="usher-at-evil")
    for act in (
        lambda: connect.change(connection, wish, world.ada.actor),
        lambda: connect.switch(connection, on=False, actor=world.ada.actor),
        lambda: connect.remove(connection, world.ada.actor),
    ):
        with pytest.raises(UsherError) as no:
            act()
        assert [one.code for one in no.value.findings] == ["no_way_left"]
    assert evil.sign_in(Client(), connection, **SAID).status_code == 302


def test_a_connection_that_is_no_directory_proves_no_domain(world: World, evil: EvilIdp) -> None:
    """B5: a provider of one's own that says ``hd``, beside the access token of a real admin of another domain."""
    made = evil.connect()
    signed = type(
        "Signed",
        (),
        {"issuer": made.issuer, "subject": "1", "claims": {"hd": "birch.example", "email": "a@evil.example"}},
    )
    answer = type("Answer", (), {"signed": signed, "tokens": type("T", (), {"access_token": "real"})})
    evil.answers["a@evil.example"] = lambda: b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"isAdmin":true}'
    with pytest.raises(UsherError):
        connect.bind(made, answer, world.ada.account)  # type: ignore[arg-type]
    assert not Domain.objects.filter(name="birch.example").exists()


def test_what_is_switched_off_while_somebody_is_on_the_way_is_off(
    world: World,
    evil: EvilIdp,
    connection: Connection,
) -> None:
    """While the provider answers, an admin switches the connection off: nobody comes in, and nobody proves anything."""
    evil.sign_in(Client(), connection, **SAID)
    stale = Connection.objects.select_related("organization__license").get(id=connection.id)
    Connection.objects.filter(id=connection.id).update(state="off")
    person = Proved(connection.issuer, "24400320", ZOE, is_vouched=True)
    acts: list[Callable[[], object]] = [
        lambda: arrival.settle(stale, person),
        lambda: arrival.go_on_new(stale, person, ""),
        lambda: arrival.join_account(stale, person, world.tom.account),
    ]
    for act in acts:
        with pytest.raises(UsherError) as no:
            act()
        assert no.value.findings[0].code == "sso_off"
