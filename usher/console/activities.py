"""Organisation → Activities: what people are given to do, made one by one or by a list."""

from __future__ import annotations

import uuid
from collections import Counter

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from usher.activities import catalogue, lists, making, scenarios, scores
from usher.activities.lists import Result, Sheet
from usher.activities.models import Activity
from usher.console.activity_forms import ActivityForm, ListForm
from usher.console.files import attached
from usher.console.forms import add_findings
from usher.core.errors import UsherError
from usher.core.filters import links
from usher.lifecycle.userlist import whole
from usher.lifecycle.visitor import by_visit
from usher.organizations.plans import Method
from usher.people import groups
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame

SHOWN = 200  # rows of a preview


@lock(Lock.ADMIN)
@require_safe
def activities(request: HttpRequest, visit: Visit) -> HttpResponse:
    """All of them by title, or those that are archived."""
    archived, query = request.GET.get("archived") == "1", request.GET.get("q", "")
    state = Activity.State.ARCHIVED if archived else Activity.State.OPEN
    after = request.GET.get("after", "")
    page = catalogue.page(visit.organization, search=query, state=state, after=after)
    here = links(request.path, request.GET, ("archived", "q"))
    context = {
        **frame(visit, "activities"),
        "page": page,
        "query": query,
        "archived": archived,
        "archived_url": here.with_("archived", "" if archived else "1"),
        "clear_url": links(request.path, request.GET, ("archived",)).with_("q", ""),
        "first_url": here.with_("after", "") if after else "",
        "next_url": here.with_("after", page.next) if page.next else "",
    }
    return render(request, "console/activities.html", context)


@lock(Lock.ADMIN)
@require_safe
def activity(request: HttpRequest, visit: Visit, activity_id: uuid.UUID) -> HttpResponse:
    """What it is, whom it is for, and how people did."""
    found = _activity(visit, activity_id)
    after = request.GET.get("after", "")
    page = scores.page(found, uuid.UUID(after) if catalogue.is_id(after) else None)
    here = links(request.path, request.GET, ())
    context = {
        **frame(visit, "activities"),
        "activity": found,
        "scenario": scenarios.get(found.scenario),
        "scores": page.scores,
        "first_url": here.path if after else "",
        "next_url": here.with_("after", page.next) if page.next else "",
        "has_lms": Method.LTI in visit.plan.methods,
        "lowest": visit.plan.lowest.plural,
    }
    return render(request, "console/activity.html", context)


def _activity(visit: Visit, activity_id: uuid.UUID) -> Activity:
    found = catalogue.get(visit.organization, activity_id)
    if found is None:
        raise Http404
    return found


# Making and changing


@lock(Lock.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, visit: Visit) -> HttpResponse:
    """A new one."""
    form = _form(request, visit)
    if form.is_valid():
        try:
            made = making.add(visit.organization, form.wish(), by_visit(visit).actor)
        except UsherError as no:
            add_findings(form, no)
        else:
            messages.success(request, _("The activity “{title}” is made.").format(title=made.title))
            return redirect("console:activity", visit.organization.slug, made.id)
    return _show_form(request, visit, form)


@lock(Lock.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, visit: Visit, activity_id: uuid.UUID) -> HttpResponse:
    """One that is there."""
    found = _activity(visit, activity_id)
    form = _form(request, visit, found)
    if form.is_valid():
        try:
            making.change(visit.organization, activity_id, form.wish(), by_visit(visit).actor)
        except UsherError as no:
            add_findings(form, no)
        else:
            messages.success(request, _("Saved."))
            return redirect("console:activity", visit.organization.slug, activity_id)
    return _show_form(request, visit, form, found)


def _form(request: HttpRequest, visit: Visit, found: Activity | None = None) -> ActivityForm:
    offered = groups.offered(visit) if visit.plan.groups else []
    wish = making.wish_of(found) if found else None
    return ActivityForm(request.POST if request.method == "POST" else None, groups=offered, wish=wish)


def _show_form(
    request: HttpRequest, visit: Visit, form: ActivityForm, found: Activity | None = None
) -> HttpResponse:  # fmt: skip
    context = {**frame(visit, "activities"), "form": form, "activity": found, "stories": scenarios.all_of_them()}
    return render(request, "console/activity_form.html", context, status=400 if form.errors else 200)


@lock(Lock.ADMIN)
@require_POST
def state(request: HttpRequest, visit: Visit, activity_id: uuid.UUID) -> HttpResponse:
    """Archive, or open again."""
    wanted = request.POST.get("state", "")
    if wanted not in Activity.State.values:
        raise Http404
    found, actor = _activity(visit, activity_id), by_visit(visit).actor
    if wanted == Activity.State.ARCHIVED:
        making.archive(visit.organization, found.id, actor)
        messages.success(request, _("The activity is archived. Nobody opens it any more; its scores stay."))
    else:
        making.restore(visit.organization, found.id, actor)
        messages.success(request, _("The activity is open again."))
    return redirect("console:activity", visit.organization.slug, activity_id)


# Lists


@lock(Lock.ADMIN)
@require_safe
def export(request: HttpRequest, visit: Visit) -> StreamingHttpResponse:
    """All of them, in the columns that a list is read by."""
    every = catalogue.of_organization(visit.organization.id).iterator()
    response = StreamingHttpResponse(
        whole(lists.as_csv(every), len(lists.COLUMNS)), content_type="text/csv; charset=utf-8"
    )
    return attached(response, f"{visit.organization.slug}-activities.csv")


@lock(Lock.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Choose a file; its rows are shown before anything is made. What was shown comes back with the second form."""
    form = ListForm(request.POST or None, request.FILES or None)
    if request.method != "POST" or not form.is_valid():
        return _choose(request, visit, form)
    try:
        sheet = lists.read(form.content())
        if form.is_sure():
            return _made(request, visit, sheet)
    except UsherError as no:
        add_findings(form, no)
        return _choose(request, visit, form)
    return _preview(request, visit, sheet)


def _choose(request: HttpRequest, visit: Visit, form: ListForm) -> HttpResponse:
    context = {**frame(visit, "activities"), "form": form, "columns": lists.COLUMNS, "most": lists.MOST}
    return render(request, "console/activity_list.html", context, status=400 if form.errors else 200)


def _preview(request: HttpRequest, visit: Visit, sheet: Sheet) -> HttpResponse:
    lines = lists.judge(visit.organization, sheet)
    counts = Counter(line.result for line in lines)
    context = {
        **frame(visit, "activities"),
        "lines": sorted(lines, key=lambda line: line.result is not Result.REFUSED)[:SHOWN],
        "is_cut": len(lines) > SHOWN,
        "created": counts[Result.CREATED],
        "unchanged": counts[Result.UNCHANGED],
        "refused": counts[Result.REFUSED],
        "ignored": sheet.ignored,
        "text": lists.sheet_as_csv(sheet),
    }
    return render(request, "console/activity_preview.html", context)


def _made(request: HttpRequest, visit: Visit, sheet: Sheet) -> HttpResponse:
    made = lists.add(visit.organization, lists.judge(visit.organization, sheet), by_visit(visit).actor)
    said = ngettext("{n} activity is made.", "{n} activities are made.", len(made)).format(n=len(made))
    messages.success(request, said)
    return redirect("console:activities", visit.organization.slug)
