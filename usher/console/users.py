"""Organisation → Users: the list with search and filters, what is done to many at once, and the export."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from usher.console.files import exported, password_file
from usher.console.forms import UsersFilter
from usher.console.several import Question, Told, ask, outcomes
from usher.console.words import row_of
from usher.core.filters import Links, Menu, links, menu, one_id, picked
from usher.lifecycle import many
from usher.lifecycle.visitor import by_visit
from usher.methods.email_invitation import desk as invitations
from usher.organizations.plans import ALWAYS, METHOD_LABELS, Method
from usher.organizations.standing import Standing, standing
from usher.people import credentials, groups, listing, members
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame
from usher.people.listing import COUNTED, REACH, Cursor, Filter, Page

FILTERS = ("q", "role", "group", "way", "state", "never")
SHOWN_GROUPS = 30  # in the drop-down; the rest through the Groups page


@lock(Lock.ADMIN)
@require_safe
def users(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The people of the organisation by name, a page at a time."""
    chosen = _chosen(request, visit)
    page = listing.page(visit.organization.id, chosen, Cursor.read(request.GET.get("at", "")))
    counts, seats = members.counts(visit), standing(visit.organization)
    offered = groups.offered(visit) if visit.plan.groups else []
    here = links(request.path, request.GET, FILTERS)
    context = {
        **frame(visit, "users"),
        "standing": seats,
        "counts": counts,
        "chosen": chosen,
        "page": page,
        "rows": [row_of(listed, visit.organization, visit.plan) for listed in page.people],
        "groups": offered,
        "menus": _menus(visit, here, {str(group.id): group.name for group in offered[:SHOWN_GROUPS]}),
        "chips": _chips(counts, chosen, here),
        "invited": invitations.waiting(visit.organization, by_visit(visit)),
        "hidden": {name: value for name, value in here.given.items() if name != "q"},
        "words": _words(page, None if chosen.is_set else seats, counts.not_active),
        "back_url": here.with_("at", str(page.back)) if page.back else "",
        "next_url": here.with_("at", str(page.next)) if page.next else "",
        "reach": REACH,
    }
    return render(request, "console/users.html", context)


def _chosen(request: HttpRequest, visit: Visit) -> Filter:
    form = UsersFilter(request.GET)
    form.is_valid()  # what is nonsense is not in the cleaned data, and filters nothing
    given = form.cleaned_data
    role = given.get("role", "")
    return Filter(
        query=given.get("q", ""),
        role=role if visit.plan.role(role) else "",
        group=given.get("group"),
        method=given.get("way", ""),
        state=given.get("state", ""),
        never=given.get("never", False),
    )


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on or off, with its number."""

    word: str
    count: int
    url: str
    pressed: bool


def _menus(visit: Visit, here: Links, offered: Mapping[str, str]) -> list[Menu]:
    roles = {role.slug: str(role.label) for role in visit.plan.roles}
    ways = {
        method.value: str(METHOD_LABELS[method][0])
        for method in Method
        if method in visit.plan.methods or method in ALWAYS
    }
    menus = [menu(here, "role", _("Role"), roles)]
    if offered:
        menus.append(menu(here, "group", _("Group"), offered))
    return [*menus, menu(here, "way", _("Way in"), ways)]


def _chips(counts: members.Counts, chosen: Filter, here: Links) -> list[Chip]:
    state = chosen.state
    return [
        Chip(_("Never signed in"), counts.never, here.with_("never", "" if chosen.never else "1"), chosen.never),
        _state_chip(_("Waiting"), counts.waiting, "waiting", state, here),
        _state_chip(_("Deactivated"), counts.inactive, "inactive", state, here),
    ]


def _state_chip(word: str, count: int, state: str, now: str, here: Links) -> Chip:
    return Chip(word, count, here.with_("state", "" if now == state else state), now == state)


def _words(page: Page, everybody: Standing | None, not_active: int) -> str:
    """“People 1 to 50 of 453, by name”, with what is known of the number."""
    if not page.people:
        return ""
    total, more = page.total, (page.total or 0) > COUNTED
    if everybody:
        total, more = everybody.used + not_active, not_active > COUNTED
    if total is None:
        return _("People {first} to {last}, by name").format(first=page.first, last=page.last)
    words = {"first": page.first, "last": page.last, "total": f"{COUNTED if more and not everybody else total:,}"}
    if more:
        return _("People {first} to {last} of more than {total}, by name").format(**words)
    return _("People {first} to {last} of {total}, by name").format(**words)


@lock(Lock.ADMIN)
@require_safe
def export(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """The same list, whole, as a file; without passwords, which nobody has."""
    people = listing.everybody(visit.organization.id, _chosen(request, visit))
    return exported(visit.organization, people)


@lock(Lock.MANAGER)
@require_safe
def add(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The ways to add people; a manager goes to the first of his."""
    if not visit.is_admin:
        manual = Method.BULK_ACCOUNTS in visit.plan.methods
        return redirect("bulk_accounts:create" if manual else "email_invitation:invite", visit.organization.slug)
    return render(request, "console/add.html", frame(visit, "users"))


# Many at once ------------------------------------------------------------------------------------------------


@lock(Lock.ADMIN)
@require_POST
def bulk(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Do one thing to everybody who is ticked, and say what became of each."""
    who, act = picked(request.POST), BULK.get(request.POST.get("do", ""))
    if not who or act is None:
        messages.warning(request, _("Nobody was ticked. Tick the people first, then choose what to do."))
        return redirect("console:users", visit.organization.slug)
    return act(request, visit, who)


def _passwords(request: HttpRequest, visit: Visit, who: Sequence[uuid.UUID]) -> HttpResponse:
    if not request.POST.get("sure"):
        return ask(request, visit, Question("passwords", who, request.path, _back(visit)))
    return password_file(visit.organization, credentials.reset_passwords(visit, who))


def _back(visit: Visit) -> str:
    return reverse("console:users", args=[visit.organization.slug])


def _to_group(request: HttpRequest, visit: Visit, who: Sequence[uuid.UUID]) -> HttpResponse:
    group_id = one_id(request.POST, "group")
    if group_id is None:
        return ask(request, visit, Question("group", who, request.path, _back(visit)))
    done = many.add_to_group(visit.organization.id, who, group_id, by_visit(visit))
    return outcomes(request, visit, done, Told(_("Add to group"), _back(visit)))


def _deactivate(request: HttpRequest, visit: Visit, who: Sequence[uuid.UUID]) -> HttpResponse:
    if not request.POST.get("sure"):
        return ask(request, visit, Question("deactivate", who, request.path, _back(visit)))
    done = many.deactivate(visit.organization.id, who, by_visit(visit))
    return outcomes(request, visit, done, Told(_("Deactivate"), _back(visit)))


BULK: Mapping[str, Callable[[HttpRequest, Visit, Sequence[uuid.UUID]], HttpResponse]] = {
    "passwords": _passwords,
    "group": _to_group,
    "deactivate": _deactivate,
}
