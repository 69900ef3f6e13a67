"""A session in a frame: one for each launch, apart from every session of the house (security.md H8).

It opens one activity. Whoever is signed in to the house in the same browser is neither used nor changed by it, and of
two people at one computer the later one ends what the earlier one had open.
"""

from __future__ import annotations

import datetime as dt
import hmac
from typing import Final

from usher.activities import catalogue
from usher.activities.models import Activity
from usher.core import clock, tokens
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.rows import new_id
from usher.methods.lti.arrival import Scene
from usher.methods.lti.models import Course, Launch, PlatformUser, ResourceLink
from usher.methods.lti.platforms import label_of
from usher.methods.lti.trips import browser_hash
from usher.people.models import Membership

LASTS: Final = dt.timedelta(hours=4)
TOKEN: Final = "lti-launch"  # noqa: S105 - what its tokens are for


def begin(
    scene: Scene, user: PlatformUser | None, course: Course | None, link: ResourceLink | None,
    activity: Activity | None, browser: str,
) -> str:  # fmt: skip
    """Note it; returns the token that its address holds."""
    launch_id, caller = new_id(), scene.caller
    token = tokens.derived_token(TOKEN, launch_id)
    Launch.objects.create(
        id=launch_id,
        token_hash=tokens.token_hash(token, TOKEN),
        browser_hash=browser_hash(browser),
        organization=scene.place.organization,
        deployment=scene.deployment,
        user=user,
        course=course,
        link=link,
        activity=activity,
        standing=caller.standing,
        return_url=caller.return_url[:2000],
        target=caller.target,
        deep_linking=dict(caller.choice) if caller.choice else None,
        expires_at=clock.now() + LASTS,
    )
    return token


def end_others(browser: str, scene: Scene) -> None:
    """Somebody comes in this browser: what others had open in it ends, whatever becomes of him."""
    if not browser:
        return
    here, place, subject = browser_hash(browser), scene.place, scene.caller.subject
    his = PlatformUser.objects.filter(platform=place.platform, organization=place.organization, subject=subject)
    others = Launch.objects.filter(browser_hash=here).exclude(user__in=his)
    (others.filter(user__isnull=False) if scene.caller.is_test else others).delete()


def find(token: str, browser: str) -> Launch:
    """The launch of this address, in this browser, as long as its person may be here (security.md H15).

    Raises UsherError: launch_over, organization_suspended, lti_off.
    """
    rows = Launch.objects.select_related(
        "organization__license", "deployment__platform", "user__account", "activity", "link", "course"
    )
    found = rows.filter(token_hash=tokens.token_hash(token, TOKEN), expires_at__gt=clock.now()).first()
    if found is None or not _is_here(found, browser):
        raise UsherError(Reason.LAUNCH_OVER())
    check_still(found)
    return found


def _is_here(launch: Launch, browser: str) -> bool:
    return not launch.browser_hash or hmac.compare_digest(launch.browser_hash, browser_hash(browser))


def check_still(launch: Launch) -> None:
    """Raises UsherError: organization_suspended, lti_off, launch_over."""
    platform = launch.deployment.platform
    if launch.organization.is_suspended:
        raise UsherError(Reason.ORGANIZATION_SUSPENDED())
    if platform.state != platform.State.ON or launch.deployment.approved_at is None:
        raise UsherError(Reason.LTI_OFF(organization=launch.organization.name, platform=label_of(platform)))
    if launch.user and member_of(launch) is None:
        raise UsherError(Reason.LAUNCH_OVER())


def member_of(launch: Launch) -> Membership | None:
    """The active membership of whoever launched; None for a test person, and for who is in no more."""
    if launch.user is None:
        return None
    mine = Membership.objects.select_related("organization__license", "account").filter(
        account=launch.user.account_id, organization=launch.organization, state=Membership.State.ACTIVE
    )
    return mine.first()


def check_activity(activity: Activity, member: Membership | None, *, is_staff: bool) -> None:
    """Raises UsherError: unknown_activity, activity_not_yours. A test person sees what every learner sees."""
    if activity.state != Activity.State.OPEN and not is_staff:
        raise UsherError(Reason.UNKNOWN_ACTIVITY())
    if not (catalogue.may_open(activity, member) if member else _is_for_everybody(activity)):
        raise UsherError(Reason.ACTIVITY_NOT_YOURS(title=activity.title))


def _is_for_everybody(activity: Activity) -> bool:
    return activity.audience == Activity.Audience.EVERYONE and activity.group_id is None
