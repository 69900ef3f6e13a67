"""A score was given: it goes to every column that is its own. Found by name (activities/scored.py)."""

from __future__ import annotations

from usher.activities.models import Score
from usher.activities.scored import when_scored
from usher.core import clock
from usher.methods.lti.jobs import ScoreJob
from usher.methods.lti.models import Delivery, LinkUse


@when_scored
def deliver(score: Score) -> None:
    """Into the columns of the links by which this very person opened the activity, and into no others.

    In the transaction of the score (security.md H13). Whether it may be sent is looked at when it is (sending.py).
    """
    if not score.activity.is_graded:
        return
    known = {one.link_id: one for one in Delivery.objects.filter(score=score)}
    uses = {use.link_id: use for use in _uses(score) if not _is_under_way(known.get(use.link_id), score)}
    ScoreJob.wake([one.id for one in known.values() if one.link_id in uses])
    now, lanes = clock.now(), {}
    for link_id, use in uses.items():
        one = known.get(link_id) or Delivery(organization_id=score.organization_id, score=score, link_id=link_id)
        one.user_id, one.version, one.changed_at = use.user_id, score.version, now
        one.state, one.reason, one.detail = Delivery.State.WAITING, "", ""
        one.save(update_fields=FIELDS if link_id in known else None)
        lanes[one.id] = use.link.deployment.platform_id
    ScoreJob.add(lanes)


FIELDS = ("user", "version", "changed_at", "state", "reason", "detail")


def _is_under_way(one: Delivery | None, score: Score) -> bool:
    """The same score put once more is not sent once more, but where it was refused."""
    return one is not None and one.version == score.version and one.state != Delivery.State.REFUSED


def _uses(score: Score) -> list[LinkUse]:
    """The last one of a link comes last: somebody may be two people of one LMS."""
    mine = LinkUse.objects.filter(
        link__organization=score.organization_id, link__activity=score.activity_id, user__account=score.account_id
    )
    return list(mine.select_related("link__deployment").order_by("last_at", "id"))
