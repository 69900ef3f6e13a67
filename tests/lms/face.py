"""The LMS as browsers meet it: signing in, courses, activities in a frame, grades, tools; and its auth endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lms import pages
from lms.school import Course, Request, User
from lms.signon import StoppedError, storing
from lms.web import Answer, form, page, redirect

if TYPE_CHECKING:
    from lms.platform import Lms

COOKIE = "NorthfieldSession"
TEACHING = ("teacher", "ta", "admin", "designer")


def auth(lms: Lms, request: Request, **_more: str) -> Answer:
    """GET and POST; the answer is a page that posts itself to the tool."""
    query = request.query | form(request)
    user = _signed_in(lms, request)
    if not user:
        return page(pages.stopped("You are not signed in here"), 403)
    tool = lms.tools.get(query.get("client_id", ""))
    if not tool:
        return page(pages.stopped("Invalid request: unknown client_id"), 400)
    try:
        fields = lms.answer(tool, query, user)
    except StoppedError as no:
        return page(pages.stopped(str(no)), 400)
    return page(pages.posting(query["redirect_uri"], fields))


def home(lms: Lms, request: Request, **_more: str) -> Answer:
    user = _signed_in(lms, request)
    return page(pages.courses(lms, user) if user else pages.door(lms))


def sign_in(lms: Lms, request: Request, **_more: str) -> Answer:
    """One button for each person; the cookie is for the browser's session, and Lax: but where tools' pages lead the way
    back to the LMS, since it keeps data for them, it has to come from there as well."""
    username = form(request).get("as", "")
    if request.method != "POST" or username not in lms.users:
        return redirect("/")
    cookie = f"{COOKIE}={username}; Path=/; HttpOnly; SameSite={'None; Secure' if storing(lms) else 'Lax'}"
    return Answer(303, b"", headers=(("Location", "/"), ("Set-Cookie", cookie)))


def sign_out(_lms: Lms, _request: Request, **_more: str) -> Answer:
    cookie = f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    return Answer(303, b"", headers=(("Location", "/"), ("Set-Cookie", cookie)))


def course_page(lms: Lms, request: Request, course: str, **_more: str) -> Answer:
    return _inside(lms, request, course, lambda user, where: pages.course(lms, user, where))


def activity(lms: Lms, request: Request, course: str, link: str, **_more: str) -> Answer:
    """The activity in a frame."""
    at = lms.links.get(link)
    if not at or at.course.id != course:
        return page(pages.stopped("There is no such activity"), 404)
    return _inside(lms, request, course, lambda user, where: pages.activity(lms, user, at))


def launch(lms: Lms, request: Request, course: str, link: str, **_more: str) -> Answer:
    """What the frame or the new window shows first: a form that begins the launch."""
    at = lms.links.get(link)
    if not at or at.course.id != course:
        return page(pages.stopped("There is no such activity"), 404)

    def begun(user: User, _where: Course) -> str:
        return pages.posting(at.tool.login_url, lms.login_parameters(at.tool, user, at))

    return _inside(lms, request, course, begun)


def content(lms: Lms, request: Request, course: str, client: str, **_more: str) -> Answer:
    """A teacher picks content of a tool, in a frame."""
    tool = lms.tools.get(client)
    if not tool or not tool.active:
        return page(pages.stopped("There is no such tool"), 404)
    return _inside(lms, request, course, lambda user, where: pages.picker(lms, user, where, tool), TEACHING)


def pick(lms: Lms, request: Request, course: str, client: str, **_more: str) -> Answer:
    """What that frame shows first."""
    tool = lms.tools.get(client)
    if not tool:
        return page(pages.stopped("There is no such tool"), 404)

    def begun(user: User, where: Course) -> str:
        fields = lms.login_parameters(tool, user, course=where, message="deep_linking")
        return pages.posting(tool.login_url, fields)

    return _inside(lms, request, course, begun, TEACHING)


def grades(lms: Lms, request: Request, course: str, **_more: str) -> Answer:
    return _inside(lms, request, course, lambda user, where: pages.grades(lms, user, where))


def participants(lms: Lms, request: Request, course: str, **_more: str) -> Answer:
    return _inside(lms, request, course, lambda user, where: pages.participants(lms, user, where))


def tools(lms: Lms, request: Request, **_more: str) -> Answer:
    """The admin's page: what is registered, and registering one more by its registration URL."""
    user = _signed_in(lms, request)
    if not user or user.role != "admin":
        return page(pages.stopped("Sign in as the administrator"), 403)
    given = form(request)
    if given.get("activate") in lms.tools:
        lms.tools[given["activate"]].active = True
        return redirect("/tools")
    return page(pages.tools(lms, user, given.get("url", "")))


def _signed_in(lms: Lms, request: Request) -> User | None:
    pairs = (part.strip().partition("=") for part in request.headers.get("cookie", "").split(";"))
    return next((lms.users.get(value) for name, _, value in pairs if name == COOKIE), None)


def _inside(lms: Lms, request: Request, course: str, show: pages.Show, roles: tuple[str, ...] = ()) -> Answer:
    """A page of a course for somebody who is in it, or who runs the place."""
    user, where = _signed_in(lms, request), lms.courses.get(course)
    if not user:
        return redirect("/")
    if not where or (user.id not in where.roster and user.role != "admin"):
        return page(pages.stopped("You are not in this course"), 404)
    if roles and pages.role_of(user, where) not in roles:
        return page(pages.stopped("Only teachers may do this"), 403)
    return page(show(user, where))


PAGES = (
    ("/", home),
    ("/sign-in", sign_in),
    ("/sign-out", sign_out),
    ("/course/{course}", course_page),
    ("/course/{course}/link/{link}", activity),
    ("/course/{course}/link/{link}/launch", launch),
    ("/course/{course}/add/{client}", content),
    ("/course/{course}/add/{client}/launch", pick),
    ("/course/{course}/grades", grades),
    ("/course/{course}/participants", participants),
    ("/tools", tools),
)
