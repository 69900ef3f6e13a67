"""The deep linking return: the tool's signed answer becomes activities and columns of the gradebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import jwt

from lms.claims import opaque
from lms.school import Course, Link, Request, Tool
from lms.tokens import NoKeysetError, TokenError, verified
from lms.web import Answer, form, page
from lms.words import DL, LTI, Json

if TYPE_CHECKING:
    from lms.platform import Lms


def content_return(lms: Lms, request: Request, **_more: str) -> Answer:
    """Moodle checks signature, kid, times and iss; the others all that the specification asks for."""
    waiting = lms.pickers.get(request.query.get("sesskey", ""))
    if request.method != "POST" or not waiting:
        return page("<h1>Your session has most likely timed out</h1>", 403)
    tool, course = waiting
    try:
        claims = verified(tool, form(request).get("JWT", ""))
    except NoKeysetError:
        return page("<h1>fix_jwks_alg(): Argument #1 ($jwks) must be of type array, null given</h1>", 500)
    except (TokenError, jwt.PyJWTError) as no:
        return page(f"<h1>{escape(str(no))}</h1>", 400)
    wrong = _wrong(lms, tool, course, claims)
    if wrong:
        return page(f"<h1>Refused: {escape(', '.join(wrong))}</h1>", 400)
    lms.content.append(claims)
    links = [add_item(lms, tool, course, item) for item in claims.get(f"{DL}content_items", [])]
    return page(_done(course, links, str(claims.get(f"{DL}msg", ""))))


def _wrong(lms: Lms, tool: Tool, course: Course, claims: Json) -> list[str]:
    """The names of the claims that are not as they must be (Deep Linking 2.0, 4.4)."""
    must = {"iss": tool.client_id}
    if lms.family.name != "moodle":
        must |= {
            "aud": lms.issuer,
            f"{LTI}deployment_id": tool.deployment_id,
            f"{LTI}message_type": "LtiDeepLinkingResponse",
            f"{LTI}version": "1.3.0",
            f"{DL}data": opaque(lms, course),
        }
    missing = [] if lms.family.name == "moodle" or claims.get("nonce") else ["nonce"]
    return missing + [name for name, value in must.items() if claims.get(name) not in (value, [value])]


def add_item(lms: Lms, tool: Tool, course: Course, item: Json) -> Link:
    """One activity; with a lineItem also a column, which takes the activity's title."""
    title, line = item.get("title") or tool.name, item.get("lineItem")
    told = {"url": item.get("url") or tool.launch_url, "text": item.get("text", ""), "custom": item.get("custom", {})}
    link = lms.add_link(tool, course, title, **told)
    if line:
        more = {"resource_id": line.get("resourceId", ""), "tag": line.get("tag", ""), "link_id": link.id}
        lms.add_column(tool, course, title, float(line["scoreMaximum"]), **more)
    return link


def _done(course: Course, links: list[Link], message: str) -> str:
    """In the picker's frame, which is of this origin again: the course page around it is shown anew."""
    added = "".join(f"<li>{escape(link.title)}</li>" for link in links)
    return (
        f"<!doctype html><title>Added</title><p>{escape(message)}</p><ul>{added}</ul>"
        f'<p><a href="/course/{course.id}" target="_top">Back to the course</a></p>'
        f'<script>if (window.parent !== window) window.parent.location = "/course/{course.id}"</script>'
    )
