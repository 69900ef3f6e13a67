"""Organisation → Settings → Integrations: connections set up, proved, tried, switched on, looked at and removed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from usher.core.errors import UsherError
from usher.core.findings import Finding
from usher.core.reasons import Reason
from usher.lifecycle.visitor import by_visit
from usher.methods.sso import connect, doctor, finding, forms, google, overview, showing, words
from usher.methods.sso.doctor import Check
from usher.methods.sso.door_views import go
from usher.methods.sso.models import Connection, Kind, Purpose
from usher.methods.sso.overview import View
from usher.methods.sso.trips import Wish
from usher.organizations.plans import Method
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame
from usher.people.fresh import fresh
from usher.people.integrations import cards as other_cards

asks = require_http_methods(["GET", "HEAD", "POST"])


@lock(Lock.ADMIN)
@require_safe
def integrations(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What there is, and what could be."""
    others = other_cards(visit.organization)
    context = {**frame(visit, "settings"), "cards": overview.cards(visit.organization), "others": others}
    return render(request, "sso/integrations.html", context)


# A new one


@lock(Lock.ADMIN)
@fresh
@asks
def new(request: HttpRequest, visit: Visit, kind: str) -> HttpResponse:
    """By a registration of the organisation's own; or the button for the operator's."""
    wanted = _kind(visit, kind)
    form = forms.new_form(_given(request), wanted)
    if form.is_valid():
        try:
            made = connect.add(visit.organization, wanted, form.wish(), by_visit(visit).actor)
        except UsherError as no:
            form.add_findings(no)
        else:
            _say_whether_it_answers(request, made)
            return redirect(_page_of(visit, made))
    context = {
        **frame(visit, "settings"),
        "form": form,
        "kind": wanted.value,
        "title": overview.TITLES[wanted],
        "has_shared": showing.has_shared(wanted),
        "domains": overview.proved_domains(visit.organization),
    }
    return render(request, "sso/new.html", context, status=400 if form.errors else 200)


@lock(Lock.ADMIN)
@fresh
@require_POST
def new_shared(request: HttpRequest, visit: Visit, kind: str) -> HttpResponse:
    """By the operator's registration: made at one click, and for Microsoft on to its page of consent."""
    wanted = _kind(visit, kind)
    if not showing.has_shared(wanted):
        raise Http404
    begun = overview.unfinished(visit.organization, wanted)
    made = begun or connect.add(visit.organization, wanted, connect.Wish(), by_visit(visit).actor)
    if request.POST.get("then") == "consent":
        return _leave(request, visit, made, Purpose.CONSENT)
    return redirect(_page_of(visit, made))


def _kind(visit: Visit, kind: str) -> Kind:
    """One that exists and that the plan has; 404 for every other."""
    if kind not in Kind.values or Method(kind) not in visit.plan.methods:
        raise Http404
    return Kind(kind)


def _given(request: HttpRequest) -> object:
    return request.POST if request.method == "POST" else None


def _say_whether_it_answers(request: HttpRequest, connection: Connection) -> None:
    """It is kept either way: the provider may be set up later than this page."""
    check = doctor.discovery(connection)
    if check.is_good:
        messages.success(request, _("Saved. {sentence}").format(sentence=check.sentence))
    else:
        messages.warning(request, f"{_('Saved.')} {check.sentence} {check.next_step}")


# One of them


@lock(Lock.ADMIN)
@require_safe
def connection(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """How it stands, what comes next, who came by it."""
    return _show(request, visit, own(visit, connection_id))


def own(visit: Visit, connection_id: uuid.UUID) -> Connection:
    try:
        return finding.own(visit.organization, connection_id)
    except UsherError as no:
        raise Http404 from no


def _page_of(visit: Visit, found: Connection) -> str:
    return reverse("sso:connection", args=[visit.organization.slug, found.id])


def _show(
    request: HttpRequest,
    visit: Visit,
    found: Connection,
    findings: Sequence[Finding] = (),
    checks: Sequence[Check] = (),
) -> HttpResponse:
    """The page; with what was refused in place, or with what the doctor has found."""
    context = {
        **frame(visit, "settings"),
        "view": View(found),
        "connection": found,
        "findings": findings,
        "checks": checks,
        "rules": words.rules_aloud(found),
        "scope": overview.scope_of(found),
        "has_registration": found.is_own or showing.has_shared(Kind(found.kind)),
        "first_step": _("Connect") if found.kind == Kind.OIDC else _("Prove"),
        "is_in_plan": Method(found.kind) in visit.plan.methods,
    }
    status = findings[0].reason.status if findings else 200
    return render(request, "sso/connection.html", context, status=status)


@lock(Lock.ADMIN)
@fresh
@require_POST
def consent(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """To Microsoft, where an admin lets Usher in for the whole tenant, and on from there to prove it."""
    found = own(visit, connection_id)
    if found.kind != Kind.MICROSOFT:
        raise Http404
    return _leave(request, visit, found, Purpose.CONSENT)


@lock(Lock.ADMIN)
@fresh
@require_POST
def prove(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """Sign in as an admin of the other side."""
    found = own(visit, connection_id)
    if found.kind == Kind.OIDC:
        raise Http404
    return _leave(request, visit, found, Purpose.BIND)


@lock(Lock.ADMIN)
@fresh
@require_POST
def test(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """Sign in as anybody of the other side; nobody is let in by it."""
    return _leave(request, visit, own(visit, connection_id), Purpose.TEST)


def _leave(request: HttpRequest, visit: Visit, found: Connection, purpose: Purpose) -> HttpResponse:
    """To the provider and back to the page of the connection."""
    is_domain = purpose is Purpose.BIND and found.kind == Kind.GOOGLE
    wish = Wish(
        Kind(found.kind),
        found,
        purpose,
        visit.account,
        next=_page_of(visit, found),
        extra_facts=frozenset({google.ADMIN}) if is_domain else frozenset(),
    )
    try:
        return go(request, wish)
    except UsherError as no:
        return _show(request, visit, found, no.findings)


@lock(Lock.ADMIN)
@fresh
@require_POST
def switch(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """On or off."""
    found, is_on = own(visit, connection_id), request.POST.get("to") == "on"
    said = _("Switched on. All admins are told.") if is_on else _("Switched off. Nobody comes in by it now.")
    act = lambda: connect.switch(found, on=is_on, actor=by_visit(visit).actor)  # noqa: E731
    return _done(request, visit, found, act, said)


def _done(
    request: HttpRequest, visit: Visit, found: Connection, act: Callable[[], object], said: str
) -> HttpResponse:  # fmt: skip
    try:
        act()
    except UsherError as no:
        return _show(request, visit, found, no.findings)
    messages.success(request, said)
    return redirect(_page_of(visit, found))


@lock(Lock.ADMIN)
@require_POST
def examine(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """The doctor looks now. It changes nothing, so it wants no fresh proof of who asks."""
    found = own(visit, connection_id)
    try:
        return _show(request, visit, found, checks=doctor.look(found))
    except UsherError as no:
        return _show(request, visit, found, no.findings)


@lock(Lock.ADMIN)
@fresh
@asks
def change(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """Its registration and its options."""
    found = own(visit, connection_id)
    form = forms.change_form(_given(request), found, connect.wish_of(found))
    if form.is_valid():
        try:
            changed = connect.change(found, form.wish(), by_visit(visit).actor)
        except UsherError as no:
            form.add_findings(no)
        else:
            messages.success(request, _saved(found, changed))
            return redirect(_page_of(visit, found))
    context = {**frame(visit, "settings"), "form": form, "view": View(found), "connection": found}
    return render(request, "sso/change.html", context, status=400 if form.errors else 200)


def _saved(before: Connection, now: Connection) -> str:
    if before.state == Connection.State.ON and now.state != Connection.State.ON:
        return _("Saved. It is another provider now, so it is off until it is proved and tried again.")
    return _("Saved. All admins are told by mail.")


@lock(Lock.ADMIN)
@fresh
@asks
def remove(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """Says what follows, and removes it when that is sent."""
    found = own(visit, connection_id)
    if request.method != "POST":
        return render(request, "sso/remove.html", {**frame(visit, "settings"), "view": View(found)})
    try:
        connect.remove(found, by_visit(visit).actor)
    except UsherError as no:
        if no.findings[0].reason is Reason.UNKNOWN_CONNECTION:
            raise Http404 from no
        return _show(request, visit, found, no.findings)
    messages.success(request, _("{provider} is removed.").format(provider=View(found).label))
    return redirect("sso:integrations", visit.organization.slug)
