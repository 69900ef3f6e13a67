"""The desk: what became of every invitation, and what is done about it, to one or to many."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from usher.core.errors import UsherError
from usher.core.filters import Links, links, picked
from usher.lifecycle import desk as choosing
from usher.lifecycle.telling import method_label
from usher.lifecycle.visitor import by_visit
from usher.methods.email_invitation import changes
from usher.methods.email_invitation import desk as invitations
from usher.methods.email_invitation.changes import Done
from usher.methods.email_invitation.desk import COUNTED, Filter, Row
from usher.methods.email_invitation.files import exported
from usher.methods.email_invitation.forms import DeskFilter, LinkForm, sentence
from usher.methods.email_invitation.models import Invitation, Standing
from usher.methods.email_invitation.words import standing_word
from usher.organizations.plans import Method
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame

FILTERS = ("standing", "q", "mine")
LOOKS: Mapping[Standing, str] = {
    Standing.QUEUED: "never",
    Standing.SENT: "ask",
    Standing.FAILED: "no",
    Standing.BOUNCED: "no",
    Standing.NOT_MAILED: "never",
    Standing.ACCEPTED: "in",
    Standing.EXPIRED: "off",
    Standing.REVOKED: "off",
    Standing.DECLINED: "off",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """An invitation in words and shapes."""

    row: Row

    @property
    def one(self) -> Invitation:
        return self.row.invitation

    @property
    def look(self) -> str:
        return LOOKS[self.row.standing]

    @property
    def word(self) -> str:
        return capfirst(str(standing_word(self.row.standing)))

    @property
    def groups(self) -> str:
        return ", ".join(self.row.groups)

    @property
    def way(self) -> tuple[str, str] | None:
        return (self.row.way, method_label(self.row.way)) if self.row.way else None

    @property
    def is_open(self) -> bool:
        return self.one.state == Invitation.State.OPEN


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on or off; ``count`` None where the word says the number, or there is none."""

    word: str
    count: int | None
    url: str
    pressed: bool


# The list


@lock(Lock.MANAGER)
@require_safe
def desk(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The invitations that the visitor may see, the latest first, a page at a time."""
    form, chosen = _chosen(request, visit)
    given = form.cleaned_data
    page = invitations.page(
        visit.organization, by_visit(visit), chosen, after=given.get("after"), before=given.get("before")
    )
    here = links(request.path, request.GET, FILTERS)
    context = {
        **_frame(visit),
        "chosen": chosen,
        "rows": [Shown(row) for row in page.rows],
        "chips": _chips(visit, chosen, here),
        "hidden": {name: value for name, value in here.given.items() if name != "q"},
        "roles": choosing.roles_to_pick(visit),
        "export_url": _export_url(visit, here),
        "may_invite": Method.EMAIL_INVITATION in visit.plan.methods,
        "back_url": here.with_("before", str(page.back)) if page.back else "",
        "next_url": here.with_("after", str(page.next)) if page.next else "",
    }
    return render(request, "email_invitation/desk.html", context)


def _frame(visit: Visit) -> dict[str, object]:
    """A manager has no Users page; his invitations belong to his groups."""
    return frame(visit, "users" if visit.is_admin else "groups")


def _chosen(request: HttpRequest, visit: Visit) -> tuple[DeskFilter, Filter]:
    form = DeskFilter(request.GET)
    form.is_valid()  # what is nonsense is not in the cleaned data, and filters nothing
    given = form.cleaned_data
    standing = given.get("standing", "")
    return form, Filter(
        standing=Standing(standing) if standing else None,
        query=given.get("q", ""),
        actor=visit.account.id if given.get("mine") else None,
    )


def _chips(visit: Visit, chosen: Filter, here: Links) -> list[Chip]:
    counts = invitations.counts(visit.organization, by_visit(visit))
    mine = Chip(_("Invited by me"), None, here.with_("mine", "" if chosen.actor else "1"), bool(chosen.actor))
    return [*(_chip(one, counts[one], chosen, here) for one in Standing), mine]


def _chip(standing: Standing, count: int, chosen: Filter, here: Links) -> Chip:
    pressed, word = chosen.standing is standing, capfirst(str(standing_word(standing)))
    url = here.with_("standing", "" if pressed else standing.value)
    if count > COUNTED:
        more = _("{word}: more than {n}").format(word=word, n=number_format(COUNTED, force_grouping=True))
        return Chip(more, None, url, pressed)
    return Chip(word, count, url, pressed)


def _export_url(visit: Visit, here: Links) -> str:
    return Links(reverse("email_invitation:desk_export", args=[visit.organization.slug]), here.given).with_("", "")


@lock(Lock.MANAGER)
@require_safe
def export(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """The same list, whole, as a file; without links, which nobody has."""
    _form, chosen = _chosen(request, visit)
    return exported(visit.organization, by_visit(visit), chosen)


# Many at once


@lock(Lock.MANAGER)
@require_POST
def bulk(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Do one thing to all that are ticked, and say what became of each."""
    who = invitations.ids_seen(visit.organization, by_visit(visit), picked(request.POST))
    act = BULK.get(request.POST.get("do", ""))
    if not who or act is None:
        messages.warning(request, _("Nothing was ticked. Tick the invitations first, then choose what to do."))
        return redirect("email_invitation:desk", visit.organization.slug)
    return act(request, visit, who)


def _resend_all(request: HttpRequest, visit: Visit, who: Sequence[uuid.UUID]) -> HttpResponse:
    done = changes.resend(visit.organization, who, by_visit(visit))
    changed = sum(one.changed for one in done)
    said = ngettext("{n} invitation is on its way again.", "{n} invitations are on their way again.", changed)
    return _told(request, visit, done, _("Send again"), said.format(n=changed))


def _revoke_all(request: HttpRequest, visit: Visit, who: Sequence[uuid.UUID]) -> HttpResponse:
    if not request.POST.get("sure"):
        title = ngettext("Take back {n} invitation?", "Take back {n} invitations?", len(who))
        return _ask(request, visit, who, "revoke", title)
    done = changes.revoke(visit.organization, who, by_visit(visit))
    changed = sum(one.changed for one in done)
    said = ngettext("{n} invitation is taken back.", "{n} invitations are taken back.", changed)
    return _told(request, visit, done, _("Take back"), said.format(n=changed))


def _role_of_all(request: HttpRequest, visit: Visit, who: Sequence[uuid.UUID]) -> HttpResponse:
    role = request.POST.get("role", "")
    if not role:
        title = ngettext("Change the role of {n} invitation", "Change the role of {n} invitations", len(who))
        return _ask(request, visit, who, "role", title)
    done = changes.set_role(visit.organization, who, role, by_visit(visit))
    changed = sum(one.changed for one in done)
    said = ngettext("{n} invitation has another role.", "{n} invitations have another role.", changed)
    return _told(request, visit, done, _("Change role"), said.format(n=changed))


def _ask(request: HttpRequest, visit: Visit, who: Sequence[uuid.UUID], act: str, title: str) -> HttpResponse:
    """The second step: which role, or whether to go on, with the consequence."""
    context = {
        **_frame(visit),
        "who": who,
        "act": act,
        "count": len(who),
        "title": title.format(n=len(who)),
        "roles": choosing.roles_to_pick(visit),
    }
    return render(request, "email_invitation/desk_ask.html", context)


def _told(request: HttpRequest, visit: Visit, done: Sequence[Done], title: str, said: str) -> HttpResponse:
    """What became of each; straight back to the desk when nothing was refused."""
    if not any(one.findings for one in done):
        messages.success(request, said)
        return redirect("email_invitation:desk", visit.organization.slug)
    changed = any(one.changed for one in done)
    context = {**_frame(visit), "done": done, "title": title, "said": said if changed else ""}
    context["refused"] = sum(bool(one.findings) for one in done)
    return render(request, "email_invitation/desk_done.html", context)


BULK: Mapping[str, Callable[[HttpRequest, Visit, Sequence[uuid.UUID]], HttpResponse]] = {
    "resend": _resend_all,
    "revoke": _revoke_all,
    "role": _role_of_all,
}


# One


@lock(Lock.MANAGER)
@require_safe
def invitation(request: HttpRequest, visit: Visit, invitation_id: uuid.UUID) -> HttpResponse:
    """What it is, what became of its mail, and what can be done about it."""
    return _show(request, visit, _row(visit, invitation_id), LinkForm(lowest=_lowest(visit)))


def _row(visit: Visit, invitation_id: uuid.UUID) -> Row:
    found = invitations.one(visit.organization, by_visit(visit), invitation_id)
    if found is None:
        raise Http404
    return found


def _lowest(visit: Visit) -> str:
    return str(visit.plan.lowest.label)


def _show(request: HttpRequest, visit: Visit, row: Row, form: LinkForm, status: int = 200) -> HttpResponse:
    context = {**_frame(visit), "shown": Shown(row), "form": form, "roles": choosing.roles_to_pick(visit)}
    return render(request, "email_invitation/desk_one.html", context, status=status)


@lock(Lock.MANAGER)
@require_POST
def resend(request: HttpRequest, visit: Visit, invitation_id: uuid.UUID) -> HttpResponse:
    """A new link by mail; the old one is dead."""
    row = _row(visit, invitation_id)
    done = changes.resend(visit.organization, [row.invitation.id], by_visit(visit))
    return _back(request, visit, invitation_id, done, _("It is on its way again. The earlier link stopped working."))


@lock(Lock.MANAGER)
@require_POST
def revoke(request: HttpRequest, visit: Visit, invitation_id: uuid.UUID) -> HttpResponse:
    """Nobody comes in by it any more."""
    row = _row(visit, invitation_id)
    done = changes.revoke(visit.organization, [row.invitation.id], by_visit(visit))
    return _back(request, visit, invitation_id, done, _("Taken back. Its link stopped working."))


@lock(Lock.MANAGER)
@require_POST
def role(request: HttpRequest, visit: Visit, invitation_id: uuid.UUID) -> HttpResponse:
    """Another role for whoever accepts it."""
    row = _row(visit, invitation_id)
    done = changes.set_role(visit.organization, [row.invitation.id], request.POST.get("role", ""), by_visit(visit))
    return _back(request, visit, invitation_id, done, _("The role is changed."))


def _back(
    request: HttpRequest, visit: Visit, invitation_id: uuid.UUID, done: Sequence[Done], said: str
) -> HttpResponse:
    """To the page of the invitation, with what was done or the reasons why not."""
    for finding in (finding for one in done for finding in one.findings):
        messages.error(request, sentence(finding))
    if any(one.changed for one in done):
        messages.success(request, said)
    return redirect("email_invitation:invitation", visit.organization.slug, invitation_id)


@lock(Lock.MANAGER)
@require_POST
def link(request: HttpRequest, visit: Visit, invitation_id: uuid.UUID) -> HttpResponse:
    """A link to hand over, shown this one time; no page makes one by being looked at."""
    row, form = _row(visit, invitation_id), LinkForm(request.POST, lowest=_lowest(visit))
    if not form.is_valid():
        return _show(request, visit, row, form, 400)
    unproved = form.cleaned_data["how"] == LinkForm.UNPROVED
    try:
        made = changes.copy_link(visit.organization, row.invitation.id, by_visit(visit), unproved=unproved)
    except UsherError as no:
        messages.error(request, " ".join(map(sentence, no.findings)))
        return redirect("email_invitation:invitation", visit.organization.slug, invitation_id)
    context = {**_frame(visit), "shown": Shown(row), "link": made, "unproved": unproved, "lowest": _lowest(visit)}
    return render(request, "email_invitation/link.html", context)
