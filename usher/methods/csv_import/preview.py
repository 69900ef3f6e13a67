"""What the preview page shows of a dry run: counts, refused rows, and the first of each kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from usher.core.reasons import Reason
from usher.lifecycle.joiner import Joiner, NewAccount, Outcome, Result
from usher.lifecycle.lists.parse import Sheet
from usher.methods.csv_import import instead
from usher.methods.csv_import.run import Order, preview
from usher.people.made_names import short

MOST_REFUSED = 1000
MOST_OF_A_KIND = 200
MOST_INVITED = 1000  # that one button can invite instead
LOOK = 3  # rows of each kind, and of each reason, that show before a filter is pressed


@dataclass(frozen=True, slots=True)
class Line:
    """One row as the page draws it; ``is_first`` while no filter is pressed."""

    outcome: Outcome
    is_first: bool
    slug: str
    role: str

    @property
    def name(self) -> str:
        typed = self.outcome.joiner.account
        return self.outcome.username or (typed.username if isinstance(typed, NewAccount) else "")

    @property
    def sign_in(self) -> str:
        typed = self.outcome.joiner.account
        return short(self.outcome.sign_in, self.slug) or (typed.email if isinstance(typed, NewAccount) else "")

    @property
    def groups(self) -> str:
        return ", ".join(self.outcome.joiner.groups)

    @property
    def is_made(self) -> bool:
        return bool(self.outcome.sign_in) and not self.outcome.email


@dataclass(slots=True)
class Preview:
    """The dry run of one order, kept as small as the page needs it."""

    order: Order
    kept: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    shown: Counter[str] = field(default_factory=Counter)
    with_account: list[Joiner] = field(default_factory=list)

    @property
    def sheet(self) -> Sheet:
        return self.order.sheet

    @property
    def lines(self) -> Iterator[Line]:
        """The rows kept, created ones first."""
        for result in Result:
            yield from self.kept[result.value]

    @property
    def is_cut(self) -> bool:
        return self.order.report.rows > sum(map(len, self.kept.values()))

    @property
    def invitable(self) -> int:
        """How many of those who have an account of their own can be invited instead, here and now."""
        return len(self.with_account) if instead.is_offered(self.order.organization) else 0

    @property
    def not_invited_here(self) -> int:
        """How many more there are: ``userlist.csv`` has them all."""
        return self.order.report.reasons[Reason.HAS_ACCOUNT.code] - len(self.with_account)

    @property
    def invited_text(self) -> str:
        return instead.as_text(self.with_account, self.order.options)

    def add(self, outcome: Outcome) -> None:
        if instead.has_account(outcome) and len(self.with_account) < MOST_INVITED:
            self.with_account.append(outcome.joiner)
        rows = self.kept[outcome.result.value]
        refused = outcome.result is Result.REFUSED
        if len(rows) < (MOST_REFUSED if refused else MOST_OF_A_KIND):
            self.shown[kind := outcome.result.value + outcome.reason] += 1
            organization = self.order.organization
            role = organization.license.plan.role(outcome.joiner.role)
            label = str(role.label) if role else outcome.joiner.role
            rows.append(Line(outcome, self.shown[kind] <= LOOK, organization.slug, label))


def look(order: Order) -> Preview:
    """Walk the whole file without a pen. Raises UsherError as ``run.preview``."""
    seen = Preview(order)
    for outcomes in preview(order):
        for outcome in outcomes:
            seen.add(outcome)
    return seen
