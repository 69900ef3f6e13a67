"""One fake LMS in memory: its people, courses and tools, its keys, and the ID tokens that it makes."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any

import requests

from lms import keys
from lms.claims import changed, launch_claims
from lms.defects import DEFECTS
from lms.families import FAMILIES
from lms.school import ENROLLED, PEOPLE, Column, Course, Link, Place, Request, Tool, User
from lms.signon import Launch, answered, begun
from lms.switches import Switches
from lms.words import SCOPES, Json

TENANT = uuid.UUID("0d2b6a5e-4c1f-4c8e-9d8e-7a3b1c5f2e10")
MOST_KEYSET = 1 << 20


class Lms:
    """``url`` is where its server answers. ``number`` chooses its keys, so that two in one test differ.

    ``defect`` is a name of ``DEFECTS`` and spoils every ID token from then on; ``changes`` are made to the claims of
    every ID token; ``switches`` spoil the other answers; ``requests`` are all that the server was asked.
    """

    def __init__(self, url: str = "http://127.0.0.1:8010", family: str = "moodle", number: int = 1) -> None:
        self.url, self.family, self.number = url, FAMILIES[family], number
        self.name = "Northfield LMS"
        self.defect = ""
        self.changes: Json = {}
        self.switches = Switches()
        self.requests: list[Request] = []
        self.users: dict[str, User] = {}  # by username
        self.courses: dict[str, Course] = {}
        self.links: dict[str, Link] = {}
        self.columns: dict[str, Column] = {}
        self.tools: dict[str, Tool] = {}  # by client_id
        self.launches: dict[str, Launch] = {}  # by launchid: what a login request began
        self.launched: set[str] = set()  # ids of the users for whom an ID token went out
        self.tokens: dict[str, tuple[Tool, tuple[str, ...]]] = {}
        self.pickers: dict[str, tuple[Tool, Course]] = {}  # by sesskey: where content is being picked
        self.unregistered: set[str] = set()  # client ids of registration tokens that are not used yet
        self.content: list[Json] = []  # the claims of the deep linking responses that were taken
        self.served = 0  # service requests that were not throttled
        self._last = 1
        self._turn = 0
        self.keys = [keys.key(f"{number}-0")]
        self._populate()

    def asked(self, end: str = "", method: str = "") -> list[Request]:
        """The requests so far whose path ends so, by this method; empty asks for any."""
        return [one for one in self.requests if one.path.endswith(end) and method in ("", one.method)]

    # Who and where

    @property
    def issuer(self) -> str:
        return self.family.issuer or self.url

    @property
    def auth_url(self) -> str:
        return self.url + self.family.auth

    @property
    def token_url(self) -> str:
        return self.url + self.family.token

    @property
    def token_audience(self) -> str:
        return self.family.audience or self.token_url

    @property
    def configuration_url(self) -> str:
        return self.url + self.family.configuration

    @property
    def jwks_url(self) -> str:
        """Blackboard's holds the client id: that of the first tool."""
        client = next(iter(self.tools), "unregistered")
        return self.url + self.family.jwks.format(client=client)

    def lineitems_url(self, tool: Tool, course: Course) -> str:
        return self.url + self.family.lineitems.format(course=course.id, tool=tool.number)

    def lineitem_url(self, column: Column) -> str:
        told = {"course": column.course.id, "column": column.id, "tool": column.tool.number}
        return self.url + self.family.lineitem.format(**told)

    def members_url(self, tool: Tool, course: Course) -> str:
        return self.url + self.family.members.format(course=course.id, tool=tool.number)

    def content_url(self, tool: Tool, course: Course) -> str:
        """Where a deep linking response goes; its sesskey is known to the LMS."""
        session = secrets.token_hex(5)
        self.pickers[session] = (tool, course)
        return f"{self.url}/mod/lti/contentitem_return.php?course={course.id}&id={tool.number}&sesskey={session}"

    def target(self, tool: Tool, link: Link | None, message: str) -> str:
        """The target_link_uri of a launch."""
        if message == "deep_linking":
            return tool.deep_link_url or tool.launch_url
        return link.url if link else tool.launch_url

    # What is taught

    def user(self, who: User | str) -> User:
        """By username, by id, or itself."""
        if isinstance(who, User):
            return who
        found = self.users.get(who) or next((user for user in self.users.values() if user.id == who), None)
        if not found:
            raise KeyError(who)
        return found

    def add_user(self, username: str, given: str, family: str, role: str = "student", **more: str) -> User:
        told = {"email": f"{username}@northfield.example", "sourcedid": f"SIS-{username}", **more}
        user = User(self._subject(), username, given, family, role=role, **told)
        self.users[username] = user
        return user

    def add_course(self, title: str, label: str = "", *, who: tuple[str, ...] = ()) -> Course:
        """With these people, by their usernames, in the roles that they usually have."""
        course = Course(self.next_id(), label or title.upper().replace(" ", ""), title, f"SIS-{title}")
        self.courses[course.id] = course
        for username in who:
            self.enroll(username, course)
        return course

    def enroll(self, who: User | str, course: Course, role: str = "", status: str = "Active") -> None:
        user = self.user(who)
        course.roster[user.id] = Place(role or user.role, status)

    def add_link(self, tool: Tool, course: Course | None = None, title: str = "Practice", **more: Any) -> Link:
        told = {"url": tool.launch_url, **more}
        link = Link(self.next_id(), course or self.course, tool, title, **told)
        self.links[link.id] = link
        return link

    def add_column(self, tool: Tool, course: Course, label: str, maximum: float, **more: Any) -> Column:
        column = Column(self.next_id(), course, tool, label, maximum, **more)
        self.columns[column.id] = column
        return column

    def column_of(self, link: Link | None) -> Column | None:
        return next((column for column in self.columns.values() if link and column.link_id == link.id), None)

    def roles(self, user: User, course: Course) -> list[str]:
        place = course.roster.get(user.id)
        return sorted(self.family.roles[place.role if place and user.role != "admin" else user.role])

    @property
    def course(self) -> Course:
        """The first."""
        return next(iter(self.courses.values()))

    @property
    def tool(self) -> Tool:
        """The first."""
        return next(iter(self.tools.values()))

    def link_of(self, tool: Tool, course: Course | None = None) -> Link | None:
        """The first activity of this tool."""
        fitting = (link for link in self.links.values() if link.tool is tool and course in (None, link.course))
        return next(fitting, None)

    def next_id(self) -> str:
        """Tiny integers, which collide between LMSs."""
        self._last += 1
        return str(self._last)

    # Tools

    def register(
        self,
        login_url: str,
        launch_url: str,
        *,
        jwks_url: str = "",
        jwks: Json | Callable[[], Json] | None = None,
        practice: bool = True,
        **more: Any,
    ) -> Tool:
        """A tool by hand; ``practice``: with one activity of that name in the first course, worth 100 points.

        ``jwks`` is its keyset, or gives it; otherwise it is fetched from ``jwks_url`` each time. ``more`` are fields
        of Tool, such as client_id, deployment_id, names, emails, scopes, custom, deep_link_url.
        """
        given = jwks if callable(jwks) else (lambda: jwks or fetched(jwks_url))
        number = len(self.tools) + 1
        told = {
            "name": "Usher",
            "client_id": secrets.token_hex(8)[:15],
            "deployment_id": str(number) if self.family.deployment == "number" else str(uuid.uuid4()),
            "redirect_uris": (launch_url,),
            "scopes": SCOPES,
            **more,
        }
        tool = Tool(number, login_url=login_url, launch_url=launch_url, keyset=given, **told)
        self.tools[tool.client_id] = tool
        if practice:
            self.add_graded_link(tool, self.course, "Practice")
        return tool

    def add_graded_link(self, tool: Tool, course: Course, title: str, maximum: float = 100, **more: Any) -> Link:
        link = self.add_link(tool, course, title, **more)
        self.add_column(tool, course, title, maximum, link_id=link.id, resource_id="", tag="")
        return link

    def registration(self, seconds: int = 3600) -> dict[str, str]:
        """The query with which a tool's registration page is opened: where the configuration is, and a token."""
        client, now = secrets.token_hex(8)[:15], int(time.time())
        self.unregistered.add(client)
        token = self.sign({"sub": client, "scope": "reg", "iat": now, "exp": now + seconds})
        return {"openid_configuration": self.configuration_url, "registration_token": token}

    # Keys and tokens

    def rotate_keys(self, *, keep: int = 0) -> keys.Key:
        """Sign with a new key from now on; ``keep`` old ones stay in the keyset."""
        self._turn += 1
        self.keys = [keys.key(f"{self.number}-{self._turn}"), *self.keys[:keep]]
        return self.keys[0]

    def jwks(self) -> Json:
        return {"keys": [one.jwk() for one in self.keys]}

    def sign(self, claims: Json, **how: Any) -> str:
        """Any claims, signed with the key of the day; ``how`` as in keys.compact."""
        return keys.compact(claims, how.pop("key", self.keys[0]), **how)

    def claims_for(
        self,
        user: User | str = "teacher",
        course: Course | None = None,
        link: Link | None = None,
        nonce: str = "",
        message: str = "resource_link",
        tool: Tool | None = None,
        **changes: Any,
    ) -> Json:
        """The claims of a launch of the tool's first activity, but for what is said here (see claims.changed)."""
        by = tool or (link.tool if link else self.tool)
        at = link or (self.link_of(by, course) if message == "resource_link" else None)
        where = course or (at.course if at else self.course)
        whole = launch_claims(self, by, self.user(user), where, at, nonce or secrets.token_urlsafe(24), message)
        return changed(whole, {**self.changes, **changes})

    def id_token(self, user: User | str = "teacher", **what: Any) -> str:
        """See ``claims_for``; spoiled by ``defect``."""
        claims = self.claims_for(user, **what)
        return DEFECTS[self.defect](self, claims) if self.defect else self.sign(claims)

    # A launch without a browser

    def login_parameters(
        self,
        tool: Tool,
        user: User | str = "teacher",
        link: Link | None = None,
        course: Course | None = None,
        message: str = "resource_link",
    ) -> dict[str, str]:
        """What the LMS posts to the tool's login URL."""
        at = link or (self.link_of(tool, course) if message == "resource_link" else None)
        where = course or (at.course if at else self.course)
        return begun(self, Launch(tool, self.user(user), where, at, message))

    def answer(self, tool: Tool, query: dict[str, str], user: User | str = "", **changes: Any) -> dict[str, str]:
        """What the auth endpoint then posts to redirect_uri: id_token and state, or error, error_description, state.

        ``user`` is who is signed in at the LMS, by default the one who began. Raises StoppedError for what ends on a
        page of the LMS and never reaches the tool.
        """
        return answered(self, tool, query, self.user(user) if user else None, changes)

    def _subject(self) -> str:
        number = self.next_id()
        kinds = {
            "number": number,
            "uuid": str(uuid.uuid5(TENANT, number)),
            "hex": uuid.uuid5(TENANT, number).hex,
            "tenant": f"{TENANT}_{number}",
        }
        return kinds[self.family.subject]

    def _populate(self) -> None:
        for username, given, family, role in PEOPLE:
            self.add_user(username, given, family, role)
        self.user("admin").sourcedid = ""
        self.add_course("Biology 1", "BIO1", who=ENROLLED)


def fetched(url: str) -> Any:
    """A tool's keyset from where it publishes it. Raises requests.RequestException, ValueError."""
    answer = requests.get(url, timeout=10, allow_redirects=False)
    answer.raise_for_status()
    if len(answer.content) > MOST_KEYSET:
        raise ValueError("The keyset is too long")
    return answer.json()
