"""The return from an LMS: the whole way from its form to a session in its frame, written down for whoever mends it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction

from usher.activities import catalogue
from usher.activities.models import Activity
from usher.core import clock, documents, fetch
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.methods.lti import arrival, attempts, connect, courses, launches, pull, questions, trips
from usher.methods.lti.arrival import Arrival, Scene
from usher.methods.lti.attempts import Note
from usher.methods.lti.callers import caller_of
from usher.methods.lti.models import Course, Platform, ResourceLink, Trip
from usher.methods.lti.platforms import label_of, launch_url
from usher.methods.lti.recognize import Place
from usher.organizations.plans import Method
from usher.people.models import Membership
from usher.protocols.lti13 import launch as protocol
from usher.protocols.lti13.errors import RefusedByPlatformError
from usher.protocols.lti13.launch import Launch
from usher.protocols.oidc.errors import OidcError, UnknownKeyError
from usher.protocols.oidc.keys import read_keys

TESTED: Final = "tested"


class LaunchError(UsherError):
    """A "no" with its ``detail`` for whoever mends it, and where the LMS wants people back (``return_url``)."""

    def __init__(self, error: UsherError, detail: str = "", return_url: str = "") -> None:
        super().__init__(*error.findings)
        self.detail, self.return_url = detail or str(getattr(error, "detail", "")), return_url


@dataclass(frozen=True, slots=True)
class Onward:
    """What comes next: the page of a launch, of a question, or of a test. One of the tokens is set."""

    launch: str = ""
    question: str = ""
    tested: Arrival | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """A believed launch, and the place that it leads to."""

    launch: Launch
    scene: Scene


def come_back(platform: Platform, trip: Trip, given: protocol.Answer, browser: str) -> Onward:
    """The trip is this browser's (the view has seen to it) and is over with this.

    Raises LaunchError for every "no", which is kept with the launches of the platform.
    """
    note = Note(platform)
    return_url = ""
    try:
        trips.use(trip)
        check_on(platform)
        launch = believe(platform, trip, given.id_token, note)
        return_url = launch.deep_linking.return_url if launch.deep_linking else launch.return_url
        with still_there():
            scene = _scene(platform, launch)
            onward = _look(scene, note) if is_test(platform) else _settle(scene, browser, note)
    except UsherError as error:
        attempts.write(note, error)
        raise LaunchError(error, return_url=return_url) from error
    attempts.write(note)
    return onward


@contextmanager
def still_there() -> Iterator[None]:
    """Around what is written of a launch: where its LMS, deployment or person is taken away in this very moment, that
    is a "no" as well; the next try hears which. Raises UsherError: lti_over."""
    try:
        yield
    except (IntegrityError, ObjectDoesNotExist) as error:
        raise UsherError(Reason.LTI_OVER()) from error


def refused_there(platform: Platform, error: RefusedByPlatformError) -> LaunchError:
    """The LMS sent an error instead of a launch."""
    no = LaunchError(UsherError(Reason.LTI_REFUSED_THERE(platform=label_of(platform))), error.detail)
    attempts.write(Note(platform), no)
    return no


def noted(platform: Platform, no: UsherError, detail: str) -> LaunchError:
    """A "no" before anything could be believed."""
    error = LaunchError(no, detail)
    attempts.write(Note(platform), error)
    return error


# Whether it is believed


def check_on(platform: Platform) -> None:
    """Raises UsherError: lti_not_approved, lti_off."""
    if platform.state == Platform.State.ON or is_test(platform):
        return
    if platform.state == Platform.State.DRAFT:
        raise UsherError(Reason.LTI_NOT_APPROVED(platform=label_of(platform)))
    owner = platform.organization.name if platform.organization else label_of(platform)
    raise UsherError(Reason.LTI_OFF(organization=owner, platform=label_of(platform)))


def is_test(platform: Platform) -> bool:
    return platform.test_until is not None and platform.test_until > clock.now()


def believe(platform: Platform, trip: Trip, token: str, note: Note) -> Launch:
    """Raises LaunchError: lti_not_trusted, lti_unreachable, lti_message_unknown."""
    try:
        launch = _verify(platform, trip, token)
    except OidcError as error:
        raise LaunchError(UsherError(_distrust(platform, error)), error.detail) from error
    except fetch.FetchError as error:
        no = Reason.LTI_UNREACHABLE(platform=label_of(platform))
        raise LaunchError(UsherError(no), f"The keys at {platform.jwks_url[:200]}: {error.detail}") from error
    note.claims, note.subject, note.message = launch.claims, launch.subject, launch.message_type
    note.deployment_id = launch.deployment_id
    if launch.target_link_uri != trip.target_link_uri and not launch.is_deep_linking:
        no = Reason.LTI_NOT_TRUSTED(platform=label_of(platform))
        raise LaunchError(UsherError(no), "The launch goes to another address (target_link_uri) than the login did.")
    return launch


def _distrust(platform: Platform, error: OidcError) -> Finding:
    if error.code == "wrong_message_type":
        return Reason.LTI_MESSAGE_UNKNOWN(message=error.detail)
    return Reason.LTI_NOT_TRUSTED(platform=label_of(platform))


def _verify(platform: Platform, trip: Trip, token: str) -> Launch:
    """Raises OidcError, FetchError."""
    expected = protocol.Expected(
        issuer=platform.issuer,
        client_id=platform.client_id,
        nonce=trips.nonce_of(trip),
        now=clock.now().timestamp(),
        tool_url=launch_url(platform),
    )
    try:
        return protocol.verify(token, documents.get(platform.jwks_url, parse=read_keys), expected)
    except UnknownKeyError:  # the LMS may have changed its keys since
        return protocol.verify(token, documents.renewed(platform.jwks_url, parse=read_keys), expected)


def _scene(platform: Platform, launch: Launch) -> Scene:
    """Which organisation it is, by the deployment that its admin said yes to. Raises UsherError: lti_not_approved."""
    name = launch.platform.name or launch.platform.guid
    deployment = connect.note_deployment(platform, launch.deployment_id, name[:150])
    return Scene(Place(platform, questions.organization_of(deployment)), deployment, caller_of(launch))


# What becomes of it


def _look(scene: Scene, note: Note) -> Onward:
    """A test launch: what would become of it. Raises UsherError as ``arrival.foresee``."""
    found = arrival.foresee(scene)
    note.result, note.role = TESTED, found.role
    return Onward(tested=found)


def _settle(scene: Scene, browser: str, note: Note) -> Onward:
    launches.end_others(browser, scene)
    found = arrival.settle(scene)
    note.result, note.role = found.result, found.role
    if found.result == arrival.ASKED:
        return Onward(question=questions.ask(scene, browser))
    note.account_id = found.user.account_id if found.user else None
    return Onward(launch=open_page(scene, found, browser))


def open_page(scene: Scene, found: Arrival, browser: str) -> str:
    """Note where the person is, give him his place there, and begin the session. Returns its token.

    Raises UsherError: unknown_activity, activity_not_yours.
    """
    course, link = _place(scene, found)
    activity = _activity(scene, found, link)
    return _begin(scene, found, course, link, activity, browser)


@retrying
def _begin(
    scene: Scene, found: Arrival, course: Course | None, link: ResourceLink | None, activity: Activity | None,
    browser: str,
) -> str:  # fmt: skip
    with transaction.atomic():
        token = launches.begin(scene, found.user, course, link, activity, browser)
        if found.user and found.member:
            _sign_in(scene, found.member)
    return token


@retrying
def _place(scene: Scene, found: Arrival) -> tuple[Course | None, ResourceLink | None]:
    with transaction.atomic():
        course = courses.note_course(scene.deployment, scene.place, scene.caller)
        link = courses.note_link(scene.deployment, scene.place, scene.caller, course)
        if found.user:
            courses.stand(found.user, scene.caller.standing, course)
        if found.user and link:
            courses.use(link, found.user)
    if found.user and found.member:
        arrival.follow(scene, found.user, found.member)
        if course:
            courses.seat(course, scene.place.platform, found.member, scene.caller.standing)
            if scene.place.platform.roster_hours:
                pull.soon(course)
    return course, link


def _activity(scene: Scene, found: Arrival, link: ResourceLink | None) -> Activity | None:
    """What the link names, else what was chosen for it here; kept with the link, where grades go by it."""
    organization, caller = scene.place.organization, scene.caller
    if caller.choice is not None:
        return None
    named = catalogue.get(organization, uuid.UUID(caller.activity)) if caller.activity else None
    if caller.activity and named is None:
        raise UsherError(Reason.UNKNOWN_ACTIVITY())
    activity = named or (link.activity if link else None)
    if activity is None:
        return None
    if link and link.activity_id != activity.id:
        ResourceLink.objects.filter(id=link.id).update(activity=activity)
    launches.check_activity(activity, found.member, is_staff=_is_staff(scene, found.member))
    return activity


def _is_staff(scene: Scene, member: Membership | None) -> bool:
    return member is not None and member.role != scene.place.organization.license.plan.lowest.slug


def _sign_in(scene: Scene, member: Membership) -> None:
    Membership.objects.filter(id=member.id).update(last_seen_at=clock.now())
    organization = scene.place.organization
    data = {"way": Method.LTI.value, "platform": label_of(scene.place.platform)}
    actor = Actor("account", member.account_id)
    kind = EventType.ACCOUNT_SIGNED_IN
    record.record(Draft(kind, organization.id, actor, account_id=member.account_id, data=data))
