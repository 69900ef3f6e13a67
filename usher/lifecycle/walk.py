"""Considering one person after the other in memory: the decision half of the door, pure and without a pen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

from usher.core.reasons import Finding
from usher.core.rows import new_id
from usher.lifecycle.facts import AccountFacts, GroupFacts, House
from usher.lifecycle.joiner import Joiner, NewAccount, Outcome, Result
from usher.lifecycle.rules import DESCRIPTION, LICENSE, PERSON, PLACE, ROOM, TICKET, noes
from usher.people.made_names import made_name
from usher.people.names import clean_group_name, name_key, stem

NUMBERED_FROM = 1001  # student.1001, student.1002, ... for those whose name has no ASCII letter


def consider(joiner: Joiner, house: House) -> Outcome:
    """Decide about one joiner and let the house remember it: row 7 meets the seats that rows 1 to 6 left."""
    joiner = _each_group_once(joiner)
    account = house.account_of(joiner)
    findings = _objections(joiner, house)
    if not findings and account and _is_here(account, house):
        _remember_address(joiner, house)
        return _stay(joiner, house, account)
    waits = house.ticket is not None and house.ticket.lets_ask
    findings = findings or tuple(islice(noes(TICKET if waits else ROOM, joiner, house), 1))
    if findings:
        return Outcome(joiner, Result.REFUSED, findings)
    return _keep_waiting(joiner, house, account) if waits else _seat(joiner, house, account)


def _is_here(account: AccountFacts, house: House) -> bool:
    return account.membership_state == "active" or (account.membership_state == "waiting" and not house.terms.approving)


def _stay(joiner: Joiner, house: House, account: AccountFacts) -> Outcome:
    """A member already. A code for a group takes him into it; no list of names does."""
    groups = _new_places(joiner, house, account)
    if not groups or account.membership_state == "waiting":
        return _outcome(joiner, Result.UNCHANGED, account)
    joiner = replace(joiner, groups=groups)
    findings = tuple(islice(noes(PLACE, joiner, house), 1))
    if findings:
        return Outcome(joiner, Result.REFUSED, findings)
    _take_places(joiner, house)
    return _outcome(joiner, Result.PLACED, account)


def _new_places(joiner: Joiner, house: House, account: AccountFacts) -> tuple[str, ...]:
    if house.ticket is None:
        return ()
    return tuple(
        name for name in joiner.groups if (account.membership_id, group_for(name, house).id) not in house.places
    )


def _take_places(joiner: Joiner, house: House) -> None:
    """Groups, and a use of the ticket where there is one."""
    for name in joiner.groups:
        group_for(name, house).used += 1
    if house.ticket and house.ticket.uses_left is not None:
        house.ticket.uses_left -= 1


def _keep_waiting(joiner: Joiner, house: House, account: AccountFacts | None) -> Outcome:
    """An account and a membership that waits: neither seat nor place nor use is taken."""
    return replace(_somebody(joiner, house, account), result=Result.WAITING)


def _each_group_once(joiner: Joiner) -> Joiner:
    """A group named twice, in whichever case, is one group and one place in it."""
    if len(joiner.groups) < 2:
        return joiner
    names: dict[str, str] = {}
    for name in joiner.groups:
        names.setdefault(name_key(name), name)
    return replace(joiner, groups=tuple(names.values()))


def _objections(joiner: Joiner, house: House) -> tuple[Finding, ...]:
    """The findings of the first stage that says no; of a description, all of them."""
    return (
        tuple(islice(noes(LICENSE, joiner, house), 1))
        or ((house.ticket.stop,) if house.ticket and house.ticket.stop else ())
        or joiner.findings + tuple(noes(DESCRIPTION, joiner, house))
        or tuple(islice(noes(PERSON, joiner, house), 1))
    )


def _outcome(joiner: Joiner, result: Result, account: AccountFacts) -> Outcome:
    """What became of somebody who has an account already."""
    return Outcome(
        joiner,
        result,
        account_id=account.id,
        membership_id=account.membership_id,
        sign_in=account.sign_in,
        username=account.username,
        email=account.email,
    )


def _remember_address(joiner: Joiner, house: House) -> None:
    if isinstance(joiner.account, NewAccount) and joiner.account.address:
        house.seen.setdefault(joiner.account.address, joiner.line)


def _seat(joiner: Joiner, house: House, account: AccountFacts | None) -> Outcome:
    """Take the seat and the places in the groups, and say who sits there."""
    role = house.role_of(joiner)
    assert role is not None  # noqa: S101 - the rule UNKNOWN_ROLE stands before
    house.pools[role.pool].used += 1
    # Whichever seat he takes, the one that was kept for him is free again.
    address = house.address_of(joiner)
    if kept_in := house.kept.pop(address, None):
        house.pools[kept_in].kept -= 1
        house.given_back.append(address)
    _take_places(joiner, house)
    return _somebody(joiner, house, account)


def _somebody(joiner: Joiner, house: House, account: AccountFacts | None) -> Outcome:
    """Who comes in: the account there is, with a new membership, or a new account."""
    if account:
        seated = _outcome(joiner, Result.JOINED, account)
        seated = replace(seated, membership_id=seated.membership_id or new_id())
        house.known[account.id] = replace(account, membership_id=seated.membership_id, membership_state="active")
    else:
        assert isinstance(joiner.account, NewAccount)  # noqa: S101 - an unknown id is refused by the room
        seated = _new_person(joiner, joiner.account, house)
    _remember_address(joiner, house)
    return seated


def group_for(name: str, house: House) -> GroupFacts:
    """The group of this name; made now when the terms allow it (the rule UNKNOWN_GROUP stands before)."""
    key = name_key(name)
    if key not in house.groups:
        house.groups[key] = GroupFacts(new_id(), clean_group_name(name), is_new=True)
    return house.groups[key]


def _new_person(joiner: Joiner, new: NewAccount, house: House) -> Outcome:
    named = _named(joiner, new, house)
    return Outcome(
        joiner,
        Result.CREATED,
        account_id=new_id(),
        membership_id=new_id(),
        sign_in=named.sign_in,
        username=named.username,
        email=new.email,
    )


@dataclass(frozen=True, slots=True)
class _Named:
    sign_in: str
    username: str


def _named(joiner: Joiner, new: NewAccount, house: House) -> _Named:
    """What the person types and what is shown: the address, or a name made from the username."""
    if new.address:
        return _Named(new.email, new.username or new.email.partition("@")[0])
    base = stem(new.username)
    local = _plain_name(base, house) if base else _numbered_name(joiner.role, house)
    username = new.username or local.replace(".", " ").capitalize()
    house.nameless.add(name_key(username))
    return _Named(made_name(local, house.slug), username)


def _count(key: str, house: House) -> int:
    house.made[key] = house.made.get(key, 0) + 1
    return house.made[key]


def _plain_name(base: str, house: House) -> str:
    number = _count(base, house)
    return base if number == 1 else f"{base}-{number}"


def _numbered_name(role: str, house: House) -> str:
    return f"{role}.{NUMBERED_FROM - 1 + _count(numbered_key(role), house)}"


def numbered_key(role: str) -> str:
    """The counter of the numbered names of a role; no stem ends with a dot, so the two never meet."""
    return f"{role}."
