"""What an LMS knows: people, courses with their rosters, activities that launch a tool, and the gradebook."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lms.words import Json


@dataclass
class User:
    """``role`` is what they usually are in a course: teacher, ta, student, admin, tester, designer."""

    id: str
    username: str
    given: str
    family: str
    email: str
    role: str
    sourcedid: str = ""

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


@dataclass
class Place:
    """A person's place in a course; ``status`` as NRPS says it: Active, Inactive, Deleted."""

    role: str
    status: str = "Active"


@dataclass
class Course:
    id: str
    label: str
    title: str
    sourcedid: str = ""
    roster: dict[str, Place] = field(default_factory=dict)  # by user id


@dataclass
class Tool:
    """A registered tool. ``keyset`` gives its JWKS (and may fetch it); ``scopes`` are what the admin allowed."""

    number: int
    name: str
    client_id: str
    deployment_id: str
    login_url: str
    launch_url: str
    redirect_uris: tuple[str, ...]
    keyset: Callable[[], Any]
    scopes: tuple[str, ...]
    deep_link_url: str = ""
    names: bool = True  # whether names are sent
    emails: bool = True
    custom: Json = field(default_factory=dict)
    active: bool = True  # a tool that registered itself waits for the admin
    registered: Json = field(default_factory=dict)  # what it sent when it registered itself


@dataclass
class Link:
    """An activity that launches a tool."""

    id: str
    course: Course
    tool: Tool
    title: str
    url: str
    text: str = ""
    custom: Json = field(default_factory=dict)
    window: str = "iframe"


@dataclass
class Result:
    """A grade; ``score`` None when it was wiped. ``sent`` is the whole score as the tool posted it."""

    score: float | None
    at: datetime
    comment: str
    sent: Json


@dataclass
class Column:
    """A column of the gradebook (a line item)."""

    id: str
    course: Course
    tool: Tool
    label: str
    maximum: float
    resource_id: str | None = None
    tag: str | None = None
    link_id: str | None = None
    results: dict[str, Result] = field(default_factory=dict)  # by user id
    posted: list[Json] = field(default_factory=list)  # every score that was taken


@dataclass(frozen=True)
class Request:
    """What a tool or a browser asked of the LMS: ``url`` is path and query, header names are lower case."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def bearer(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def json(self) -> Any:
        """The body. Raises ValueError."""
        return json.loads(self.body)

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip()


PEOPLE = (
    ("admin", "Avery", "Stone", "admin"),
    ("teacher", "Tove", "Lind", "teacher"),
    ("ta", "Tariq", "Aziz", "ta"),
    ("student", "Stina", "Berg", "student"),
    ("student2", "Åsa", "Öberg", "student"),
    ("student3", "Sam", "Okafor", "student"),
    ("student4", "Sofia", "Rossi", "student"),
    ("student5", "Sean", "O’Neill", "student"),
    ("teacher2", "Tomás", "Vega", "teacher"),
    ("tester", "Test", "Student", "tester"),
    ("designer", "Dana", "Cole", "designer"),
)
ENROLLED = ("teacher", "ta", "student", "student2", "student3", "student4", "student5", "teacher2")
