"""Forgotten passwords: asking for a link by mail, and choosing a new password with it. GET acts nowhere."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from usher.core import postman
from usher.core.errors import UsherError
from usher.core.limits import network_of
from usher.core.middleware import client_ip
from usher.people import recovery
from usher.people import sign_in as door
from usher.people.access import open_to_anyone, to_new_slug
from usher.signin import forms
from usher.signin.page import asks, clothes, hides, password_page, posted


@open_to_anyone
@asks
def forgot(request: HttpRequest, slug: str = "") -> HttpResponse:
    """The form, and the same page afterwards for every address: the mail alone says whether there is an account."""
    organization, status = door.organization_of(slug), 200
    if organization and organization.slug != slug and request.method != "POST":
        return to_new_slug(request, slug, organization.slug)
    form = forms.AddressForm(posted(request))
    if form.is_valid():
        try:
            recovery.ask(form.cleaned_data["email"], network_of(client_ip(request)), organization)
            return redirect(f"{request.path}?sent=1")
        except UsherError as error:
            status = forms.show(form, error)
    page = {
        "form": form,
        "is_sent": "sent" in request.GET and not form.is_bound,
        "can_send": postman.can_send(),
        "minutes": recovery.MINUTES,
        **clothes(organization),
    }
    return render(request, "signin/forgot.html", page, status=status)


@open_to_anyone
@asks
@hides
def reset(request: HttpRequest, token: str) -> HttpResponse:
    """Shows the form and uses nothing up before a password is sent: programs open the links in mails."""
    try:
        link = recovery.look(token)
    except UsherError as error:
        page = {"finding": error.findings[0], "again_url": "/forgot", **clothes(None)}
        return render(request, "signin/link_dead.html", page, status=error.status)
    form, status = forms.ChosenPasswordForm(posted(request)), 200
    if form.is_valid():
        try:
            recovery.choose(token, form.cleaned_data["password"])
        except UsherError as error:
            status = forms.show(form, error)
        else:
            messages.success(request, _("Your new password works. Sign in with it."))
            return redirect(clothes(link.organization)["sign_in_url"])
    page = password_page(form, link.account)
    page |= clothes(link.organization or link.account.home) | {"link": link, "is_claim": not link.account.is_proved}
    return render(request, "signin/reset.html", page, status=status)
