"""Signing in: one look-up, one argon2id and one sentence for everybody; sessions that nobody else can use."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from world import PASSWORD, Person, World, known, somebody

from usher.core import clock as clocks
from usher.core.limits import SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS
from usher.core.work import drain
from usher.events.models import Event
from usher.lifecycle.leave import deactivate
from usher.people import passwords
from usher.people.claim import wipe
from usher.people.models import Account, HashBatch
from usher.people.sign_in import find_for_sign_in

COMMON, CEDAR = "/", "/o/cedar/sign-in"
REFUSED = "The name or the password is not right."
TABLES = re.compile(r'(?:FROM|INTO|UPDATE) "?\w+"?')
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What every argon2id was asked for."""
    runs: list[str] = []
    real = passwords._argon2

    def counted(secret: str, salt: bytes, cost: passwords.Cost) -> str:
        runs.append(secret)
        return real(secret, salt, cost)

    monkeypatch.setattr(passwords, "_argon2", counted)
    return runs


def post(at: str, name: str, password: str = PASSWORD, client: Client | None = None, **more: str) -> HttpResponse:
    answer = (client or Client()).post(at, {"name": name, "password": password, **more})
    assert isinstance(answer, HttpResponse)
    return answer


def is_in(client: Client) -> bool:
    return client.get("/password").status_code == 200


# The same for everybody


def wrong_password(world: World) -> str:
    return world.pia.account.sign_in_key


def hardened(world: World) -> str:
    set_password(world.pia, passwords.make("another-one-77"))
    return world.pia.account.sign_in_key


def claimed(world: World) -> str:
    set_password(world.eve, passwords.make("another-one-77"))
    return world.eve.account.sign_in_key


def unusable(world: World) -> str:
    set_password(world.pia, passwords.UNUSABLE)
    return world.pia.account.sign_in_key


def broken_hash(world: World) -> str:
    set_password(world.pia, "pbkdf2_sha256$1$salt$hash")
    return world.pia.account.sign_in_key


def expired(world: World) -> str:
    Account.objects.filter(id=world.pia.account_id).update(password_expires_at=clocks.now() - timedelta(seconds=1))
    return world.pia.account.sign_in_key


def deactivated(world: World) -> str:
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    return world.pia.account.sign_in_key


def wiped(world: World) -> str:
    wipe([world.pia.account])
    return world.pia.account.sign_in_key


def unknown(world: World) -> str:
    return "nobody@cedar.example"


def set_password(person: Person, encoded: str) -> None:
    Account.objects.filter(id=person.account_id).update(password=encoded)


# Those whose right password must not open either, and those who get a wrong one.
KINDS: tuple[tuple[Callable[[World], str], str], ...] = (
    (unknown, PASSWORD),
    (wrong_password, "wrong-lamp-4821"),
    (hardened, PASSWORD),
    (claimed, PASSWORD),
    (unusable, PASSWORD),
    (unusable, ""),
    (broken_hash, PASSWORD),
    (expired, PASSWORD),
    (deactivated, PASSWORD),
    (wiped, PASSWORD),
)


@pytest.mark.parametrize("at", [COMMON, CEDAR])
def test_every_refusal_costs_and_says_the_same(world: World, hashes: list[str], at: str) -> None:
    seen = {}
    for kind, password in [pair for pair in KINDS if pair[1]]:
        fresh = Client()
        name = kind(world)
        hashes.clear()
        with CaptureQueriesContext(connection) as queries:
            answer = post(at, name, password, fresh)
        shapes = tuple(" ".join(TABLES.findall(query["sql"])) for query in queries)
        seen[kind.__name__] = (answer.status_code, len(hashes), shapes, shown(answer, name))
        assert len(hashes) == 1, kind.__name__
        assert sum('FROM "people_account"' in shape for shape in shapes) == 1, kind.__name__
        assert REFUSED in answer.content.decode()
        assert not is_in(fresh)
    for part in range(4):
        assert len({answer[part] for answer in seen.values()}) == 1, {
            kind: answer[part] for kind, answer in seen.items()
        }


def shown(answer: HttpResponse, name: str) -> bytes:
    return TOKEN.sub(b"", answer.content).replace(name.encode(), b"NAME")


@pytest.mark.parametrize("upgraded", [False, True])
def test_a_right_password_costs_one_hash_too(world: World, hashes: list[str], upgraded: bool) -> None:
    set_password(world.pia, passwords.make(PASSWORD) if upgraded else passwords.digest(PASSWORD))
    hashes.clear()
    assert post(COMMON, "pia@cedar.example").status_code == 302
    assert len(hashes) == 1
    assert passwords.is_hardened(world.pia.account.password)


def test_few_statements_for_a_sign_in(world: World) -> None:
    set_password(world.pia, passwords.make(PASSWORD))
    with CaptureQueriesContext(connection) as queries:
        assert post(COMMON, "pia@cedar.example").status_code == 302
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    # limits, look-up | account, memberships, event, session, where it is: in one transaction
    assert len(statements) == 7, statements
    assert sum(query["sql"].startswith("SAVEPOINT") for query in queries) == 1


def test_hashing_happens_outside_transactions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    depth = len(connection.savepoint_ids)
    real = passwords._argon2
    inside = []

    def watched(secret: str, salt: bytes, cost: passwords.Cost) -> str:
        inside.append(len(connection.savepoint_ids) > depth)
        return real(secret, salt, cost)

    monkeypatch.setattr(passwords, "_argon2", watched)
    post(COMMON, "pia@cedar.example")
    post(COMMON, "nobody@cedar.example")
    assert inside == [False, False]


# Whose account it is


def test_the_oldest_unclaimed_account_answers_the_common_page(world: World) -> None:
    name = "pia@cedar.example"
    twin = world.birch.add(somebody("Pia", "learner", email=name))
    assert found(name) == world.pia.account_id
    assert found(name, world, "cedar") == world.pia.account_id
    assert found(name, world, "birch") == twin.account_id
    assert found(name, world, "maple") is None


def test_a_proved_account_goes_first_and_only_where_it_is_a_member(world: World) -> None:
    eve = world.eve
    world.cedar.add(somebody("Not Eve", email="other@cedar.example"))
    Account.objects.filter(sign_in_key="other@cedar.example").update(sign_in_key=eve.account.sign_in_key)
    assert found(eve.account.sign_in_key) == eve.account_id
    assert found(eve.account.sign_in_key, world, "birch") is None
    world.birch.add(known(eve, "learner"))
    assert found(eve.account.sign_in_key, world, "birch") == eve.account_id


@pytest.mark.parametrize(
    "typed",
    ["asa.oberg", "ASA.Oberg", " asa.oberg ", "ａｓａ.ｏｂｅｒｇ", "asa.oberg@cedar.usher.invalid"],
)
def test_the_local_part_of_a_made_name_will_do_at_home(world: World, typed: str) -> None:
    made = world.cedar.add(somebody("Åsa Öberg"))
    assert found(typed, world, "cedar") == made.account_id
    assert found(typed, world, "birch") is None
    assert found(typed) == (made.account_id if "@" in typed else None)


@pytest.mark.parametrize("typed", ["", "@", "a@b@c", "x" * 5000, "pia\u200b@cedar.example", "\u202epia"])
def test_nonsense_finds_nobody(world: World, typed: str) -> None:
    assert found(typed) is None
    assert found(typed, world, "cedar") is None


def test_a_proved_account_without_a_living_membership_still_signs_in(world: World) -> None:
    outcome = world.birch.add(known(world.eve, "learner"))
    assert outcome.membership_id
    deactivate(world.birch.id, outcome.membership_id, world.bob.by)
    for at in (COMMON, "/o/birch/sign-in"):
        assert post(at, world.eve.account.sign_in_key).status_code == 302


def found(typed: str, world: World | None = None, slug: str = "") -> object:
    house = getattr(world, slug).organization if world and slug else None
    account = find_for_sign_in(typed, house)
    return account and account.id


# What a sign-in writes


def test_a_sign_in_is_written_down_once(world: World, clock: time_machine.Traveller) -> None:
    Account.objects.filter(id=world.pia.account_id).update(password_expires_at=clocks.now() + timedelta(days=3))
    post(CEDAR, "pia@cedar.example")
    account = world.pia.account
    assert account.last_login == clocks.now()
    assert account.password_expires_at is None
    assert world.pia.membership.last_seen_at == clocks.now()
    event = Event.objects.get(type="account:signed_in")
    assert (event.account_id, event.actor_id, event.organization_id) == (account.id, account.id, world.cedar.id)


def test_a_failure_writes_nothing_about_the_account(world: World) -> None:
    before = Account.objects.values().get(id=world.pia.account_id)
    post(COMMON, "pia@cedar.example", "wrong-lamp-4821")
    assert Account.objects.values().get(id=world.pia.account_id) == before
    assert not Event.objects.filter(type="account:signed_in").exists()
    assert world.pia.membership.last_seen_at is None


def test_the_session_key_changes_at_every_sign_in(world: World) -> None:
    client = Client()
    session = client.session  # a key that somebody may have planted
    session["planted"] = True
    session.save()
    planted = str(session.session_key)
    client.cookies[settings.SESSION_COOKIE_NAME] = planted
    post(COMMON, "pia@cedar.example", client=client)
    first = client.cookies[settings.SESSION_COOKIE_NAME].value
    post(COMMON, "tom@cedar.example", client=client)
    second = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert len({planted, first, second}) == 3
    for dead in (planted, str(first)):
        client.cookies[settings.SESSION_COOKIE_NAME] = dead
        assert not is_in(client)


def test_wrapping_the_hash_signs_nobody_out(world: World) -> None:
    client = Client()
    client.force_login(world.pia.account)
    HashBatch.objects.create(first_id=world.pia.account_id, last_id=world.pia.account_id)
    drain([HashBatch])
    assert passwords.is_hardened(world.pia.account.password)
    assert is_in(client)
    assert post(COMMON, "pia@cedar.example").status_code == 302
    assert is_in(client)


def test_a_hash_wrapped_while_signing_in_is_no_obstacle(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile(monkeypatch, lambda: set_password(world.pia, passwords.harden(world.pia.account.password)))
    client = Client()
    assert post(COMMON, "pia@cedar.example", client=client).status_code == 302
    assert is_in(client)
    assert world.pia.account.last_login


def test_a_password_changed_while_signing_in_refuses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile(monkeypatch, lambda: wipe([world.pia.account]))
    client = Client()
    assert post(COMMON, "pia@cedar.example", client=client).status_code == 403
    assert not is_in(client)
    assert world.pia.account.last_login is None


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something between the check of the password and the write."""
    real = passwords.verify

    def verify(password: str, encoded: str) -> passwords.Verdict:
        verdict = real(password, encoded)
        act()
        return verdict

    monkeypatch.setattr(passwords, "verify", verify)


# Limits


@pytest.mark.parametrize("name", ["pia@cedar.example", "nobody@cedar.example"])
def test_a_hundred_failures_stop_a_name_known_or_not(
    world: World, clock: time_machine.Traveller, hashes: list[str], name: str
) -> None:
    for _ in range(SIGN_IN_ACCOUNT.capacity):
        SIGN_IN_ACCOUNT.add(name)
    hashes.clear()
    answer = post(COMMON, name)
    assert answer.status_code == 429
    assert "Wait 3 minutes" in answer.content.decode()
    assert hashes == []
    assert post(CEDAR, name.upper()).status_code == 429
    assert post(COMMON, "tom@cedar.example").status_code == 302
    clock.shift(timedelta(minutes=3))
    assert post(COMMON, name).status_code == (302 if name.startswith("pia") else 403)


def test_only_failures_count_and_a_success_takes_none_back(world: World, clock: time_machine.Traveller) -> None:
    for _ in range(SIGN_IN_ADDRESS.capacity - 1):
        SIGN_IN_ADDRESS.add("127.0.0.1")
    for _ in range(3):
        assert post(COMMON, "tom@cedar.example").status_code == 302
    assert post(COMMON, "pia@cedar.example", "wrong-lamp-4821").status_code == 403
    assert post(COMMON, "tom@cedar.example").status_code == 429


def test_a_made_up_forwarded_address_escapes_no_limit(world: World, clock: time_machine.Traveller) -> None:
    for _ in range(SIGN_IN_ADDRESS.capacity):
        SIGN_IN_ADDRESS.add("127.0.0.1")
    answer = Client(HTTP_X_FORWARDED_FOR="203.0.113.9").post(
        COMMON, {"name": "tom@cedar.example", "password": PASSWORD}
    )
    assert answer.status_code == 429


# The page


@pytest.mark.parametrize(
    ("at", "says"),
    [(COMMON, "Usher"), (CEDAR, "Cedar School"), ("/o/nowhere/sign-in", "Usher"), ("/forgot", "teacher")],
)
def test_the_door_in_its_clothes(world: World, at: str, says: str) -> None:
    answer = Client().get(at)
    assert answer.status_code == 200
    assert says in answer.content.decode()
    if at != CEDAR:
        assert "Cedar" not in answer.content.decode()


def test_an_unknown_slug_is_the_common_door(world: World) -> None:
    assert post("/o/nowhere/sign-in", "pia@cedar.example").status_code == 302


def test_a_refusal_keeps_the_name_and_empties_the_password(world: World) -> None:
    page = post(CEDAR, "Pia@cedar.example", "wrong-lamp-4821", next="/o/cedar/users").content.decode()
    assert 'value="Pia@cedar.example"' in page
    assert 'value="/o/cedar/users"' in page
    assert "wrong-lamp-4821" not in page
    assert page.count(REFUSED) == 1


@pytest.mark.parametrize("field", ["name", "password"])
def test_an_empty_field_is_said_at_the_field(world: World, field: str) -> None:
    given = {"name": "pia@cedar.example", "password": PASSWORD, field: ""}
    answer = Client().post(COMMON, given)
    assert answer.status_code == 200
    assert f'id="id_{field}_wrong"' in answer.content.decode()


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("/o/cedar/users?page=2", "/o/cedar/users?page=2"),
        ("", "/home"),
        ("users", "/home"),
        ("https://evil.example/", "/home"),
        ("//evil.example/", "/home"),
        ("///evil.example/", "/home"),
        ("/\\evil.example/", "/home"),
        ("\\\\evil.example", "/home"),
        ("/\t/evil.example", "/home"),
        ("javascript:alert(1)", "/home"),
        (" /o/cedar", "/o/cedar"),
        ("http://testserver/o/cedar", "/home"),
    ],
)
def test_next_is_a_path_of_ours_or_home(world: World, wanted: str, place: str) -> None:
    client = Client()
    assert post(COMMON, "pia@cedar.example", client=client, next=wanted).headers["Location"] == place
    again = client.get(COMMON, {"next": wanted.strip()})
    assert (again.status_code, again.headers["Location"]) == (302, place)


def test_only_a_post_signs_out(world: World, client_of: Callable[[Person], Client]) -> None:
    client = client_of(world.pia)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert client.get("/sign-out").status_code == 405
    assert is_in(client)
    assert client.post("/sign-out").headers["Location"] == "/"
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert not is_in(client)


def test_signing_in_and_out_need_our_own_form(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(COMMON, {"name": "pia@cedar.example", "password": PASSWORD}).status_code == 403
    client.force_login(world.pia.account)
    assert client.post("/sign-out").status_code == 403
    assert is_in(client)


def test_a_signed_in_visitor_is_sent_on(world: World, client_of: Callable[[Person], Client]) -> None:
    assert client_of(world.pia).get(CEDAR).headers["Location"] == "/home"


def test_the_accent_of_the_house(world: World) -> None:
    answer = Client().get("/o/cedar/accent.css")
    assert answer.headers["Content-Type"] == "text/css"
    assert b"--org:#0d5160" in answer.content
    assert Client().get("/o/nowhere/accent.css").content == b""
