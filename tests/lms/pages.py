"""The LMS's pages, in plain HTML."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from lms import storage
from lms.school import Course, Link, Tool, User

if TYPE_CHECKING:
    from lms.platform import Lms

Show = Callable[[User, Course], str]
STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; color: #222; }
header { background: #27496d; color: #fff; padding: .6rem 1.2rem; display: flex; gap: 1.2rem; align-items: center; }
header p { margin: 0; } header a { color: #fff; } main { padding: 1.2rem; max-width: 64rem; }
iframe { width: 100%; height: 600px; border: 1px solid #99a; } table { border-collapse: collapse; }
th, td { border: 1px solid #ccd; padding: .3rem .7rem; text-align: left; }
button { font: inherit; padding: .3rem .8rem; }
form { margin: .4rem 0; } nav a { margin-right: 1rem; }
input[type=url] { width: 36rem; max-width: 100%; font: inherit; }
"""
CLOSING = """
<script>
addEventListener("message", (event) => {
  if (event.data && event.data.subject === "org.imsglobal.lti.close") location.replace("/tools");
});
</script>"""


def stopped(sentence: str) -> str:
    """A page of the LMS where a launch ends."""
    return f"<!doctype html><html lang=en><title>Error</title><style>{STYLE}</style><main><h1>{escape(sentence)}</h1>"


def posting(url: str, fields: dict[str, str]) -> str:
    """A page that posts itself; without script it has a button."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    return (
        f'<!doctype html><html lang=en><title>One moment</title><form method="post" action="{escape(url)}">{hidden}'
        "<noscript><button>Continue</button></noscript></form><script>document.forms[0].submit()</script>"
    )


def door(lms: Lms) -> str:
    buttons = "".join(
        f'<button name="as" value="{escape(user.username)}">{escape(user.name)} ({user.role})</button> '
        for user in lms.users.values()
    )
    form = f'<form method="post" action="/sign-in">{buttons}</form>'
    return _page(lms, None, "Sign in", f"<p>Choose who you are; there are no passwords here.</p>{form}")


def courses(lms: Lms, user: User) -> str:
    mine = [one for one in lms.courses.values() if user.id in one.roster or user.role == "admin"]
    listed = "".join(f'<li><a href="/course/{one.id}">{escape(one.title)}</a></li>' for one in mine)
    tools = '<p><a href="/tools">Tools</a></p>' if user.role == "admin" else ""
    return _page(lms, user, "My courses", f"<ul>{listed}</ul>{tools}")


def course(lms: Lms, user: User, where: Course) -> str:
    links = [one for one in lms.links.values() if one.course is where]
    listed = "".join(f"<li>{_linked(one)}</li>" for one in links) or "<li>Nothing yet</li>"
    body = f"{_nav(where)}<h2>Activities</h2><ul>{listed}</ul>{_adding(lms, user, where)}"
    return _page(lms, user, where.title, body + storage.script(lms, *lms.tools.values()))


def _linked(link: Link) -> str:
    at = f"/course/{link.course.id}/link/{link.id}"
    window = f'<a href="{at}/launch" target="lti-{link.id}" rel="opener">open in a new window</a>'
    return f'<a href="{at}">{escape(link.title)}</a> ({window})'


def _adding(lms: Lms, user: User, where: Course) -> str:
    if role_of(user, where) == "student":
        return ""
    offered = "".join(
        f'<li><a href="/course/{where.id}/add/{tool.client_id}">Add content from {escape(tool.name)}</a></li>'
        for tool in lms.tools.values()
        if tool.active
    )
    return f"<h2>Add content</h2><ul>{offered}</ul>" if offered else ""


def activity(lms: Lms, user: User, link: Link) -> str:
    body = f"{_nav(link.course)}<p>{escape(link.text)}</p>"
    frame = _frame(f"/course/{link.course.id}/link/{link.id}/launch", link.title)
    return _page(lms, user, link.title, body + frame + storage.script(lms, link.tool))


def picker(lms: Lms, user: User, where: Course, tool: Tool) -> str:
    frame = _frame(f"/course/{where.id}/add/{tool.client_id}/launch", "Content selection")
    title = f"Add content from {tool.name}"
    return _page(lms, user, title, _nav(where) + frame + storage.script(lms, tool))


def grades(lms: Lms, user: User, where: Course) -> str:
    """Everybody's for those who teach, their own for students."""
    columns = [one for one in lms.columns.values() if one.course is where]
    heads = "".join(f'<th scope="col">{escape(one.label)} (of {one.maximum:g})</th>' for one in columns)
    seen = [user.id] if role_of(user, where) == "student" else list(where.roster)
    rows = ""
    for one in (lms.user(shown) for shown in seen):
        results = (column.results.get(one.id) for column in columns)
        cells = "".join(
            f"<td>{f'{result.score:g} {escape(result.comment)}' if result and result.score is not None else '–'}</td>"
            for result in results
        )
        rows += f'<tr><th scope="row">{escape(one.name)}</th>{cells}</tr>'
    table = f'<table><thead><tr><th scope="col">Name</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return _page(lms, user, f"Grades of {where.title}", _nav(where) + table)


def participants(lms: Lms, user: User, where: Course) -> str:
    rows = "".join(
        f"<tr><td>{escape(lms.user(who).name)}</td><td>{place.role}</td><td>{place.status}</td></tr>"
        for who, place in where.roster.items()
    )
    head = '<tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col">Status</th></tr>'
    table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
    return _page(lms, user, f"Participants of {where.title}", _nav(where) + table)


def tools(lms: Lms, user: User, url: str) -> str:
    """The registered tools; with ``url`` that page in a frame, with what a registration needs."""
    rows = "".join(_tool_row(tool) for tool in lms.tools.values())
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Name", "Client ID", "Deployment ID", ""))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    asked = (
        '<h2>Add a tool</h2><form method="post" action="/tools"><label>Registration URL of the tool<br>'
        '<input type="url" name="url" required></label> <button>Add LTI Advantage</button></form>'
    )
    if not url:
        return _page(lms, user, "Tools", table + asked)
    whole = f"{url}{'&' if '?' in url else '?'}{urlencode(lms.registration())}"
    return _page(lms, user, "Tools", table + _frame(whole, "Registration") + CLOSING)


def _tool_row(tool: Tool) -> str:
    button = (
        f'<form method="post" action="/tools"><button name="activate" value="{tool.client_id}">Activate</button></form>'
    )
    cells = (escape(tool.name), tool.client_id, tool.deployment_id, "active" if tool.active else button)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def role_of(user: User, where: Course) -> str:
    place = where.roster.get(user.id)
    return place.role if place else user.role


def _frame(url: str, title: str) -> str:
    return f'<iframe src="{escape(url)}" title="{escape(title)}" name="contentframe" allow="fullscreen"></iframe>'


def _nav(where: Course) -> str:
    at = f"/course/{where.id}"
    return (
        f'<nav aria-label="Course"><a href="{at}">{escape(where.title)}</a> <a href="{at}/grades">Grades</a>'
        f'<a href="{at}/participants">Participants</a></nav>'
    )


def _page(lms: Lms, user: User | None, title: str, body: str) -> str:
    who = f'<p>{escape(user.name)}</p><p><a href="/sign-out">Sign out</a></p>' if user else ""
    stands = f"{lms.name} — a stand-in for {lms.family.name.capitalize()}"
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{escape(title)} | {lms.name}</title>"
        f'<link rel="icon" href="data:,"><style>{STYLE}</style></head><body>'
        f'<header><p><a href="/">{stands}</a></p>{who}</header>'
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
