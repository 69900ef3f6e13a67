"""Accepting: who stands before the page of an invitation, and how each of them proves the address and comes in."""

from __future__ import annotations

from enum import StrEnum

from django.db import IntegrityError, connection, transaction

from usher.core import mail
from usher.core.errors import UsherError
from usher.core.limits import INVITE_TO
from usher.core.reasons import Finding, Reason
from usher.core.retry import retrying
from usher.lifecycle.joiner import NewAccount, Outcome, Result
from usher.lifecycle.opening import why_shut
from usher.lifecycle.outreach import suppressed
from usher.methods.email_invitation.entry import enter
from usher.methods.email_invitation.found import Found, find, objection
from usher.methods.email_invitation.send import post
from usher.organizations.plans import Method
from usher.people import claim, credentials, passwords
from usher.people.addresses import parse_address
from usher.people.models import Account, Membership
from usher.people.newcomers import newcomer


class Visitor(StrEnum):
    """Who opens the page of an invitation that still lets somebody in."""

    READY = "ready"  # signed in with the invited address, proved: one click
    WRONG = "wrong"  # signed in as somebody else: switch
    HAS_ACCOUNT = "has_account"  # not signed in, and the address has an account of its own: sign in
    NEW = "new"  # the mailed link proves the address: name and password
    UNPROVED = "unproved"  # a copied link that lets in without proof: name and password, lowest role
    PROVE = "prove"  # a copied link that proves nothing: have the mail sent to the address


def opened(token: str) -> Found:
    """The invitation of this link, as long as somebody may come in by it now. Uses nothing up.

    Raises UsherError: as ``find``, organization_suspended, license_ended, license_not_started, method_not_in_plan,
    inviter_gone.
    """
    found = find(token)
    if no := _stop(found):
        raise UsherError(no)
    return found


def _stop(found: Found) -> Finding | None:
    """What the door would say to everybody, before anybody makes up a password for nothing."""
    return why_shut(found.organization.license, Method.EMAIL_INVITATION) or objection(found.invitation)


def visitor(found: Found, account: Account | None) -> Visitor:
    """An organisation's word for an address counts as a proof in that organisation, and nowhere else."""
    key = found.invitation.address_key
    if account and (account.is_proved or account.vouched_by_organization == found.organization.id):
        return Visitor.READY if account.sign_in_key == key else Visitor.WRONG
    # Somebody whom an organisation made may be the invited one: then the link proves it, as for anybody new.
    if account and account.sign_in_key != key:
        return Visitor.WRONG
    if Account.objects.filter(sign_in_key=key, claimed_at__isnull=False, vouched_by_organization=None).exists():
        return Visitor.HAS_ACCOUNT
    if not found.is_copied:
        return Visitor.NEW
    return Visitor.UNPROVED if found.is_unproved and not _is_made_here(found) else Visitor.PROVE


def _is_made_here(found: Found) -> bool:
    """Whether an account of this organisation has the address already: nobody gets it without proving that."""
    return Account.objects.filter(sign_in_key=found.invitation.address_key, home=found.organization).exists()


def accept(found: Found, account: Account) -> Outcome:
    """The one click of who is signed in with the invited address.

    Raises UsherError: invitation_for_another, and waits_for_yes for who asked to come in by a code.
    """
    if visitor(found, account) is not Visitor.READY:
        raise UsherError(Reason.INVITATION_FOR_ANOTHER(address=found.invitation.email))
    outcome = enter(found, account.id)
    if outcome.result is Result.UNCHANGED and not is_in(found, account):
        raise UsherError(Reason.WAITS_FOR_YES())
    return outcome


def least_length(found: Found) -> int:
    """How long the password of somebody new has to be: an admin's alone guards an organisation."""
    if found.role is found.organization.license.plan.admin:
        return credentials.LEAST_ADMIN
    there = Account.objects.filter(sign_in_key=found.invitation.address_key).order_by("id")
    made = claim.heir(there, found.organization.id)
    return credentials.least_alone(made) if made else passwords.LEAST_SUPPLIED


def register(found: Found, token: str, username: str, password: str) -> Account:
    """Make the account of somebody who came by the mailed link, which proves the address; the door comes after.

    An account that this organisation made for the address becomes the person's own (people/claim.py). Raises
    UsherError: what is wrong with the fields, account_exists, what ``opened`` raises.
    """
    if visitor(found, None) is not Visitor.NEW:
        raise UsherError(Reason.ACCOUNT_EXISTS())
    if no := _stop(found):
        raise UsherError(no)
    new = newcomer(username, found.invitation.email, password)
    passwords.check_chosen(password, least_length(found))
    encoded = passwords.make(password)
    try:
        return _register(found, token, new.username, encoded)
    except IntegrityError:
        # Somebody proved the address in this very moment: now he is seen.
        if connection.in_atomic_block:
            raise
        return _register(found, token, new.username, encoded)


@retrying
def _register(found: Found, token: str, username: str, encoded: str) -> Account:
    with transaction.atomic():
        claim.made_for(found.invitation.address_key)  # locked first, as by whoever else proves this address
        if find(token).is_copied:
            raise UsherError(Reason.INVITATION_DEAD())
        return claim.prove_new(username, parse_address(found.invitation.email), encoded, found.organization.id)


def come_in_unproved(found: Found, username: str, password: str) -> Account:
    """By a copied link that the admin made for it: an account of this organisation, its address not proved.

    Raises UsherError: what is wrong with the fields, invitation_dead for another link, account_exists where the
    organisation has an account with this address already, and the door's own.
    """
    if not found.is_unproved:
        raise UsherError(Reason.INVITATION_DEAD())
    new = newcomer(username, found.invitation.email, password)
    address = parse_address(found.invitation.email)
    account = NewAccount(
        new.username, address.original, address.key, password=passwords.make(new.password), chosen=True
    )
    outcome = enter(found, account)
    # Whoever came in by another way in this very moment is found too, and nobody becomes that person without a proof.
    if outcome.result is not Result.CREATED or outcome.account_id is None:
        raise UsherError(*(outcome.findings or [Reason.ACCOUNT_EXISTS()]))
    return Account.objects.get(id=outcome.account_id)


@retrying
def mail_again(found: Found, network: str) -> None:
    """Send the mail with the link that proves the address to it, as the holder of a copied link asks for.

    A mailbox that had its share gets no more, and nobody is told. Raises UsherError: mail_not_wanted, too_many_tries.
    """
    if suppressed(found.organization, [found.invitation.address_key]):
        raise UsherError(Reason.MAIL_NOT_WANTED())
    key = found.invitation.address_key
    if mail.may_write(key, network) and INVITE_TO.take([key]):
        with transaction.atomic():
            post(found.invitation)


def is_in(found: Found, account: Account) -> bool:
    """Whether this account is a member here by now."""
    here = Membership.objects.filter(account=account, organization=found.organization)
    return here.filter(state=Membership.State.ACTIVE).exists()
