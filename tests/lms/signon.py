"""The OpenID Connect part of a launch: what the LMS posts to the login URL, and how its auth endpoint answers."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lms.school import Course, Link, Tool, User

if TYPE_CHECKING:
    from lms.platform import Lms

STORAGE_FRAME: Final = "_parent"


class StoppedError(Exception):
    """The LMS shows a page of its own; nothing reaches the tool."""


@dataclass(frozen=True)
class Launch:
    """What was begun with a login request, and can be answered once."""

    tool: Tool
    user: User
    course: Course
    link: Link | None
    message: str


def begun(lms: Lms, launch: Launch) -> dict[str, str]:
    """The fields of the login request."""
    number = secrets.randbelow(10**9)
    kind = "2_" if launch.link else "_ContentItemSelectionRequest"
    hint: dict[str, Any] = {"launchid": f"ltilaunch{kind}{number}"}
    if launch.link:
        hint = {"cmid": int(launch.link.id), **hint}
    lms.launches[hint["launchid"]] = launch
    return {
        "iss": lms.issuer,
        "target_link_uri": lms.target(launch.tool, launch.link, launch.message),
        "login_hint": launch.user.id,
        "lti_message_hint": json.dumps(hint, separators=(",", ":")),
        "client_id": launch.tool.client_id,
        lms.family.hint: launch.tool.deployment_id,
        **_extras(lms),
    }


def answered(lms: Lms, tool: Tool, query: dict[str, str], user: User | None, changes: dict[str, Any]) -> dict[str, str]:
    """What is posted to redirect_uri. Raises StoppedError."""
    launch = _launch(lms, query)
    if query.get("redirect_uri") not in launch.tool.redirect_uris:
        raise StoppedError("Invalid request: this redirect_uri is not registered")
    state = {"state": query["state"]} if "state" in query else {}
    wrong = _wrong(launch, query, user or launch.user)
    if wrong or launch.tool is not tool:
        error, description = wrong or ("unauthorized_client", "Unauthorized client")
        return {"error": error, "error_description": description, **state}
    what: dict[str, Any] = {"course": launch.course, "link": launch.link, "message": launch.message, **changes}
    lms.launched.add(launch.user.id)
    token = lms.id_token(launch.user, tool=tool, nonce=query["nonce"], **what)
    return {"id_token": token, **state, **_storage(lms)}


def _launch(lms: Lms, query: dict[str, str]) -> Launch:
    """The launch that this request continues, which is over then."""
    must = {"scope": "openid", "response_type": "id_token"}
    if any(query.get(name) != value for name, value in must.items()):
        raise StoppedError("Invalid request: scope must be openid and response_type id_token")
    if not query.get("nonce") or not query.get("login_hint") or not query.get("client_id"):
        raise StoppedError("Invalid request: nonce, login_hint and client_id are required")
    try:
        hint = json.loads(query.get("lti_message_hint", ""))["launchid"]
    except (ValueError, KeyError, TypeError):
        hint = ""
    launch = lms.launches.pop(hint, None)
    if not launch:
        raise StoppedError("Invalid request: no launch is waiting for this lti_message_hint")
    return launch


def _wrong(launch: Launch, query: dict[str, str], user: User) -> tuple[str, str] | None:
    """The error that is told to the tool, and its description."""
    if query["client_id"] != launch.tool.client_id:
        return "unauthorized_client", "Unauthorized client"
    if query["login_hint"] != launch.user.id or user.id != launch.user.id:
        return "access_denied", "The user is not the one who is signed in"
    if query.get("response_mode") != "form_post":
        return "invalid_request", "Missing or invalid response_mode: form_post is required"
    if query.get("prompt", "none") != "none":
        return "invalid_request", "Invalid prompt"
    return None


def storing(lms: Lms) -> bool:
    """Whether the LMS keeps data for tools whose cookies are blocked."""
    wanted = lms.switches.storage
    return lms.family.storage if wanted is None else wanted


def _storage(lms: Lms) -> dict[str, str]:
    return {"lti_storage_target": STORAGE_FRAME} if storing(lms) else {}


def _extras(lms: Lms) -> dict[str, str]:
    canvas = {"canvas_region": "eu-west-1", "canvas_environment": "prod"} if lms.family.name == "canvas" else {}
    return canvas | _storage(lms)
