"""An LMS connected: added, changed, approved, switched on and off, removed. Each is told to all admins.

Whoever changes this decides who opens accounts here, so it is kept as single sign-on is (methods/sso/connect.py).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from usher.core import clock, mail
from usher.core.errors import UsherError
from usher.core.mail import Envelope
from usher.core.reasons import Reason
from usher.core.retry import deleting, retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.lifecycle.letters_shared import admins_of
from usher.methods.lti.models import Deployment, Launch, Platform, PlatformUser, Question, Trip
from usher.methods.lti.platforms import label_of, platforms
from usher.methods.lti.presets import NEEDED, preset_of
from usher.methods.lti.wishes import Wish, checked, wish_of
from usher.organizations.models import License, Organization
from usher.organizations.plans import Method

LETTER: Final = "platform"
__all__ = [
    "Came", "Wish", "add", "add_deployment", "approve", "approve_deployment", "change", "check_room", "end_launches",
    "missing", "note_deployment", "remove", "remove_deployment", "set_test", "switch", "wish_of",
]  # fmt: skip
METHOD: Final = Method.LTI.value
MOST: Final = 20  # LMSs of one organisation
WHO_IT_IS: Final = frozenset({"issuer", "client_id", "jwks_url"})
MOST_WAITING: Final = 50  # deployments of one LMS
TOLD_EVERY: Final = dt.timedelta(days=1)
WAITS: Final = "deployment:waits"
TOLD: Final = ("is_on", "deployment")  # of an event, what the mail tells too
State = Platform.State


@dataclass(frozen=True, slots=True)
class Came:
    """What registered itself: the id that its addresses hold already, and the deployment it named, if it did."""

    platform_id: uuid.UUID
    deployment_id: str = ""


# Made and changed


@retrying
def add(organization: Organization | None, wish: Wish, actor: Actor, came: Came | None = None) -> Platform:
    """A new one, which lets nobody in until it is switched on; without organisation one of the operator's.

    Raises UsherError with all that is wrong: method_not_in_plan, platform_url_not_allowed, platform_taken,
    client_taken and others.
    """
    values = checked(organization, wish)
    if came:
        values |= {"id": came.platform_id, "is_registered": True}
    with transaction.atomic():
        _lock(organization)
        check_room(organization)
        _check_not_taken(organization, values)
        platform = Platform.objects.create(organization=organization, **values)
        if came and came.deployment_id:
            Deployment.objects.create(platform=platform, organization=organization, deployment_id=came.deployment_id)
        _tell(EventType.PLATFORM_REGISTERED if came else EventType.PLATFORM_CREATED, platform, actor)
    return platform


def check_room(organization: Organization | None) -> None:
    """Raises UsherError: method_not_in_plan, too_many_platforms."""
    if organization is None:
        return
    _check_plan(organization)
    if Platform.objects.filter(organization=organization).count() >= MOST:
        raise UsherError(Reason.TOO_MANY_PLATFORMS(limit=MOST))


def _check_plan(organization: Organization) -> None:
    plan = organization.license.plan
    if Method.LTI not in plan.methods:
        raise UsherError(Reason.METHOD_NOT_IN_PLAN(plan=str(plan.name)))


@deleting
def change(platform: Platform, wish: Wish, actor: Actor) -> Platform:
    """Make it so. Another issuer, client or keyset is another LMS: it has to be switched on again, and what is open
    ends; where issuer or client changed, deployments want a new yes, and of another issuer nobody is known.

    Raises UsherError as :func:`add`.
    """
    values = checked(platform.organization, wish)
    with transaction.atomic():
        held = _held(platform)
        changed = {name: value for name, value in values.items() if getattr(held, name) != value}
        if not changed:
            return held
        if changed.keys() & {"issuer", "client_id"}:
            _check_not_taken(held.organization, values, but=held)
        _follow(held, changed)
        _write(held, changed)
        _tell(EventType.PLATFORM_CHANGED, held, actor, changed)
    return held


def _follow(held: Platform, changed: Mapping[str, Any]) -> None:
    """What ends with the identity of the LMS."""
    if changed.keys() & WHO_IT_IS:
        held.state = State.DRAFT
        end_launches(held)
    if any(name in changed and getattr(held, name) for name in ("issuer", "client_id")):
        held.deployments.update(approved_at=None)
    if "issuer" in changed:
        PlatformUser.objects.filter(platform=held).delete()


def end_launches(platform: Platform) -> None:
    """Whoever is in a frame of it has to open it anew; what is on its way leads nowhere."""
    Launch.objects.filter(deployment__platform=platform).delete()
    Question.objects.filter(deployment__platform=platform).delete()
    Trip.objects.filter(platform=platform).delete()


def _check_not_taken(
    organization: Organization | None, values: Mapping[str, Any], but: Platform | None = None
) -> None:  # fmt: skip
    """Raises UsherError: platform_taken, client_taken. Two that are not filled in yet are not the same.

    One key speaks for all clients of this installation, and some LMSs look at nothing but that and the client: Moodle
    takes a signed assertion meant for any other server. So whoever connected a client is the only one whom we speak
    for it (security.md H3, H13); another organisation would read the rosters of the first, and write its grades.
    """
    client = values["client_id"]
    if not client:
        return
    others = Platform.objects.filter(client_id__iexact=client)  # as the databases of some LMSs compare
    others = others.exclude(organization=organization) if organization else others.filter(organization__isnull=False)
    if others.exists():
        raise UsherError(Reason.CLIENT_TAKEN("client_id"))
    same = Platform.objects.filter(organization=organization, issuer=values["issuer"], client_id=client).first()
    if values["issuer"] and same and same != but:
        raise UsherError(Reason.PLATFORM_TAKEN("client_id"))


# Switched on and off


@retrying
def switch(platform: Platform, *, on: bool, actor: Actor) -> Platform:
    """Raises UsherError: platform_needs (for every empty field), deployment_waits, method_not_in_plan."""
    with transaction.atomic():
        held = _held(platform)
        if (held.state == State.ON) is on:
            return held
        if on:
            _check_ready(held)
        else:
            end_launches(held)
        _write(held, {"state": State.ON if on else State.OFF})
        _tell(EventType.PLATFORM_CHANGED, held, actor, {"is_on": on})
    return held


@retrying
def approve(platform: Platform, actor: Actor) -> Platform:
    """One yes to what registered itself: switched on, and the deployments that came with it approved.

    Raises UsherError as :func:`switch`; deployment_whose for one of the operator's with no organisation.
    """
    with transaction.atomic():
        held = _held(platform)
        for waiting in held.deployments.filter(approved_at=None).order_by("id"):
            if held.organization:
                _approve(held, waiting, held.organization, actor)
        return switch(held, on=True, actor=actor)


def missing(platform: Platform) -> list[str]:
    """The names of the fields that are still empty and have to be filled in."""
    return [name for name in NEEDED if not getattr(platform, name)]


def _check_ready(held: Platform) -> None:
    organization, preset = held.organization, preset_of(held.family)
    if organization:
        _check_plan(organization)
    needs = [Reason.PLATFORM_NEEDS(name, field=preset.label(name), platform=label_of(held)) for name in missing(held)]
    if needs:
        raise UsherError(*needs)
    deployments = list(held.deployments.values_list("approved_at", flat=True))
    if deployments and not any(deployments):
        raise UsherError(Reason.DEPLOYMENT_WAITS(platform=label_of(held)))


@retrying
def set_test(platform: Platform, *, minutes: int) -> None:
    """Launches of the next minutes are looked at and let nobody in; 0 ends it."""
    until = clock.now() + dt.timedelta(minutes=minutes) if minutes else None
    Platform.objects.filter(id=platform.id).update(test_until=until)


@deleting
def remove(platform: Platform, actor: Actor) -> None:
    """Take it away, with all it opened, its courses and its links; the people stay."""
    with transaction.atomic():
        held = _held(platform)
        end_launches(held)
        _tell(EventType.PLATFORM_REMOVED, held, actor)
        held.delete()


# Deployments


@retrying
def add_deployment(
    platform: Platform, deployment_id: str, organization: Organization, actor: Actor, name: str = ""
) -> Deployment:
    """One whose id somebody typed, approved at once: he has it from the LMS. One that waits is approved.

    For the operator's platforms it is the operator who says whose it is. Raises UsherError: deployment_needs_id,
    deployment_taken.
    """
    wanted = deployment_id.strip()
    if not 1 <= len(wanted) <= 255 or not wanted.isprintable():
        raise UsherError(Reason.DEPLOYMENT_NEEDS_ID("deployment_id"))
    with transaction.atomic():
        held = _held(platform)
        found, _is_new = Deployment.objects.get_or_create(
            platform=held,
            deployment_id=wanted,
            defaults={"name": name.strip()[:150], "organization": held.organization},
        )
        return _approve(held, found, organization, actor)


@retrying
def approve_deployment(deployment: Deployment, organization: Organization | None, actor: Actor) -> Deployment:
    """Raises UsherError: unknown_deployment, deployment_taken, deployment_whose."""
    with transaction.atomic():
        held = _held(deployment.platform)
        found = _still_there(held, deployment)
        whose = organization or found.organization or held.organization
        if whose is None:
            raise UsherError(Reason.DEPLOYMENT_WHOSE())
        return _approve(held, found, whose, actor)


def _approve(held: Platform, found: Deployment, organization: Organization, actor: Actor) -> Deployment:
    """(issuer, client_id, deployment_id) leads to one organisation, and stays there. Raises UsherError."""
    owners = {found.organization_id, held.organization_id} - {None}
    if owners - {organization.id}:
        raise UsherError(Reason.DEPLOYMENT_TAKEN("deployment_id"))
    _check_plan(organization)
    if found.approved_at is not None:
        return found
    found.organization, found.approved_at = organization, clock.now()
    found.save(update_fields=["organization", "approved_at"])
    _tell(EventType.DEPLOYMENT_APPROVED, held, actor, {"deployment": found.deployment_id}, organization)
    return found


@deleting
def remove_deployment(deployment: Deployment, actor: Actor) -> None:
    """Take it away, with its courses and links; and who came by it is unknown, if it was the last of its organisation.

    The people stay. Raises UsherError: unknown_deployment.
    """
    with transaction.atomic():
        held = _held(deployment.platform)
        found = _still_there(held, deployment)
        whose = found.organization
        _tell(EventType.DEPLOYMENT_REMOVED, held, actor, {"deployment": found.deployment_id}, whose)
        found.delete()
        others = held.deployments.filter(organization=whose, approved_at__isnull=False)
        if whose and not others.exists():
            PlatformUser.objects.filter(platform=held, organization=whose).delete()


def _still_there(held: Platform, deployment: Deployment) -> Deployment:
    """The row under the lock of its platform. Raises UsherError: unknown_deployment."""
    found = held.deployments.select_related("organization__license").filter(id=deployment.id).first()
    if found is None:
        raise UsherError(Reason.UNKNOWN_DEPLOYMENT())
    return found


@retrying
def note_deployment(platform: Platform, deployment_id: str, name: str = "") -> Deployment:
    """The one that a launch came from; an unknown one is kept, waiting for a yes, and the admins are told of the first.

    Raises UsherError (lti_not_approved) when too many wait already.
    """
    known = _known(platform, deployment_id)
    if known:
        return known
    with transaction.atomic():
        held = _held(platform)
        known = _known(held, deployment_id)
        if known:
            return known
        waiting = held.deployments.filter(approved_at=None)
        if waiting.count() >= MOST_WAITING:
            raise UsherError(Reason.LTI_NOT_APPROVED(platform=label_of(held)))
        is_told = waiting.filter(created_at__gt=clock.now() - TOLD_EVERY).exists()
        made = Deployment.objects.create(
            platform=held, organization=held.organization, deployment_id=deployment_id, name=name.strip()[:150]
        )
        if not is_told:
            _post(held, held.organization, None, {"what": WAITS, "deployment": deployment_id})
    return made


def _known(platform: Platform, deployment_id: str) -> Deployment | None:
    """Of a platform of one organisation, that is all: whose it is stands with the platform, which has been read."""
    rows = Deployment.objects.filter(platform=platform, deployment_id=deployment_id)
    found = (rows if platform.organization_id else rows.select_related("organization__license")).first()
    if found:
        found.platform = platform
    return found


# What every change does


def _lock(organization: Organization | None) -> None:
    """The licence first, as everywhere (lock order)."""
    if organization:
        License.objects.select_for_update().get(organization=organization)


def _held(platform: Platform) -> Platform:
    """The row under its lock. Raises UsherError: unknown_platform."""
    _lock(platform.organization)
    held = platforms().select_for_update(of=("self",)).filter(id=platform.id).first()
    if held is None:
        raise UsherError(Reason.UNKNOWN_PLATFORM())
    return held


def _write(held: Platform, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        setattr(held, name, value)
    held.changed_at = clock.now()
    held.save()


def _tell(
    kind: EventType,
    platform: Platform,
    actor: Actor,
    data: Mapping[str, Any] | None = None,
    organization: Organization | None = None,
) -> None:
    """One event, and a mail to every admin of whose it is; nobody is written about one of the operator's."""
    whose = organization or platform.organization
    facts = {"provider": label_of(platform), "platform": str(platform.id), **(data or {})}
    record.record(Draft(kind, whose.id if whose else None, actor, method=METHOD, data=facts))
    _post(platform, whose, actor, {"what": kind.value, **{name: facts[name] for name in TOLD if name in facts}})


def _post(platform: Platform, organization: Organization | None, actor: Actor | None, data: Mapping[str, Any]) -> None:
    if organization is None:
        return
    facts = {"platform": str(platform.id), "name": label_of(platform), **data}
    envelope = Envelope(organization.id, ref=actor.account_id if actor else None, data=facts)
    mail.post_many(LETTER, [(address, envelope) for address in admins_of(organization)])
