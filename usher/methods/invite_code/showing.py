"""What the pages of the organisation's codes and those of a group's code share: the form, the curve, the list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usher.core import clock
from usher.lifecycle import userlist
from usher.lifecycle.visitor import by_visit
from usher.methods.invite_code import days, find, stats
from usher.methods.invite_code.classroom import LESSON
from usher.methods.invite_code.forms import HINTS, CodeForm
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.wish import Wish, may_be_at_once, weigh, wish_of
from usher.methods.invite_code.words import join_at, ticket
from usher.people.access import Visit
from usher.people.made_names import short

_SHOWN = ("at_end", "domains", "max_uses", "needs_approval", "proof", "role", "starts_at", "ends_at")


def form_for(visit: Visit, code: InviteCode | None, data: Any = None) -> CodeForm:
    """The form of a code, with what this visitor may decide."""
    organization, plan = visit.organization, visit.plan
    roles = [(role.slug, str(role.label)) for role in plan.roles if role is not plan.admin]
    groups = [(str(group.id), group.name) for group in find.groups_to_offer(organization, code)]
    left_out = [] if visit.is_admin else ["role", "domains", "groups"]
    left_out += [] if may_be_at_once(plan) else ["proof"]
    left_out += [] if groups or "groups" in left_out else ["groups"]
    wish = wish_of(code, organization) if code else Wish(role=plan.lowest.slug)
    return CodeForm(data, wish=wish, roles=roles, groups=groups, leave_out=left_out)


def options(visit: Visit, code: InviteCode | None, form: CodeForm) -> dict[str, object]:
    """The context of a page on which a code is changed: its ticket, the form, who came by it."""
    blank = code or InviteCode(organization=visit.organization, role=visit.plan.lowest.slug, code="")
    return {
        "code": code,
        "form": form,
        "hints": HINTS["proof"],
        "ticket": ticket(blank, visit.organization, None if code else []),
        "join_at": join_at(),
        "curve": stats.curve(visit.organization, code) if code else None,
        "settings_url": f"/o/{visit.organization.slug}/settings",
        "closes": _closes(visit, code),
        "groups_hint": _("Besides the group itself.") if code and code.group_id else "",
    }


def _closes(visit: Visit, code: InviteCode | None) -> str:
    """That the last day ends early, where a lesson set its end."""
    zone = days.zone_of(visit.organization)
    if code is None or code.ends_at is None or days.is_midnight(code.ends_at, zone):
        return ""
    return _("Until {hour} that day; another day counts whole.").format(hour=days.clock_text(code.ends_at, zone))


def preview(request: HttpRequest, visit: Visit, code: InviteCode | None) -> HttpResponse:
    """What the code would do by what is typed now; what is wrong yet stays as it was."""
    form = form_for(visit, code, request.POST)
    form.is_valid()
    drafted, groups = _drafted(visit, code, form.wish())
    is_draft = code is not None and form.wish() != form.before
    context = {"ticket": ticket(drafted, visit.organization, groups), "draft": is_draft}
    return render(request, "invite_code/_does.html", context)


def _drafted(visit: Visit, code: InviteCode | None, wish: Wish) -> tuple[InviteCode, list[str]]:
    """A row that is never saved, with those values of a wish that are in order."""
    row = InviteCode(organization=visit.organization, role=visit.plan.lowest.slug, code="")
    if code:
        row.group, row.code, row.used, row.paused_at = code.group, code.code, code.used, code.paused_at
        for name in _SHOWN:
            setattr(row, name, getattr(code, name))
    weighed = weigh(visit.organization, wish, by_visit(visit), row)
    for name, value in weighed.values.items():
        setattr(row, name, value)
    return row, [group.name for group in weighed.groups]


def poster(request: HttpRequest, visit: Visit, code: InviteCode, frame: Mapping[str, object]) -> HttpResponse:
    """The code on a sheet of A4, for the wall."""
    lasting = code.ends_at and code.ends_at - clock.now() > LESSON
    context = {
        **frame,
        "ticket": ticket(code, visit.organization),
        "join_at": join_at(),
        # The end of a lesson is no news for a poster.
        "ends": days.end_text(code.ends_at, days.zone_of(visit.organization)) if code.ends_at and lasting else "",
    }
    return render(request, "invite_code/poster.html", context)


def people(request: HttpRequest, visit: Visit, code: InviteCode, frame: Mapping[str, object]) -> HttpResponse:
    """Who came by the code, the newest first."""
    given = request.GET
    page = stats.page(visit.organization, code, after=given.get("after", ""), before=given.get("before", ""))
    context = {
        **frame,
        "rows": [(one, short(one.sign_in, visit.organization.names_under)) for one in page.people],
        "ticket": ticket(code, visit.organization),
        "curve": stats.curve(visit.organization, code),
        "back_url": f"{request.path}?{urlencode({'before': page.back})}" if page.back else "",
        "next_url": f"{request.path}?{urlencode({'after': page.next})}" if page.next else "",
        "is_admin": visit.is_admin,
    }
    return render(request, "invite_code/people.html", context)


def export(visit: Visit, code: InviteCode, name: str) -> StreamingHttpResponse:
    """Who came by the code, as a file."""
    pieces = userlist.whole(stats.as_csv(visit.organization, code))
    response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{visit.organization.slug}-{name}.csv"'
    return response


def saved(request: HttpRequest, code: InviteCode) -> None:
    """Says that a code is saved, and warns of a limit below the uses so far: nobody new gets in by it."""
    messages.success(request, _("Saved."))
    if code.max_uses is not None and code.max_uses <= code.used:
        words = ngettext(
            "{n} person came by this code already: it is used up.",
            "{n} people came by this code already: it is used up.",
            code.used,
        )
        messages.warning(request, words.format(n=code.used))
