"""What the rules look at: the house in memory, and the changes that the people already considered made to it.

Pure values: no database, no clock. ``house.load`` fills them; ``rules.RULES`` read them; the walk changes them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field

from usher.core.reasons import Finding
from usher.lifecycle.joiner import By, Joiner, NewAccount, Terms
from usher.organizations.plans import Plan, Role


@dataclass(slots=True)
class Pool:
    limit: int
    used: int
    told: int = 0  # percent; see lifecycle/alarms.py
    kept: int = 0  # seats reserved for addresses that have still to come


@dataclass(slots=True)
class GroupFacts:
    """A group as the door sees it; ``is_new`` when this run makes it."""

    id: uuid.UUID
    name: str
    is_open: bool = True
    cap: int | None = None
    used: int = 0
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account that an address or an id led to, and its membership here, if any.

    ``home`` is the organisation an unclaimed account belongs to, None for a claimed one. ``vouched_by`` is the one
    that answers for the address of a claimed account: it counts as proved there alone. ``may_enter`` (where the
    house wants single sign-on, else False): its provider knows the account, or the member here needs none.
    """

    id: uuid.UUID
    sign_in: str
    username: str
    email: str
    claimed: bool
    home: uuid.UUID | None
    membership_id: uuid.UUID | None = None
    membership_state: str = ""
    vouched_by: uuid.UUID | None = None
    may_enter: bool = False

    def has_proved_address(self, organization_id: uuid.UUID) -> bool:
        """Whether the address counts as the person's own in this organisation."""
        return self.claimed and self.vouched_by in (None, organization_id)


@dataclass(slots=True)
class TicketFacts:
    """What an invite code or an invitation allows in this moment, as read under its lock.

    ``stop`` is why it lets nobody in at all. ``uses_left`` is None without a limit. ``waits``: an admin decides
    about everybody; ``asks_when_spent``: about those who come when no use is left. ``domains`` (A-labels) are
    those of the addresses it is for; empty for any.
    """

    stop: Finding | None = None
    uses_left: int | None = None
    waits: bool = False
    asks_when_spent: bool = False
    domains: frozenset[str] = frozenset()

    @property
    def is_spent(self) -> bool:
        return self.uses_left is not None and self.uses_left <= 0

    @property
    def lets_ask(self) -> bool:
        """Whether whoever comes now has to wait for an admin."""
        return self.waits or (self.is_spent and self.asks_when_spent)


@dataclass(slots=True)
class House:
    """One organisation in the moment of decision."""

    organization_id: uuid.UUID
    slug: str
    plan: Plan
    starts_on: dt.date | None
    ends_on: dt.date | None
    today: dt.date
    by: By
    terms: Terms
    pools: dict[str, Pool]
    is_suspended: bool = False
    name: str = ""
    passwords_for: str = ""
    needs_sso: frozenset[str] = frozenset()  # the roles that come in by single sign-on alone
    ticket: TicketFacts | None = None
    groups: dict[str, GroupFacts] = field(default_factory=dict)  # by the compare key of the name
    accounts: dict[str, AccountFacts] = field(default_factory=dict)  # by address key
    known: dict[uuid.UUID, AccountFacts] = field(default_factory=dict)  # by account id
    made: dict[str, int] = field(default_factory=dict)  # stem -> names made so far
    nameless: set[str] = field(default_factory=set)  # compare keys of the names of members without address
    seen: dict[str, int] = field(default_factory=dict)  # address key -> the line that used it in this run
    kept: dict[str, str] = field(default_factory=dict)  # address key -> the pool in which a seat is kept for it
    given_back: list[str] = field(default_factory=list)  # address keys whose kept seat is no longer needed
    places: set[tuple[uuid.UUID, uuid.UUID]] = field(default_factory=set)  # (membership, group), with a ticket only
    roles: dict[str, Role] = field(init=False)

    def __post_init__(self) -> None:
        self.roles = {role.slug: role for role in self.plan.roles}

    def account_of(self, joiner: Joiner) -> AccountFacts | None:
        """The account that this joiner already has, as far as the house may know."""
        if isinstance(joiner.account, NewAccount):
            return self.accounts.get(joiner.account.address) if joiner.account.address else None
        return self.known.get(joiner.account)

    def address_of(self, joiner: Joiner) -> str:
        """The compare key of the address by which this joiner is known; empty for none."""
        if isinstance(joiner.account, NewAccount):
            return joiner.account.address
        account = self.known.get(joiner.account)
        return account.sign_in.lower() if account and account.email else ""

    def role_of(self, joiner: Joiner) -> Role | None:
        return self.roles.get(joiner.role)
