"""Who waits to be let in: an admin's all, a manager's those who asked for his groups."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from usher.console.several import Told, outcomes
from usher.console.words import short_sign_in
from usher.core.filters import links, one_id, picked
from usher.lifecycle import many
from usher.lifecycle.joiner import By
from usher.lifecycle.many import Done
from usher.lifecycle.telling import method_label
from usher.lifecycle.visitor import by_visit
from usher.organizations.standing import standing
from usher.people import asks as asking
from usher.people.access import Lock, Visit, lock
from usher.people.asks import Asking
from usher.people.frame import frame
from usher.people.listing import Cursor

Decide = Callable[[uuid.UUID, Sequence[uuid.UUID], By], list[Done]]


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody who waits, in a table. ``address`` is empty for whoever has none."""

    id: uuid.UUID
    name: str
    sign_in: str
    address: str
    is_proved: bool
    role: str
    groups: str
    way: tuple[str, str]
    evidence: str
    since: datetime


@lock(Lock.MANAGER)
@require_safe
def asks(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Who waits, for what, and how they came."""
    page = asking.page(visit, Cursor.read(request.GET.get("at", "")))
    here = links(request.path, request.GET, ())
    context = {
        **frame(visit, "asks"),
        "visit": visit,
        "standing": standing(visit.organization) if visit.is_admin else None,
        "rows": [_row(visit, one) for one in page.people],
        "back_url": here.with_("at", str(page.back)) if page.back else "",
        "next_url": here.with_("at", str(page.next)) if page.next else "",
    }
    return render(request, "console/asks.html", context)


def _row(visit: Visit, one: Asking) -> Row:
    member, account = one.member, one.member.account
    role = visit.plan.role(member.role)
    return Row(
        id=member.id,
        name=account.username,
        sign_in=short_sign_in(account.sign_in, visit.organization.names_under),
        address=account.email,
        is_proved=account.is_proved,
        role=str(role.label) if role else member.role,
        groups=", ".join(one.groups),
        way=(member.method, method_label(member.method)),
        evidence=member.evidence,
        since=member.joined_at,
    )


@lock(Lock.MANAGER)
@require_POST
def decide(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Let in, or refuse, one person or all who are ticked; what the door says of each stands beside the name."""
    back = reverse("console:asks", args=[visit.organization.slug])
    answer, who = _answer(request.POST)
    if answer is None or not who:
        messages.warning(request, _("Nobody was ticked. Tick the people first, then choose what to do."))
        return redirect(back)
    done = DECIDE[answer](visit.organization.id, who, by_visit(visit))
    return outcomes(request, visit, done, Told(TITLES[answer](), back, "asks", _said(answer, done)))


def _answer(sent: QueryDict) -> tuple[str | None, list[uuid.UUID]]:
    """“in” or “no”, with whom: the button beside one person names that person, the ones above take the ticks."""
    for answer in DECIDE:
        one = one_id(sent, answer)
        if one:
            return answer, [one]
    answer = sent.get("do", "")
    return (answer if answer in DECIDE else None), picked(sent)


def _said(answer: str, done: Sequence[Done]) -> str:
    changed = sum(one.changed for one in done)
    if not changed:
        return _("Somebody else has decided meanwhile. Nothing was changed.")
    if answer == "in":
        return ngettext("{n} person is in.", "{n} people are in.", changed).format(n=changed)
    said = ngettext("{n} person is refused.", "{n} people are refused.", changed).format(n=changed)
    return said + " " + _("They are listed as deactivated, in case you change your mind.")


DECIDE: Mapping[str, Decide] = {"in": many.approve, "no": many.decline}
TITLES: Mapping[str, Callable[[], str]] = {"in": lambda: _("Let in"), "no": lambda: _("Refuse")}
