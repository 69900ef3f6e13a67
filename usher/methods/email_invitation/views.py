"""Add users → Invite by e-mail: whom, what would become of each, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from usher.core.errors import UsherError
from usher.core.filters import one_id
from usher.core.reasons import Reason
from usher.lifecycle.desk import groups_to_pick, roles_to_pick
from usher.lifecycle.lists.parse import refuse_too_large
from usher.lifecycle.visitor import by_visit
from usher.methods.email_invitation import files
from usher.methods.email_invitation import order as ordering
from usher.methods.email_invitation.entries import Entry, from_file, from_text
from usher.methods.email_invitation.forms import InviteForm, Offer
from usher.methods.email_invitation.order import Kind, Order, Report, Weighed
from usher.methods.email_invitation.send import send
from usher.methods.email_invitation.words import KINDS
from usher.people import groups as grouping
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame

MOST_REFUSED = 1000  # rows on the page
MOST_OF_A_KIND = 200
LOOK = 3  # rows of each kind, and of each reason, that show before a filter is pressed
LOOKS: Mapping[Kind, str] = {
    Kind.NEW: "in",
    Kind.ACCOUNT: "in",
    Kind.MEMBER: "never",
    Kind.INVITED: "ask",
    Kind.REFUSED: "no",
}
HINTS: Mapping[Kind, str | Promise] = {
    Kind.NEW: _("choose a name and a password"),
    Kind.ACCOUNT: _("sign in with their own account"),
    Kind.MEMBER: _("need no invitation"),
    Kind.INVITED: _("have one that waits"),
    Kind.REFUSED: _("need a change first"),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """One kind with its number; ``look`` is the shape of its state."""

    kind: str
    count: int
    look: str
    word: str
    hint: str | Promise

    @property
    def url(self) -> str:
        """Filters the rows of this kind."""
        return f"#{self.kind}"


@dataclass(frozen=True, slots=True)
class Line:
    """One person as the page draws it; ``is_first`` while no filter is pressed."""

    row: Weighed
    is_first: bool
    role: str

    @property
    def look(self) -> str:
        return LOOKS[self.row.kind]

    @property
    def word(self) -> str:
        return capfirst(str(KINDS[self.row.kind]))

    @property
    def groups(self) -> str:
        return ", ".join(self.row.joiner.groups)


@lock(Lock.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form; its POST shows what would become of everybody, and with ``confirm`` invites them.

    ``fill`` shows the form with what was sent filled in: the way back, and the way here from a list.
    """
    ordering.check(_nobody(visit))
    if request.method != "POST":
        return _form(request, visit, _form_of(visit, initial={"groups": _group_of(request, visit)}))
    if request.POST.get("fill"):
        return _form(request, visit, _form_of(visit, initial=_sent_before(request.POST)))
    form = _form_of(visit, request.POST, request.FILES)
    if not form.is_valid():
        return _form(request, visit, form, 400)
    return _answer(request, visit, form)


def _answer(request: HttpRequest, visit: Visit, form: InviteForm) -> HttpResponse:
    """Of a valid form: the preview, or what became of everybody; with a refusal, the form again."""
    try:
        entries = _entries(form.cleaned_data)
    except UsherError as no:
        form.refuse_list(no)
        return _form(request, visit, form, no.status)
    order, is_confirmed = _order(visit, form, entries), bool(request.POST.get("confirm"))
    try:
        report = send(order) if is_confirmed else ordering.preview(order)
    except UsherError as no:
        form.add_findings(no)
        return _form(request, visit, form, no.status)
    return _sent(request, visit, report) if is_confirmed else _preview(request, visit, report, form)


def _frame(visit: Visit) -> dict[str, object]:
    """A manager has no Users page; whom he invites belongs to his groups."""
    return frame(visit, "users" if visit.is_admin else "groups")


def _nobody(visit: Visit) -> Order:
    return Order(visit.organization, (), by_visit(visit))


def _form_of(visit: Visit, *sent: Any, initial: Mapping[str, Any] | None = None) -> InviteForm:
    offer = Offer(
        roles=roles_to_pick(visit),
        groups=groups_to_pick(visit) if visit.plan.groups else None,
        must_pick=not visit.is_admin,
        no_note=None if ordering.may_write_notes(_nobody(visit)) else Reason.NOTE_NOT_ALLOWED(),
    )
    return InviteForm(*sent, offer=offer, initial=initial)


def _group_of(request: HttpRequest, visit: Visit) -> list[str]:
    """The group whose page leads here."""
    group_id = one_id(request.GET, "group")
    found = grouping.get(visit.organization, group_id) if group_id else None
    return [found.name] if found else []


def _sent_before(sent: QueryDict) -> dict[str, Any]:
    plain = {name: sent.get(name, "") for name in ("text", "role", "note", "reserve")}
    return {**plain, "groups": [*sent.getlist("groups"), *sent.getlist("group")]}


def _form(request: HttpRequest, visit: Visit, form: InviteForm, status: int = 200) -> HttpResponse:
    context = {**_frame(visit), "form": form, "days": visit.organization.invitation_days}
    return render(request, "email_invitation/invite.html", context, status=status)


def _order(visit: Visit, form: InviteForm, entries: Sequence[Entry]) -> Order:
    given = form.cleaned_data
    return Order(
        organization=visit.organization,
        entries=entries,
        by=by_visit(visit),
        role=given["role"],
        groups=tuple(given.get("groups", ())),
        note=given["note"],
        reserve=given["reserve"],
    )


def _entries(given: Mapping[str, Any]) -> list[Entry]:
    """Raises UsherError for a text or a file that cannot be read, or with nobody in it."""
    upload = given["file"]
    if not upload:
        return from_text(given["text"])
    refuse_too_large(upload.size)
    return from_file(upload.read(), upload.name)


# The preview


def _preview(request: HttpRequest, visit: Visit, report: Report, form: InviteForm) -> HttpResponse:
    order, given = report.order, form.cleaned_data
    role = visit.plan.role(order.role)
    context = {
        **_frame(visit),
        **_seen(visit, report),
        "order": order,
        "text": files.carried(order.entries) if given["file"] else given["text"],
        "file_name": given["file"].name if given["file"] else "",
        "role": role.label if role else order.role,
        "groups": ", ".join(order.groups),
        "days": visit.organization.invitation_days,
    }
    return render(request, "email_invitation/invite_check.html", context)


def _seen(visit: Visit, report: Report) -> dict[str, object]:
    counts, lines = report.counts, _lines(visit, report.rows)
    return {
        "report": report,
        "going": len(report.going),
        "tallies": [_tally(kind, counts.get(kind, 0)) for kind in Kind],
        "lines": lines,
        "is_cut": len(lines) < len(report.rows),
    }


def _tally(kind: Kind, count: int) -> Tally:
    return Tally(kind.value, count, LOOKS[kind], capfirst(str(KINDS[kind])), HINTS[kind])


def _lines(visit: Visit, rows: Sequence[Weighed]) -> list[Line]:
    """The rows by kind, up to some of each."""
    lines: list[Line] = []
    shown, kept = Counter[str](), Counter[Kind]()
    for row in sorted(rows, key=lambda row: list(Kind).index(row.kind)):
        kept[row.kind] += 1
        if kept[row.kind] > (MOST_REFUSED if row.kind is Kind.REFUSED else MOST_OF_A_KIND):
            continue
        alike = row.kind + (row.findings[0].code if row.findings else "")
        shown[alike] += 1
        role = visit.plan.role(row.joiner.role)
        lines.append(Line(row, shown[alike] <= LOOK, str(role.label) if role else row.joiner.role))
    return lines


# What became of them


def _sent(request: HttpRequest, visit: Visit, report: Report) -> HttpResponse:
    """Straight to the desk when everybody is invited; else the others with the reasons, to be corrected."""
    invited = [row for row in report.rows if row.invitation_id]
    if len(invited) == len(report.rows):
        messages.success(request, _said(len(invited)))
        return redirect("email_invitation:desk", visit.organization.slug)
    refused = [row for row in report.rows if row.kind is Kind.REFUSED]
    context = {
        **_frame(visit),
        **_seen(visit, report),
        "said": _said(len(invited)) if invited else "",
        "refused": refused,
        "refused_lines": files.as_lines(row.entry for row in refused),
        "refused_list": files.not_invited(refused),
        "order": report.order,
    }
    return render(request, "email_invitation/invite_done.html", context)


def _said(count: int) -> str:
    said = ngettext("{n} invitation is on its way.", "{n} invitations are on their way.", count)
    return said.format(n=f"{count:,}")
