"""The page of an invitation. GET and HEAD show who may do what; POST does it, and only what a person asks for.

Programs open the links in mails, and some send the forms they find. What one of them can send changes nothing: it is
signed in nowhere, and it types no password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from usher.core.errors import UsherError
from usher.core.limits import network_of
from usher.core.middleware import client_ip
from usher.core.reasons import Finding, Reason
from usher.lifecycle.joiner import Outcome, Result
from usher.methods.email_invitation import accept
from usher.methods.email_invitation.accept import Visitor
from usher.methods.email_invitation.accept_forms import NewcomerForm, show
from usher.methods.email_invitation.doorway import asks, clothes
from usher.methods.email_invitation.found import Found, look
from usher.organizations.models import Organization
from usher.people import sessions, waiting
from usher.people import sign_in as door
from usher.people.access import open_to_anyone
from usher.people.models import Account

# What is said when somebody came with this address since the page was shown: perhaps by the first of two clicks.
FASTER = (Reason.ACCOUNT_EXISTS, Reason.INVITATION_USED)


@dataclass(frozen=True, slots=True)
class Here:
    """Who stands before which invitation."""

    found: Found
    token: str
    who: Visitor

    @property
    def organization(self) -> Organization:
        return self.found.organization


@open_to_anyone
@asks
@sensitive_post_parameters("password")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The page of one invitation, by its mailed or its copied link."""
    account = _account(request)
    if account and account.must_change_password:
        return redirect("/first-password")
    try:
        found = accept.opened(token)
    except UsherError as error:
        return _over(request, token, error.findings[0])
    here = Here(found, token, accept.visitor(found, account))
    if request.method != "POST":
        return _page(request, here)
    act = ACTS.get((request.POST.get("act", ""), here.who))
    # What was true when the page was shown is not any more, or nobody asked for anything: the page says what is so.
    return act(request, here) if act else redirect("email_invitation:invitation_page", token)


def _account(request: HttpRequest) -> Account | None:
    return request.user if isinstance(request.user, Account) else None


# What is shown


def _page(
    request: HttpRequest, here: Here, findings: tuple[Finding, ...] = (), *, status: int = 200, **more: Any
) -> HttpResponse:
    """The page for this visitor; ``findings`` are why what was asked for is not done."""
    found = here.found
    page: dict[str, Any] = {
        **clothes(here.organization),
        "invitation": found.invitation,
        "role": found.role.label,
        "groups": found.groups,
        "findings": findings,
        "is_unproved": here.who is Visitor.UNPROVED,
        "is_sent": "sent" in request.GET,
        **more,
    }
    if here.who in (Visitor.NEW, Visitor.UNPROVED):
        page = {"form": _empty(found), "least": accept.least_length(found), **page}
    name = "new" if here.who is Visitor.UNPROVED else here.who.value
    return render(request, f"email_invitation/invitation_{name}.html", page, status=status)


def _empty(found: Found) -> NewcomerForm:
    return NewcomerForm(initial={"username": found.invitation.username})


def _over(request: HttpRequest, token: str, finding: Finding) -> HttpResponse:
    """By this link nobody comes in. Whoever came in by it goes on into the house, also by a second click."""
    found = look(token)
    if found and finding.reason is Reason.INVITATION_USED and _is_in(request, found):
        return _go_in(found)
    page = {**clothes(found.organization if found else None), "finding": finding}
    return render(request, "email_invitation/invitation_over.html", page, status=finding.reason.status)


def _is_in(request: HttpRequest, found: Found) -> bool:
    account = _account(request)
    if account is None and request.POST.get("act") == "register":
        try:
            _sign_in(request, found)
        except UsherError:
            return False
        account = _account(request)
    return account is not None and accept.is_in(found, account)


def _sign_in(request: HttpRequest, found: Found) -> bool:
    """The second of two equal sendings: by the password that the first one set, and counted like any other try.

    False when a second proof is wanted. Raises UsherError: sign_in_failed, too_many_tries.
    """
    at = found.organization if found.is_unproved else None
    return door.sign_in(request, found.invitation.email, request.POST.get("password", ""), at)


# What is done


def _join(request: HttpRequest, here: Here, *, is_new: bool = False) -> HttpResponse:
    """The click of who is signed in with the invited address. ``is_new``: the account was made in this very request,
    and stays whatever the door says."""
    account = _account(request)
    assert account is not None  # noqa: S101 - only READY leads here
    try:
        outcome = accept.accept(here.found, account)
    except UsherError as error:
        findings = error.findings
    else:
        if outcome.result is not Result.REFUSED:
            return _arrive(request, here.found, outcome)
        findings = outcome.findings
    if accept.is_in(here.found, account):  # pressed twice, and the other one was faster
        return _go_in(here.found)
    ready = Here(here.found, here.token, Visitor.READY)
    return _page(request, ready, findings, status=findings[0].reason.status, is_new=is_new)


def _arrive(request: HttpRequest, found: Found, outcome: Outcome) -> HttpResponse:
    if outcome.result is Result.PLACED:
        messages.success(request, _("You are in {groups} now.").format(groups=", ".join(outcome.joiner.groups)))
    elif outcome.result is not Result.UNCHANGED:
        place, role = found.organization.name, found.role.label
        messages.success(request, _("You are in {place} now, as {role}.").format(place=place, role=role))
    return _go_in(found)


def _go_in(found: Found) -> HttpResponse:
    """Away from the address with the token in it."""
    return redirect("console:organization", found.organization.slug)


def _register(request: HttpRequest, here: Here) -> HttpResponse:
    """Name and password, and in; the account first, then the door."""
    form, status = NewcomerForm(request.POST), 400
    if form.is_valid():
        make = _come_in_unproved if here.who is Visitor.UNPROVED else _make_account
        try:
            return make(request, here, form.cleaned_data["username"], form.cleaned_data["password"])
        except UsherError as error:
            if error.findings[0].reason in FASTER:
                return _again(request, here)
            status = show(form, error)
    return _page(request, here, form=form, status=status)


def _make_account(request: HttpRequest, here: Here, username: str, password: str) -> HttpResponse:
    account = accept.register(here.found, here.token, username, password)
    door.sign_in_account(request, account)
    return _join(request, here, is_new=True)


def _come_in_unproved(request: HttpRequest, here: Here, username: str, password: str) -> HttpResponse:
    account = accept.come_in_unproved(here.found, username, password)
    door.sign_in_account(request, account, here.organization)
    place, role = here.organization.name, here.found.role.label
    messages.success(request, _("You are in {place} now, as {role}.").format(place=place, role=role))
    return _go_in(here.found)


def _again(request: HttpRequest, here: Here) -> HttpResponse:
    """The form was sent twice, or the address got an account of its own meanwhile."""
    try:
        if _sign_in(request, here.found):
            return _join(request, here)
    except UsherError as error:
        no = error.findings[0]
        known = Here(here.found, here.token, Visitor.HAS_ACCOUNT)
        finding = Reason.ACCOUNT_EXISTS() if no.reason is Reason.SIGN_IN_FAILED else no
        return _page(request, known, (finding,), status=finding.reason.status)
    return redirect(f"{waiting.SECOND}?{urlencode({'next': request.path})}")


def _switch(request: HttpRequest, here: Here) -> HttpResponse:
    """Signed in as somebody else: signed out, and here again."""
    sessions.sign_out(request)
    return redirect("email_invitation:invitation_page", here.token)


def _mail(request: HttpRequest, here: Here) -> HttpResponse:
    try:
        accept.mail_again(here.found, network_of(client_ip(request)))
    except UsherError as error:
        return _page(request, here, error.findings, status=error.status)
    return redirect(f"{request.path}?sent=1")


Act = Callable[[HttpRequest, Here], HttpResponse]
ACTS: Mapping[tuple[str, Visitor], Act] = {
    ("accept", Visitor.READY): _join,
    ("register", Visitor.READY): _join,  # the form was sent a second time, and the first one signed in
    ("register", Visitor.NEW): _register,
    ("register", Visitor.UNPROVED): _register,
    ("register", Visitor.HAS_ACCOUNT): _again,
    ("switch", Visitor.WRONG): _switch,
    ("mail", Visitor.PROVE): _mail,
}
