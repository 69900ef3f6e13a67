"""Your account: the name, the address, the organisations. GET acts nowhere; the tab "Security" has its own pages."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from usher.core import postman
from usher.core.errors import UsherError
from usher.core.limits import network_of
from usher.core.middleware import client_ip
from usher.core.reasons import Reason
from usher.lifecycle import leave as leaving
from usher.lifecycle import offers
from usher.lifecycle.why import why
from usher.people import groups, members, own_address, own_name
from usher.people.access import Lock, Visit, lock
from usher.people.fresh import fresh
from usher.people.models import Membership
from usher.people.sign_in import sign_in_account
from usher.signin import forms
from usher.signin.page import after, asks, clothes, hides, password_page, posted

ACCOUNT = "/account"
ORGANIZATIONS = "/account/organizations"
ADDRESS = "/account/address"


# You


@lock(Lock.SIGNED_IN)
@asks
def account(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What is known of the person; POST changes the name."""
    form, status = forms.NameForm(posted(request), initial={"username": visit.account.username}), 200
    if form.is_valid():
        try:
            if own_name.rename(visit.account, form.cleaned_data["username"]):
                messages.success(request, _("Your name is changed, in every organisation."))
            return redirect(ACCOUNT)
        except UsherError as error:
            status = forms.show(form, error)
    page = {"tab": "you", "form": form, "account": visit.account, "wanted": own_address.wanted(visit.account)}
    return render(request, "signin/account.html", page, status=status)


@lock(Lock.SIGNED_IN)
@fresh
@asks
def address(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for another address, or for the proof of the one there is."""
    mine = visit.account
    form, status = forms.AddressForm(posted(request), initial={"email": "" if mine.is_proved else mine.email}), 200
    if form.is_valid():
        try:
            own_address.ask(mine, form.cleaned_data["email"], network_of(client_ip(request)))
            said = _("A mail is on its way to {address}. Open the link in it in this browser.")
            messages.success(request, said.format(address=form.cleaned_data["email"].strip()))
            return redirect(ACCOUNT)
        except UsherError as error:
            status = forms.show(form, error)
    page = {"tab": "you", "form": form, "account": mine, "can_send": postman.can_send(), "hours": own_address.HOURS}
    return render(request, "signin/account_address.html", page, status=status)


@lock(Lock.SIGNED_IN)
@asks
@hides
def prove(request: HttpRequest, visit: Visit, token: str) -> HttpResponse:
    """The link that the new mailbox got. An account that nobody had proved is claimed by it, with a new password."""
    mine = visit.account
    try:
        link = own_address.look(mine, token)
    except UsherError as error:
        if error.findings[0].reason is not Reason.LINK_DEAD:
            raise
        page = {"finding": error.findings[0], "again_url": ADDRESS, **clothes(None)}
        return render(request, "signin/link_dead.html", page, status=error.status)
    form, status = forms.ChosenPasswordForm(posted(request)), 200
    if request.method == "POST" and (mine.is_proved or form.is_valid()):
        try:
            return _proved(request, visit, token, form.cleaned_data["password"] if form.is_valid() else "")
        except UsherError as error:
            status = forms.show(form, error)
    page = {**password_page(form, mine), "tab": "you", "link": link}
    return render(request, "signin/account_prove.html", page, status=status)


def _proved(request: HttpRequest, visit: Visit, token: str, password: str) -> HttpResponse:
    mine = own_address.confirm(visit.account, token, password)
    if not visit.account.is_proved:
        # Every session has ended, this one too; whoever sits here has just proved to be the owner.
        sign_in_account(request, mine)
    messages.success(request, _("Your address is proved. You sign in with it from now on."))
    return redirect(ACCOUNT)


# Your organisations


@lock(Lock.SIGNED_IN)
@require_safe
def organizations(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Where the account is in and why, where it waits, and what is offered to it."""
    here = members.where(visit.account)
    page = {
        "tab": "organizations",
        "account": visit.account,
        "cards": [_card(member) for member in here.active],
        "waiting": here.waiting,
        "offers": [_card(offer) for offer in offers.listed(visit.account)],
    }
    return render(request, "signin/account_organizations.html", page)


def _card(member: Membership) -> dict[str, object]:
    return {
        "member": member,
        "organization": member.organization,
        "role": member.organization.license.plan.role(member.role),
        "groups": [place.group.name for place in groups.of_member(member)],
        "why": why(member.organization, member).answer,
    }


@lock(Lock.SIGNED_IN)
@asks
def leave(request: HttpRequest, visit: Visit, membership_id: uuid.UUID) -> HttpResponse:
    """Ask once, since only an admin can undo it; POST leaves."""
    if request.method == "POST":
        left = leaving.leave(visit.account, membership_id)
        messages.success(request, _("You have left {name}.").format(name=left.name))
        return redirect(ORGANIZATIONS)
    here = members.where(visit.account)
    member = next((one for one in (*here.active, *here.waiting) if one.id == membership_id), None)
    if member is None:
        raise Http404
    page = {"tab": "organizations", "member": member, "organization_left": member.organization}
    return render(request, "signin/account_leave.html", page)


@lock(Lock.SIGNED_IN)
@require_POST
def take(request: HttpRequest, visit: Visit, membership_id: uuid.UUID) -> HttpResponse:
    """Say yes to what an organisation made for this address."""
    member = offers.take(visit.account, membership_id)
    messages.success(request, _("You are in {name} now.").format(name=member.organization.name))
    return redirect(after(request.POST.get("next", ORGANIZATIONS)))


@lock(Lock.SIGNED_IN)
@require_POST
def end(request: HttpRequest, visit: Visit, membership_id: uuid.UUID) -> HttpResponse:
    """Say no to it."""
    offers.end(visit.account, membership_id)
    messages.success(request, _("The offer is gone. An admin there can make it again."))
    return redirect(after(request.POST.get("next", ORGANIZATIONS)))
