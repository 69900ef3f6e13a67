"""Registering: a hash, a row and a mail for everybody, and an account for whoever opens the mail.

A registration looks for no account: its cost and its answer are the same for every address (docs/decisions/0013).
What the mail says is decided when the worker writes it (letters_of_registration.py). The account is made by
:func:`confirm`, which only the owner of the mailbox can ask for.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.crypto import constant_time_compare

from usher.core import clock, mail, tokens
from usher.core.errors import UsherError
from usher.core.mail import Envelope
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.core.rows import new_id
from usher.people import claim, credentials, passwords
from usher.people.addresses import Address, parse_address
from usher.people.models import Account, Registration
from usher.people.newcomers import Newcomer

LIVES = dt.timedelta(hours=24)
LETTER = "registration"  # the kind of the mail, and the purpose of the token in its link
BROWSER = "browser"  # the purpose of the cookie


@dataclass(frozen=True, slots=True)
class Application:
    """Who registers, in which browser, and with which code: its id, and the address of its page for the mail."""

    newcomer: Newcomer
    browser: str = field(repr=False)
    code_id: uuid.UUID | None = None
    code_page: str = ""


# Registering


def register(application: Application, network: str) -> Address:
    """Keep a registration and post its mail; returns the address. Always one hash.

    A mailbox that has had its share of mails gets no more, and nobody is told (core/mail.py). Raises UsherError:
    address_incomplete without an address, too_many_tries.
    """
    address = application.newcomer.address
    if address is None:
        raise UsherError(Reason.ADDRESS_INCOMPLETE("email", given=""))
    is_welcome = mail.may_write(address.key, network)
    encoded = passwords.make(application.newcomer.password)
    if is_welcome:
        _keep(application, address, encoded)
    return address


@retrying
def _keep(application: Application, address: Address, encoded: str) -> None:
    row_id = new_id()
    with transaction.atomic():
        Registration.objects.create(
            id=row_id,
            username=application.newcomer.username,
            email=address.original,
            address_key=address.key,
            password=encoded,
            code_id=application.code_id,
            token_hash=tokens.token_hash(tokens.derived_token(LETTER, row_id), LETTER),
            browser_hash=tokens.token_hash(application.browser, BROWSER),
            expires_at=clock.now() + LIVES,
        )
        envelope = Envelope(ref=row_id, data={"code_page": application.code_page} if application.code_page else {})
        mail.post(LETTER, address.original, envelope)


# Confirming


def find(token: str) -> Registration:
    """The living registration of this link, the newest of its address. Raises UsherError: registration_dead.

    Uses nothing up.
    """
    found = _living(token).first()
    if found is None:
        raise UsherError(Reason.REGISTRATION_DEAD())
    return found


def _living(token: str) -> QuerySet[Registration]:
    now = clock.now()
    newer = Registration.objects.filter(address_key=OuterRef("address_key"), id__gt=OuterRef("id"))
    living = Registration.objects.filter(token_hash=tokens.token_hash(token, LETTER), consumed_at=None)
    return living.filter(expires_at__gt=now).exclude(Exists(newer))


def is_from(registration: Registration, browser: str) -> bool:
    """Whether the form was filled in in this browser, so that the password is known to be the owner's."""
    return bool(browser) and constant_time_compare(registration.browser_hash, tokens.token_hash(browser, BROWSER))


def is_taken(registration: Registration) -> bool:
    """Whether the address has been proved meanwhile, in whatever way."""
    proved = Account.objects.filter(claimed_at__isnull=False, vouched_by_organization=None)
    return proved.filter(sign_in_key=registration.address_key).exists()


def least_length(registration: Registration, home: uuid.UUID | None) -> int:
    """How long the password has to be: the account that becomes the owner's may be an admin's."""
    made = claim.heir(Account.objects.filter(sign_in_key=registration.address_key).order_by("id"), home)
    return credentials.least_alone(made) if made else passwords.LEAST_SUPPLIED


def confirm(token: str, home: uuid.UUID | None, chosen: str = "") -> Account:
    """Make the account, or give the one that is there to its owner (people/claim.py, ``heir``).

    ``chosen`` is a password that was chosen now, by :func:`least_length`; without it the one of the registration
    stands, which only the browser that registered may ask for. Raises UsherError: registration_dead,
    account_exists, and what is wrong with the password.
    """
    registration = find(token)
    if chosen:
        passwords.check_chosen(chosen, least_length(registration, home))
    encoded = passwords.make(chosen) if chosen else registration.password
    try:
        return _confirm(token, encoded, home)
    except IntegrityError:
        # Somebody proved the address in this very moment: now he is seen.
        if connection.in_atomic_block:
            raise
        return _confirm(token, encoded, home)


@retrying
def _confirm(token: str, encoded: str, home: uuid.UUID | None) -> Account:
    with transaction.atomic():
        registration = find(token)
        claim.made_for(registration.address_key)  # locked first, as by whoever else proves this address
        # One statement decides between two who press at once.
        if not _living(token).update(consumed_at=clock.now()):
            raise UsherError(Reason.REGISTRATION_DEAD())
        return claim.prove_new(registration.username, parse_address(registration.email), encoded, home)
