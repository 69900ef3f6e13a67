"""Grades: Assignment and Grade Services 2.0, sections 3.2 (line items) and 3.4 (scores)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from usher.protocols.lti13 import values
from usher.protocols.lti13.claims import MEDIA_LINE_ITEM, MEDIA_LINE_ITEMS, MEDIA_RESULTS, MEDIA_SCORE
from usher.protocols.lti13.errors import ServiceError, told
from usher.protocols.lti13.services import failure, read_json

# Moodle takes exactly these, and neither application/json nor */* in their place.
ACCEPT_LINE_ITEMS: Final = MEDIA_LINE_ITEMS
ACCEPT_LINE_ITEM: Final = MEDIA_LINE_ITEM
ACCEPT_RESULTS: Final = MEDIA_RESULTS
CONTENT_LINE_ITEM: Final = MEDIA_LINE_ITEM
CONTENT_SCORE: Final = MEDIA_SCORE
# Without this Canvas makes a new submission of every score.
CANVAS_SUBMISSION: Final = "https://canvas.instructure.com/lti/submission"
NO_SUCH_USER: Final = re.compile(
    r"user\b.{0,80}(could not be found|not found|does not exist)|not enrolled|not a student|no such user",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class LineItem:
    """A column of the grade book. ``maximum`` is None when the platform does not say; texts may be ""."""

    id: str
    label: str
    maximum: float | None
    resource_id: str
    resource_link_id: str
    tag: str


def sub_url(lineitem_url: str, name: str) -> str:
    """The address of ``scores`` or ``results`` of a line item: before the query, which Moodle has and needs."""
    parts = urlsplit(lineitem_url)
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/{name}", parts.query, ""))


def score(
    *, user_id: str, given: float, maximum: float, timestamp: datetime, comment: str = "", family: str = ""
) -> dict[str, Any]:
    """A finished grade; any other state makes Moodle forget the grade it has. ``family`` is the platform's
    ``product_family_code``. Raises ValueError for numbers that are no grade, and for a time without a zone."""
    if not (math.isfinite(given) and math.isfinite(maximum) and given >= 0 and maximum > 0):
        raise ValueError("a score is a number from 0 up, of a maximum above 0")
    body: dict[str, Any] = {
        "userId": user_id,
        "scoreGiven": given,
        "scoreMaximum": maximum,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": _written(timestamp),
    }
    if comment:
        body["comment"] = _comment(comment, family.lower())
    if family.lower() == "canvas":
        body[CANVAS_SUBMISSION] = {"new_submission": False}
    return body


def line_item(
    *, label: str, maximum: float, resource_id: str, resource_link_id: str = "", tag: str = ""
) -> dict[str, Any]:
    """A column to be made."""
    optional = {"resourceId": resource_id, "resourceLinkId": resource_link_id, "tag": tag}
    return {"label": label, "scoreMaximum": maximum, **{name: value for name, value in optional.items() if value}}


def read_line_items(body: bytes) -> list[LineItem]:
    """One page of columns; those without an address are left out. Raises ServiceError (bad_answer)."""
    found = read_json(body)
    if not isinstance(found, list):
        raise ServiceError("bad_answer", "The platform answered with something that is no list of grade columns.")
    read = [_read(one) for one in found if isinstance(one, dict)]
    return [one for one in read if one.id]


def read_line_item(body: bytes) -> LineItem:
    """The column that was just made. Raises ServiceError (bad_answer)."""
    made = _read(values.fields(read_json(body)))
    if not made.id:
        raise ServiceError("bad_answer", "The platform made a grade column, and does not say where it is.")
    return made


def read_score_answer(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raises ServiceError: throttled, conflict (the platform has a later grade), unknown_user, unauthorized,
    not_found, refused, server_error."""
    if status < 300:
        return
    error = failure(status, headers, body, "grade service")
    if error.retry or status == 401:
        raise error
    said = told(body)
    if status == 409 or (status == 400 and "timestamp" in said.lower()):
        raise ServiceError("conflict", "The platform has a grade of the same or a later time already.")
    if NO_SUCH_USER.search(said) or (status == 400 and body.strip() == b"[]"):  # the second is Moodle's
        raise ServiceError("unknown_user", "The platform does not know this person as a learner of the course.")
    raise error


def _written(timestamp: datetime) -> str:
    if timestamp.tzinfo is None:
        raise ValueError("a time of a score needs its zone")
    return timestamp.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _comment(comment: str, family: str) -> str:
    return comment.replace("\n", "<br/>") if family.startswith("blackboard") else comment


def _read(found: Mapping[str, Any]) -> LineItem:
    return LineItem(
        values.web_url(found.get("id")),
        values.text(found.get("label")),
        _number(found.get("scoreMaximum")),
        values.text(found.get("resourceId")),
        values.text(found.get("resourceLinkId")),
        values.text(found.get("tag")),
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
