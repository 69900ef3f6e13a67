"""People who ask to come in, by the real door: through a code that wants somebody's yes."""

from __future__ import annotations

from typing import Any

from world import PASSWORD, House

from usher.core import clock
from usher.lifecycle.joiner import NewAccount
from usher.methods.invite_code.entry import enter
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.text import new_code
from usher.people import passwords
from usher.people.models import Account, Group, Membership


def asking_code(house: House, group: Group | None = None, **facts: Any) -> InviteCode:
    """A code by which one has to wait; for the lowest role unless told otherwise."""
    role = facts.pop("role", house.organization.license.plan.lowest.slug)
    return InviteCode.objects.create(
        organization=house.organization, code=new_code(), role=role, group=group, needs_approval=True, **facts
    )


def ask(code: InviteCode, name: str, email: str = "") -> Membership:
    """Somebody who waits: with an address that is proved, or without any."""
    account = proved(name, email).id if email else NewAccount(name, password=passwords.digest(PASSWORD), chosen=True)
    outcome = enter(code, account)
    assert outcome.result.value == "waiting", outcome
    assert outcome.membership_id
    return Membership.objects.select_related("account").get(id=outcome.membership_id)


def proved(name: str, email: str) -> Account:
    """An account that is the person's own."""
    return Account.objects.create(
        username=name,
        email=email,
        sign_in_key=email.lower(),
        password=passwords.digest(PASSWORD),
        password_set_at=clock.now(),
        claimed_at=clock.now(),
    )
