"""The World of the tests: named people in three organisations, brought in through the real door.

Ada runs Cedar, a school; Tom teaches there and manages its group "Year 5"; Pia is a pupil in it. Bob runs
Birch (eLearning), Mia runs Maple Press (marketing, no groups). Olga is the operator, Eve belongs nowhere.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cached_property

from django.test import Client

from usher.core import clock
from usher.core.reasons import Finding
from usher.events.models import Event
from usher.events.types import OPERATOR, Actor, EventType
from usher.lifecycle.join import join, join_many
from usher.lifecycle.joiner import OPERATOR_RANK, By, Joiner, NewAccount, Outcome, Terms
from usher.lifecycle.move import set_group_right
from usher.lifecycle.run import PLAIN, Run
from usher.organizations.create import create
from usher.organizations.models import Organization, SeatPool
from usher.organizations.plans import Method
from usher.people import links, passwords
from usher.people.models import Account, Group, GroupMembership, Membership

BY_OPERATOR = By(OPERATOR, OPERATOR_RANK)
PASSWORD = "river-lamp-4821"


@dataclass(frozen=True)
class Person:
    """Somebody of the World, as the database has them now."""

    account_id: uuid.UUID
    membership_id: uuid.UUID | None = None
    password: str = PASSWORD

    @property
    def account(self) -> Account:
        return Account.objects.get(id=self.account_id)

    @property
    def membership(self) -> Membership:
        assert self.membership_id
        return Membership.objects.select_related("account", "organization__license").get(id=self.membership_id)

    @property
    def actor(self) -> Actor:
        return Actor("account", self.account_id)

    @property
    def by(self) -> By:
        """This person as the one who brings others: an admin everywhere, a manager in the groups he manages."""
        plan = self.membership.organization.license.plan
        if self.membership.role == plan.admin.slug:
            return By(self.actor, plan.admin.rank)
        managed = GroupMembership.objects.filter(membership__account_id=self.account_id, right="manager")
        return By(self.actor, plan.lowest.rank, frozenset(managed.values_list("group_id", flat=True)))


class House:
    """One organisation of the World, with short words for what tests do to it."""

    def __init__(self, slug: str, name: str, plan: str) -> None:
        self.organization = create(slug, name, plan, actor=OPERATOR)
        self.id = self.organization.id

    def add(self, joiner: Joiner, by: By = BY_OPERATOR) -> Outcome:
        return join(self.id, joiner, by)

    def add_many(
        self, joiners: list[Joiner], by: By = BY_OPERATOR, *, terms: Terms = PLAIN, dry_run: bool = False
    ) -> list[Outcome]:
        batches = join_many(Run(self.id, by, terms, dry_run=dry_run), joiners)
        return [outcome for batch in batches for outcome in batch]

    def settle(self, username: str, role: str, groups: tuple[str, ...] = ()) -> Person:
        """A member with an address and a password of his own: nothing left to do at sign-in."""
        email = f"{username.partition(' ')[0].lower()}@{self.organization.slug}.example"
        outcome = self.add(somebody(username, role, email=email, groups=groups, method=Method.OPERATOR))
        account = self.account(outcome)
        links.set_own_password(account, passwords.digest(PASSWORD))
        return Person(account.id, outcome.membership_id)

    def account(self, outcome: Outcome) -> Account:
        return self.member(outcome).account

    def member(self, outcome: Outcome) -> Membership:
        """Whom the door let in, as the database has them."""
        assert outcome.membership_id, outcome.findings
        return Membership.objects.select_related("account").get(id=outcome.membership_id)

    def group(self, name: str, cap: int | None = None) -> Group:
        return Group.objects.create(organization_id=self.id, name=name, name_key=name.lower(), cap=cap)

    def seats(self, pool: str, limit: int | None = None) -> SeatPool:
        """The pool, with another limit first when one is given."""
        if limit is not None:
            SeatPool.objects.filter(organization_id=self.id, pool=pool).update(limit=limit)
        return SeatPool.objects.get(organization_id=self.id, pool=pool)

    def events(self, *types: EventType) -> list[Event]:
        """The events here in their order, of these types or of all."""
        found = Event.objects.filter(organization_id=self.id).order_by("id")
        return list(found.filter(type__in=types) if types else found)


class World:
    """Built once per test. Each person signs in with ``PASSWORD``."""

    def __init__(self) -> None:
        self.cedar = House("cedar", "Cedar School", "school")
        self.birch = House("birch", "Birch", "elearning")
        self.maple = House("maple", "Maple Press", "marketing")
        self.year5 = self.cedar.group("Year 5")
        self.ada = self.cedar.settle("Ada Ash", "admin")
        self.tom = self.cedar.settle("Tom Thorn", "teacher", ("Year 5",))
        self.pia = self.cedar.settle("Pia Pine", "student", ("Year 5",))
        self.bob = self.birch.settle("Bob Briar", "admin")
        self.mia = self.maple.settle("Mia Moss", "admin")
        set_group_right(self.cedar.id, self.tom.membership.id, self.year5.id, "manager", BY_OPERATOR)

    @cached_property
    def olga(self) -> Person:
        return Person(_claimed("Olga", "olga@usher.example", is_operator=True).id)

    @cached_property
    def eve(self) -> Person:
        return Person(_claimed("Eve", "eve@elsewhere.example").id)

    @property
    def people(self) -> dict[str, Person]:
        """Everybody by the name they have in tests."""
        names = ("ada", "tom", "pia", "bob", "mia", "olga", "eve")
        return {name: getattr(self, name) for name in names}

    def organization_of(self, person: Person) -> Organization:
        return person.membership.organization


def _claimed(username: str, email: str, *, is_operator: bool = False) -> Account:
    return Account.objects.create(
        username=username,
        email=email,
        sign_in_key=email,
        password=passwords.digest(PASSWORD),
        password_set_at=clock.now(),
        claimed_at=clock.now(),
        is_operator=is_operator,
    )


def somebody(
    username: str,
    role: str = "student",
    *,
    email: str = "",
    groups: tuple[str, ...] = (),
    method: Method = Method.CSV_IMPORT,
    line: int = 0,
    findings: tuple[Finding, ...] = (),
) -> Joiner:
    """Somebody at the door who has no account yet; without ``email`` a sign-in name will be made."""
    account = NewAccount(username, email, email.lower(), passwords.digest(PASSWORD))
    return Joiner(method, account, role, groups, "a test", line, findings)


def known(person: Person, role: str = "student", groups: tuple[str, ...] = ()) -> Joiner:
    """Somebody at the door who has proved the account he has."""
    return Joiner(Method.INVITE_CODE, person.account_id, role, groups, "a test")


def class_list(count: int, *, role: str = "student", groups: tuple[str, ...] = (), start: int = 1) -> list[Joiner]:
    """``count`` people with addresses, one per line below a header."""
    return [
        somebody(f"Pupil {n}", role, email=f"pupil{n}@cedar.example", groups=groups, line=n + 1)
        for n in range(start, start + count)
    ]


def signed_in(person: Person) -> Client:
    """A browser in which this person is signed in, without the sign-in page."""
    client = Client()
    client.force_login(person.account)
    return client
