"""Names and Role Provisioning Services: the roster of a course, whole or by pages."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from lms.school import Course, Place, Request, Tool, User
from lms.tokens import bearer
from lms.web import Answer, as_json, no_handler, refused
from lms.words import INSTITUTION, LTI, MEMBERS_TYPE, MEMBERSHIP, RESOURCE_LINK, ROSTER, Json

if TYPE_CHECKING:
    from lms.platform import Lms

CHARSET = "; charset=utf-8"
MOODLE = {"teacher": "Instructor", "designer": "Instructor"}  # everybody else is a Learner, assistants too


def members(lms: Lms, request: Request, course: str, **_more: str) -> Answer:
    """role, limit, from and rlid may be asked; Moodle lets a missing Accept pass but not application/json."""
    tool = bearer(lms, request, ROSTER)
    if isinstance(tool, Answer):
        return tool
    if course not in lms.courses:
        return refused(request, 404, "Not Found")
    if request.headers.get("accept", "*/*") not in ("*/*", MEMBERS_TYPE):
        return no_handler(request)
    return _switched(lms, request) or _page(lms, request, tool, lms.courses[course])


def roles_in_roster(lms: Lms, user: User, place: Place) -> list[str]:
    if not lms.family.short_roles:
        return sorted(lms.family.roles[place.role])
    if place.role == "admin":
        return [f"{INSTITUTION}Administrator".replace("/institution", "")]
    return [MOODLE.get(place.role, "Learner")]


def _page(lms: Lms, request: Request, tool: Tool, course: Course) -> Answer:
    seen = [user for user in course.roster if user in lms.launched or not lms.switches.only_who_launched]
    everybody = [_member(lms, tool, lms.user(user), course.roster[user]) for user in seen]
    if wanted := request.query.get("role", "").removeprefix(MEMBERSHIP):
        everybody = [one for one in everybody if wanted in {role.removeprefix(MEMBERSHIP) for role in one["roles"]}]
    limit = int(request.query.get("limit", 0)) or lms.switches.page_size or len(everybody) or 1
    limit = min(limit, lms.switches.page_size or limit)
    start = int(request.query.get("from", 0))
    shown = everybody[start : start + limit]
    if link := request.query.get("rlid"):
        message = {f"{LTI}message_type": RESOURCE_LINK, f"{LTI}resource_link": {"id": link}}
        shown = [{**one, "message": [message]} for one in shown]
    url = lms.members_url(tool, course)
    body = {"id": url, "context": {"id": course.id, "label": course.label, "title": course.title}, "members": shown}
    following = _next(lms, request, (start, limit, len(everybody)), url)
    return as_json(body, 200, MEMBERS_TYPE + CHARSET, **({"Link": f'<{following}>; rel="next"'} if following else {}))


def _next(lms: Lms, request: Request, where: tuple[int, int, int], url: str) -> str:
    """Where the next page is; empty on the last one."""
    start, limit, total = where
    if lms.switches.nrps == "loop":
        return f"{url}?{urlencode({'limit': limit, 'from': 0})}"
    if lms.switches.nrps == "foreign_next":
        return lms.switches.redirect_to
    if start + limit >= total:
        return ""
    role = {"role": request.query["role"]} if "role" in request.query else {}
    return f"{url}?{urlencode({**role, 'limit': limit, 'from': start + limit})}"


def _member(lms: Lms, tool: Tool, user: User, place: Place) -> Json:
    said: Json = {
        "status": place.status,
        "roles": roles_in_roster(lms, user, place),
        "user_id": user.id,
        "lis_person_sourcedid": user.sourcedid,
    }
    if tool.names:
        said |= {"name": user.name, "given_name": user.given, "family_name": user.family}
    if tool.emails:
        said |= {"email": user.email}
    return said | ({"ext_user_username": user.username} if tool.names else {})


def _switched(lms: Lms, request: Request) -> Answer | None:
    """The page as it is spoiled; None when it is not, or when the paging is what is spoiled."""
    wrong = lms.switches.nrps
    whole = b'{"id": "x", "context": {"id": "1"}, "members": ['
    if wrong == "truncated":
        return Answer(200, whole + b'{"status": "Active", "user', MEMBERS_TYPE + CHARSET)
    if wrong == "error_in_the_middle" and int(request.query.get("from", 0)) > 0:
        return refused(request, 500, "Internal Server Error")
    if wrong == "empty":
        return Answer(200, whole + b"]}", MEMBERS_TYPE + CHARSET)
    if wrong == "huge":
        return Answer(200, whole + b" " * (40 << 20) + b"]}", MEMBERS_TYPE + CHARSET)
    return Answer(200, b"<p>not JSON", MEMBERS_TYPE + CHARSET) if wrong == "garbage" else None
