"""One person: why they are here, what happened, and everything that can be changed about them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from usher.console.forms import PersonForm, add_findings
from usher.console.words import short_sign_in, state_of
from usher.core.errors import UsherError
from usher.core.filters import picked
from usher.core.reasons import Finding
from usher.lifecycle import leave, move
from usher.lifecycle.visitor import by_visit
from usher.lifecycle.why import why
from usher.people import correct as corrections
from usher.people import credentials, members
from usher.people import groups as grouping
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame
from usher.people.models import Membership


@dataclass(frozen=True, slots=True)
class Trouble:
    """What was refused, in which part of the page, and what was typed there."""

    part: str = ""
    findings: Sequence[Finding] = ()
    form: PersonForm | None = None
    groups: Sequence[uuid.UUID] = field(default=())
    role: str = ""


NONE = Trouble()


@lock(Lock.ADMIN)
@require_safe
def person(request: HttpRequest, visit: Visit, member_id: uuid.UUID) -> HttpResponse:
    """The drawer over the list when the list asks for it, a page of its own otherwise."""
    return _show(request, visit, _member(visit, member_id))


def _member(visit: Visit, member_id: uuid.UUID) -> Membership:
    member = members.find(visit, member_id)
    if member is None:
        raise Http404
    return member


def _show(request: HttpRequest, visit: Visit, member: Membership, trouble: Trouble = NONE) -> HttpResponse:
    context = {
        **frame(visit, "users"),
        "member": member,
        "account": member.account,
        "short_sign_in": short_sign_in(member.account.sign_in, visit.organization.names_under),
        "state": state_of(member),
        "why": why(visit.organization, member),
        "back_url": f"/o/{visit.organization.slug}/users",
    }
    if request.headers.get("HX-Request") and not trouble.part:
        return render(request, "console/drawer.html", context)
    status = trouble.findings[0].reason.status if trouble.findings else 200
    return render(request, "console/person.html", context | _desk(visit, member, trouble), status=status)


def _desk(visit: Visit, member: Membership, trouble: Trouble) -> dict[str, object]:
    """What the parts that change something need."""
    places = grouping.of_member(member)
    account = member.account
    mine = [place.group_id for place in places]
    offered = grouping.offered(visit) if visit.plan.groups else []
    return {
        "trouble": trouble,
        "powers": members.powers(visit, member),
        "roles": [role for role in visit.plan.roles if role.rank <= visit.role.rank],
        "role_now": trouble.role or member.role,
        "places": places,
        "groups": offered,
        "kept": set(mine) - {group.id for group in offered},  # archived ones: not offered, and not taken away
        "mine": trouble.groups if trouble.part == "groups" else mine,
        "form": trouble.form or PersonForm(initial={"username": account.username, "email": account.email}),
    }


Act = Callable[[], object]


def _do(request: HttpRequest, visit: Visit, member: Membership, trouble: Trouble, act: Act, said: str) -> HttpResponse:
    """Act and come back with what is true now; or show the page again, with the reason beside the part."""
    try:
        act()
    except UsherError as no:
        refused = Trouble(trouble.part, no.findings, trouble.form, trouble.groups, trouble.role)
        return _show(request, visit, member, refused)
    messages.success(request, said)
    return redirect("console:person", visit.organization.slug, member.id)


@lock(Lock.ADMIN)
@require_POST
def role(request: HttpRequest, visit: Visit, member_id: uuid.UUID) -> HttpResponse:
    """Give another role."""
    member, wanted = _member(visit, member_id), request.POST.get("role", "")
    act = lambda: move.move(visit.organization.id, member.id, wanted, by_visit(visit))  # noqa: E731
    return _do(request, visit, member, Trouble("role", role=wanted), act, _("The role is changed."))


@lock(Lock.ADMIN)
@require_POST
def groups(request: HttpRequest, visit: Visit, member_id: uuid.UUID) -> HttpResponse:
    """Make the groups exactly those that are ticked; archived ones, which are not offered, stay as they are."""
    member, wanted = _member(visit, member_id), picked(request.POST, "group")
    act = lambda: move.change_groups(visit.organization.id, member.id, wanted, by_visit(visit))  # noqa: E731
    return _do(request, visit, member, Trouble("groups", groups=wanted), act, _("The groups are changed."))


@lock(Lock.ADMIN)
@require_POST
def correct(request: HttpRequest, visit: Visit, member_id: uuid.UUID) -> HttpResponse:
    """Correct the name and the address of an account that the organisation made."""
    member, form = _member(visit, member_id), PersonForm(request.POST)
    if form.is_valid():
        try:
            corrections.correct(visit, member.id, **form.cleaned_data)
        except UsherError as no:
            add_findings(form, no)
        else:
            messages.success(request, _("Name and address are corrected. The password is the same as before."))
            return redirect("console:person", visit.organization.slug, member.id)
    return _show(request, visit, member, Trouble("correct", form=form))


@lock(Lock.ADMIN)
@require_POST
@never_cache
def password(request: HttpRequest, visit: Visit, member_id: uuid.UUID) -> HttpResponse:
    """A new password, shown once: it is in this answer and nowhere else."""
    member = _member(visit, member_id)
    try:
        reset = credentials.reset_password(visit, member.id)
    except UsherError as no:
        return _show(request, visit, member, Trouble("password", no.findings))
    sign_in = short_sign_in(reset.sign_in, visit.organization.names_under)
    context = {**frame(visit, "users"), "member": member, "reset": reset, "short_sign_in": sign_in}
    return render(request, "console/new_password.html", context)


@lock(Lock.ADMIN)
@require_POST
def deactivate(request: HttpRequest, visit: Visit, member_id: uuid.UUID) -> HttpResponse:
    """Out for now: the seat is free, the groups are remembered."""
    member = _member(visit, member_id)
    act = lambda: leave.deactivate(visit.organization.id, member.id, by_visit(visit))  # noqa: E731
    said = _("{name} is deactivated. The seat is free.").format(name=member.account.username)
    return _do(request, visit, member, Trouble("state"), act, said)


@lock(Lock.ADMIN)
@require_POST
def reactivate(request: HttpRequest, visit: Visit, member_id: uuid.UUID) -> HttpResponse:
    """In again, by the rules of the door."""
    member = _member(visit, member_id)
    act = lambda: leave.reactivate(visit.organization.id, member.id, by_visit(visit))  # noqa: E731
    said = _("{name} is in again.").format(name=member.account.username)
    return _do(request, visit, member, Trouble("state"), act, said)
