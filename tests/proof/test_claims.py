"""Your address is yours: whatever was set up for it in whatever order, once its owner proves it nothing else opens it.

Two organisations and an attacker who runs both make accounts for Zoe's address, with every kind of credential there
is; Zoe proves her mailbox by one of the ways there are. Then everything of theirs is tried (security.md A1-A8).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.core import mail
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from mailing import link_in, mails
from recount import broken, faults
from world import PASSWORD, House, Person, signed_in, somebody
from world import _claimed as claimed

from usher.core import switches
from usher.core.errors import UsherError
from usher.core.models import Bucket
from usher.events.types import OPERATOR
from usher.lifecycle import leave, offers
from usher.organizations.plans import Method
from usher.people import credentials, links
from usher.people.access import Visit
from usher.people.models import Account, Membership, OneTimeLink

ZOE, EVIL = "Zoe@Mail.example", "evil@mail.example"
KEY = ZOE.lower()
HERS, THEIRS = "four words in a row", "what the attacker typed"
HOUSES = ("cedar", "birch")
DOORS = ("/", "/o/cedar/sign-in", "/o/birch/sign-in", "/o/maple/sign-in")

WAYS = ("reset", "register", "register_elsewhere", "their_registration", "address", "made_name")

houses = st.sampled_from(HOUSES)


def chosen(password: str = HERS) -> dict[str, str]:
    return {"password": password, "again": password}


def account_in(client: Client) -> Account | None:
    """Whose account this browser opens, if any."""
    if client.get("/account").status_code != 200:
        return None
    return Account.objects.get(id=client.session[SESSION_KEY])


def letter(page: str) -> str:
    """The path of the newest link to such a page in Zoe's mailbox; "" when no mail brought one."""
    found = [link_in(one, page) for one in mails() if one.to == [ZOE] and page in str(one.body)]
    return found[-1] if found else ""


class Mailbox(RuleBasedStateMachine):
    """The attacker's acts, Zoe's one proof among them, and what must hold ever after."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.proved: uuid.UUID | None = None  # Zoe's account, once she has proved the address
        self.passwords: set[str] = set()
        self.browsers: list[Client] = []
        self.links: list[str] = []
        self.old_mails: list[str] = []
        self.registrations: list[tuple[Client, str]] = []

    def teardown(self) -> None:
        try:
            if hasattr(self, "houses"):
                self.attack()
                assert [fault for house in self.houses.values() for fault in faults(house.id)] == []
                # Until she comes, what was planted is wrong by itself.
                assert not self.proved or broken() == []
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    @initialize()
    def build(self) -> None:
        mail.outbox.clear()
        self.houses = {"cedar": House("cedar", "Cedar School", "school"), "birch": House("birch", "Birch", "elearning")}
        self.admins = {name: house.settle("Ada Ash", "admin") for name, house in self.houses.items()}
        self.maple = House("maple", "Maple Press", "marketing")
        self.maple.settle("Mia Moss", "admin")
        self.nameless = Person(self.maple.account(self.maple.add(somebody("Zoe", "member", method=Method.API))).id)
        self.other = Person(claimed("Zoe elsewhere", "zoe@elsewhere.example").id)
        switches.turn(switches.OPEN_REGISTRATION, on=True)

    def _forget_limits(self) -> None:
        Bucket.objects.all().delete()

    def _made(self, house: str) -> Membership | None:
        members = Membership.objects.select_related("account").filter(organization_id=self.houses[house].id)
        return members.filter(account__sign_in_key=KEY).first()

    def _hers(self) -> Account:
        assert self.proved
        return Account.objects.get(id=self.proved)

    # The attacker

    @rule(house=houses)
    def make_an_account(self, house: str) -> None:
        role = self.houses[house].organization.license.plan.lowest.slug
        self.houses[house].add(somebody(f"Zoe of {house}", role, email=ZOE, method=Method.API))
        self.passwords.add(PASSWORD)

    @rule(house=houses)
    def print_a_login_card(self, house: str) -> None:
        """A new password by an admin, whose card the attacker keeps."""
        member, admin = self._made(house), self.admins[house]
        if member is None:
            return
        with suppress(UsherError):
            reset = credentials.reset_password(Visit(admin.account, admin.membership), member.id)
            assert not self.proved, "staff gave a proved address a password"
            self.passwords.add(reset.password)

    @precondition(lambda self: self.passwords)
    @rule(door=st.sampled_from(DOORS))
    def sign_in(self, door: str) -> None:
        self._forget_limits()
        for password in sorted(self.passwords):
            browser = Client()
            if browser.post(door, {"name": ZOE, "password": password}).status_code == 302:
                self.browsers.append(browser)

    @precondition(lambda self: not self.proved)
    @rule(house=houses)
    def print_a_set_up_link(self, house: str) -> None:
        """The operator's, who is asked for one before the owner comes."""
        member = self._made(house)
        if member and not member.account.is_claimed:
            address = links.make_setup_link(member.account, self.houses[house].id, OPERATOR)
            self.links.append(address[address.index("/set-up/") :])

    @precondition(lambda self: not self.proved and self.links)
    @rule(data=st.data())
    def use_a_set_up_link(self, data: st.DataObject) -> None:
        browser = Client()
        path = data.draw(st.sampled_from(self.links))
        if browser.post(path, chosen(THEIRS)).status_code == 302:
            self.passwords.add(THEIRS)
            self.browsers.append(browser)

    @precondition(lambda self: not self.proved)
    @rule(house=houses, kind=st.sampled_from([*Authenticator.Type]), address=st.booleans())
    def plant(self, house: str, kind: Authenticator.Type, address: bool) -> None:
        """A phone, recovery codes, a passkey, a second address."""
        member = self._made(house)
        if member is None or member.account.is_claimed:
            return
        if address:
            facts = {"email": f"{house}.{EVIL}", "defaults": {"verified": True}}
            EmailAddress.objects.update_or_create(user=member.account, **facts)
        elif not Authenticator.objects.filter(user=member.account, type=kind).exists():
            Authenticator.objects.create(user=member.account, type=kind, data={"secret": "planted"})

    @precondition(lambda self: self.browsers)
    @rule(to=st.sampled_from([EVIL, ZOE]))
    def ask_for_an_address(self, to: str) -> None:
        self._forget_limits()
        for browser in self.browsers:
            browser.post("/account/address", {"email": to})
        for one in mails():
            if "/address/" in str(one.body):
                (self.links if one.to == [EVIL] else self.old_mails).append(link_in(one, "/address/"))

    @precondition(lambda self: not self.proved and self.browsers and self.links)
    @rule()
    def move_an_account_away(self) -> None:
        """An account that nobody proved may become its user's by an address of his own: then it is not Zoe's."""
        for browser in self.browsers:
            for path in [link for link in self.links if link.startswith("/address/")]:
                browser.post(path, chosen(THEIRS))

    @rule()
    def register_with_her_address(self) -> None:
        self._forget_limits()
        browser = Client()
        browser.post("/register", {"username": "Zoe", "email": ZOE, "password": THEIRS})
        self.passwords.add(THEIRS)
        path = letter("/confirm/")
        if path:
            self.registrations.append((browser, path))

    @rule(door=st.sampled_from(["/forgot", "/o/cedar/forgot"]))
    def ask_for_a_new_password(self, door: str) -> None:
        """The mail goes to Zoe, who leaves it unread."""
        self._forget_limits()
        Client().post(door, {"email": ZOE})
        path = letter("/reset/")
        if path and not self.proved:  # a later one is hers to use
            self.old_mails.append(path)

    # Zoe

    @precondition(lambda self: not self.proved)
    @rule(
        way=st.sampled_from(["reset", "register", "register_elsewhere", "their_registration", "address", "made_name"])
    )
    def prove(self, way: str) -> None:
        self._forget_limits()
        mails()
        ways: dict[str, Callable[[], None]] = {
            "reset": self._by_reset,
            "register": lambda: self._by_registration(Client()),
            "register_elsewhere": lambda: self._by_registration(None),
            "their_registration": self._by_their_registration,
            "address": lambda: self._by_address(self.other),
            "made_name": lambda: self._by_address(self.nameless),
        }
        ways[way]()
        found = Account.objects.filter(sign_in_key=KEY, claimed_at__isnull=False).first()
        self.proved = found.id if found else None
        if self.proved:
            self.attack()

    def _by_reset(self) -> None:
        Client().post("/forgot", {"email": ZOE})
        path = letter("/reset/")
        if path:
            assert Client().post(path, chosen()).status_code == 302

    def _by_registration(self, browser: Client | None) -> None:
        """In the browser of the form a button is enough, in another one she types a password."""
        (browser or Client()).post("/register", {"username": "Zoe", "email": ZOE, "password": HERS})
        path = letter("/confirm/")
        answer = browser.post(path) if browser else Client().post(path, {"password": HERS})
        assert answer.status_code == 302

    def _by_their_registration(self) -> None:
        """She takes the attacker's registration for her own."""
        if self.registrations:
            path = self.registrations[-1][1]
            assert Client().post(path, {"password": HERS}).status_code == 302

    def _by_address(self, person: Person) -> None:
        browser = signed_in(person)
        browser.post("/account/address", {"email": ZOE})
        answer = browser.post(letter("/address/"), chosen())
        assert answer.status_code == 302
        if person is self.other:
            browser.post("/password", {"old": PASSWORD, **chosen()})

    @precondition(lambda self: self.proved)
    @rule(data=st.data(), takes=st.booleans())
    def answer_an_offer(self, data: st.DataObject, takes: bool) -> None:
        account = self._hers()
        waiting = offers.listed(account)
        if waiting:
            offer = data.draw(st.sampled_from(sorted(waiting, key=lambda one: one.organization.slug)))
            (offers.take if takes else offers.end)(account, offer.id)

    @precondition(lambda self: self.proved)
    @rule()
    def leave_everything(self) -> None:
        for member in self._hers().memberships.filter(state=Membership.State.ACTIVE):
            leave.leave(self._hers(), member.id)

    # What holds

    @invariant()
    def one_account_is_hers_and_nothing_hangs_on_the_others(self) -> None:
        if not self.proved:
            return
        found = list(Account.objects.filter(sign_in_key=KEY))
        assert [one.id for one in found if one.claimed_at] == [self.proved]
        others = [one for one in found if not one.claimed_at]
        for one in others:
            # What was made after the proof has the password of its list; it opens nothing (see attack).
            assert not OneTimeLink.objects.filter(account=one, consumed_at=None).exists()
            assert not Authenticator.objects.filter(user=one).exists()
            assert not EmailAddress.objects.filter(user=one).exists()
            assert not UserSession.objects.filter(user=one).exists()
        hers = self._hers()
        assert not Authenticator.objects.filter(user=hers).exists()
        assert [row.email for row in EmailAddress.objects.filter(user=hers)] == [KEY]
        assert hers.check_password(HERS)

    def attack(self) -> None:
        """Everything the attacker has, tried at every door."""
        if not self.proved:
            return
        self._forget_limits()
        for door in DOORS:
            for password in sorted(self.passwords):
                assert Client().post(door, {"name": ZOE, "password": password}).status_code == 403, (door, password)
        for browser in self.browsers:
            account = account_in(browser)
            assert account is None or account.sign_in_key == EVIL
        for path in {*self.links, *self.old_mails}:
            browser = Client()
            answer = browser.post(path, chosen(THEIRS))
            assert answer.status_code in (302, 410), path
            assert account_in(browser) is None, path
        for browser, path in self.registrations:
            assert browser.post(path, {"password": THEIRS}).status_code in (409, 410)
            assert account_in(browser) is None
        hers = self._hers()
        assert hers.check_password(HERS)
        assert hers.sign_in_key == KEY
        browser = Client()
        assert browser.post("/", {"name": ZOE, "password": HERS}).status_code == 302
        mine = account_in(browser)
        assert mine
        assert mine.id == self.proved


PATIENT = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, database=None)
# A sample always takes the same steps, and fails as it stands: shrinking takes minutes.
SAMPLE = settings(
    PATIENT, max_examples=8, stateful_step_count=12, derandomize=True, phases=[Phase.explicit, Phase.generate]
)


@pytest.mark.django_db
def test_any_order_of_attacks() -> None:
    run_state_machine_as_test(Mailbox, settings=SAMPLE)


@pytest.mark.proof
@pytest.mark.django_db
def test_any_order_of_attacks_at_length() -> None:
    run_state_machine_as_test(Mailbox, settings=settings(PATIENT, max_examples=200, stateful_step_count=40))
