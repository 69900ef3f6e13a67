"""A forgotten password: a link by mail, which proves the mailbox, and a new password chosen with it.

The request looks for no account and costs the same for every address; the worker does, when it writes the mail.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction

from usher.core import clock, mail
from usher.core.errors import UsherError
from usher.core.mail import Envelope
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.models import Organization
from usher.people import links, notices, passwords, single_sign_on
from usher.people.addresses import Address, parse_address
from usher.people.claim import claim, made_for
from usher.people.credentials import least_alone, least_length
from usher.people.links import FORGOTTEN, Purpose
from usher.people.models import Account, Membership, OneTimeLink

MINUTES = 60
LASTS = dt.timedelta(minutes=MINUTES)
STALE = dt.timedelta(days=1)  # a mail that could not leave for so long is not sent any more: who wants it asked again
_MADE_UP = ".invalid"


def ask(typed: str, network: str, organization: Organization | None) -> None:
    """Have a mail sent to an address, whatever is known of it. Raises UsherError: no_mailbox, what is wrong with
    the form of the address, too_many_tries."""
    name = typed.strip().lower()
    if "@" not in name or name.endswith(_MADE_UP):
        raise UsherError(Reason.NO_MAILBOX("email"))
    address = parse_address(typed)
    if mail.may_write(address.key, network):
        asked = {"at": clock.now().isoformat()}
        mail.post("reset", address.original, Envelope(organization.id if organization else None, data=asked))


# When the mail is written


@retrying
def write_link(mail_id: uuid.UUID, address: Address, organization_id: uuid.UUID | None) -> OneTimeLink | None:
    """The link for the owner of this address; None when no account has it. Raises UsherError (link_dead) when this
    very mail was written before and its link has been used or replaced since."""
    with transaction.atomic():
        account = _chosen(made_for(address.key), organization_id)
        if account is None:
            return None
        written = OneTimeLink.objects.filter(id=mail_id).first()
        if written and not links.rewrite(written, lasts=LASTS):
            raise UsherError(Reason.LINK_DEAD())
        if written:
            return written
        link = OneTimeLink(
            id=mail_id,
            purpose=Purpose.RESET if account.is_proved else Purpose.CLAIM,
            account=account,
            organization_id=organization_id,
            address=account.email,
        )
        links.write(link, lasts=LASTS)
    return link


def provider_of(address: Address, organization_id: uuid.UUID | None) -> Organization | None:
    """The organisation by whose single sign-on alone the owner of this address comes in: a new password would open
    nothing. None where it would open something, and where there is no account."""
    account = _chosen(list(Account.objects.filter(sign_in_key=address.key)), organization_id)
    return single_sign_on.shut_out(account, organization_id) if account else None


def _chosen(accounts: list[Account], organization_id: uuid.UUID | None) -> Account | None:
    """The proved one, or the one that an organisation vouches for, since a proof makes it the proved one; else that of
    the organisation whose door it was, else the oldest that is still in use."""
    if not accounts:
        return None
    used = set(
        Membership.objects.filter(account__in=accounts, state=Membership.State.ACTIVE).values_list(
            "account_id", flat=True
        )
    )

    def rank(account: Account) -> tuple[bool, bool, bool, uuid.UUID]:
        asked_there = organization_id is not None and account.home_id == organization_id
        return (not account.is_claimed, not asked_there, account.id not in used, account.id)

    return min(accounts, key=rank)


# When the link is used


def look(token: str) -> OneTimeLink:
    """Whose password the link sets; uses nothing up. Raises UsherError (link_dead)."""
    return links.find(token, *FORGOTTEN)


def choose(token: str, password: str) -> Account:
    """Set the password that the owner of the mailbox chose. Every session ends, every other link dies, and what
    organisations set up for the address before its owner proved it is void (people/claim.py).

    Raises UsherError: link_dead and the findings of the rule.
    """
    account = look(token).account
    # A claim voids the second factor too, so that the password will stand alone.
    passwords.check_chosen(password, least_length(account) if account.is_proved else least_alone(account))
    return _choose(token, passwords.make(password))


@retrying
def _choose(token: str, encoded: str) -> Account:
    with transaction.atomic():
        link = look(token)
        address = parse_address(link.address)
        made_for(address.key)  # locked before the link, in the order of everybody else
        links.use(token, *FORGOTTEN)
        account = Account.objects.get(id=link.account_id)
        if account.sign_in_key != address.key or account.is_proved != (link.purpose == Purpose.RESET):
            raise UsherError(Reason.LINK_DEAD())
        if account.is_proved:
            _set(account, encoded)
        else:
            account = claim(account, address, encoded)
        notices.password_changed(account)
    return account


def _set(account: Account, encoded: str) -> None:
    links.set_own_password(account, encoded)
    links.end_all(account)
    actor = Actor("account", account.id)
    record.record(Draft(EventType.PASSWORD_CHANGED, None, actor, account_id=account.id, data={"by": "mail"}))
