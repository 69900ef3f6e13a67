"""Acts of the race proofs (hand.py): people who come by a code, and people who prove their address, at once."""

from __future__ import annotations

import uuid
from typing import Any

from world import House, somebody

from usher.core import tokens
from usher.methods.invite_code import arrivals, at_once
from usher.methods.invite_code.at_once import Child
from usher.methods.invite_code.models import CodeUse, InviteCode
from usher.methods.invite_code.ticket import FormUsedError
from usher.organizations.models import Organization
from usher.organizations.plans import Method
from usher.people import passwords, registrations, tidying
from usher.people.addresses import parse_address
from usher.people.claim import claim
from usher.people.models import Account, Registration
from usher.people.newcomers import newcomer
from usher.people.registrations import Application

PASSWORD = "three small words"


def code_for(*, organization: str, code: str, max_uses: int | None = None) -> str:
    """A code that takes children in at once."""
    facts: dict[str, Any] = {"proof": InviteCode.Proof.AT_ONCE, "max_uses": max_uses, "role": "student"}
    return str(InviteCode.objects.create(organization_id=organization, code=code, **facts).id)


def come(*, code: str, username: str, form: str) -> list[str]:
    """A child sends its form."""
    row = arrivals.codes().get(id=code)
    try:
        at_once.come_in(row, Child(username, "", PASSWORD, form))
    except FormUsedError:
        use = arrivals.of_form(form)
        return ["again" if use and at_once.is_the_same(use, PASSWORD) else "lost"]
    return ["created"]


def uses(*, code: str) -> list[int]:
    """The counter of the code, and who came by it."""
    return [InviteCode.objects.get(id=code).used, CodeUse.objects.filter(code_id=uuid.UUID(code)).count()]


def pend(*, address: str) -> str:
    """Somebody registers; the token of his link."""
    new = newcomer("Zoe", address, PASSWORD)
    registrations.register(Application(new, "a browser"), uuid.uuid4().hex)
    row = Registration.objects.filter(address_key=address).latest("id")
    return tokens.derived_token(registrations.LETTER, row.id)


def confirm(*, token: str) -> list[str]:
    registrations.confirm(token, None)
    return ["made"]


def shell(*, organization: str, address: str = "") -> str:
    """An account that an organisation made: for this address, or with a made name."""
    house = House.__new__(House)
    house.organization, house.id = Organization.objects.get(id=organization), uuid.UUID(organization)
    return str(house.add(somebody("Made Here", email=address, method=Method.API)).account_id)


def prove_mailbox(*, account: str, address: str) -> list[str]:
    """The same mailbox is proved on the way to that account."""
    proved = claim(Account.objects.get(id=account), parse_address(address), passwords.make("proved by a link"))
    return ["made" if str(proved.id) == account else "found"]


def owners(*, address: str) -> dict[str, Any]:
    """Who has the address, and what is left that could prove it."""
    tidying.forget_registrations()
    accounts = Account.objects.filter(sign_in_key=address)
    proved = [one for one in accounts if one.is_claimed]
    return {
        "proved": len(proved),
        "openable": sum(one.has_usable_password() for one in accounts),
        "registrations": Registration.objects.filter(address_key=address).count(),
    }


ACTS = {act.__name__: act for act in (code_for, come, uses, pend, confirm, shell, prove_mailbox, owners)}
