"""Acts of the race and crash proofs (hand.py): people whom an LMS sends, all at once. No LMS is asked: each process has
one of its own in memory, signs with its key, and keeps its keyset as if it had just been fetched."""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any

from django.test import RequestFactory
from lms.platform import Lms
from ticks import dying
from world import PASSWORD

from usher.activities.models import Activity
from usher.core import clock, documents, tokens
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events.types import OPERATOR
from usher.methods.lti import (
    attempts,
    connect,
    frame_views,
    frames,
    keys,
    launches,
    launching,
    platforms,
    questions,
    trips,
)
from usher.methods.lti.models import Course, CoursePlace, Deployment, Launch, LinkUse, Platform, PlatformUser, Trip
from usher.people.models import Account, Group, GroupMembership, Membership
from usher.people.names import name_key
from usher.protocols.lti13.launch import Answer
from usher.protocols.oidc.keys import read_keys

INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"


def platform_for(*, organization: str, **facts: Any) -> str:
    """An LMS that is on, with one deployment that was approved."""
    url = f"https://lms-{uuid.uuid4().hex[:8]}.example"
    lms = Lms(url)
    keys.jwks()  # an LMS that is connected has asked for it
    told = {"issuer": url, "auth_url": lms.auth_url, "token_url": lms.token_url, "jwks_url": lms.jwks_url}
    told |= {"family": "moodle", "client_id": "usher", "state": "on", **facts}
    row = Platform.objects.create(organization_id=organization, **told)
    approved = {"deployment_id": "1", "approved_at": clock.now()}
    Deployment.objects.create(platform=row, organization_id=organization, **approved)
    return str(row.id)


def activity_for(*, organization: str) -> str:
    title = "A walk through the lab"
    facts = {"title_key": name_key(title), "scenario": "chemistry_room", "is_graded": True, "score_maximum": 10}
    return str(Activity.objects.create(organization_id=organization, title=title, **facts).id)


def _platform(row: str) -> Platform:
    """Raises UsherError (lti_unknown), as the launch address does for one that is removed."""
    found = platforms.by_id(row)
    if found is None:
        raise UsherError(Reason.LTI_UNKNOWN())
    return found


@cache
def _lms(row: str) -> Lms:
    platform = _platform(row)
    lms = Lms(platform.issuer)
    where = platforms.login_url(platform), platforms.launch_url(platform)
    lms.register(*where, client_id="usher", deployment_id="1", jwks={"keys": []})
    return lms


def _know_keys(platform: Platform, lms: Lms) -> None:
    kept = documents._shelf.take(platform.jwks_url, read_keys)
    kept.value, kept.read_at = read_keys(lms.jwks()), clock.now()


# Launches


def set_out(*, platform: str, browser: str) -> str:
    """The LMS begins a login; the state it has to bring back."""
    row, lms = _platform(platform), _lms(platform)
    asked = trips.read(row, {name: [value] for name, value in lms.login_parameters(lms.tool, "student").items()})
    trips.depart(row, asked, browser)
    trip = Trip.objects.filter(browser_hash=trips.browser_hash(browser), platform=row).latest("id")
    return tokens.derived_token(trips.STATE, trip.id)


def land(*, platform: str, state: str, subject: str, browser: str, **says: str) -> list[str]:
    """The LMS sends somebody with this state, up to the page that it leads to. ``says`` is name, standing, activity."""
    row, lms = _platform(platform), _lms(platform)
    _know_keys(row, lms)
    trip = trips.find(row, state)
    if trip is None:
        raise UsherError(Reason.LTI_OVER())
    claims: dict[str, Any] = {"sub": subject, "name": says.get("name", f"Zoe {subject}"), "email": None}
    claims["roles"] = [INSTRUCTOR if says.get("standing") == "instructor" else LEARNER]
    claims["custom"] = {"activity": says["activity"]} if "activity" in says else {}
    token = lms.id_token("student", nonce=trips.nonce_of(trip), **claims)
    onward = launching.come_back(row, trip, Answer(state=state, id_token=token), browser)
    if onward.question:
        return ["asked", onward.question]
    found = launches.find(onward.launch, browser)
    return ["in", str(found.user.account_id) if found.user else ""]


def launch(*, platform: str, subject: str, browser: str = "", **says: str) -> list[str]:
    """The whole way of one person, in a browser of his own where none is said."""
    own = browser or tokens.new_token()
    return land(platform=platform, state=set_out(platform=platform, browser=own), subject=subject, browser=own, **says)


def launch_until(*, out: str, tick: int, **given: str) -> str:
    """The whole way in a child process that is killed at the tick."""

    def whole() -> None:
        attempts.SWEPT_EVERY = 1  # type: ignore[misc]  # by chance otherwise, and each way would have ticks of its own
        launch(**given)

    return dying(out, tick, whole)


# The question


def link_code(*, account: str) -> str:
    return questions.new_code(Account.objects.get(id=account))


def reply(*, question: str, browser: str, by: str, name: str = "", code: str = "") -> list[str]:
    """The question is answered by "new", "password" or "code"."""
    given = {"act": by, "name": name, "password": PASSWORD, "code": code}
    request = RequestFactory().post("/", given)
    request.COOKIES[frames.COOKIE] = browser
    found = questions.find(question, browser)
    frame_views._answer(request, found)
    caller = questions.scene_of(found).caller
    return ["in", str(PlatformUser.objects.get(platform=found.deployment.platform, subject=caller.subject).account_id)]


def typed_name_of(*, account: str) -> str:
    return Account.objects.get(id=account).sign_in


# What may happen meanwhile


def platform_off(*, platform: str) -> list[str]:
    connect.switch(_platform(platform), on=False, actor=OPERATOR)
    return ["off"]


def platform_removed(*, platform: str) -> list[str]:
    connect.remove(_platform(platform), OPERATOR)
    return ["removed"]


def deployment_removed(*, platform: str) -> list[str]:
    found = Deployment.objects.select_related("platform__organization").get(platform_id=platform, deployment_id="1")
    connect.remove_deployment(found, OPERATOR)
    return ["removed"]


# What stands


def sent_by(*, platform: str) -> dict[str, Any]:
    """Who is known by this LMS, where they are, and what stands beside: accounts and groups that nobody needs."""
    users = PlatformUser.objects.filter(platform_id=platform)
    here = Platform.objects.filter(id=platform).values("organization")
    members = Membership.objects.filter(organization__in=here, account__lms_users__in=users)
    groups = Group.objects.filter(organization__in=here).exclude(name="Choir")
    return {
        "users": users.count(),
        "accounts": users.values("account").distinct().count(),
        "roles": sorted(members.values_list("role", flat=True)),
        "said": sorted(users.values_list("role", flat=True)),
        "courses": Course.objects.filter(deployment__platform_id=platform).count(),
        "places": sorted(CoursePlace.objects.filter(user__in=users).values_list("standing", flat=True)),
        "uses": LinkUse.objects.filter(user__in=users).count(),
        "groups": sorted(groups.values_list("name", "used")),
        "rights": sorted(GroupMembership.objects.filter(group__in=groups).values_list("right", flat=True)),
        "launches": Launch.objects.filter(deployment__platform_id=platform).count(),
    }


def orphans(*, organization: str) -> int:
    """Accounts of the organisation that nobody needs."""
    left = Account.objects.filter(home_id=uuid.UUID(organization), memberships=None)
    by_lms = Membership.objects.filter(organization_id=organization, method="lti", account__lms_users=None)
    return left.count() + by_lms.count()


ACTS = {
    act.__name__: act
    for act in (
        platform_for, activity_for, set_out, land, launch, launch_until, link_code, reply, typed_name_of,
        platform_off, platform_removed, deployment_removed, sent_by, orphans,
    )
}  # fmt: skip
