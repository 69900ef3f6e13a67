"""The rules of a connection, and the simulator that shows what they make of somebody."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from usher.core.errors import UsherError
from usher.lifecycle.visitor import by_visit
from usher.methods.sso import connect, overview, simulate, words
from usher.methods.sso.forms import RuleRow, RuleRows, SimulatorForm
from usher.methods.sso.models import Attempt, Connection, Kind
from usher.methods.sso.overview import View
from usher.methods.sso.rules import rules_of
from usher.methods.sso.views import own
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame
from usher.people.fresh import fresh

asks = require_http_methods(["GET", "HEAD", "POST"])


@lock(Lock.ADMIN)
@fresh
@asks
def rules(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """All rules on one page, saved as a whole; its other buttons save nothing."""
    found = own(visit, connection_id)
    if request.method != "POST":
        kept = [RuleRow(rule.claim, rule.value, words.gift_of(rule)) for rule in rules_of(found)]
        return _editor(request, visit, found, kept or [RuleRow()])
    sent = RuleRows(request.POST)
    if not sent.is_save:
        return _editor(request, visit, found, sent.acted(), is_changed=True)
    rows = sent.filled()
    try:
        connect.set_rules(found, [row.wish() for row in rows], by_visit(visit).actor)
    except UsherError as no:
        return _editor(request, visit, found, rows, no)
    messages.success(request, _("Saved. They hold from each person’s next sign-in."))
    return redirect("sso:connection", visit.organization.slug, found.id)


def _editor(
    request: HttpRequest,
    visit: Visit,
    found: Connection,
    rows: list[RuleRow],
    no: UsherError | None = None,
    *,
    is_changed: bool = False,
) -> HttpResponse:
    """Each refusal stands at its own line; what is about all of them above."""
    findings = no.findings if no else ()
    by_line = {str(line): row for line, row in enumerate(rows, 1)}
    for one in findings:
        if one.column in by_line:
            by_line[one.column].wrongs.append(f"{one.sentence} {one.next_step}")
    context = {
        **frame(visit, "settings"),
        "view": View(found),
        "rows": rows,
        "facts": words.facts_of(found),
        "is_free": found.kind == Kind.OIDC,
        "gifts": words.gifts_of(found),
        "aloud": words.rules_aloud(found),
        "is_changed": is_changed,
        "findings": [one for one in findings if one.column not in by_line],
    }
    return render(request, "sso/rules.html", context, status=no.status if no else 200)


# The simulator


@lock(Lock.ADMIN)
@asks
def simulator(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """What would become of somebody by his claims. Nothing is written, and the provider is not asked."""
    found = own(visit, connection_id)
    past = overview.past_of(found, request.GET.get("attempt", ""))
    form = SimulatorForm(_claims(request, past))
    context: dict[str, Any] = {"form": form, "past": past}
    if form.is_valid():
        context |= _told(found, form.cleaned_data["claims"], past)
        if context.get("is_unread"):
            form.add_error("claims", f"{context['findings'][0].sentence} {context['findings'][0].next_step}")
    context |= {**frame(visit, "settings"), "view": View(found)}
    return render(request, "sso/simulator.html", context, status=400 if form.errors else 200)


def _claims(request: HttpRequest, past: Attempt | None) -> Any:
    """What was typed; else the claims of the sign-in that was picked."""
    if request.method == "POST":
        return request.POST
    return {"claims": json.dumps(past.claims, indent=2, ensure_ascii=False)} if past else None


def _told(found: Connection, text: str, past: Attempt | None) -> dict[str, Any]:
    try:
        claims = simulate.read_claims(text)
        person = simulate.person_of(found, claims, past if past and past.claims == claims else None)
    except UsherError as no:
        return {"findings": no.findings, "is_unread": no.findings[0].column == "claims"}
    told = simulate.simulate(found, person)
    return {
        "told": words.told_of(found, told),
        "who": person,
        "findings": told.findings,
        "unknown": simulate.unknown_to_rules(found, person),
    }
