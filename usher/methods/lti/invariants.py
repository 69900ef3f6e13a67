"""What must always be true of LMSs and of what they open, and what an operator would want to know of them."""

from __future__ import annotations

from collections.abc import Iterator

from usher.core.checks import invariant, rows, warning
from usher.core.seal import SealError
from usher.lifecycle.erase import BEING_ERASED
from usher.methods.lti import attempts, keys
from usher.methods.lti.connect import missing
from usher.methods.lti.models import Deployment, Platform
from usher.methods.lti.platforms import label_of, platforms

ENOUGH = 3  # launches in a row that were refused


@invariant("V13", "Every account that an LMS opens is in the organisation it opens it for.")
def lms_users_are_members() -> Iterator[str]:
    """Or was: a membership that ended is still a row, and its account is let in no more."""
    sql = f"""
        SELECT u.id FROM lti_platformuser u
        LEFT JOIN people_membership m ON m.account_id = u.account_id AND m.organization_id = u.organization_id
        WHERE m.id IS NULL AND u.organization_id NOT IN {BEING_ERASED}
    """  # noqa: S608 - names of our own
    for (key,) in rows(sql):
        yield f"The LMS user {key} opens an account that has no place in its organisation."


@invariant("V13", "Everybody of an LMS comes by a platform and a deployment of his own organisation.")
def lms_users_have_their_platform() -> Iterator[str]:
    sql = """
        SELECT u.id FROM lti_platformuser u JOIN lti_platform p ON p.id = u.platform_id
        WHERE p.organization_id IS NOT NULL AND p.organization_id <> u.organization_id
    """
    for (key,) in rows(sql):
        yield f"The LMS user {key} is of another organisation than its platform."


@invariant("V13", "A deployment that is approved leads to one organisation: that of its platform, if that has one.")
def approved_deployments_have_an_organization() -> Iterator[str]:
    sql = """
        SELECT d.id FROM lti_deployment d JOIN lti_platform p ON p.id = d.platform_id
        WHERE (d.approved_at IS NOT NULL AND d.organization_id IS NULL)
           OR (p.organization_id IS NOT NULL AND d.organization_id IS NOT NULL
               AND d.organization_id <> p.organization_id)
    """
    for (key,) in rows(sql):
        yield f"The deployment {key} leads nowhere, or to another organisation than its platform."


@invariant("V13", "No LMS is on whose fields are not filled in.")
def platforms_that_are_on_are_whole() -> Iterator[str]:
    for platform in platforms().filter(state=Platform.State.ON):
        if missing(platform):
            yield f"The LMS {platform.id} is on, and lacks: {', '.join(missing(platform))}."


@warning("platforms", "The key of this installation can be opened.")
def our_key_opens() -> Iterator[str]:
    if not Platform.objects.filter(state=Platform.State.ON).exists() or not keys.published():
        return  # the first key is made when an LMS asks for it, not by a look
    try:
        keys.private_key()
    except SealError:
        yield "No LMS believes us: our key is sealed under another pepper. Run: usher platform keys --rotate --now"


@warning("platforms", "Every LMS that is switched on lets people in.")
def platforms_work() -> Iterator[str]:
    for platform in platforms().filter(state=Platform.State.ON):
        last = attempts.last(platform, ENOUGH)
        if len(last) == ENOUGH and all(one.result == "refused" for one in last):
            yield (
                f"The last {ENOUGH} launches from {label_of(platform)} were refused ({last[0].reason})."
                f" See why with: usher platform attempts {_where(platform)} {platform.id}"
            )


@warning("platforms", "No deployment waits for a yes.")
def no_deployment_waits() -> Iterator[str]:
    waiting = Deployment.objects.filter(approved_at=None, platform__state=Platform.State.ON)
    for one in waiting.select_related("platform__organization").order_by("id"):
        yield (
            f"The deployment {one.deployment_id} of {label_of(one.platform)} waits since {one.created_at:%Y-%m-%d}."
            f" See: usher platform show {_where(one.platform)} {one.platform_id}"
        )


def _where(platform: Platform) -> str:
    return f"--org {platform.organization.slug}" if platform.organization else "--shared"
