"""Groups → a group → Invite code: the class window, the wall, the poster, and what the group's code does."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from usher.core import clock
from usher.core.errors import UsherError
from usher.lifecycle import approve
from usher.lifecycle.joiner import By
from usher.lifecycle.visitor import by_visit
from usher.methods.invite_code import classroom, codes, find, showing
from usher.methods.invite_code.forms import DoorForm
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.words import join_at, ticket
from usher.organizations.models import Organization
from usher.organizations.plans import Method
from usher.people import groups as grouping
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame
from usher.people.models import Group, Membership

SAME = 204  # nothing looks different: htmx leaves the page as it is


def _group(visit: Visit, group_id: uuid.UUID) -> Group:
    found = grouping.get(visit.organization, group_id)
    if found is None:
        raise Http404
    return found


def _handled(visit: Visit, group: Group) -> InviteCode:
    """The code of the group, for a visitor who may handle it."""
    found = find.of_group(group)
    if found is None or not find.may_handle(found, visit.plan, by_visit(visit)):
        raise Http404
    return found


def _frame(visit: Visit, group: Group) -> dict[str, object]:
    return {**frame(visit, "groups"), "group": group}


# The window


@lock(Lock.MANAGER)
@require_safe
def door(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """The class window: the door's state, who sits, who asks, who is to come."""
    return _window(request, visit, _group(visit, group_id), DoorForm())


def _window(request: HttpRequest, visit: Visit, group: Group, form: DoorForm) -> HttpResponse:
    context = {**_seen(request, visit, group), **_frame(visit, group), "form": form}
    return render(request, "invite_code/door.html", context, status=400 if form.errors else 200)


@lock(Lock.MANAGER)
@require_safe
def now(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """The part of the window that changes; no content where it looks the same."""
    group = _group(visit, group_id)
    context = {**_seen(request, visit, group), "form": DoorForm()}
    if context["mark"] == request.GET.get("mark"):
        return HttpResponse(status=SAME)
    return render(request, "invite_code/_window.html", context)


def _seen(request: HttpRequest, visit: Visit, group: Group) -> dict[str, object]:
    found = find.of_group(group)
    kept = found is not None and not find.may_handle(found, visit.plan, by_visit(visit))
    code = None if kept else found
    standing = code.standing(clock.now()) if code else None
    room = classroom.room(visit, group, code, classroom.read_said(request.GET.get("said", "")))
    return {
        "organization": visit.organization,
        "plan_name": visit.plan.name,
        "group": group,
        "kept": kept,
        "ticket": ticket(code, visit.organization) if code else None,
        "standing": standing.value if standing else "",
        "door": classroom.door_of(code, visit.organization) if code else None,
        "room": room,
        "mark": classroom.mark_of(group, code, standing, room),
        "said_at": clock.now().isoformat(),
        "join_at": join_at(),
        "may_open": group.state == Group.State.OPEN and Method.INVITE_CODE in visit.plan.methods,
        "is_admin": visit.is_admin,
    }


@lock(Lock.MANAGER)
@require_POST
def open_door(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """Let people in for some minutes; the first time this makes the code."""
    group, form = _group(visit, group_id), DoorForm(request.POST)
    if not form.is_valid():
        return _window(request, visit, group, form)
    minutes = form.cleaned_data["minutes"]
    return _change(
        request, visit, group, lambda: codes.open_door(visit.organization, group.id, minutes, by_visit(visit))
    )


@lock(Lock.MANAGER)
@require_POST
def keep_open(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """Five more minutes."""
    group = _group(visit, group_id)
    return _change(request, visit, group, lambda: codes.keep_open(visit.organization, group.id, by_visit(visit)))


@lock(Lock.MANAGER)
@require_POST
def close_door(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """Nobody comes in any more."""
    group = _group(visit, group_id)
    return _change(request, visit, group, lambda: codes.close_door(visit.organization, group.id, by_visit(visit)))


def _change(
    request: HttpRequest, visit: Visit, group: Group, act: Callable[[], object], said: str = ""
) -> HttpResponse:
    """Do it, and show the window: a refusal is a note there, not a page of its own."""
    try:
        act()
    except UsherError as no:
        for finding in no.findings:
            messages.error(request, f"{finding.sentence} {finding.next_step}")
    else:
        if said:
            messages.success(request, said)
    return redirect("invite_code:door", visit.organization.slug, group.id)


@lock(Lock.MANAGER)
@require_POST
def let_in(request: HttpRequest, visit: Visit, group_id: uuid.UUID, member_id: uuid.UUID) -> HttpResponse:
    """Let somebody in who asks."""
    group, member = _asking(visit, group_id, member_id)
    said = _("{name} is in.").format(name=member.account.username)
    given = (visit.organization.id, member.id, by_visit(visit))
    return _change(request, visit, group, lambda: approve.approve(*given), said)


@lock(Lock.MANAGER)
@require_POST
def refuse(request: HttpRequest, visit: Visit, group_id: uuid.UUID, member_id: uuid.UUID) -> HttpResponse:
    """Do not let somebody in who asks."""
    group, member = _asking(visit, group_id, member_id)
    said = _("{name} was not let in.").format(name=member.account.username)
    given = (visit.organization.id, member.id, by_visit(visit))
    return _change(request, visit, group, lambda: approve.decline(*given), said)


def _asking(visit: Visit, group_id: uuid.UUID, member_id: uuid.UUID) -> tuple[Group, Membership]:
    group = _group(visit, group_id)
    member = classroom.asks_for(visit, group, member_id)
    if member is None:
        raise Http404
    return group, member


# On the wall, on paper


@lock(Lock.MANAGER)
@require_safe
def wall(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """The code alone, large enough for the last row."""
    group = _group(visit, group_id)
    code = _handled(visit, group)
    standing = code.standing(clock.now())
    context = {
        **_frame(visit, group),
        "ticket": ticket(code, visit.organization),
        "standing": standing.value,
        "door": classroom.door_of(code, visit.organization),
        "join_at": join_at(),
        "mark": classroom.mark_of(group, code, standing, None),
    }
    if context["mark"] == request.GET.get("mark"):
        return HttpResponse(status=SAME)
    return render(request, "invite_code/_wall.html" if "mark" in request.GET else "invite_code/wall.html", context)


@lock(Lock.MANAGER)
@require_safe
def poster(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """The code on paper, with the name of the group."""
    group = _group(visit, group_id)
    back = {"back_url": _at(visit, group, "door")}
    return showing.poster(request, visit, _handled(visit, group), _frame(visit, group) | back)


def _at(visit: Visit, group: Group, name: str) -> str:
    return reverse(f"invite_code:{name}", args=[visit.organization.slug, group.id])


# What the code does


@lock(Lock.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def options(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """What the code of the group does, to be changed; an admin decides about more than a manager."""
    group = _group(visit, group_id)
    code = _handled(visit, group)
    form = showing.form_for(visit, code, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            changed = codes.change(visit.organization, code.id, form.wish(), by_visit(visit))
        except UsherError as no:
            form.add_findings(no)
        else:
            showing.saved(request, changed)
            return redirect("invite_code:door_options", visit.organization.slug, group.id)
    context = {**_frame(visit, group), **showing.options(visit, code, form), **_addresses(visit, group)}
    return render(request, "invite_code/code.html", context, status=400 if form.errors else 200)


def _addresses(visit: Visit, group: Group) -> dict[str, str]:
    names = ("preview", "pause", "resume", "rotate", "poster", "people")
    return {f"{name}_url": _at(visit, group, f"door_{name}") for name in names} | {
        "window_url": _at(visit, group, "door")
    }


@lock(Lock.MANAGER)
@require_POST
def preview(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """What the code would do by what is typed now."""
    return showing.preview(request, visit, _handled(visit, _group(visit, group_id)))


@lock(Lock.MANAGER)
@require_POST
def pause(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """Nobody comes in by it for a while."""
    return _act(request, visit, group_id, codes.pause, _("Paused. Nobody comes in by it until you resume it."))


@lock(Lock.MANAGER)
@require_POST
def resume(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """It goes on as it was."""
    return _act(request, visit, group_id, codes.resume, _("The code goes on as it was."))


@lock(Lock.MANAGER)
@require_POST
def rotate(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """Another value; the old one is dead."""
    said = _("This is the new code. The old one stopped working; print new posters.")
    return _act(request, visit, group_id, codes.rotate, said)


def _act(
    request: HttpRequest,
    visit: Visit,
    group_id: uuid.UUID,
    act: Callable[[Organization, uuid.UUID, By], InviteCode],
    said: str,
) -> HttpResponse:
    group = _group(visit, group_id)
    act(visit.organization, _handled(visit, group).id, by_visit(visit))
    messages.success(request, said)
    return redirect("invite_code:door_options", visit.organization.slug, group.id)


@lock(Lock.MANAGER)
@require_safe
def people(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """Who came by the code of the group."""
    group = _group(visit, group_id)
    crumbs = {"code_url": _at(visit, group, "door_options"), "export_url": _at(visit, group, "door_export")}
    return showing.people(request, visit, _handled(visit, group), _frame(visit, group) | crumbs)


@lock(Lock.MANAGER)
@require_safe
def export(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponseBase:
    """Who came by the code of the group, as a file."""
    return showing.export(visit, _handled(visit, _group(visit, group_id)), "group-code")
