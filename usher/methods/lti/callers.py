"""Who came from an LMS, and where from: what a believed launch says, in a form that can wait for an answer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from usher.core.errors import UsherError
from usher.people.addresses import parse_address
from usher.people.names import clean_name
from usher.protocols.lti13 import roles
from usher.protocols.lti13.launch import Launch
from usher.protocols.lti13.roles import Standing

ACTIVITY: Final = "activity"  # in the address of a link, and among its custom parameters
LONGEST_TITLE: Final = 255
LONGEST_URL: Final = 2000


@dataclass(frozen=True, slots=True)
class Caller:
    """One verified person in one launch. What the LMS does not say is "".

    ``name`` and ``address`` are for people to read; ``key`` is the address as it is compared. ``activity`` is the id
    that the link names. ``choice`` are the settings of a Deep Linking request, None for a plain launch.
    """

    subject: str
    standing: str = Standing.LEARNER.value
    is_test: bool = False
    name: str = ""
    address: str = ""
    key: str = ""
    message: str = ""
    context_id: str = ""
    course_title: str = ""
    course_label: str = ""
    link_id: str = ""
    link_title: str = ""
    activity: str = ""
    scopes: tuple[str, ...] = ()
    lineitems: str = ""
    lineitem: str = ""
    nrps: str = ""
    return_url: str = ""
    target: str = ""
    locale: str = ""
    choice: Mapping[str, Any] | None = field(default=None, hash=False)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read(stored: Mapping[str, Any]) -> Caller:
    """What ``as_json`` made."""
    return replace(Caller(**stored), scopes=tuple(stored["scopes"]))


def caller_of(launch: Launch) -> Caller:
    """The person and the place of a launch."""
    reading = roles.read(launch.roles)
    address, key = _address(launch.email)
    course, link, grades = launch.context, launch.resource_link, launch.ags
    return Caller(
        subject=launch.subject,
        standing=reading.standing.value,
        is_test=reading.is_test_user,
        name=_name(launch.full_name),
        address=address,
        key=key,
        message=launch.message_type,
        context_id=course.id if course else "",
        course_title=course.title[:LONGEST_TITLE] if course else "",
        course_label=course.label[:LONGEST_TITLE] if course else "",
        link_id=link.id if link else "",
        link_title=link.title[:LONGEST_TITLE] if link else "",
        activity=_activity(launch),
        scopes=grades.scopes if grades else (),
        lineitems=_url(grades.lineitems) if grades else "",
        lineitem=_url(grades.lineitem) if grades else "",
        nrps=_url(launch.nrps_url),
        return_url=_url(launch.return_url),
        target=launch.document_target[:20],
        locale=launch.locale[:20],
        choice=asdict(launch.deep_linking) if launch.deep_linking else None,
    )


def _name(given: str) -> str:
    """As a name of ours; what cannot be one is no name. Nobody is kept out by how an LMS writes it."""
    with suppress(UsherError):
        return clean_name(given[:150]) if given.strip() else ""
    return ""


def _address(given: str) -> tuple[str, str]:
    with suppress(UsherError):
        address = parse_address(given)
        return address.original, address.key
    return "", ""


def _url(given: str) -> str:
    """Half an address is none."""
    return given if len(given) <= LONGEST_URL else ""


def _activity(launch: Launch) -> str:
    """By a custom parameter, else by the address of the link; "" where neither is an id."""
    query = parse_qs(urlsplit(launch.target_link_uri).query)
    for given in (launch.custom.get(ACTIVITY, ""), *query.get(ACTIVITY, ())):
        with suppress(ValueError):
            return str(uuid.UUID(given))
    return ""
