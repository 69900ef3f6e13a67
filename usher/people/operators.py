"""The platform's operators: made at the command line only, by whoever runs the server."""

from __future__ import annotations

from django.db import transaction

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import OPERATOR, Draft, EventType
from usher.people import claim, factors, passwords
from usher.people.addresses import Address, parse_address
from usher.people.links import make_setup_link
from usher.people.models import Account


def claimed_account(address: Address) -> Account | None:
    """The account whose owner has proved this address, or for which the operator vouched: no organisation's word."""
    return Account.objects.filter(
        sign_in_key=address.key, claimed_at__isnull=False, vouched_by_organization=None
    ).first()


def make_operator(text: str) -> tuple[Account, str]:
    """An operator with this address and a set-up link for him, shown once.

    An account that has proved the address becomes the operator's; done again, it gives a new link. One for which an
    organisation vouches does too, without anything by which that organisation's provider could open it.
    Raises UsherError for an address that cannot be used.
    """
    address = parse_address(text, "address")
    with transaction.atomic():
        account = claimed_account(address) or _taken_over(address) or _new(address)
        if not account.is_operator:
            Account.objects.filter(id=account.id).update(is_operator=True)
            account.is_operator = True
            record.record(Draft(EventType.OPERATOR_CREATED, None, OPERATOR, account_id=account.id))
        return account, make_setup_link(account, None, OPERATOR)


def _taken_over(address: Address) -> Account | None:
    """From now on the operator vouches for it, and an organisation does no more."""
    account = Account.objects.select_for_update().filter(sign_in_key=address.key, claimed_at__isnull=False).first()
    if account:
        claim.wipe([account])
        Account.objects.filter(id=account.id).update(vouched_by_organization=None)
    return account


@retrying
def reset_second_factor(text: str) -> Account:
    """Whoever lost phone and recovery codes signs in by the password alone again; the owner is told by mail.

    Raises UsherError: what is wrong with the address, unknown_account, second_factor_missing.
    """
    address = parse_address(text, "address")
    with transaction.atomic():
        account = Account.objects.select_for_update().filter(sign_in_key=address.key, claimed_at__isnull=False).first()
        if account is None:
            raise UsherError(Reason.UNKNOWN_ACCOUNT("address", given=address.original))
        if not factors.wipe([account], OPERATOR):
            raise UsherError(Reason.SECOND_FACTOR_MISSING("address"))
    return account


def _new(address: Address) -> Account:
    return Account.objects.create(
        username=address.original.partition("@")[0],
        email=address.original,
        sign_in_key=address.key,
        password=passwords.UNUSABLE,
        claimed_at=clock.now(),
    )
