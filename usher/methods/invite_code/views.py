"""Settings → Invitation options: the organisation's codes, what each does, and who came by it."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from usher.core.errors import UsherError
from usher.lifecycle.joiner import By
from usher.lifecycle.visitor import by_visit
from usher.methods.invite_code import codes as domain
from usher.methods.invite_code import find, showing
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.words import ticket
from usher.organizations.models import Organization
from usher.organizations.plans import Method
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame


@lock(Lock.ADMIN)
@require_safe
def codes(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The organisation's own codes as tickets, the main one first."""
    page = find.page(visit.organization, after=_id(request, "after"), before=_id(request, "before"))
    context = {
        **_frame(visit),
        "page": page,
        "tickets": [ticket(code, visit.organization) for code in page.codes],
        "has_method": Method.INVITE_CODE in visit.plan.methods,
        "has_groups": visit.plan.groups,
        "back_url": f"{request.path}?before={page.back}" if page.back else "",
        "next_url": f"{request.path}?after={page.next}" if page.next else "",
    }
    return render(request, "invite_code/codes.html", context)


def _id(request: HttpRequest, name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.GET.get(name, ""))
    except ValueError:
        return None


def _frame(visit: Visit) -> dict[str, object]:
    return {**frame(visit, "settings"), "settings_url": f"/o/{visit.organization.slug}/settings"}


@lock(Lock.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """A new code of the organisation."""
    form = showing.form_for(visit, None, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = domain.create(visit.organization, form.wish(), by_visit(visit))
        except UsherError as no:
            form.add_findings(no)
        else:
            messages.success(request, _("The code is made. Whoever has it can come in."))
            return redirect("invite_code:code", visit.organization.slug, made.id)
    context = {**_frame(visit), **showing.options(visit, None, form)}
    context["preview_url"] = reverse("invite_code:new_preview", args=[visit.organization.slug])
    return render(request, "invite_code/new.html", context, status=400 if form.errors else 200)


@lock(Lock.ADMIN)
@require_POST
def new_preview(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What a new code would do by what is typed now."""
    return showing.preview(request, visit, None)


@lock(Lock.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest, visit: Visit, code_id: uuid.UUID) -> HttpResponse:
    """What a code does, to be changed; who came by it."""
    found = _code(visit, code_id)
    form = showing.form_for(visit, found, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            changed = domain.change(visit.organization, found.id, form.wish(), by_visit(visit))
        except UsherError as no:
            form.add_findings(no)
        else:
            showing.saved(request, changed)
            return redirect("invite_code:code", visit.organization.slug, found.id)
    context = {**_frame(visit), **showing.options(visit, found, form), **_addresses(visit, found)}
    return render(request, "invite_code/code.html", context, status=400 if form.errors else 200)


def _code(visit: Visit, code_id: uuid.UUID) -> InviteCode:
    found = find.own_code(visit.organization, code_id)
    if found is None:
        raise Http404
    return found


def _addresses(visit: Visit, found: InviteCode) -> dict[str, str]:
    """Where the parts of a code's page lead; those of a group's code have other addresses."""
    args = [visit.organization.slug, found.id]
    names = ("preview", "pause", "resume", "rotate", "poster", "people")
    return {f"{name}_url": reverse(f"invite_code:{name}", args=args) for name in names}


@lock(Lock.ADMIN)
@require_POST
def preview(request: HttpRequest, visit: Visit, code_id: uuid.UUID) -> HttpResponse:
    """What the code would do by what is typed now."""
    return showing.preview(request, visit, _code(visit, code_id))


@lock(Lock.ADMIN)
@require_POST
def pause(request: HttpRequest, visit: Visit, code_id: uuid.UUID) -> HttpResponse:
    """Nobody comes in by it for a while."""
    return _act(request, visit, code_id, domain.pause, _("Paused. Nobody comes in by it until you resume it."))


@lock(Lock.ADMIN)
@require_POST
def resume(request: HttpRequest, visit: Visit, code_id: uuid.UUID) -> HttpResponse:
    """It goes on as it was."""
    return _act(request, visit, code_id, domain.resume, _("The code goes on as it was."))


@lock(Lock.ADMIN)
@require_POST
def rotate(request: HttpRequest, visit: Visit, code_id: uuid.UUID) -> HttpResponse:
    """Another value; the old one is dead."""
    said = _("This is the new code. The old one stopped working; print new posters.")
    return _act(request, visit, code_id, domain.rotate, said)


def _act(
    request: HttpRequest,
    visit: Visit,
    code_id: uuid.UUID,
    act: Callable[[Organization, uuid.UUID, By], InviteCode],
    said: str,
) -> HttpResponse:
    done = act(visit.organization, _code(visit, code_id).id, by_visit(visit))
    messages.success(request, said)
    return redirect("invite_code:code", visit.organization.slug, done.id)


@lock(Lock.ADMIN)
@require_safe
def poster(request: HttpRequest, visit: Visit, code_id: uuid.UUID) -> HttpResponse:
    """The code on paper."""
    back = {"back_url": reverse("invite_code:code", args=[visit.organization.slug, code_id])}
    return showing.poster(request, visit, _code(visit, code_id), _frame(visit) | back)


@lock(Lock.ADMIN)
@require_safe
def people(request: HttpRequest, visit: Visit, code_id: uuid.UUID) -> HttpResponse:
    """Who came by the code."""
    found = _code(visit, code_id)
    args = [visit.organization.slug, found.id]
    crumbs = {
        "code_url": reverse("invite_code:code", args=args),
        "export_url": reverse("invite_code:export", args=args),
    }
    return showing.people(request, visit, found, _frame(visit) | crumbs)


@lock(Lock.ADMIN)
@require_safe
def export(request: HttpRequest, visit: Visit, code_id: uuid.UUID) -> HttpResponseBase:
    """Who came by the code, as a file."""
    return showing.export(visit, _code(visit, code_id), "code")
