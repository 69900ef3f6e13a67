"""Registering: the mail, the link, the account that comes of it, and who can never come in by it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from mailing import link_in, mails, one_mail
from world import PASSWORD, Person, World, signed_in, somebody

from usher.core import chores, switches
from usher.core import clock as clocks
from usher.core.limits import MAIL_ANYWHERE, MAIL_FROM, MAIL_TO, Limit
from usher.core.mail import ANYWHERE
from usher.core.models import Bucket, Mail
from usher.core.tokens import derived_token, token_hash
from usher.events.models import Event
from usher.events.types import EventType
from usher.lifecycle.leave import deactivate
from usher.methods.invite_code.models import CodeUse, InviteCode
from usher.organizations.models import SeatPool
from usher.people import passwords, registrations
from usher.people.addresses import parse_address
from usher.people.claim import claim, offers_to
from usher.people.models import Account, Registration
from usher.people.restored import end_sessions_and_links
from usher.signin.register import COOKIE

CODE = "10AB29QX"
ZOE = "Zoe@Mail.example"
KEY = ZOE.lower()
OWN = "four words in a row"
OTHER = "of somebody else"


@pytest.fixture
def code(world: World) -> InviteCode:
    return a_code(world, group=world.year5)


def a_code(world: World, **facts: Any) -> InviteCode:
    facts = {"organization": world.cedar.organization, "code": CODE, "role": "student", **facts}
    return InviteCode.objects.create(**facts)


def register(client: Client | None = None, **more: str) -> HttpResponse:
    filled = {"username": "Zoe Z.", "email": ZOE, "password": OWN, "code": CODE, **more}
    answer = (client or Client()).post("/register", filled)
    assert isinstance(answer, HttpResponse)
    return answer


def link(client: Client | None = None, **more: str) -> str:
    """Register, and take the link from the mail."""
    assert register(client, **more).status_code == 200
    return link_in(one_mail(), "/confirm/")


def confirm(path: str, client: Client | None = None, password: str = "") -> HttpResponse:
    answer = (client or Client()).post(path, {"password": password} if password else {})
    assert isinstance(answer, HttpResponse)
    return answer


def words(answer: Any) -> str:
    main = answer.content.decode().partition('id="content"')[2].partition("</main>")[0].partition(">")[2]
    text = " ".join(unescape(re.sub("<[^>]*>", " ", main.replace("<wbr>", ""))).split())
    return re.sub(r" ([.,])(?= |$)", r"\1", text)


def zoe() -> Account:
    return Account.objects.get(sign_in_key=KEY, claimed_at__isnull=False)


def opens(name: str, password: str, at: str = "/") -> bool:
    return Client().post(at, {"name": name, "password": password}).status_code == 302


def is_in(client: Client) -> bool:
    return client.get("/password").status_code == 200


def state() -> tuple[object, ...]:
    """What a look must not change."""
    rows = Registration.objects.values_list("id", "consumed_at", "password")
    return (list(rows), list(Account.objects.order_by("id").values_list()), Event.objects.count(), Mail.objects.count())


# The whole way


def test_from_the_form_to_the_class(world: World, code: InviteCode) -> None:
    client = Client()
    answer = register(client)
    assert answer.status_code == 200
    assert "Look into your mail" in words(answer)
    assert ZOE in words(answer)
    assert not Account.objects.filter(sign_in_key=KEY).exists()
    message = one_mail()
    assert (message.to, message.subject) == ([ZOE], "Confirm your address")
    path = link_in(message, "/confirm/")
    page = words(client.get(path))
    assert "You will join Cedar School as Student, in Year 5." in page
    assert "choose the password here" not in page
    done = client.post(path)
    assert (done.status_code, done["Location"]) == (302, "/o/cedar/")
    assert "You are in Cedar School now, as Student." in words(client.get("/o/cedar/"))
    account = zoe()
    assert (account.username, account.email, account.home_id) == ("Zoe Z.", ZOE, None)
    assert (account.must_change_password, bool(account.password_set_at)) == (False, True)
    assert EmailAddress.objects.get(user=account).verified
    member = account.memberships.get()
    assert (member.state, member.role, member.group_links.get().group_id) == ("active", "student", world.year5.id)
    assert CodeUse.objects.get().membership_id == member.id
    event = Event.objects.get(type=EventType.ACCOUNT_REGISTERED)
    assert (event.account_id, event.actor_id, event.organization_id) == (account.id, account.id, None)
    assert opens(ZOE, OWN)


def test_the_database_keeps_a_hash_of_the_link_and_of_the_password(code: InviteCode) -> None:
    client = Client()
    path = link(client)
    row = Registration.objects.values().get()
    token = path.rpartition("/")[2]
    assert row["token_hash"] == token_hash(token, "registration")
    assert passwords.is_hardened(row["password"])
    kept = repr(row) + repr(list(Mail.objects.values()))
    for secret in (token, OWN, client.cookies[COOKIE].value):
        assert secret not in kept


def test_the_mail_says_nothing_that_a_stranger_typed(code: InviteCode) -> None:
    register(username="Win at https://evil.example now")
    message = one_mail()
    whole = str(message.message())
    assert "evil" not in whole
    assert "Cedar" not in whole
    hosts = {host.rstrip(".") for host in re.findall(r"https?://([^/\s\"'<>]+)", whole)}
    assert hosts == {settings.USHER_BASE_URL.partition("://")[2]}


def test_the_cookie_of_the_browser(code: InviteCode) -> None:
    client = Client()
    register(client)
    cookie = client.cookies[COOKIE]
    assert len(cookie.value) == 43
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"], cookie["path"]) == (True, "Lax", "", "/")
    register(client)
    assert client.cookies[COOKIE].value == cookie.value, "the first mail's button would ask for a password"


def test_there_is_no_question_about_a_role_and_none_is_answered(world: World, code: InviteCode) -> None:
    client = Client()
    assert 'name="role"' not in client.get("/register").content.decode()
    client.post(link(client, role="admin", state="active", organization="birch"), {"role": "admin"})
    assert zoe().memberships.get().role == "student"


# Where the link is opened


@pytest.mark.parametrize("method", ["get", "head", "options"])
@pytest.mark.parametrize("here", [True, False])
def test_looking_changes_nothing(code: InviteCode, method: str, here: bool) -> None:
    client = Client()
    path = link(client)
    before = state()
    for _ in range(2):
        getattr(client if here else Client(), method)(path)
    assert state() == before
    assert client.post(path).status_code == 302


def test_elsewhere_a_password_is_chosen(code: InviteCode) -> None:
    path, phone = link(), Client()
    assert "This is not the browser in which the form was sent" in words(phone.get(path))
    assert confirm(path, phone, "on another device").status_code == 302
    assert is_in(phone)
    assert opens(ZOE, "on another device")
    assert not opens(ZOE, OWN)


def test_a_program_that_sends_forms_cannot_confirm(code: InviteCode) -> None:
    """It has the link and its form, and types nothing."""
    path = link()
    before = state()
    for sent in ({}, {"password": ""}, {"username": ZOE}):
        answer = Client().post(path, sent)
        assert answer.status_code == 400
        assert "Choose a password and type it here." in words(answer)
    assert state() == before
    assert confirm(path, password="on another device").status_code == 302


@pytest.mark.parametrize(("password", "said"), [("short", "at least 10"), ("basketball", "many people use")])
def test_the_password_chosen_there_is_judged(code: InviteCode, password: str, said: str) -> None:
    path = link()
    before = state()
    answer = confirm(path, password=password)
    assert (answer.status_code, said in words(answer)) == (400, True)
    assert password not in answer.content.decode()
    assert state() == before


def test_the_cookie_of_another_registration_is_another_browser(code: InviteCode) -> None:
    client = Client()
    register(client, email="other@mail.example")
    mails()
    assert confirm(link(), client).status_code == 400


def test_whoever_was_signed_in_there_is_not_any_more(world: World, code: InviteCode) -> None:
    client = signed_in(world.pia)
    assert confirm(link(), client, OWN).status_code == 302
    assert client.session["_auth_user_id"] == str(zoe().id)
    assert world.pia.account.email != ZOE


# One link


def test_only_the_newest_mail_counts(code: InviteCode) -> None:
    client = Client()
    first, second = link(client), link(client, username="Zoe the second")
    for method in (client.get, client.post):
        answer = method(first)
        assert answer.status_code == 410
        assert "Open the newest mail." in words(answer)
    assert client.post(second).status_code == 302
    assert zoe().username == "Zoe the second"


def test_a_link_works_once(code: InviteCode) -> None:
    client = Client()
    path = link(client)
    client.post(path)
    answer = Client().get(path)
    assert answer.status_code == 410
    assert 'href="/"' in answer.content.decode()
    assert confirm(path, client, "another password").status_code == 410
    assert opens(ZOE, OWN)


def test_a_link_lives_for_a_day(code: InviteCode, clock: time_machine.Traveller) -> None:
    client = Client()
    path = link(client)
    clock.shift(timedelta(hours=23, minutes=59))
    assert client.get(path).status_code == 200
    clock.shift(timedelta(minutes=1))
    assert [client.get(path).status_code, client.post(path).status_code] == [410, 410]
    assert not Account.objects.filter(sign_in_key=KEY).exists()


def test_a_mail_that_waited_too_long_is_not_sent(code: InviteCode, clock: time_machine.Traveller) -> None:
    register()
    clock.shift(registrations.LIVES)
    assert mails() == []
    assert not Mail.objects.exists()


@pytest.mark.parametrize("token", ["x", "A" * 43, "é", "%00"])
def test_a_made_up_link_is_a_dead_one(world: World, token: str) -> None:
    for answer in (Client().get(f"/confirm/{token}"), Client().post(f"/confirm/{token}")):
        assert answer.status_code in (410, 400)


def test_a_link_of_another_kind_confirms_nothing(code: InviteCode) -> None:
    token = link().rpartition("/")[2]
    for page in ("set-up", "reset", "address"):
        assert Client().get(f"/{page}/{token}").status_code in (302, 404, 410)
    assert Client().get(f"/confirm/{token}").status_code == 200


def test_a_new_pepper_does_not_stop_a_mail_that_waits(code: InviteCode, settings: Any) -> None:
    client = Client()
    register(client)
    settings.USHER_PEPPER = ["a-new-pepper-that-is-long-enough-0123456789", *settings.USHER_PEPPER]
    assert client.post(link_in(one_mail(), "/confirm/")).status_code == 302


def test_what_is_over_is_thrown_away(code: InviteCode, clock: time_machine.Traveller) -> None:
    client = Client()
    client.post(link(client))
    register(email="late@mail.example")
    clock.shift(timedelta(hours=1))
    register(email="living@mail.example")
    clock.shift(registrations.LIVES - timedelta(minutes=30))
    chores.run_all()
    assert list(Registration.objects.values_list("email", flat=True)) == ["living@mail.example"]


def test_a_restored_backup_brings_no_link_back(code: InviteCode) -> None:
    path = link()
    end_sessions_and_links(clocks.now())
    assert Client().get(path).status_code == 410


# What the code is by then


def test_a_no_of_the_door_loses_nothing(world: World, code: InviteCode) -> None:
    client = Client()
    path = link(client)
    SeatPool.objects.filter(organization=world.cedar.id, pool="student").update(limit=1)
    answer = client.post(path)
    assert answer.status_code == 409
    page = words(answer)
    assert "Your account is ready" in page
    assert "All 1 student seats are taken." in page
    assert is_in(client)
    assert not zoe().memberships.exists()
    world.cedar.seats("student", 500)
    assert client.post(f"/join/{CODE}")["Location"] == "/o/cedar/"


@pytest.mark.parametrize("what", ["paused", "rotated", "gone"])
def test_a_code_that_died_meanwhile_leaves_the_account(
    world: World, code: InviteCode, what: str, clock: time_machine.Traveller
) -> None:
    """Rotated: whoever registered by the old one, which may have leaked, does not come in by the new one."""
    client = Client()
    path = link(client)
    clock.shift(timedelta(minutes=1))
    if what == "gone":
        InviteCode.objects.all().delete()
    elif what == "paused":
        InviteCode.objects.update(paused_at=clocks.now())
    else:
        InviteCode.objects.update(code="NEWC0DE9", rotated_at=clocks.now())
    assert ("does not work any more" in words(client.get(path))) == (what != "paused")
    answer = client.post(path, follow=True)
    assert is_in(client)
    assert ("This code is paused." if what == "paused" else "This code does not work.") in words(answer)
    assert not zoe().memberships.exists()


def test_a_code_that_was_rotated_before_is_a_living_one(code: InviteCode) -> None:
    InviteCode.objects.update(rotated_at=clocks.now())
    client = Client()
    assert client.post(link(client))["Location"] == "/o/cedar/"


def test_who_has_to_be_approved_waits(world: World) -> None:
    a_code(world, needs_approval=True)
    client = Client()
    answer = client.post(link(client), follow=True)
    assert "An admin of Cedar School decides." in words(answer)
    assert zoe().memberships.get().state == "waiting"


def test_an_address_outside_the_domains_is_said_before_a_mail_is_sent(world: World) -> None:
    a_code(world, domains=["cedar.example"])
    answer = register()
    assert answer.status_code == 403
    assert "This code is for people with an address at cedar.example." in words(answer)
    assert mails() == []
    client = Client()
    assert client.post(link(client, email="zoe@Cedar.example"))["Location"] == "/o/cedar/"


# The form


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"username": ""}, 400, "Type your name."),
        ({"username": "\u202eZoe"}, 400, "hidden characters"),
        ({"email": ""}, 400, "Type your e-mail address."),
        ({"email": "zoe@"}, 400, "The address “zoe@” is not complete."),
        ({"email": "zoe@cedar.usher.invalid"}, 400, "Addresses under .invalid"),
        ({"password": ""}, 400, "Choose a password"),
        ({"password": "short"}, 400, "at least 10"),
        ({"code": ""}, 400, "Type your invite code."),
        ({"code": "10AB29QZ"}, 404, "This code does not work."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    code: InviteCode, given: dict[str, str], status: int, said: str
) -> None:
    answer = register(None, **given)
    assert (answer.status_code, said in words(answer)) == (status, True)
    assert not Registration.objects.exists()
    html = answer.content.decode()
    for name, value in {"username": "Zoe Z.", "email": ZOE, "code": CODE}.items():
        assert name in given or f'value="{value}"' in html, name
    assert OWN not in html


def test_the_code_in_the_link_fills_the_field(code: InviteCode) -> None:
    page = Client().get(f"/register?code={CODE}").content.decode()
    assert f'value="{CODE}"' in page
    assert "Cedar School" in page
    assert Client().get("/register?code=10AB29QZ").status_code == 200


def test_somebody_signed_in_needs_no_account(world: World, code: InviteCode) -> None:
    client = signed_in(world.eve)
    assert client.get("/register")["Location"] == "/home"
    assert client.get(f"/register?code={CODE.lower()}")["Location"] == f"/join/{CODE}"
    assert client.get("/register?code=a/b")["Location"] == "/home"
    assert register(client).status_code == 302
    assert not Registration.objects.exists()


def test_without_a_code_only_where_registration_is_open(world: World) -> None:
    assert "Type your invite code." in words(register(code=""))
    assert 'href="/register"' not in Client().get("/").content.decode()
    assert 'href="/join"' in Client().get("/").content.decode()
    switches.turn(switches.OPEN_REGISTRATION, on=True)
    assert 'href="/register"' in Client().get("/").content.decode()
    client = Client()
    answer = client.post(link(client, code=""), follow=True)
    assert "Your account is ready." in words(answer)
    assert not zoe().memberships.exists()
    assert register(code="10AB29QZ").status_code == 404


# Limits


def test_a_mailbox_gets_its_share_and_nobody_is_told(
    code: InviteCode, clock: time_machine.Traveller, hashes: list[str]
) -> None:
    first = strip(register())
    for number in range(MAIL_TO.capacity + 3):
        assert strip(register(email=ZOE.upper())) == first.replace(ZOE.encode(), ZOE.upper().encode())
        assert len(hashes) == number + 2
    sent = mails()
    assert len(sent) == MAIL_TO.capacity
    assert Registration.objects.count() == MAIL_TO.capacity
    assert Client().get(link_in(sent[-1], "/confirm/")).status_code == 200, "the last mail that came still counts"


def strip(answer: HttpResponse) -> bytes:
    assert answer.status_code == 200
    return re.sub(rb'value="[^"]{60,}"', b"", answer.content).replace(b"<wbr>", b"")


@pytest.mark.parametrize(("limit", "who"), [(MAIL_FROM, "127.0.0.1"), (MAIL_ANYWHERE, ANYWHERE)])
def test_too_many_mails_are_refused_aloud(
    code: InviteCode, clock: time_machine.Traveller, limit: Limit, who: str
) -> None:
    limit.add(who)
    Bucket.objects.filter(key=limit.key(who)).update(level=limit.capacity)
    answer = register()
    assert answer.status_code == 429
    assert "Too many tries." in words(answer)
    assert f'value="{ZOE}"' in answer.content.decode()
    assert not Registration.objects.exists()


# Whose address it is


@pytest.fixture
def made(world: World) -> Person:
    """Birch's account for Zoe's address; Bob, who had it made, knows its password."""
    outcome = world.birch.add(somebody("Made By Bob", "learner", email=ZOE))
    assert outcome.account_id
    return Person(outcome.account_id, outcome.membership_id)


def test_an_account_with_the_address_gets_a_mail_and_keeps_its_password(world: World, code: InviteCode) -> None:
    claim(world.eve.account, parse_address(world.eve.account.email))
    before = Account.objects.values().get(id=world.eve.account_id)
    client = Client()
    register(client, email="Eve@elsewhere.example")
    message = one_mail()
    assert (message.to, message.subject) == (["Eve@elsewhere.example"], "You have an account already")
    assert "/confirm/" not in str(message.message())
    assert link_in(message, "/?next") == f"/?next=%2Fjoin%2F{CODE}"
    assert Account.objects.values().get(id=world.eve.account_id) == before
    signing = {"name": "eve@elsewhere.example", "password": PASSWORD, "next": f"/join/{CODE}"}
    assert client.post("/", signing)["Location"] == f"/join/{CODE}"


def test_what_an_organisation_made_is_void_and_offered(world: World, code: InviteCode, made: Person) -> None:
    session = signed_in(made)
    client = Client()
    client.post(link(client))
    account = zoe()
    assert account.id != made.account_id
    assert list(offers_to(account)) == [made.membership]
    assert not made.account.has_usable_password()
    assert not is_in(session)
    for place in ("/", "/o/birch/sign-in", "/o/cedar/sign-in"):
        assert not opens(ZOE, PASSWORD, place)
    assert opens(ZOE, OWN)
    (told,) = world.birch.events(EventType.ACCOUNT_CLAIMED)
    assert (told.account_id, told.data["offered"]) == (made.account_id, True)


def test_the_account_that_the_codes_organisation_made_becomes_ones_own(world: World) -> None:
    """One account, one membership, one seat; what the admin knew opens nothing."""
    outcome = world.cedar.add(somebody("Zoë by Ada", email=ZOE))
    a_code(world, group=world.year5)
    seats = world.cedar.seats("student").used
    client = Client()
    answer = client.post(link(client))
    assert answer["Location"] == "/o/cedar/"
    account = zoe()
    assert (account.id, account.username) == (outcome.account_id, "Zoë by Ada")
    assert account.memberships.get().id == outcome.membership_id
    assert account.memberships.get().group_links.get().group_id == world.year5.id
    assert world.cedar.seats("student").used == seats
    assert opens(ZOE, OWN)
    assert not opens(ZOE, PASSWORD, "/o/cedar/sign-in")
    assert not offers_to(account).exists()


def test_who_was_deactivated_there_does_not_come_in_by_registering(world: World, code: InviteCode) -> None:
    outcome = world.cedar.add(somebody("Zoe", email=ZOE))
    deactivate(world.cedar.id, world.cedar.member(outcome).id, world.ada.by)
    client = Client()
    answer = client.post(link(client))
    assert "This membership was deactivated." in words(answer)
    assert zoe().memberships.get().state == "inactive"


def test_an_admins_own_account_wants_a_longer_password(world: World, code: InviteCode) -> None:
    """The organisation was made with an account for its first admin; a hash does not say how long a password is."""
    world.cedar.add(somebody("Zoe", "admin", email=ZOE))
    client = Client()
    path = link(client, password="ten-letter")
    assert "15 characters or more" in words(client.get(path))
    assert client.post(path).status_code == 400
    assert "at least 15" in words(confirm(path, client, "ten-letter"))
    assert confirm(path, client, "fifteen letters it has").status_code == 302
    assert zoe().memberships.get().role == "admin"


@pytest.mark.parametrize("order", ["attacker first", "victim first"])
def test_the_password_of_somebody_who_registers_a_strangers_address_is_used_nowhere(
    world: World, code: InviteCode, made: Person, order: str
) -> None:
    attacker, victim, phone = Client(), Client(), Client()
    paths = {}
    for who in ("attacker", "victim") if order == "attacker first" else ("victim", "attacker"):
        browser, password = (attacker, OTHER) if who == "attacker" else (victim, OWN)
        paths[who] = link(browser, password=password, username=who)
    newest = paths["victim" if order == "attacker first" else "attacker"]
    # Zoe opens the newest mail, in her browser or on her phone.
    here = victim if order == "attacker first" else phone
    answer = here.post(newest)
    if order == "victim first":
        assert answer.status_code == 400
        assert confirm(newest, here, OWN).status_code == 302
    assert opens(ZOE, OWN)
    for password in (OTHER, PASSWORD):
        assert not opens(ZOE, password)
        assert not opens(ZOE, password, "/o/birch/sign-in")
    # What is left in the attacker's browser opens nothing.
    for path in paths.values():
        assert attacker.post(path).status_code == 410
        assert confirm(path, attacker, OTHER).status_code == 410
    assert not is_in(attacker)
    assert Account.objects.filter(sign_in_key=KEY, claimed_at__isnull=False).count() == 1


def test_registering_again_after_the_address_is_proved_changes_nothing(world: World, code: InviteCode) -> None:
    client, attacker = Client(), Client()
    client.post(link(client))
    before = Account.objects.values().get(id=zoe().id)
    register(attacker, password=OTHER)
    assert "/confirm/" not in str(one_mail().message())
    (row,) = Registration.objects.filter(consumed_at=None)
    token = derived_token(registrations.LETTER, row.id)  # as if the attacker could guess it
    for method in (attacker.get, attacker.post):
        answer = method(f"/confirm/{token}")
        assert answer.status_code == 409
        assert "There is an account with this address already." in words(answer)
    assert Account.objects.values().get(id=zoe().id) == before
    assert not is_in(attacker)


def test_an_address_that_was_proved_in_another_way_meanwhile(world: World, code: InviteCode, made: Person) -> None:
    client = Client()
    path = link(client)
    claim(made.account, parse_address(ZOE), passwords.make("proved by a reset"))
    assert client.post(path).status_code == 410
    assert opens(ZOE, "proved by a reset")
    assert not opens(ZOE, OWN)


def test_a_proof_in_the_very_moment_of_the_click_wins(
    world: World, code: InviteCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the write; the password of the one who came first stands."""
    client = Client()
    path = link(client)
    account = world.eve.account
    taken = registrations.is_taken

    def meanwhile(registration: Registration) -> bool:
        answer = taken(registration)
        Account.objects.filter(id=account.id).update(sign_in_key=KEY, email=ZOE)
        return answer

    monkeypatch.setattr(registrations, "is_taken", meanwhile)
    answer = client.post(path)
    assert answer.status_code == 409
    assert opens(ZOE, PASSWORD)
    assert not opens(ZOE, OWN)
    assert Registration.objects.get().consumed_at is None
