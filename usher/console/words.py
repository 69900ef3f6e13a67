"""What a table shows of a member: words and pictures in place of codes, and links that keep the filters."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from usher.lifecycle.telling import method_label
from usher.organizations.models import Organization
from usher.organizations.plans import Plan
from usher.people.listing import Listed
from usher.people.models import Membership

State = tuple[str, "str | Promise"]
ACTIVE: State = ("in", _("Active"))
NEVER: State = ("never", _("Never signed in"))
WAITING: State = ("ask", _("Waiting for approval"))
INACTIVE: State = ("off", _("Deactivated"))


@dataclass(frozen=True, slots=True)
class Row:
    """A member in a table."""

    id: uuid.UUID
    name: str
    sign_in: str
    role: str
    groups: str
    state: State
    way: tuple[str, str]
    seen: datetime | None
    is_manager: bool = False


def row_of(
    listed: Listed, organization: Organization, plan: Plan, *, managers: frozenset[uuid.UUID] = frozenset()
) -> Row:
    """What the table shows; ``managers`` are those who manage the group that is listed."""
    member = listed.member
    role = plan.role(member.role)
    return Row(
        id=member.id,
        name=member.account.username,
        sign_in=short_sign_in(member.account.sign_in, organization.slug),
        role=str(role.label) if role else member.role,
        groups=", ".join(listed.groups),
        state=state_of(member),
        way=(member.method, method_label(member.method)),
        seen=member.last_seen_at,
        is_manager=member.id in managers,
    )


def state_of(member: Membership) -> State:
    if member.state == Membership.State.INACTIVE:
        return INACTIVE
    if member.state == Membership.State.WAITING:
        return WAITING
    return ACTIVE if member.last_seen_at else NEVER


def short_sign_in(sign_in: str, slug: str) -> str:
    """A made name without the part that all made names here share; that is all the organisation's own door wants."""
    return sign_in.removesuffix(f"@{slug}.usher.invalid")


@dataclass(frozen=True, slots=True)
class Links:
    """Links back to a list that change one filter, keep the others, and begin at the first page."""

    path: str
    given: Mapping[str, str]

    def with_(self, name: str, value: str) -> str:
        """The address with one filter set, or taken away by an empty value."""
        wanted = {**self.given, name: value}
        text = urlencode({key: part for key, part in wanted.items() if part})
        return f"{self.path}?{text}" if text else self.path


def links(path: str, query: QueryDict, names: tuple[str, ...]) -> Links:
    """The filters among ``names`` that an address has now."""
    return Links(path, {name: query.get(name, "") for name in names if query.get(name)})


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a filter menu."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Menu:
    """A filter with its choices; its word is the choice made."""

    word: str
    options: Sequence[Option]


def menu(here: Links, name: str, word: str, choices: Mapping[str, str]) -> Menu:
    """A filter as links; its word says what is chosen now."""
    current = here.given.get(name, "")
    all_ = Option(gettext("All"), here.with_(name, ""), current not in choices)
    options = [Option(label, here.with_(name, value), value == current) for value, label in choices.items()]
    return Menu(f"{word}: {choices[current]}" if current in choices else word, [all_, *options])
