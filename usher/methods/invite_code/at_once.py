"""In at once: a child without an address comes in by a code, with a made sign-in name and a password of its own."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, field

from usher.core import clock
from usher.core.errors import UsherError
from usher.lifecycle.joiner import NewAccount, Result
from usher.methods.invite_code import arrivals
from usher.methods.invite_code.entry import enter
from usher.methods.invite_code.models import CodeUse, InviteCode
from usher.people import own_address, passwords
from usher.people.models import Membership
from usher.people.newcomers import newcomer

AGAIN = dt.timedelta(hours=1)  # so long the same form, sent again, means the same child


@dataclass(frozen=True, slots=True)
class Child:
    """What was typed, and the token of the form it was typed into."""

    username: str
    email: str
    password: str = field(repr=False)
    form: str


def come_in(code: InviteCode, child: Child) -> CodeUse:
    """A new account with its membership: active, or waiting for an admin.

    The address is not the account's before it is proved, and is looked for nowhere: so it tells nothing.
    Raises UsherError: what is wrong with the fields, and the door's own; FormUsedError (ticket.py).
    """
    new = newcomer(child.username, child.email, child.password)
    account = NewAccount(new.username, password=passwords.digest(new.password), chosen=True)
    form = arrivals.form_hash(child.form)
    outcome = enter(code, account, form)
    if outcome.result is Result.REFUSED:
        raise UsherError(*outcome.findings)
    return arrivals.uses().get(form=form)


def prove_address(use: CodeUse, child: Child, network: str) -> None:
    """Where an address was typed, a mail asks whether it is the child's. Whoever is in stays in without it."""
    if child.email.strip():
        with suppress(UsherError):
            own_address.ask(use.membership.account, child.email, network)


def is_the_same(use: CodeUse, password: str) -> bool:
    """Whether the child who came by this form sends it again: pressed twice, or gone back in the browser.

    The token of the form proves little on a computer that many use, so it has to know the password as well.
    """
    account = use.membership.account
    is_here = use.membership.state != Membership.State.INACTIVE and not account.is_claimed
    return is_here and clock.now() - use.at < AGAIN and passwords.verify(password, account.password).ok
