"""What becomes of a verified person of an LMS: known, let in by the door, asked once, or refused."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.lifecycle import move
from usher.lifecycle.joiner import NewAccount, Outcome, Result
from usher.lifecycle.opening import why_shut
from usher.methods.lti import courses
from usher.methods.lti.callers import Caller
from usher.methods.lti.entry import enter, look_ahead
from usher.methods.lti.models import Deployment, PlatformUser
from usher.methods.lti.platforms import label_of, role_for
from usher.methods.lti.recognize import Place, is_asked, user_of, was_sent_away
from usher.methods.lti.ticket import ArrivedError, LtiTicket, add_user
from usher.organizations.plans import Method
from usher.people.models import Account, Membership
from usher.protocols.lti13.roles import Standing

TRIES: Final = 3
SIGNED_IN: Final = "signed_in"
LINKED: Final = "linked"
ASKED: Final = "asked"
WATCHED: Final = "watched"  # the LMS's own test person: looks, and leaves nothing


class DoorError(UsherError):
    """What the door said, which has told of it already."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a person stands before it is decided who it is."""

    place: Place
    deployment: Deployment
    caller: Caller


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of it. ``user`` is None where the person has to be asked first, and for a test person."""

    result: str
    user: PlatformUser | None = None
    member: Membership | None = None
    role: str = ""


def check_open(scene: Scene) -> None:
    """What keeps everybody out, members as well. Raises UsherError: organization_suspended, license_ended,
    license_not_started, method_not_in_plan."""
    finding = why_shut(scene.place.organization.license, Method.LTI)
    if finding:
        raise UsherError(finding)


def settle(scene: Scene) -> Arrival:
    """Find out who it is and let him in. Nothing is left behind of a "no".

    Raises UsherError: as :func:`check_open`, lti_not_invited, member_inactive, the door's own.
    """
    check_open(scene)
    if scene.caller.is_test:
        return Arrival(WATCHED)
    return _tried(lambda: _settle(scene))


def _tried(act: Callable[[], Arrival]) -> Arrival:
    """Again where the same person came in another tab in this very moment."""
    for _try in range(TRIES - 1):
        with suppress(ArrivedError, IntegrityError):
            return act()
    return act()


def _settle(scene: Scene) -> Arrival:
    user = user_of(scene.place, scene.caller.subject)
    if user:
        return _again(scene, user)
    _check_lets_in(scene)
    if is_asked(scene.place, scene.caller):
        return Arrival(ASKED)
    return create(scene)


def _check_lets_in(scene: Scene) -> None:
    """Raises UsherError: lti_not_invited, member_inactive."""
    if was_sent_away(scene.place, scene.caller):
        raise UsherError(Reason.MEMBER_INACTIVE())
    if not scene.place.platform.lets_in:
        names = {"organization": scene.place.organization.name, "platform": label_of(scene.place.platform)}
        raise UsherError(Reason.LTI_NOT_INVITED(**names))


def _role(scene: Scene, standing: str) -> str:
    return role_for(scene.place.platform, scene.place.organization, Standing(standing))


# Somebody known


def _again(scene: Scene, user: PlatformUser) -> Arrival:
    member = _member(scene, user.account_id)
    if member is None:
        return _by_the_door(scene, user.account_id, known=user)
    if member.state == Membership.State.INACTIVE:
        raise UsherError(Reason.MEMBER_INACTIVE())
    return Arrival(SIGNED_IN, user, member, member.role)


def _member(scene: Scene, account_id: uuid.UUID) -> Membership | None:
    """With the organization and its licence, which have been read already."""
    organization = scene.place.organization
    found = Membership.objects.filter(account=account_id, organization=organization).first()
    if found:
        found.organization = organization
    return found


def follow(scene: Scene, user: PlatformUser, member: Membership) -> None:
    """What the LMS says now: the name, and the role where the most that somebody is in its courses has changed.

    What was set by hand stays until then; an admin stays one; where no seat is free, the role he has.
    """
    role = _role(scene, user.standing)
    admin = scene.place.organization.license.plan.admin.slug
    if role not in (user.role, member.role) and member.role != admin:
        with suppress(UsherError):
            move.move(scene.place.organization.id, member.id, role, courses.BY)
    said = {"name": scene.caller.name or user.name, "address": scene.caller.address or user.address, "role": role}
    changed = {name: value for name, value in said.items() if getattr(user, name) != value}
    PlatformUser.objects.filter(id=user.id).update(**changed, proved_at=clock.now())


# Somebody new


def create(scene: Scene) -> Arrival:
    """A new account, made by the LMS: no address and no password, and a made sign-in name."""
    _check_lets_in(scene)
    return _by_the_door(scene, NewAccount(username=scene.caller.name))


def create_after_question(scene: Scene) -> Arrival:
    """Somebody else than the one he resembles. Raises UsherError as :func:`settle`."""
    check_open(scene)
    return _tried(lambda: _known_or(scene, lambda: create(scene)))


def join_account(scene: Scene, account: Account) -> Arrival:
    """Link this person to an account that has just proved itself, and let it in where it is no member yet.

    Raises UsherError: lms_user_known, and as :func:`settle`.
    """
    check_open(scene)
    return _tried(lambda: _known_or(scene, lambda: _join_account(scene, account)))


def _known_or(scene: Scene, act: Callable[[], Arrival]) -> Arrival:
    """Answered in another tab already: that stands."""
    user = user_of(scene.place, scene.caller.subject)
    return _again(scene, user) if user else act()


def _join_account(scene: Scene, account: Account) -> Arrival:
    member = _member(scene, account.id)
    if member is None:
        return _by_the_door(scene, account.id)
    if member.state == Membership.State.INACTIVE:
        raise UsherError(Reason.MEMBER_INACTIVE())
    return Arrival(LINKED, _linked(scene, account), member, member.role)


@retrying
def _linked(scene: Scene, account: Account) -> PlatformUser:
    ticket = _ticket(scene)
    with transaction.atomic():
        stop = ticket.hold().stop
        if stop:
            raise UsherError(stop)
        return add_user(ticket, account.id, is_linked=True)


def _ticket(scene: Scene, known: PlatformUser | None = None) -> LtiTicket:
    return LtiTicket(scene.place, scene.deployment, scene.caller, _role(scene, scene.caller.standing), known)


def _by_the_door(scene: Scene, account: uuid.UUID | NewAccount, known: PlatformUser | None = None) -> Arrival:
    return _arrival(scene, enter(_ticket(scene, known), account))


def _arrival(scene: Scene, outcome: Outcome) -> Arrival:
    if outcome.result is Result.REFUSED:
        raise DoorError(*outcome.findings)
    user = user_of(scene.place, scene.caller.subject)
    if user is None:  # taken away with the LMS in this very moment; nobody in particular is a test person
        raise UsherError(Reason.LTI_OVER())
    member = _member(scene, user.account_id)
    return Arrival(outcome.result.value, user, member, outcome.joiner.role)


# Only looking


def foresee(scene: Scene) -> Arrival:
    """What would become of this person; nobody is let in by it. Raises UsherError as :func:`settle`."""
    check_open(scene)
    user = user_of(scene.place, scene.caller.subject)
    if user:
        return _again(scene, user)
    _check_lets_in(scene)
    if is_asked(scene.place, scene.caller):
        return Arrival(ASKED)
    outcome = look_ahead(_ticket(scene), NewAccount(username=scene.caller.name))
    if outcome.result is Result.REFUSED:
        raise UsherError(*outcome.findings)
    return Arrival(outcome.result.value, role=outcome.joiner.role)
