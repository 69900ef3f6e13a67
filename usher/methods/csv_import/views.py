"""Import from CSV: choose a file, check it, import it, hand out the result. The file itself is never kept."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from usher.core.errors import UsherError
from usher.core.reasons import Finding
from usher.lifecycle import userlist
from usher.lifecycle.desk import groups_to_pick, roles_to_pick
from usher.lifecycle.joiner import Outcome
from usher.lifecycle.lists.parse import read, refuse_too_large
from usher.lifecycle.visitor import by_visit
from usher.methods.csv_import import preview, reading, reissue, run, turn
from usher.methods.csv_import.forms import ImportForm
from usher.methods.csv_import.run import Order
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame

TEMPLATE = "email,password,username\r\n"


@lock(Lock.ADMIN)
@require_GET
def choose(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Step 1: the file and what to do with it; below, the imports of the last weeks."""
    return _choose(request, visit, _form(request, visit))


def _choose(request: HttpRequest, visit: Visit, form: ImportForm, findings: tuple[Finding, ...] = ()) -> HttpResponse:
    context = {
        **frame(visit, "users"),
        "form": form,
        "findings": findings,
        "imports": reading.latest(visit.organization),
    }
    status = findings[0].reason.status if findings else 400 if form.is_bound else 200
    return render(request, "csv_import/choose.html", context, status=status)


def _form(request: HttpRequest, visit: Visit) -> ImportForm:
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    return ImportForm(*sent, roles=roles_to_pick(visit), groups=groups_to_pick(visit) if visit.plan.groups else None)


def _order(visit: Visit, form: ImportForm) -> Order:
    """Read the file of a valid form. Raises UsherError when it cannot be used at all."""
    upload = form.cleaned_data["file"]
    refuse_too_large(upload.size)
    sheet = read(upload.read(), upload.name)
    return Order(visit.organization, sheet, form.options(), by_visit(visit))


@lock(Lock.ADMIN)
@require_GET
def template(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """The empty list to fill in."""
    return _csv(HttpResponse(TEMPLATE, content_type="text/csv; charset=utf-8"), "template.csv")


def _csv(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@lock(Lock.ADMIN)
@require_POST
def check(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Step 2: the dry run, as a page or (``as=csv``) as a file without passwords. Nothing is kept."""
    form = _form(request, visit)
    if not form.is_valid():
        return _choose(request, visit, form)
    try:
        order = _order(visit, form)
        if request.POST.get("as") == "csv":
            return _csv(_stream(userlist.whole(_preview_pieces(order, run.preview(order)))), "preview.csv")
        seen = preview.look(order)
    except UsherError as no:
        return _choose(request, visit, form, no.findings)
    context = {**frame(visit, "users"), "preview": seen, "order": order, "report": order.report, "form": form}
    return render(request, "csv_import/check.html", context)


def _stream(pieces: Iterator[str]) -> StreamingHttpResponse:
    return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")


def _preview_pieces(order: Order, batches: Iterator[list[Outcome]]) -> Iterator[str]:
    yield userlist.HEADER
    for outcomes in batches:
        yield userlist.rows_of(outcomes, {}, order.sign_in_at)


@lock(Lock.ADMIN)
@require_POST
def write(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Step 3: the import; the answer is ``userlist.csv`` itself, written as the people come in."""
    form = _form(request, visit)
    if not form.is_valid():
        return _choose(request, visit, form)
    try:
        order = _order(visit, form)
        pieces = turn.take(lambda: run.start(order), lambda source: userlist.whole(run.write(order, source)))
    except UsherError as no:
        return _choose(request, visit, form, no.findings)
    response = _csv(_stream(pieces), "userlist.csv")
    response["X-Usher-Import"] = str(pieces.source.id)
    return response


@lock(Lock.ADMIN)
@require_GET
def progress(request: HttpRequest, visit: Visit, identity: str) -> JsonResponse:
    """How far an import is, read from its row: ``{"rows", "done", "finished"}``."""
    return JsonResponse(reading.progress(visit.organization, identity))


@lock(Lock.ADMIN)
@require_GET
def done(request: HttpRequest, visit: Visit, import_id: uuid.UUID) -> HttpResponse:
    """Step 4: what is true now, and what to do with the list; ``again`` when the file brought nobody new."""
    summary = reading.summary(visit.organization, import_id)
    context = {**frame(visit, "users"), "summary": summary, "again": request.GET.get("again") == "1"}
    return render(request, "csv_import/done.html", context)


@lock(Lock.ADMIN)
@require_POST
def new_passwords(request: HttpRequest, visit: Visit, import_id: uuid.UUID) -> HttpResponseBase:
    """New passwords for those of an import who never signed in; the answer is their list."""
    source = reading.get(visit.organization, import_id)
    pieces = reissue.reissue(visit.organization, source, by_visit(visit))
    return _csv(_stream(userlist.whole(pieces)), "userlist.csv")
