"""Imports and creations of the past: an admin's all, a manager's own creations; and undoing one."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from usher.console.words import short_sign_in
from usher.core.errors import UsherError
from usher.core.filters import links, one_id
from usher.lifecycle import past, undo
from usher.lifecycle.past import Book, PastRun
from usher.lifecycle.telling import method_label
from usher.lifecycle.undo import Staying, Undoing
from usher.lifecycle.visitor import by_visit
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame


@lock(Lock.MANAGER)
@require_safe
def imports(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What brought many people at once, newest first."""
    before = one_id(request.GET, "before")
    page = past.page(visit.organization, past.owner_of(visit), before=before)
    here = links(request.path, request.GET, ())
    context = {
        **frame(visit, "users"),
        "rows": [(run, method_label(run.kept.method)) for run in page.runs],
        "is_admin": visit.is_admin,
        "back_url": here.path if before else "",
        "next_url": here.with_("before", str(page.older)) if page.older else "",
    }
    return render(request, "console/imports.html", context)


def _book(visit: Visit, run_id: uuid.UUID) -> Book:
    book = past.find(visit.organization, past.owner_of(visit), run_id)
    if book is None:
        raise Http404
    return book


@lock(Lock.MANAGER)
@require_safe
def past_run(request: HttpRequest, visit: Visit, run_id: uuid.UUID) -> HttpResponse:
    """One import or creation: what it did, and whether it can be undone."""
    run = past.told(visit.organization, _book(visit, run_id).kept)
    context = {
        **frame(visit, "users"),
        "run": run,
        "way": (run.kept.method.value, method_label(run.kept.method)),
        "is_admin": visit.is_admin,
        "days": past.DAYS,
    }
    return render(request, "console/past_run.html", context)


@lock(Lock.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def undo_run(request: HttpRequest, visit: Visit, run_id: uuid.UUID) -> HttpResponse:
    """GET says who would be removed and who stays, and why; POST does it, or goes on with it."""
    book = _book(visit, run_id)
    if request.method != "POST":
        return _ask(request, visit, book)
    try:
        done = undo.undo(visit.organization, book, by_visit(visit), seconds=undo.ENOUGH)
    except UsherError as no:
        return _ask(request, visit, book, no)
    (messages.success if done.is_ended else messages.warning)(request, _said(done))
    return redirect("console:past_run", visit.organization.slug, run_id)


def _ask(request: HttpRequest, visit: Visit, book: Book, error: UsherError | None = None) -> HttpResponse:
    run = past.told(visit.organization, book.kept)
    seen = undo.preview(visit.organization, book, by_visit(visit))
    context = {
        **frame(visit, "users"),
        "run": run,
        "seen": seen,
        "stays": [(one, _short(visit, one)) for one in seen.stays],
        "findings": error.findings if error else (),
        "is_admin": visit.is_admin,
        "title": _title(run),
    }
    return render(request, "console/undo.html", context, status=error.status if error else 200)


def _short(visit: Visit, one: Staying) -> str:
    return short_sign_in(one.person.sign_in, visit.organization.names_under)


def _title(run: PastRun) -> str:
    if run.may_undo:
        return _("Undo “{name}”?").format(name=run.kept.name)
    return _("Who stays of “{name}”").format(name=run.kept.name)


def _said(done: Undoing) -> str:
    removed = ngettext("{n} person is removed.", "{n} people are removed.", done.goes).format(n=f"{done.goes:,}")
    if not done.is_ended:
        return removed + " " + _("The rest is still to come: go on below.")
    stay = ngettext("{n} person stays.", "{n} people stay.", done.stay).format(n=f"{done.stay:,}")
    return f"{removed} {stay}" if done.stay else removed
