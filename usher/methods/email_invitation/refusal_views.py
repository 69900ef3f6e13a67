"""“This was not for me”: whoever has the mailbox says what is not wanted any more. GET shows, POST does it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from usher.core.errors import UsherError
from usher.methods.email_invitation import refusal
from usher.methods.email_invitation.accept_forms import AllowForm, RefusalForm
from usher.methods.email_invitation.doorway import asks, clothes
from usher.methods.email_invitation.models import Invitation
from usher.methods.email_invitation.refusal import Scope
from usher.people.access import open_to_anyone


@open_to_anyone
@asks
def not_for_me(request: HttpRequest, token: str) -> HttpResponse:
    """The choices, or what is so since one was made."""
    try:
        invitation = refusal.find(token)
    except UsherError as error:
        page = {**clothes(None), "finding": error.findings[0]}
        return render(request, "email_invitation/not_for_me_over.html", page, status=error.status)
    if request.method != "POST":
        return _choices(request, invitation)
    return _allow(request, invitation) if request.POST.get("act") == "allow" else _refuse(request, invitation)


def _refuse(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = RefusalForm(request.POST, organization=invitation.organization.name)
    if not form.is_valid():
        return _choices(request, invitation, form=form, status=400)
    scope = Scope(form.cleaned_data["scope"])
    refusal.refuse(invitation, scope)
    return _done(request, invitation)


def _allow(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = AllowForm(request.POST)
    if not form.is_valid():
        return _choices(request, invitation, allow=form, status=400)
    refusal.allow_again(invitation)
    return _done(request, invitation, is_allowed=True)


def _choices(request: HttpRequest, invitation: Invitation, *, status: int = 200, **forms: Any) -> HttpResponse:
    wanted = refusal.wants_none(invitation)
    page = {
        **clothes(invitation.organization),
        "invitation": invitation,
        "wants_none": wanted,
        "form": RefusalForm(organization=invitation.organization.name),
        "allow": AllowForm() if wanted else None,
        **forms,
    }
    return render(request, "email_invitation/not_for_me.html", page, status=status)


def _done(request: HttpRequest, invitation: Invitation, *, is_allowed: bool = False) -> HttpResponse:
    page = {
        **clothes(invitation.organization),
        "invitation": invitation,
        "wants_none": refusal.wants_none(invitation),
        "is_allowed": is_allowed,
    }
    return render(request, "email_invitation/not_for_me_done.html", page)
