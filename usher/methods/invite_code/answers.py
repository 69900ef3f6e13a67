"""What is answered when the door has decided about somebody who came by a code and is signed in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from usher.core.reasons import Finding, Reason
from usher.lifecycle.joiner import Outcome, Result
from usher.methods.invite_code.arrivals import Way
from usher.organizations.models import Organization

# A "no" that an address of one's own, proved, would turn into a yes.
WANT_AN_ADDRESS = (Reason.ACCOUNT_BELONGS_ELSEWHERE, Reason.CODE_NEEDS_ADDRESS)


def after(request: HttpRequest, way: Way, outcome: Outcome, *, is_new: bool = False) -> HttpResponse:
    """To the house, to the page that says who decides, or the page of the code with the reason.

    ``is_new``: the account was made in this request, and stays whatever the door says.
    """
    if outcome.result is Result.REFUSED:
        return no(request, way, outcome.findings, is_new=is_new)
    if outcome.result is Result.WAITING or not _said(request, way, outcome):
        return redirect("invite_code:join", way.code.code)
    return redirect("console:organization", way.organization.slug)


def no(request: HttpRequest, way: Way, findings: tuple[Finding, ...], *, is_new: bool = False) -> HttpResponse:
    """The page of the code with the reason, the next step and another try."""
    context = {
        **clothes(way.organization),
        "way": way,
        "findings": findings,
        "is_new": is_new,
        "address_url": "/account/address" if findings[0].reason in WANT_AN_ADDRESS else "",
    }
    return render(request, "invite_code/join.html", context, status=findings[0].reason.status)


def _said(request: HttpRequest, way: Way, outcome: Outcome) -> bool:
    """Tell somebody who is in what is new; False for who was here before, or waits."""
    if outcome.result is Result.PLACED:
        messages.success(request, _("You are in {groups} now.").format(groups=", ".join(outcome.joiner.groups)))
    elif outcome.result in (Result.JOINED, Result.CREATED):
        place, role = way.organization.name, way.role.label
        messages.success(request, _("You are in {place} now, as {role}.").format(place=place, role=role))
    return outcome.result is not Result.UNCHANGED


def clothes(organization: Organization) -> dict[str, Any]:
    """What a page at the door wears."""
    return {"organization": organization, "accent_url": f"/o/{organization.slug}/accent.css"}
