"""Organisation → Settings → Integrations → LTI 1.3: an LMS connected, tried, switched on, looked at and removed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from usher.core.errors import UsherError
from usher.core.findings import Finding
from usher.lifecycle.visitor import by_visit
from usher.methods.lti import connect, doctor, forms, platforms, registration
from usher.methods.lti.doctor import Check
from usher.methods.lti.families import Family
from usher.methods.lti.models import Platform
from usher.methods.lti.overview import View
from usher.methods.lti.presets import PRESETS, Preset
from usher.methods.lti.wishes import draft_of
from usher.organizations.plans import Method
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame
from usher.people.fresh import fresh

asks = require_http_methods(["GET", "HEAD", "POST"])
TEST_MINUTES: Final = 10


def _given(request: HttpRequest) -> object:
    return request.POST if request.method == "POST" else None


# A new one


@lock(Lock.ADMIN)
@require_safe
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Which LMS it is."""
    is_in_plan = Method.LTI in visit.plan.methods
    context = {**frame(visit, "settings"), "presets": list(PRESETS.values()), "is_in_plan": is_in_plan}
    return render(request, "lti/new.html", context)


@lock(Lock.ADMIN)
@require_safe
def new_family(request: HttpRequest, visit: Visit, family: str) -> HttpResponse:
    """By a registration URL where the LMS takes one, else by hand."""
    return _show_new(request, visit, _preset(visit, family))


@lock(Lock.ADMIN)
@fresh
@require_POST
def new_link(request: HttpRequest, visit: Visit, family: str) -> HttpResponse:
    """Make the registration URL, which is shown this once."""
    preset = _preset(visit, family)
    try:
        link = registration.new_link(visit.organization, by_visit(visit).actor)
    except UsherError as no:
        return _show_new(request, visit, preset, findings=no.findings)
    return _show_new(request, visit, preset, link=link)


@lock(Lock.ADMIN)
@fresh
@require_POST
def new_by_hand(request: HttpRequest, visit: Visit, family: str) -> HttpResponse:
    """A draft with all that is known; its page has the addresses for the LMS."""
    preset = _preset(visit, family)
    wish = draft_of(preset)
    try:
        made = connect.add(visit.organization, wish, by_visit(visit).actor)
    except UsherError as no:
        return _show_new(request, visit, preset, findings=no.findings)
    return redirect(page_of(visit, made))


def _preset(visit: Visit, family: str) -> Preset:
    """One that exists, where the plan has it; 404 for every other."""
    if family not in Family.values or Method.LTI not in visit.plan.methods:
        raise Http404
    return PRESETS[Family(family)]


def _show_new(
    request: HttpRequest, visit: Visit, preset: Preset, *, link: str = "", findings: Sequence[Finding] = ()
) -> HttpResponse:
    context = {**frame(visit, "settings"), "preset": preset, "link": link, "findings": findings}
    return render(request, "lti/new_family.html", context, status=findings[0].reason.status if findings else 200)


# One of them


def own(visit: Visit, platform_id: uuid.UUID) -> Platform:
    try:
        return platforms.own(visit.organization, platform_id)
    except UsherError as no:
        raise Http404 from no


def page_of(visit: Visit, found: Platform) -> str:
    return reverse("lti:platform", args=[visit.organization.slug, found.id])


@lock(Lock.ADMIN)
@require_safe
def platform(request: HttpRequest, visit: Visit, platform_id: uuid.UUID) -> HttpResponse:
    """How it stands, what comes next, who came by it."""
    return show(request, visit, own(visit, platform_id))


def show(
    request: HttpRequest,
    visit: Visit,
    found: Platform,
    findings: Sequence[Finding] = (),
    checks: Sequence[Check] = (),
    form: forms.DeploymentForm | None = None,
) -> HttpResponse:
    """The page; with what was refused in place, or with what the doctor has found."""
    context = {
        **frame(visit, "settings"),
        "view": View(found),
        "platform": found,
        "findings": findings,
        "checks": checks,
        "form": form or forms.DeploymentForm(),
        "is_in_plan": Method.LTI in visit.plan.methods,
    }
    status = findings[0].reason.status if findings else 400 if form and form.errors else 200
    return render(request, "lti/platform.html", context, status=status)


@lock(Lock.ADMIN)
@require_safe
def launches(request: HttpRequest, visit: Visit, platform_id: uuid.UUID) -> HttpResponse:
    """The last launches alone, for the page that looks again while somebody tries."""
    found = own(visit, platform_id)
    return render(request, "lti/_launches.html", {"view": View(found), "organization": visit.organization})


@lock(Lock.ADMIN)
@fresh
@require_POST
def approve(request: HttpRequest, visit: Visit, platform_id: uuid.UUID) -> HttpResponse:
    """One yes to what registered itself, or was filled in."""
    found = own(visit, platform_id)
    said = _("Approved and switched on. All admins are told.")
    return done(request, visit, found, lambda: connect.approve(found, by_visit(visit).actor), said)


@lock(Lock.ADMIN)
@fresh
@require_POST
def switch(request: HttpRequest, visit: Visit, platform_id: uuid.UUID) -> HttpResponse:
    """On or off."""
    found, is_on = own(visit, platform_id), request.POST.get("to") == "on"
    said = _("Switched on. All admins are told.") if is_on else _("Switched off. Nobody comes in by it now.")
    return done(
        request, visit, found, lambda: connect.switch(found, on=is_on, actor=by_visit(visit).actor), said
    )  # fmt: skip


@lock(Lock.ADMIN)
@fresh
@require_POST
def test(request: HttpRequest, visit: Visit, platform_id: uuid.UUID) -> HttpResponse:
    """Launches of the next ten minutes are only looked at; or that ends now."""
    found, is_on = own(visit, platform_id), request.POST.get("to") == "on"
    said = _("Now open Usher in your LMS. What comes is shown below.") if is_on else _("The test is over.")
    minutes = TEST_MINUTES if is_on else 0
    return done(request, visit, found, lambda: connect.set_test(found, minutes=minutes), said)


def done(
    request: HttpRequest, visit: Visit, found: Platform, act: Callable[[], object], said: str
) -> HttpResponse:  # fmt: skip
    """Do it, and back to the page; a refusal is shown there."""
    try:
        act()
    except UsherError as no:
        return show(request, visit, found, no.findings)
    messages.success(request, said)
    return redirect(page_of(visit, found))


@lock(Lock.ADMIN)
@require_POST
def examine(request: HttpRequest, visit: Visit, platform_id: uuid.UUID) -> HttpResponse:
    """The doctor looks now. It changes nothing, so it wants no fresh proof of who asks."""
    found = own(visit, platform_id)
    try:
        return show(request, visit, found, checks=doctor.look(found))
    except UsherError as no:
        return show(request, visit, found, no.findings)


@lock(Lock.ADMIN)
@fresh
@asks
def fields(request: HttpRequest, visit: Visit, platform_id: uuid.UUID) -> HttpResponse:
    """What is copied from the LMS."""
    found = own(visit, platform_id)
    form = forms.FieldsForm(_given(request), connect.wish_of(found))
    return _changed(request, visit, found, form, "lti/fields.html")


@lock(Lock.ADMIN)
@fresh
@asks
def options(request: HttpRequest, visit: Visit, platform_id: uuid.UUID) -> HttpResponse:
    """What becomes of people and courses."""
    found = own(visit, platform_id)
    form = forms.OptionsForm(_given(request), connect.wish_of(found), visit.plan)
    return _changed(request, visit, found, form, "lti/options.html")


def _changed(
    request: HttpRequest,
    visit: Visit,
    found: Platform,
    form: forms.FieldsForm | forms.OptionsForm,
    template: str,
) -> HttpResponse:
    if form.is_valid():
        try:
            changed = connect.change(found, form.wish(), by_visit(visit).actor)
        except UsherError as no:
            form.add_findings(no)
        else:
            messages.success(request, _saved(found, changed))
            return redirect(page_of(visit, found))
    context = {**frame(visit, "settings"), "form": form, "view": View(found), "platform": found}
    return render(request, template, context, status=400 if form.errors else 200)


def _saved(before: Platform, now: Platform) -> str:
    if before.state != Platform.State.DRAFT and now.state == Platform.State.DRAFT:
        return _("Saved. It is another LMS now, so it is off until it is approved again.")
    return _("Saved. All admins are told by mail.")


@lock(Lock.ADMIN)
@fresh
@asks
def remove(request: HttpRequest, visit: Visit, platform_id: uuid.UUID) -> HttpResponse:
    """Says what follows, and removes it when that is sent."""
    found = own(visit, platform_id)
    if request.method != "POST":
        return render(request, "lti/remove.html", {**frame(visit, "settings"), "view": View(found)})
    label = View(found).label
    try:
        connect.remove(found, by_visit(visit).actor)
    except UsherError as no:
        raise Http404 from no
    messages.success(request, _("{provider} is removed.").format(provider=label))
    return redirect("sso:integrations", visit.organization.slug)
