"""Acts of the race proofs (hand.py): owners who change their address, and who use one link twice, at once."""

from __future__ import annotations

import uuid
from typing import Any

from usher.core import clock, tokens
from usher.core.limits import MAIL_TO
from usher.core.models import Bucket
from usher.people import links, own_address, passwords, recovery
from usher.people.addresses import parse_address
from usher.people.links import Purpose
from usher.people.models import Account, OneTimeLink


def owner(*, address: str) -> str:
    """Somebody with a proved address."""
    now = clock.now()
    account = Account.objects.create(
        username="Zoe",
        email=address,
        sign_in_key=address,
        password=passwords.digest("river-lamp-4821"),
        claimed_at=now,
        password_set_at=now,
    )
    return str(account.id)


def ask_address(*, account: str, address: str) -> str:
    """Ask for another address; the token of its link, as the mail has it."""
    Bucket.objects.filter(key=MAIL_TO.key(address)).delete()
    own_address.ask(Account.objects.get(id=account), address, uuid.uuid4().hex)
    row = OneTimeLink.objects.filter(account__id=account, purpose=Purpose.ADDRESS, address=address).latest("id")
    return tokens.derived_token(Purpose.ADDRESS.value, row.id)


def prove_address(*, account: str, token: str, password: str = "") -> list[str]:
    return [own_address.confirm(Account.objects.get(id=account), token, password).email]


def forget(*, address: str) -> str:
    """A reset mail is written; the token of its link."""
    link = recovery.write_link(uuid.uuid4(), parse_address(address), None)
    assert link
    return links.address_of(link).rpartition("/")[2]


def choose(*, token: str, password: str) -> list[str]:
    recovery.choose(token, password)
    return [password]


def proved_by(*, address: str) -> dict[str, Any]:
    """Who has the address now: the proved accounts, and which links of theirs still live."""
    found = list(Account.objects.filter(sign_in_key=address, claimed_at__isnull=False))
    alive = OneTimeLink.objects.filter(account__in=found, consumed_at=None).values_list("address", flat=True)
    return {"proved": [str(one.id) for one in found], "links": sorted(alive)}


def address_of(*, account: str) -> dict[str, Any]:
    mine = Account.objects.get(id=account)
    alive = OneTimeLink.objects.filter(account=mine, consumed_at=None).values_list("address", flat=True)
    return {"address": mine.email, "links": sorted(alive)}


def fits(*, address: str, password: str) -> bool:
    return Account.objects.get(sign_in_key=address, claimed_at__isnull=False).check_password(password)


ACTS = {
    act.__name__: act
    for act in (owner, ask_address, prove_address, forget, choose, proved_by, address_of, fits)
}  # fmt: skip
