"""Assignment and Grade Services: columns, scores and results. Media types are demanded as Moodle demands them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from lms.school import Column, Course, Request, Result, Tool
from lms.tokens import bearer
from lms.web import Answer, as_json, no_handler, refused
from lms.words import ITEM_TYPE, ITEMS_TYPE, LINEITEM, LINEITEM_READ, RESULT_READ, RESULTS_TYPE, SCORE, SCORE_TYPE, Json

if TYPE_CHECKING:
    from lms.platform import Lms

WORDS = {"resourceId": "resource_id", "tag": "tag", "resourceLinkId": "link_id", "label": "label"}
CHARSET = "; charset=utf-8"


def lineitems(lms: Lms, request: Request, course: str, **_more: str) -> Answer:
    """GET lists (resource_id, resource_link_id, tag, limit, from), POST adds."""
    if spoiled := _spoiled(lms):
        return spoiled
    writing = request.method == "POST"
    tool = bearer(lms, request, LINEITEM) if writing else bearer(lms, request, LINEITEM, LINEITEM_READ)
    if isinstance(tool, Answer):
        return tool
    if course not in lms.courses:
        return refused(request, 404, "Not Found")
    if writing:
        return _added(lms, request, tool, lms.courses[course])
    if request.headers.get("accept") != ITEMS_TYPE:
        return no_handler(request)
    return _listed(lms, request, tool, lms.courses[course])


def lineitem(lms: Lms, request: Request, column: str, **_more: str) -> Answer:
    """GET, PUT and DELETE one."""
    needed = (LINEITEM, LINEITEM_READ) if request.method == "GET" else (LINEITEM,)
    found = _column(lms, request, column, *needed)
    if isinstance(found, Answer):
        return found
    if request.method == "DELETE":
        del lms.columns[found.id]
        return Answer(204, b"")
    if request.method == "GET" and request.headers.get("accept") == ITEM_TYPE:
        return as_json(_said(lms, found), 200, ITEM_TYPE + CHARSET)
    if request.method == "PUT" and request.media_type == ITEM_TYPE:
        return _changed(lms, request, found)
    return no_handler(request)


def results(lms: Lms, request: Request, column: str, **_more: str) -> Answer:
    """Grades that are there, not those that were wiped; user_id asks for one."""
    found = _column(lms, request, column, RESULT_READ)
    if isinstance(found, Answer):
        return found
    if request.headers.get("accept") != RESULTS_TYPE:
        return no_handler(request)
    only = request.query.get("user_id")
    bare = only is not None and lms.family.name == "blackboard"  # which leaves the comment out then
    whole = [
        _result(lms, found, user, replace(result, comment="") if bare else result)
        for user, result in found.results.items()
        if result.score is not None and only in (None, user)
    ]
    return as_json(whole, 200, RESULTS_TYPE + CHARSET)


def scores(lms: Lms, request: Request, column: str, **_more: str) -> Answer:
    found = _column(lms, request, column, SCORE)
    if isinstance(found, Answer):
        return found
    if request.media_type != SCORE_TYPE:
        return no_handler(request)
    try:
        sent = json.loads(request.body)
        at = datetime.fromisoformat(sent["timestamp"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError):
        return _no(400)
    return _refusal(lms, found, sent, at) or _taken(lms, found, sent, at)


# Columns


def _spoiled(lms: Lms) -> Answer | None:
    answers = {"down": Answer(503, b"<h1>Maintenance</h1>"), "garbage": Answer(200, b"<p>not JSON", ITEMS_TYPE)}
    return answers.get(lms.switches.ags)


def _column(lms: Lms, request: Request, column: str, *scopes: str) -> Column | Answer:
    if spoiled := _spoiled(lms):
        return spoiled
    tool = bearer(lms, request, *scopes)
    if isinstance(tool, Answer):
        return tool
    found = lms.columns.get(column)
    if not found or found.tool is not tool:
        return refused(request, 404, "Not Found")
    return found


def _said(lms: Lms, column: Column) -> Json:
    said: Json = {"id": lms.lineitem_url(column), "label": column.label, "scoreMaximum": _number(column.maximum)}
    told = {"resourceId": column.resource_id, "tag": column.tag, "resourceLinkId": column.link_id}
    said |= {name: value for name, value in told.items() if value is not None}
    return said | ({"ltiLinkId": column.link_id} if column.link_id and lms.family.name == "moodle" else {})


def _listed(lms: Lms, request: Request, tool: Tool, course: Course) -> Answer:
    asked = request.query
    tests: list[Callable[[Column], bool]] = [
        lambda column: asked.get("resource_id") in (None, column.resource_id),
        lambda column: asked.get("resource_link_id") in (None, column.link_id),
        lambda column: asked.get("tag") in (None, column.tag),
    ]
    mine = [one for one in lms.columns.values() if one.tool is tool and one.course is course]
    fitting = [one for one in mine if all(test(one) for test in tests)]
    start, limit = int(asked.get("from", 0)), int(asked.get("limit", 0)) or len(fitting)
    body = [_said(lms, one) for one in fitting[start : start + limit]]
    links = _links(lms, tool, course, (start, limit, len(fitting))) if "limit" in asked else {}
    return as_json(body, 200, ITEMS_TYPE + CHARSET, **links)


def _links(lms: Lms, tool: Tool, course: Course, where: tuple[int, int, int]) -> dict[str, str]:
    """Moodle's Link header: curly quotes and escaped ampersands."""
    start, limit, total = where
    ways = {"first": 0, "canonical": start, "next": start + limit, "last": max(0, (total - 1) // limit * limit)}
    if start + limit >= total:
        del ways["next"]
    url = lms.lineitems_url(tool, course)
    mark, amp = ("“{}”", "&amp;") if lms.family.name == "moodle" else ('"{}"', "&")
    joined = "?" if "?" not in url else amp
    pages = {name: f"{url}{joined}{urlencode({'limit': limit, 'from': at})}" for name, at in ways.items()}
    told = [f"<{at.replace('&from', f'{amp}from')}>; rel={mark.format(name)}" for name, at in pages.items()]
    return {"Link": ", ".join(told)}


def _added(lms: Lms, request: Request, tool: Tool, course: Course) -> Answer:
    if request.media_type != ITEM_TYPE:
        return no_handler(request)
    given = _body(request)
    if lms.switches.ags == "readonly":
        return refused(request, 403, "Forbidden")
    if not given.get("label") or not given.get("scoreMaximum"):
        return refused(request, 400, "No label or Score Maximum")
    more = {ours: given[theirs] for theirs, ours in WORDS.items() if theirs in given and ours != "label"}
    column = lms.add_column(tool, course, given["label"], float(given["scoreMaximum"]), **more)
    return as_json(given | {"id": lms.lineitem_url(column)}, 201, ITEM_TYPE + CHARSET)


def _changed(lms: Lms, request: Request, column: Column) -> Answer:
    """Moodle then regrades: every result is of this second, so that an older score meets 409."""
    given = _body(request)
    for theirs, ours in WORDS.items():
        if theirs in given:
            setattr(column, ours, given[theirs])
    column.maximum = float(given.get("scoreMaximum", column.maximum))
    if lms.family.name == "moodle":
        for result in column.results.values():
            result.at = datetime.now(UTC)
    return as_json(given | {"id": lms.lineitem_url(column)}, 200, ITEM_TYPE + CHARSET)


def _body(request: Request) -> Json:
    try:
        given = json.loads(request.body)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


# Scores


def _refusal(lms: Lms, column: Column, sent: Json, at: datetime) -> Answer | None:
    canvas = lms.family.name == "canvas"
    user = str(sent.get("userId"))
    place = column.course.roster.get(user)
    if not place or place.role not in ("student", "tester"):
        return _stranger(lms, user)
    if canvas and "scoreGiven" in sent and "scoreMaximum" not in sent:
        return as_json({"errors": {"type": "unprocessable_entity", "message": "scoreMaximum is missing"}}, 422)
    last = column.results.get(user)
    if canvas:
        return as_json({"error": "timestamp is older"}, 400) if last and at < last.at else None
    stale = last and at.replace(microsecond=0) <= last.at.replace(microsecond=0)
    return _no(lms.family.stale_score) if stale else None


def _stranger(lms: Lms, user: str) -> Answer:
    answers = {
        "canvas": as_json({"errors": {"type": "unprocessable_entity", "message": "User not found in course"}}, 422),
        "blackboard": as_json({"status": 400, "message": f"User could not be found: {user}"}, 400),
        "brightspace": as_json({"message": "The user is not enrolled in the org unit"}, 403),
    }
    return answers.get(lms.family.name, _no(400))


def _taken(lms: Lms, column: Column, sent: Json, at: datetime) -> Answer:
    """Anything but a full grade wipes what was there; a grade is scaled to the column and clipped at its maximum."""
    user = str(sent["userId"])
    counts = ("FullyGraded", "PendingManual") if lms.family.name == "canvas" else ("FullyGraded",)
    score = None
    if sent.get("gradingProgress") in counts and sent.get("scoreGiven") is not None:
        scale = column.maximum / float(sent.get("scoreMaximum") or column.maximum)
        score = round(min(float(sent["scoreGiven"]) * scale, column.maximum), 5)
    column.results[user] = Result(score, at, str(sent.get("comment") or ""), sent)
    column.posted.append(sent)
    if lms.family.name == "canvas":
        return as_json({"resultUrl": f"{lms.lineitem_url(column)}/results/{user}"})
    return Answer(200, b"", SCORE_TYPE + CHARSET)


def _result(lms: Lms, column: Column, user: str, result: Result) -> Json:
    url = lms.lineitem_url(column)
    path, _, query = url.partition("?")
    said: Json = {
        "id": f"{path}/results?{f'{query}&' if query else ''}user_id={user}",
        "userId": user,
        "resultScore": _number(result.score),
        "resultMaximum": _number(column.maximum),
        "scoreOf": url,
        "timestamp": result.at.replace(microsecond=0).isoformat(),
    }
    return said | ({"comment": result.comment} if result.comment else {})


def _no(status: int) -> Answer:
    """As Moodle refuses a score: an empty list, and no word why."""
    return as_json([], status, SCORE_TYPE + CHARSET)


def _number(value: float | None) -> Any:
    return int(value) if value is not None and value == int(value) else value
