"""The claims of a launch as the real LMS makes them; Moodle's are those of the captures."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

from lms.school import Course, Link, Tool, User
from lms.words import AGS, CLAIMS, DEEP_LINKING, DL, LTI, MESSAGES, NRPS, OUTCOME, RESOURCE_LINK, ROSTER, Json

if TYPE_CHECKING:
    from lms.platform import Lms


def launch_claims(
    lms: Lms, tool: Tool, user: User, course: Course, link: Link | None, nonce: str, message: str, lifetime: int = 60
) -> Json:
    """Everything a launch says; ``message`` is resource_link or deep_linking."""
    now, kind = int(time.time()), MESSAGES[message]
    whole: Json = {
        "nonce": nonce,
        "iat": now,
        "exp": now + lifetime,
        "iss": lms.issuer,
        "aud": tool.client_id,
        f"{LTI}deployment_id": tool.deployment_id,
        f"{LTI}target_link_uri": lms.target(tool, link, message),
        "sub": user.id,
        f"{LTI}lis": {"person_sourcedid": user.sourcedid, "course_section_sourcedid": course.sourcedid},
        f"{LTI}roles": lms.roles(user, course),
        f"{LTI}context": _context(lms, course),
        f"{LTI}message_type": kind,
        f"{LTI}tool_platform": _platform(lms),
        f"{LTI}version": "1.3.0",
        f"{LTI}ext": _extension(lms, tool, user),
        f"{LTI}custom": _custom(lms, tool, user, course, link),
        **_person(tool, user),
        **_services(lms, tool, course, link),
    }
    if kind == RESOURCE_LINK and link:
        whole |= _resource(lms, user, link)
    if kind == DEEP_LINKING:
        whole |= _settings(lms, tool, course)
    return whole


def changed(claims: Json, changes: dict[str, Any]) -> Json:
    """The claims but for what is said: by short or whole name; None takes one away, a callable is given the claims."""
    whole = dict(claims)
    for name, value in changes.items():
        said = value(claims) if callable(value) else value
        key = CLAIMS.get(name, name)
        whole[key] = said
        if said is None:
            del whole[key]
    return whole


def opaque(lms: Lms, course: Course) -> str:
    """The "data" of a deep linking request, which comes back as it was. Moodle sends none."""
    return f"opaque:{lms.family.name}:{course.id}"


def _context(lms: Lms, course: Course) -> Json:
    return {"id": course.id, "label": course.label, "title": course.title, "type": [lms.family.context_type]}


def _person(tool: Tool, user: User) -> Json:
    names = {"given_name": user.given, "family_name": user.family, "name": user.name} if tool.names else {}
    return names | ({"email": user.email} if tool.emails else {})


def _platform(lms: Lms) -> Json:
    guid = hashlib.md5(lms.url.encode(), usedforsecurity=False).hexdigest()
    product = {"product_family_code": lms.family.product, "guid": guid, "name": lms.name, "description": lms.name}
    return product | ({"version": "2024100706"} if lms.family.name == "moodle" else {})


def _extension(lms: Lms, tool: Tool, user: User) -> Json:
    known = {"user_username": user.username} if tool.names else {}
    return known | {"lms": "moodle-2" if lms.family.name == "moodle" else lms.family.name}


def _custom(lms: Lms, tool: Tool, user: User, course: Course, link: Link | None) -> Json:
    """``$User.username`` leaks whatever the privacy says, an e-mail that is not shared is null, unknown ones stay."""
    values = {
        "$User.username": user.username,
        "$Person.email.primary": user.email if tool.emails else None,
        "$Context.id": course.id,
        "$CourseSection.sourcedId": course.sourcedid,
    }
    asked = {**tool.custom, **(link.custom if link else {})}
    said = {name: values.get(value, value) if isinstance(value, str) else value for name, value in asked.items()}
    if lms.family.name != "moodle" or not link:
        return said
    base = f"{lms.url}/mod/lti/services.php"
    return said | {
        "context_memberships_url": lms.members_url(tool, course),
        "system_setting_url": f"{base}/tool/{tool.number}/custom",
        "context_setting_url": f"{base}/CourseSection/{course.id}/bindings/tool/{tool.number}/custom",
        "link_setting_url": f"{base}/links/{{link_id}}/custom",
    }


def _services(lms: Lms, tool: Tool, course: Course, link: Link | None) -> Json:
    """Moodle names no roster when content is picked."""
    grades = [scope for scope in tool.scopes if scope != ROSTER]
    said: Json = {}
    if grades:
        column = lms.column_of(link)
        said[AGS] = {"scope": grades, "lineitems": lms.lineitems_url(tool, course)}
        said[AGS] |= {"lineitem": lms.lineitem_url(column)} if column else {}
    if ROSTER in tool.scopes and (link or lms.family.name != "moodle"):
        said[NRPS] = {"context_memberships_url": lms.members_url(tool, course), "service_versions": ["1.0", "2.0"]}
    return said


def _resource(lms: Lms, user: User, link: Link) -> Json:
    said: Json = {
        f"{LTI}resource_link": {"title": link.title, "description": link.text, "id": link.id},
        f"{LTI}launch_presentation": {
            "locale": "en",
            "document_target": link.window,
            "return_url": f"{lms.url}/course/{link.course.id}?returned={link.id}",
        },
    }
    if lms.column_of(link) and lms.family.name == "moodle":
        data = {"instanceid": link.id, "userid": user.id, "typeid": str(link.tool.number)}
        source = json.dumps({"data": data, "hash": hashlib.sha256(json.dumps(data).encode()).hexdigest()})
        url = f"{lms.url}/mod/lti/service.php"
        said[OUTCOME] = {"lis_result_sourcedid": source, "lis_outcome_service_url": url}
    return said


def _settings(lms: Lms, tool: Tool, course: Course) -> Json:
    settings = {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "accept_copy_advice": False,
        "accept_multiple": True,
        "accept_unsigned": False,
        "auto_create": False,
        "can_confirm": False,
        "deep_link_return_url": lms.content_url(tool, course),
        "title": tool.name,
        "text": "",
    }
    data = {} if lms.family.name == "moodle" else {"data": opaque(lms, course)}
    presented = {f"{LTI}launch_presentation": {"locale": "en"}}
    return {f"{DL}deep_linking_settings": settings | data, **presented}
