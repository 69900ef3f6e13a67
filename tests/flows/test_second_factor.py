"""The second proof: setting it up, signing in by it, losing it. Both proofs open an account that has it, never one."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from app_codes import code_of, codes_on, key_on, seed_on
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from world import PASSWORD, Person, World, signed_in

from usher.core.limits import RECOVERY_CODE, SECOND_FACTOR
from usher.core.work import drain
from usher.events.models import Event
from usher.events.types import OPERATOR, EventType
from usher.people import credentials, factors, fresh, links, passwords, totp
from usher.people.access import Visit
from usher.people.models import Account

SET_UP, SECURITY, CODES, SECOND = (
    "/account/security/app",
    "/account/security",
    "/account/security/codes",
    "/sign-in/second",
)
WRONG = "This code is not right, or it was used before."


@pytest.fixture(autouse=True)
def monday(clock: time_machine.Traveller) -> time_machine.Traveller:
    """The clock stands: a code is of a time."""
    return clock


class Phone:
    """Somebody with an authenticator app and recovery codes; set up through the pages."""

    def __init__(self, person: Person) -> None:
        self.person, self.browser = person, signed_in(person)
        page = self.browser.get(SET_UP).content.decode()
        self.key = key_on(page)
        answer = self.browser.post(SET_UP, {"seed": seed_on(page), "code": self.code(-1)})
        self.codes = codes_on(answer.content.decode())

    def code(self, ahead: int = 0) -> str:
        return code_of(self.key, ahead)

    def first_step(self, browser: Client | None = None, **more: str) -> Client:
        """A browser in which the password was given."""
        browser = browser or Client()
        sent = {"name": self.person.account.sign_in_key, "password": PASSWORD, **more}
        assert browser.post("/", sent).status_code == 302
        return browser

    def enter(self, code: str) -> Any:
        return self.first_step().post(SECOND, {"code": code})


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world.tom)


def is_in(browser: Client) -> bool:
    return browser.get(SECURITY).status_code == 200


def types(person: Person) -> list[str]:
    return sorted(Authenticator.objects.filter(user=person.account_id).values_list("type", flat=True))


# Setting up


def test_setting_up_gives_ten_codes_once(world: World, phone: Phone) -> None:
    assert len(set(phone.codes)) == 10
    assert types(world.tom) == ["recovery_codes", "totp"]
    for path in (SECURITY, CODES):
        assert not codes_on(phone.browser.get(path).content.decode())
    assert "10 of 10 left" in phone.browser.get(SECURITY).content.decode()


def test_neither_key_nor_codes_are_in_the_database(phone: Phone) -> None:
    stored = str(list(Authenticator.objects.values()))
    assert phone.key.replace(" ", "") not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in phone.codes)


def test_a_code_that_does_not_fit_sets_nothing_up(world: World) -> None:
    browser = signed_in(world.pia)
    page = browser.get(SET_UP).content.decode()
    answer = browser.post(SET_UP, {"seed": seed_on(page), "code": code_of(key_on(page), 7)})
    assert (answer.status_code, types(world.pia)) == (400, [])
    assert key_on(answer.content.decode()) == key_on(page), "the square stays the one that was scanned"
    assert "The code does not fit." in answer.content.decode()


def test_a_made_up_seed_is_not_taken(world: World) -> None:
    browser = signed_in(world.pia)
    answer = browser.post(SET_UP, {"seed": "<script>", "code": "123456"})
    assert "<script>" not in answer.content.decode().partition("<main")[2]
    assert types(world.pia) == []


def test_the_key_of_one_account_is_no_other_ones(world: World) -> None:
    seed = totp.new_seed()
    assert totp.key(world.pia.account_id, seed) != totp.key(world.tom.account_id, seed)


def test_a_second_app_is_refused(phone: Phone) -> None:
    page = phone.browser.get(SET_UP).content.decode()
    answer = phone.browser.post(SET_UP, {"seed": seed_on(page), "code": code_of(key_on(page))})
    assert answer.status_code == 409
    assert Authenticator.objects.filter(type="totp").count() == 1


def test_the_owner_hears_of_every_change(world: World) -> None:
    phone = Phone(world.eve)
    phone.browser.post(CODES)
    phone.browser.post(f"{SET_UP}/remove")
    drain()
    subjects = [one.subject for one in mail.outbox]
    assert subjects == [
        "An authenticator app was set up",
        "New recovery codes were made",
        "The authenticator app was removed",
    ]
    assert {address for one in mail.outbox for address in one.to} == {"eve@elsewhere.example"}


def test_an_address_that_nobody_proved_gets_no_mail(phone: Phone) -> None:
    drain()
    assert mail.outbox == []


def test_what_was_changed_is_told(world: World, phone: Phone) -> None:
    phone.browser.post(f"{SET_UP}/remove")
    events = world.cedar.events(EventType.FACTOR_ADDED, EventType.FACTOR_REMOVED, EventType.RECOVERY_CODES_MADE)
    assert [(event.type, event.account_id, event.data) for event in events] == [
        ("factor:added", world.tom.account_id, {"factors": ["totp"]}),
        ("recovery_codes:made", world.tom.account_id, {}),
        ("factor:removed", world.tom.account_id, {"factors": ["totp"]}),
    ]
    told = signed_in(world.ada).get("/o/cedar/events").content.decode()
    assert "authenticator app" in told


# Signing in


def test_the_password_alone_opens_nothing(world: World, phone: Phone) -> None:
    browser = phone.first_step()
    assert not is_in(browser)
    for path in ("/home", "/o/cedar/", "/account/sessions"):
        assert browser.get(path)["Location"].startswith(SECOND)
    assert world.cedar.events(EventType.ACCOUNT_SIGNED_IN) == []
    assert browser.post("/password", {"old": PASSWORD}).status_code == 302


def test_password_and_code_open(world: World, phone: Phone) -> None:
    browser = phone.first_step(next="/o/cedar/groups")
    before = browser.cookies["usher_session"].value
    page = browser.get(SECOND + "?next=/o/cedar/groups").content.decode()
    assert 'value="/o/cedar/groups"' in page
    answer = browser.post(SECOND, {"code": phone.code(), "next": "/o/cedar/groups"})
    assert answer["Location"] == "/o/cedar/groups"
    assert browser.cookies["usher_session"].value != before
    assert is_in(browser)
    (event,) = world.cedar.events(EventType.ACCOUNT_SIGNED_IN)
    assert event.data == {"way": "password", "factors": ["totp"]}


@pytest.mark.parametrize("shape", ["{} {}", " {}{} ", "{}\u00a0{}"])
def test_a_code_counts_however_it_is_typed(phone: Phone, shape: str) -> None:
    code = phone.code()
    assert phone.enter(shape.format(code[:3], code[3:])).status_code == 302


def test_digits_of_any_script_count(phone: Phone) -> None:
    arabic = phone.code().translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert phone.enter(arabic).status_code == 302


def test_a_code_works_once(phone: Phone) -> None:
    code = phone.code()
    assert phone.enter(code).status_code == 302
    again = phone.enter(code)
    assert again.status_code == 403
    assert WRONG in again.content.decode()


def test_the_code_that_set_the_app_up_is_used_up(phone: Phone) -> None:
    assert phone.enter(phone.code(-1)).status_code == 403


def test_a_code_before_the_last_one_is_void_too(phone: Phone) -> None:
    old = phone.code()
    assert phone.enter(phone.code(1)).status_code == 302
    assert phone.enter(old).status_code == 403


@pytest.mark.parametrize(("ahead", "status"), [(-2, 403), (0, 302), (1, 302), (2, 403)])
def test_a_clock_may_be_half_a_minute_wrong(phone: Phone, ahead: int, status: int) -> None:
    assert phone.enter(phone.code(ahead)).status_code == status


def test_the_first_step_lasts_ten_minutes(phone: Phone, monday: time_machine.Traveller) -> None:
    browser = phone.first_step()
    monday.shift(timedelta(minutes=10, seconds=1))
    answer = browser.post(SECOND, {"code": phone.code()})
    assert answer.status_code == 403
    assert "Signing in took longer than 10 minutes." in answer.content.decode()
    assert browser.get(SECOND)["Location"] == "/"
    assert not is_in(browser)


def test_the_first_step_counts_in_its_own_browser_alone(phone: Phone) -> None:
    phone.first_step()
    stranger = Client()
    assert stranger.get(SECOND)["Location"] == "/"
    assert stranger.post(SECOND, {"code": phone.code()}).status_code == 403


def test_another_password_voids_the_first_step(world: World, phone: Phone) -> None:
    browser = phone.first_step()
    links.set_own_password(world.tom.account, passwords.digest("something-else-77"))
    assert browser.post(SECOND, {"code": phone.code()}).status_code == 403
    assert not is_in(browser)


def test_a_planted_session_key_is_not_kept(world: World, phone: Phone) -> None:
    planted = Client()
    session = planted.session
    session["planted"] = True
    session.save()
    key = str(session.session_key)
    planted.cookies["usher_session"] = key
    phone.first_step(planted)
    assert planted.cookies["usher_session"].value != key


def test_whoever_was_signed_in_before_is_not_any_more(world: World, phone: Phone) -> None:
    browser = signed_in(world.ada)
    phone.first_step(browser)
    assert browser.get("/o/cedar/users")["Location"].startswith(SECOND)


def test_a_wrong_password_tells_nothing_of_a_second_factor(world: World, phone: Phone) -> None:
    seen = []
    for person in (world.tom, world.pia):
        name = person.account.sign_in_key
        with CaptureQueriesContext(connection) as queries:
            answer = Client().post("/", {"name": name, "password": "not the password"})
        page = re.sub(r'csrfmiddlewaretoken" value="\w+"', "", answer.content.decode()).replace(name, "NAME")
        seen.append((answer.status_code, len(queries), page))
    assert seen[0] == seen[1]


def test_the_better_hash_is_kept_although_the_code_is_missing(world: World, phone: Phone) -> None:
    assert world.tom.account.password.startswith(passwords.KEYED)
    browser = phone.first_step()
    assert world.tom.account.password.startswith(passwords.HARDENED)
    assert browser.post(SECOND, {"code": phone.code()}).status_code == 302


def test_ten_wrong_codes_and_then_one_every_ten_minutes(phone: Phone, monday: time_machine.Traveller) -> None:
    browser = phone.first_step()
    assert [browser.post(SECOND, {"code": "000000"}).status_code for _ in range(11)] == [403] * 10 + [429]
    assert browser.post(SECOND, {"code": phone.code()}).status_code == 429, "the right one as well"
    monday.shift(timedelta(minutes=10, seconds=1))
    assert phone.enter(phone.code()).status_code == 302


def test_guessing_at_the_app_keeps_nobody_from_a_recovery_code(phone: Phone) -> None:
    for _ in range(SECOND_FACTOR.capacity):
        SECOND_FACTOR.add(str(phone.person.account_id))
    assert phone.enter(phone.code()).status_code == 429
    assert phone.enter(phone.codes[0]).status_code == 302


def test_recovery_codes_are_counted_too(phone: Phone) -> None:
    for _ in range(RECOVERY_CODE.capacity):
        RECOVERY_CODE.add(str(phone.person.account_id))
    assert phone.enter(phone.codes[0]).status_code == 429


def test_the_owner_hears_that_somebody_knows_the_password(world: World) -> None:
    phone = Phone(world.eve)
    browser = phone.first_step()
    for _ in range(12):
        browser.post(SECOND, {"code": "000000"})
    drain()
    assert [one.subject for one in mail.outbox].count("Somebody knows your password") == 1


# Recovery codes


def test_a_recovery_code_opens_once(world: World) -> None:
    phone = Phone(world.eve)
    assert phone.enter(phone.codes[3]).status_code == 302
    assert phone.enter(phone.codes[3]).status_code == 403
    assert phone.enter(phone.codes[4].lower().replace("-", " ")).status_code == 302
    assert "8 of 10 left" in phone.browser.get(SECURITY).content.decode()
    drain()
    told = [one.body for one in mail.outbox if one.subject == "A recovery code was used"]
    assert sorted(re.findall(r"Codes left: (\d+)", " ".join(map(str, told)))) == ["8", "9"]


def test_letters_and_digits_that_look_alike_are_one(phone: Phone) -> None:
    code = phone.codes[0].replace("0", "O").replace("1", "l")
    assert phone.enter(code).status_code == 302


def test_new_codes_void_the_old_ones(phone: Phone) -> None:
    new = codes_on(phone.browser.post(CODES).content.decode())
    assert len(new) == 10
    assert not set(new) & set(phone.codes)
    assert phone.enter(phone.codes[0]).status_code == 403
    assert phone.enter(new[0]).status_code == 302


def test_recovery_codes_are_for_those_who_have_something_to_lose(world: World) -> None:
    browser = signed_in(world.pia)
    assert browser.post(CODES).status_code == 409
    assert types(world.pia) == []


def test_a_row_copied_to_another_account_opens_nothing(world: World, phone: Phone) -> None:
    for row in Authenticator.objects.filter(user=world.tom.account_id):
        Authenticator.objects.create(user=world.pia.account, type=row.type, data=row.data)
    for code in (phone.code(), phone.codes[0]):
        browser = Client()
        browser.post("/", {"name": "pia@cedar.example", "password": PASSWORD})
        assert browser.post(SECOND, {"code": code}).status_code == 403


def test_a_lost_pepper_opens_nothing(phone: Phone, settings: Any) -> None:
    browser = phone.first_step()
    settings.USHER_PEPPER = ["another-pepper-another-pepper-another"]
    for code in (phone.code(), phone.codes[0]):
        assert browser.post(SECOND, {"code": code}).status_code == 403


def test_a_new_pepper_locks_nobody_out(phone: Phone, settings: Any) -> None:
    browser = phone.first_step()
    settings.USHER_PEPPER = ["another-pepper-another-pepper-another", *settings.USHER_PEPPER]
    assert browser.post(SECOND, {"code": phone.code()}).status_code == 302


# Removing


def test_without_the_app_the_password_is_enough_again(world: World, phone: Phone) -> None:
    assert phone.browser.get(f"{SET_UP}/remove").status_code == 200
    assert types(world.tom) == ["recovery_codes", "totp"], "looking removes nothing"
    phone.browser.post(f"{SET_UP}/remove")
    assert types(world.tom) == []
    browser = Client()
    browser.post("/", {"name": "tom@cedar.example", "password": PASSWORD})
    assert is_in(browser)


def test_an_admin_is_told_that_his_password_stands_alone(world: World) -> None:
    phone = Phone(world.ada)
    page = phone.browser.post(f"{SET_UP}/remove", follow=True).content.decode()
    assert "Your password stands alone now." in page


def test_with_a_second_factor_an_admin_may_have_a_shorter_password(world: World) -> None:
    short = "ten-chars-"
    browser = signed_in(world.ada)
    change = {"old": PASSWORD, "password": short, "again": short}
    assert browser.post("/password", change).status_code == 400
    Phone(world.ada)
    assert browser.post("/password", change).status_code == 302


def test_a_new_password_from_staff_takes_the_second_factor_away(world: World) -> None:
    phone = Phone(world.pia)
    made = credentials.reset_password(Visit(world.ada.account, world.ada.membership), world.pia.membership.id)
    assert types(world.pia) == []
    browser = Client()
    browser.post("/", {"name": "pia@cedar.example", "password": made.password})
    assert is_in(browser)
    assert not is_in(phone.browser)
    (event,) = world.cedar.events(EventType.FACTOR_REMOVED)
    assert (event.actor_id, event.account_id) == (world.ada.account_id, world.pia.account_id)
    assert sorted(event.data["factors"]) == ["recovery_codes", "totp"]


def test_staff_of_one_place_takes_nothing_from_a_proved_account(world: World) -> None:
    phone = Phone(world.pia)
    Account.objects.filter(id=world.pia.account_id).update(home=None, claimed_at="2026-01-01T00:00:00Z")
    reset = credentials.reset_passwords(Visit(world.ada.account, world.ada.membership), [world.pia.membership.id])
    assert [one.findings[0].code for one in reset] == ["not_managed_here"]
    assert types(world.pia) == ["recovery_codes", "totp"]
    assert is_in(phone.browser)


# Every way in


def test_a_set_up_link_asks_for_the_second_step(world: World, phone: Phone) -> None:
    link = links.make_setup_link(world.tom.account, world.cedar.id, OPERATOR)
    browser = Client()
    new = "a password of one's own"
    answer = browser.post(urlsplit(link).path, {"password": new, "again": new})
    assert browser.get(answer["Location"])["Location"].startswith(SECOND)
    assert not is_in(browser)
    assert browser.post(SECOND, {"code": phone.code()}).status_code == 302
    assert is_in(browser)


# Once more


@pytest.mark.parametrize("path", [SET_UP, f"{SET_UP}/remove", CODES, "/account/security/passkeys/add"])
def test_an_old_proof_is_asked_for_again(
    world: World, monday: time_machine.Traveller, path: str, settings: Any
) -> None:
    settings.USHER_BASE_URL = "http://localhost:8000"
    browser = signed_in(world.pia)
    assert browser.get(path).status_code == 200
    monday.shift(timedelta(minutes=10, seconds=1))
    asked = browser.get(path)["Location"]
    assert asked.startswith("/sign-in/again?next=%2Faccount")
    key = browser.cookies["usher_session"].value
    assert browser.post(asked, {"password": "not the password", "next": path}).status_code == 403
    assert browser.get(path).status_code == 302
    assert browser.post(asked, {"password": PASSWORD, "next": path})["Location"] == path
    assert browser.get(path).status_code == 200
    assert browser.cookies["usher_session"].value != key, "a session of its own for the new proof"


def test_a_form_that_was_opened_in_time_may_be_sent(world: World, monday: time_machine.Traveller) -> None:
    browser = signed_in(world.pia)
    page = browser.get(SET_UP).content.decode()
    monday.shift(timedelta(minutes=15))
    sent = {"seed": seed_on(page), "code": code_of(key_on(page))}
    assert browser.post(SET_UP, sent).status_code == 200
    monday.shift(timedelta(minutes=6))
    late = browser.post(f"{SET_UP}/remove", headers={"Referer": f"http://testserver{SECURITY}"})
    assert late["Location"] == "/sign-in/again?next=%2Faccount%2Fsecurity"
    assert browser.post(CODES, headers={"Referer": "https://evil.example/x"})["Location"].endswith("next=%2Fhome")


def test_asking_again_is_limited_like_signing_in(world: World) -> None:
    browser = signed_in(world.pia)
    tries = [browser.post("/sign-in/again", {"password": "wrong one"}).status_code for _ in range(101)]
    assert (tries.count(403), tries[-1]) == (100, 429)
    assert Client().post("/", {"name": "pia@cedar.example", "password": PASSWORD}).status_code == 429


def test_it_leads_to_no_other_site(world: World) -> None:
    browser = signed_in(world.pia)
    for evil in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        sent = {"password": PASSWORD, "next": evil}
        assert browser.post("/sign-in/again", sent)["Location"] == "/home"


def test_every_sign_in_is_a_fresh_proof(world: World) -> None:
    browser = Client()
    browser.post("/", {"name": "pia@cedar.example", "password": PASSWORD})
    assert browser.session[fresh.PROVED_AT] == time.time()


# The operator


def test_what_hangs_on_the_password_is_told_apart_from_what_does_not(world: World, phone: Phone) -> None:
    assert factors.of(world.tom.account).has_second
    Authenticator.objects.filter(type="totp").delete()
    assert not factors.of(world.tom.account).has_second
    browser = Client()
    browser.post("/", {"name": "tom@cedar.example", "password": PASSWORD})
    assert is_in(browser), "recovery codes alone ask for nothing"
    assert Event.objects.filter(type="account:signed_in").count() == 1
