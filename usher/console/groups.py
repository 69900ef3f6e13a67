"""Organisation → Groups: an admin's all, a manager's own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from usher.console.files import password_file
from usher.console.forms import GroupForm, add_findings
from usher.console.several import Question, Told, ask, outcomes
from usher.console.words import row_of
from usher.core.errors import UsherError
from usher.core.filters import links, picked
from usher.lifecycle import many
from usher.lifecycle.many import Done
from usher.lifecycle.visitor import by_visit
from usher.organizations.plans import Method
from usher.people import credentials, listing
from usher.people import groups as grouping
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame
from usher.people.listing import Cursor, Filter
from usher.people.members import is_reached
from usher.people.models import Group


@lock(Lock.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def groups(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The groups with their people counted; an admin makes one here."""
    form = GroupForm(request.POST if request.method == "POST" and visit.is_admin else None)
    if form.is_valid():
        try:
            group = grouping.create(visit.organization, **form.cleaned_data, actor=by_visit(visit).actor)
        except UsherError as no:
            add_findings(form, no)
        else:
            messages.success(request, _("The group “{name}” is made.").format(name=group.name))
            return redirect("console:group", visit.organization.slug, group.id)
    return _list(request, visit, form)


def _list(request: HttpRequest, visit: Visit, form: GroupForm) -> HttpResponse:
    archived = request.GET.get("archived") == "1"
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    page = grouping.page(visit, after=after, before=before, archived=archived)
    here = links(request.path, request.GET, ("archived",))
    context = {
        **frame(visit, "groups"),
        "page": page,
        "form": form,
        "is_admin": visit.is_admin,
        "has_groups": visit.plan.groups,
        "archived": archived,
        "archived_url": here.with_("archived", "" if archived else "1"),
        "back_url": here.with_("before", page.back) if page.back else "",
        "next_url": here.with_("after", page.next) if page.next else "",
    }
    return render(request, "console/groups.html", context, status=400 if form.errors else 200)


@lock(Lock.MANAGER)
@require_safe
def group(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """Who is in the group, who manages it, and what it allows."""
    return _show(request, visit, _group(visit, group_id))


def _group(visit: Visit, group_id: uuid.UUID) -> Group:
    found = grouping.get(visit.organization, group_id)
    if found is None:
        raise Http404
    return found


def _show(request: HttpRequest, visit: Visit, group: Group, form: GroupForm | None = None) -> HttpResponse:
    query = request.GET.get("q", "")
    chosen = Filter(query=query, group=group.id)
    page = listing.page(visit.organization.id, chosen, Cursor.read(request.GET.get("at", "")))
    managers = grouping.managers(group)
    here = links(request.path, request.GET, ("q",))
    context = {
        **frame(visit, "groups"),
        "group": group,
        "query": query,
        "page": page,
        "rows": _rows(visit, page.people, frozenset(member.id for member in managers)),
        "managers": managers,
        "is_admin": visit.is_admin,
        "has_codes": Method.INVITE_CODE in visit.plan.methods,
        "has_invitations": Method.EMAIL_INVITATION in visit.plan.methods,
        "place": grouping.own_place(visit, group),
        "is_reached": is_reached(visit.membership),
        "form": form or GroupForm(initial={"name": group.name, "cap": group.cap}),
        "back_url": here.with_("at", str(page.back)) if page.back else "",
        "next_url": here.with_("at", str(page.next)) if page.next else "",
    }
    return render(request, "console/group.html", context, status=400 if form else 200)


def _rows(visit: Visit, people: Sequence[listing.Listed], managers: frozenset[uuid.UUID]) -> list[object]:
    return [row_of(listed, visit.organization, visit.plan, managers=managers) for listed in people]


@lock(Lock.ADMIN)
@require_POST
def change(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """Another name, another cap."""
    found, form = _group(visit, group_id), GroupForm(request.POST)
    if form.is_valid():
        try:
            grouping.change(visit.organization, group_id, **form.cleaned_data, actor=by_visit(visit).actor)
        except UsherError as no:
            add_findings(form, no)
        else:
            messages.success(request, _("Saved."))
            return redirect("console:group", visit.organization.slug, group_id)
    return _show(request, visit, found, form)


@lock(Lock.ADMIN)
@require_POST
def state(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """Open, close or archive."""
    wanted = request.POST.get("state", "")
    if wanted not in Group.State.values:
        raise Http404
    found = _group(visit, group_id)
    grouping.set_state(visit.organization, found.id, Group.State(wanted), by_visit(visit).actor)
    said = {
        "open": _("The group is open. People can come in."),
        "closed": _("The group is closed. Whoever is in stays in; nobody comes in."),
        "archived": _("The group is archived. Its people stay in the organisation."),
    }
    messages.success(request, said[wanted])
    return redirect("console:group", visit.organization.slug, group_id)


@lock(Lock.MANAGER)
@require_POST
def notify(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """Whether this manager gets a mail when people come in or ask."""
    wanted = request.POST.get("notify") == "1"
    if not grouping.set_notify(visit, group_id, wanted=wanted):
        raise Http404
    if wanted and not is_reached(visit.membership):
        messages.warning(request, _("Noted. The mails begin when your address is proved."))
    else:
        on, off = _("You get a mail when people come in or ask."), _("You get no more mails about this group.")
        messages.success(request, on if wanted else off)
    return redirect("console:group", visit.organization.slug, group_id)


@lock(Lock.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def passwords(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """New passwords for everybody in the group, as a file; GET asks first."""
    found = _group(visit, group_id)
    if request.method != "POST":
        return render(request, "console/group_passwords.html", {**frame(visit, "groups"), "group": found})
    resets = credentials.reset_group(visit, found.id)
    return password_file(visit.organization, resets)


@lock(Lock.MANAGER)
@require_POST
def people(request: HttpRequest, visit: Visit, group_id: uuid.UUID) -> HttpResponse:
    """Do one thing to those of the group who are ticked."""
    found, who = _group(visit, group_id), picked(request.POST)
    act = PEOPLE.get(request.POST.get("do", ""))
    if not who or act is None:
        messages.warning(request, _("Nobody was ticked. Tick the people first, then choose what to do."))
        return redirect("console:group", visit.organization.slug, group_id)
    return act(request, visit, found, who)


def _new_passwords(request: HttpRequest, visit: Visit, group: Group, who: Sequence[uuid.UUID]) -> HttpResponse:
    if not request.POST.get("sure"):
        return ask(request, visit, Question("passwords", who, request.path, _back(visit, group), "groups"))
    return password_file(visit.organization, credentials.reset_passwords(visit, who))


def _take_out(request: HttpRequest, visit: Visit, group: Group, who: Sequence[uuid.UUID]) -> HttpResponse:
    done = many.remove_from_group(visit.organization.id, who, group.id, by_visit(visit))
    return _told(request, visit, group, done, _("Take out of the group"))


def _make_managers(request: HttpRequest, visit: Visit, group: Group, who: Sequence[uuid.UUID]) -> HttpResponse:
    done = many.set_group_right(visit.organization.id, who, group.id, "manager", by_visit(visit))
    return _told(request, visit, group, done, _("Make manager"))


def _make_members(request: HttpRequest, visit: Visit, group: Group, who: Sequence[uuid.UUID]) -> HttpResponse:
    done = many.set_group_right(visit.organization.id, who, group.id, "member", by_visit(visit))
    return _told(request, visit, group, done, _("Make plain member"))


def _told(request: HttpRequest, visit: Visit, group: Group, done: Sequence[Done], title: str) -> HttpResponse:
    return outcomes(request, visit, done, Told(title, _back(visit, group), "groups"))


def _back(visit: Visit, group: Group) -> str:
    return reverse("console:group", args=[visit.organization.slug, group.id])


PEOPLE: Mapping[str, Callable[[HttpRequest, Visit, Group, Sequence[uuid.UUID]], HttpResponse]] = {
    "passwords": _new_passwords,
    "out": _take_out,
    "manager": _make_managers,
    "member": _make_members,
}
