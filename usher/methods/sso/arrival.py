"""What becomes of a verified person: signed in, let in by the door, asked once, or refused; for every provider."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.lifecycle.joiner import Outcome, Result
from usher.methods.sso import identities
from usher.methods.sso.entry import account_for, enter
from usher.methods.sso.follow import follow
from usher.methods.sso.identities import link
from usher.methods.sso.models import Connection
from usher.methods.sso.newcomer import newcomer
from usher.methods.sso.person import Person
from usher.methods.sso.recognize import Recognition, Standing, recognize
from usher.methods.sso.rules import Verdict, judge
from usher.methods.sso.ticket import ArrivedError
from usher.methods.sso.ways import label_of
from usher.people import claim
from usher.people.models import Account, Identity, Membership

TRIES = 3
SIGNED_IN = "signed_in"
LINKED = "linked"
ASKED = "asked"


class DoorError(UsherError):
    """What the door said, which has told of it already."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of it. ``account`` is None where the person has to be asked first. ``result`` is for the record."""

    result: str
    account: Account | None = None
    role: str = ""


def settle(connection: Connection, person: Person, next: str = "") -> Arrival:  # noqa: A002 - as it is called in forms
    """Find out who it is and let him in. Nothing is left behind of a "no".

    Raises UsherError: organization_suspended, sso_not_invited, the door's own.
    """
    check_open(connection)
    for _try in range(TRIES - 1):
        try:
            return _settle(connection, person, next)
        except (ArrivedError, IntegrityError):
            continue  # the same person in another tab, or somebody who proved the address in this very moment
    return _settle(connection, person, next)


def check_open(connection: Connection) -> None:
    """Raises UsherError: organization_suspended, sso_off.

    As it stands in this moment: a provider may take its time to answer, and a question stands for ten minutes.
    """
    now = Connection.objects.select_related("organization").filter(id=connection.id).first()
    if now and now.organization.is_suspended:
        raise UsherError(Reason.ORGANIZATION_SUSPENDED())
    was = (Connection.State.ON, connection.issuer, connection.tenant)
    if now is None or (now.state, now.issuer, now.tenant) != was:
        raise UsherError(Reason.SSO_OFF(organization=connection.organization.name, provider=label_of(connection)))


def _settle(connection: Connection, person: Person, next: str) -> Arrival:  # noqa: A002 - as above
    found = recognize(connection, person)
    if found.standing is Standing.LEFT:
        raise UsherError(Reason.MEMBER_INACTIVE())
    if found.standing is Standing.ALIKE:
        return Arrival(ASKED)
    if found.account is None:
        return _by_the_door(connection, person, next, found)
    member = Membership.objects.filter(account=found.account, organization=connection.organization).first()
    if member is None or member.state == Membership.State.INACTIVE:
        return _by_the_door(connection, person, next, found)
    return _again(connection, person, found, member)


def _again(connection: Connection, person: Person, found: Recognition, member: Membership) -> Arrival:
    """A member: linked where that is new, and moved where the rules say something new."""
    verdict = judge(connection.rules_in_order, person, connection.organization.license.plan)
    identity = found.identity or _link(connection, person, found, verdict)
    if member.state == Membership.State.ACTIVE:
        follow(connection, identity, verdict, member, is_new=found.identity is None)
    if found.identity:
        identities.note(identity, person, verdict)
    return Arrival(SIGNED_IN if found.identity else LINKED, identity.account, verdict.role or member.role)


@retrying
def _link(connection: Connection, person: Person, found: Recognition, verdict: Verdict) -> Identity:
    """The account is this person's. One that the organisation made is his own from now on, all that opened it void."""
    with transaction.atomic():
        _hold(connection)
        held = {one.id: one for one in claim.made_for(person.key)}
        account = held.get(found.account.id) if found.account else None
        if account is None or account.is_claimed != (found.standing is Standing.SAME):
            raise ArrivedError
        if found.standing is Standing.MADE_HERE:
            claim.vouch(account, connection.organization_id)
        identity = link(connection, person, account.id, verdict)
    identity.account = account
    return identity


def _hold(connection: Connection) -> None:
    """Nobody is linked to a connection that is switched off or removed in this very moment. Needs a transaction.

    Raises UsherError: sso_off.
    """
    if Connection.objects.select_for_update().filter(id=connection.id, state=Connection.State.ON).first() is None:
        raise UsherError(Reason.SSO_OFF(organization=connection.organization.name, provider=label_of(connection)))


def _by_the_door(connection: Connection, person: Person, next: str, found: Recognition) -> Arrival:  # noqa: A002 - as above
    new = replace(newcomer(connection, person, next), known=found.identity)
    outcome = enter(new, found.account.id if found.account else account_for(person))
    return _arrival(outcome)


def _arrival(outcome: Outcome) -> Arrival:
    if outcome.result is Result.REFUSED or outcome.account_id is None:
        raise DoorError(*outcome.findings)
    return Arrival(outcome.result.value, Account.objects.get(id=outcome.account_id), outcome.joiner.role)


# After the question


def go_on_new(connection: Connection, person: Person, next: str) -> Arrival:  # noqa: A002 - as above
    """Somebody else than the one who has the address here: a new account without it.

    Raises UsherError as :func:`settle`.
    """
    check_open(connection)
    if recognize(connection, person).standing is Standing.LEFT:
        raise UsherError(Reason.MEMBER_INACTIVE())
    stranger = replace(person, is_vouched=False)
    try:
        return _arrival(enter(newcomer(connection, stranger, next), account_for(stranger)))
    except (ArrivedError, IntegrityError):  # he has answered it in another tab, one way or the other
        return settle(connection, stranger, next)


def join_account(connection: Connection, person: Person, account: Account, next: str = "") -> Arrival:  # noqa: A002
    """Link this person to an account that has just proved itself, and let it in where it is no member yet.

    Raises UsherError: identity_of_another, identity_known, and as :func:`settle`.
    """
    check_open(connection)
    for _try in range(TRIES - 1):
        try:
            return _join_account(connection, person, account, next)
        except (ArrivedError, IntegrityError):
            continue  # in another tab, in this very moment
    return _join_account(connection, person, account, next)


def _join_account(connection: Connection, person: Person, account: Account, next: str) -> Arrival:  # noqa: A002
    label = label_of(connection)
    identity = identities.identity_of(connection, person)
    if identity and identity.account_id != account.id:
        raise UsherError(Reason.IDENTITY_OF_ANOTHER(provider=label))
    if identities.others(connection, person, account).exists():
        raise UsherError(Reason.IDENTITY_KNOWN(provider=label))
    member = Membership.objects.filter(account=account, organization=connection.organization).first()
    if member is None or member.state == Membership.State.INACTIVE:
        return _by_the_door(connection, person, next, Recognition(Standing.ALIKE, identity, account))
    if identity is None:
        verdict = judge(connection.rules_in_order, person, connection.organization.license.plan)
        identity = _link_proved(connection, person, account, verdict)
        follow(connection, identity, verdict, member, is_new=True)
    return Arrival(LINKED, account, member.role)


@retrying
def _link_proved(connection: Connection, person: Person, account: Account, verdict: Verdict) -> Identity:
    with transaction.atomic():
        _hold(connection)
        return link(connection, person, account.id, verdict)
