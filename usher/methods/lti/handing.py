"""An activity of an application downstream: opened with a code of one minute, by which it learns who came."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from usher.core import clock, tokens
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.methods.lti import launches
from usher.methods.lti.models import Launch, LaunchCode

LASTS: Final = dt.timedelta(minutes=1)
CODE: Final = "lti-launch-code"
PARAMETER: Final = "usher_launch"


@dataclass(frozen=True, slots=True)
class Handed:
    """Who opened what, from where. ``standing`` is that in the course: instructor, assistant or learner."""

    account: uuid.UUID
    username: str
    role: str
    standing: str
    activity: uuid.UUID | None
    course: str
    link: str


def address_of(launch: Launch, target_url: str) -> str:
    """Where the frame goes: the application's own address and the code. A query that it has stays."""
    code = tokens.new_token()
    LaunchCode.objects.create(code_hash=tokens.token_hash(code, CODE), launch=launch, expires_at=clock.now() + LASTS)
    parts = urlsplit(target_url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), (PARAMETER, code)]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), parts.fragment))


def redeem(organization_id: uuid.UUID, code: str) -> Handed:
    """Once, by a key of the same organisation; the code is used up. Raises UsherError: launch_code_over, lti_off."""
    mine = LaunchCode.objects.filter(code_hash=tokens.token_hash(code, CODE), expires_at__gt=clock.now())
    mine = mine.filter(launch__organization=organization_id)
    found = mine.select_related(
        "launch__organization__license", "launch__deployment__platform", "launch__user__account", "launch__activity",
        "launch__link", "launch__course",
    ).first()  # fmt: skip
    if found is None or not mine.filter(id=found.id).delete()[0]:
        raise UsherError(Reason.LAUNCH_CODE_OVER())
    launches.check_still(found.launch)
    return _handed(found.launch)


def _handed(launch: Launch) -> Handed:
    member = launches.member_of(launch)
    if launch.user is None or member is None:
        raise UsherError(Reason.LAUNCH_OVER())
    return Handed(
        account=launch.user.account_id,
        username=launch.user.account.username,
        role=member.role,
        standing=launch.standing,
        activity=launch.activity_id,
        course=(launch.course.title or launch.course.label) if launch.course else "",
        link=launch.link.title if launch.link else "",
    )
