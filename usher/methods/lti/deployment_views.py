"""The deployments of an LMS: added by their id, approved when a launch brought them, removed."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from usher.core.errors import UsherError
from usher.lifecycle.visitor import by_visit
from usher.methods.lti import connect, forms, platforms
from usher.methods.lti.models import Deployment, Platform
from usher.methods.lti.overview import View
from usher.methods.lti.views import done, own, show
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame
from usher.people.fresh import fresh


@lock(Lock.ADMIN)
@fresh
@require_POST
def add(request: HttpRequest, visit: Visit, platform_id: uuid.UUID) -> HttpResponse:
    """By its id, as the LMS shows it."""
    found, form = own(visit, platform_id), forms.DeploymentForm(request.POST)
    if not form.is_valid():
        return show(request, visit, found, form=form)
    typed = form.cleaned_data["deployment_id"]
    act = lambda: connect.add_deployment(found, typed, visit.organization, by_visit(visit).actor)  # noqa: E731
    return done(request, visit, found, act, _("Added and approved. All admins are told."))


@lock(Lock.ADMIN)
@fresh
@require_POST
def approve(request: HttpRequest, visit: Visit, platform_id: uuid.UUID, deployment_id: uuid.UUID) -> HttpResponse:
    """A yes to one that a launch brought."""
    found, deployment = _one(visit, platform_id, deployment_id)
    act = lambda: connect.approve_deployment(deployment, visit.organization, by_visit(visit).actor)  # noqa: E731
    return done(request, visit, found, act, _("Approved. Whoever waited opens it again in the LMS."))


@lock(Lock.ADMIN)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, visit: Visit, platform_id: uuid.UUID, deployment_id: uuid.UUID) -> HttpResponse:
    """Says what follows, and removes it when that is sent."""
    found, deployment = _one(visit, platform_id, deployment_id)
    if request.method != "POST":
        context = {**frame(visit, "settings"), "view": View(found), "deployment": deployment}
        return render(request, "lti/remove_deployment.html", context)
    act = lambda: connect.remove_deployment(deployment, by_visit(visit).actor)  # noqa: E731
    return done(request, visit, found, act, _("The deployment is removed. All admins are told."))


def _one(visit: Visit, platform_id: uuid.UUID, deployment_id: uuid.UUID) -> tuple[Platform, Deployment]:
    found = own(visit, platform_id)
    try:
        return found, platforms.deployment_by_id(found, deployment_id)
    except UsherError as no:
        raise Http404 from no
