"""The address of one's own account: asked for here, proved by a link to the new mailbox, and only then changed.

Whose account it is counts, not who asks: the link acts for the account alone, signed in, and sets exactly the address
that it was sent to. The request looks for nobody who may have that address; the mail tells its owner.
"""

from __future__ import annotations

import datetime as dt
import uuid

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import Q

from usher.core import clock, mail
from usher.core.errors import UsherError
from usher.core.mail import Envelope
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.people import links, notices, passwords
from usher.people.addresses import Address, parse_address
from usher.people.claim import claim, void
from usher.people.credentials import least_alone
from usher.people.links import Purpose
from usher.people.members import who_hears
from usher.people.models import Account, OneTimeLink
from usher.people.search import reindex

HOURS = 24
LASTS = dt.timedelta(hours=HOURS)


def ask(account: Account, typed: str, network: str) -> None:
    """Send a link to the address that the account shall have; an earlier one dies, the old address is told.

    Raises UsherError: what is wrong with the form of the address, address_same, too_many_tries.
    """
    address = parse_address(typed)
    if account.is_proved and address.key == account.sign_in_key:
        raise UsherError(Reason.ADDRESS_SAME("email"))
    if mail.may_write(address.key, network):
        _ask(account, address)


@retrying
def _ask(account: Account, address: Address) -> None:
    with transaction.atomic():
        mine = Account.objects.select_for_update().get(id=account.id)
        link = OneTimeLink(purpose=Purpose.ADDRESS, account=mine, address=address.original, organization=mine.home)
        links.write(link, lasts=LASTS)
        mail.post("address", address.original, Envelope(ref=link.id))
        notices.address_asked(mine, link.id)


def waiting(link_id: uuid.UUID | None) -> OneTimeLink | None:
    """A link that nobody has used, while it lives."""
    alive = OneTimeLink.objects.filter(id__in=[link_id], consumed_at=None, expires_at__gt=clock.now())
    return alive.select_related("account").first()


def wanted(account: Account) -> str:
    """The address that waits to be proved; "" when none does."""
    alive = OneTimeLink.objects.filter(
        account=account, purpose=Purpose.ADDRESS, consumed_at=None, expires_at__gt=clock.now()
    )
    return alive.values_list("address", flat=True).first() or ""


def opens_another(link: OneTimeLink) -> bool:
    """The address is another account's, proved or vouched for: then it cannot become this one's as well.

    Whose mailbox it is gets that account by a forgotten password (people/recovery.py).
    """
    others = Account.objects.filter(sign_in_key=parse_address(link.address).key, claimed_at__isnull=False)
    return others.exclude(id=link.account_id).exists()


def look(account: Account, token: str) -> OneTimeLink:
    """The link, for its own account; uses nothing up. Raises UsherError: link_dead, link_of_another."""
    link = links.find(token, Purpose.ADDRESS)
    if link.account_id != account.id:
        raise UsherError(Reason.LINK_OF_ANOTHER())
    return link


def confirm(account: Account, token: str, password: str = "") -> Account:
    """The mailbox is proved: its address is the account's from now on.

    An account that nobody had proved, also one that an organisation vouches for, becomes its owner's by this
    (people/claim.py). All that opened it before is void then, so ``password`` is the one he chooses. Raises
    UsherError: link_dead, link_of_another, address_opens_another, and then also the findings of the rule for passwords.
    """
    look(account, token)
    encoded = ""
    if not account.is_proved:
        passwords.check_chosen(password, least_alone(account))
        encoded = passwords.make(password)
    try:
        return _confirm(account, token, encoded)
    except IntegrityError:
        # In this very moment the address was proved on the way to another account: there was no row to wait for.
        raise UsherError(Reason.ADDRESS_OPENS_ANOTHER()) from None


@retrying
def _confirm(account: Account, token: str, encoded: str) -> Account:
    with transaction.atomic():
        link = look(account, token)
        address = parse_address(link.address)
        mine = _lock(account.id, address)
        links.use(token, Purpose.ADDRESS)
        if opens_another(link):
            raise UsherError(Reason.ADDRESS_OPENS_ANOTHER())
        if mine.is_proved:
            _move(mine, address)
            return mine
        # An address that an organisation gave it, or vouches for, was never proved, and makes way.
        Account.objects.filter(id=mine.id).update(email="")
        return claim(mine, address, encoded)


def _lock(account_id: uuid.UUID, address: Address) -> Account:
    """All accounts that this is about, in the order of their ids, as everybody locks them; returns the one's own."""
    all_of_them = Account.objects.select_for_update().filter(Q(id=account_id) | Q(sign_in_key=address.key))
    return next(one for one in all_of_them.order_by("id") if one.id == account_id)


def _move(account: Account, address: Address) -> None:
    """From one proved address to another. What organisations made for the new one is void, and offered."""
    old = account.email
    void(list(Account.objects.filter(sign_in_key=address.key, claimed_at=None)), account, address)
    account.email, account.sign_in_key = address.original, address.key
    account.save(update_fields=["email", "sign_in_key"])
    EmailAddress.objects.filter(user=account).delete()
    EmailAddress.objects.create(user=account, email=address.key, verified=True, primary=True)
    reindex(account)
    links.end_all(account)
    record.record_many([_event(account, old, place) for place in who_hears(account)])
    if old:
        notices.address_changed(account, old)


def _event(account: Account, old: str, organization_id: uuid.UUID | None) -> Draft:
    """One for each organisation in which he is, since its lists show the address."""
    return Draft(
        EventType.ADDRESS_CHANGED,
        organization_id,
        Actor("account", account.id),
        account_id=account.id,
        address=account.sign_in_key,
        personal={"from": old, "to": account.email},
    )
