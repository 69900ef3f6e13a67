"""Who is in a course: Names and Role Provisioning Services 2.0, sections 2 and 3.

Whoever is missing in a roster may lose access, so a page is read whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from usher.protocols.lti13 import values
from usher.protocols.lti13.claims import MEDIA_MEMBERSHIPS
from usher.protocols.lti13.errors import LtiError, ServiceError, told
from usher.protocols.oidc import strict_json
from usher.protocols.oidc.errors import shown

ACCEPT: Final = MEDIA_MEMBERSHIPS
STATUSES: Final = {"active": "Active", "inactive": "Inactive", "deleted": "Deleted"}


@dataclass(frozen=True, slots=True)
class Member:
    """``status`` is Active, Inactive or Deleted; ``roles`` as they came, often short. Texts may be ""."""

    subject: str
    status: str
    roles: tuple[str, ...]
    name: str
    given_name: str
    family_name: str
    email: str


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a roster; the whole when there was one page. ``next`` is the address of the next part."""

    context_id: str
    context_title: str
    members: list[Member]
    next: str | None


def first_url(context_memberships_url: str, *, limit: int = 1000, rlid: str = "") -> str:
    """Where a roster begins. ``limit`` members a page; ``rlid`` asks for those who may open one link."""
    asked = {"limit": str(limit)} | ({"rlid": rlid} if rlid else {})
    parts = urlsplit(context_memberships_url)
    query = "&".join(filter(None, (parts.query, urlencode(asked))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def read_page(body: bytes, next_link: str | None) -> Page:
    """``next_link`` is the address that ``services.next_page`` found. Raises ServiceError (bad_roster) for anything
    in doubt: an error, a page of HTML, half an answer, a member without an id."""
    try:
        found = strict_json.read_object(body)
    except ValueError:
        raise _doubt("it is no sound JSON object", body) from None
    members = found.get("members")
    if not isinstance(members, list):
        raise _doubt("it has no list of members", body)
    context = values.fields(found.get("context"))
    return Page(
        values.text(context.get("id")), values.text(context.get("title")), [_member(one) for one in members], next_link
    )


def _member(found: Any) -> Member:
    read = values.fields(found)
    return Member(
        subject=_subject(read.get("user_id")),
        status=_status(read.get("status")),
        roles=tuple(role for role in values.texts(read.get("roles")) if role.strip()),
        name=values.text(read.get("name")),
        given_name=values.text(read.get("given_name")),
        family_name=values.text(read.get("family_name")),
        email=values.text(read.get("email")),
    )


def _subject(value: object) -> str:
    try:
        subject = values.identifier(value, "user_id")
    except LtiError as error:
        raise ServiceError("bad_roster", f"The roster is not used: {error.detail}") from None
    if not subject:
        raise ServiceError("bad_roster", "The roster is not used: a member in it has no id (user_id).")
    return subject


def _status(value: object) -> str:
    """Section 2.3: not said is Active."""
    if value in (None, ""):
        return "Active"
    found = STATUSES.get(value.lower()) if isinstance(value, str) else None
    if found is None:
        raise ServiceError("bad_roster", f"The roster is not used: a member in it is “{shown(value)}” (status).")
    return found


def _doubt(why: str, body: bytes) -> ServiceError:
    said = told(body)
    return ServiceError("bad_roster", f"The roster is not used: {why}." + (f" It says “{said}”." if said else ""))
