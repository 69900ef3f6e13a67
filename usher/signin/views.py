"""The pages at the door: signing in and out, and choosing a password. GET acts nowhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from usher.core.accent import accent_css
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.methods.sso import questions, showing
from usher.organizations.models import Organization, PasswordsFor
from usher.people import credentials, passkeys, sessions, single_sign_on, waiting
from usher.people import sign_in as door
from usher.people.access import Lock, Visit, lock, open_to_anyone, to_new_slug
from usher.people.models import Account
from usher.signin import forms, proof_forms
from usher.signin.page import HOME, after, asks, before_first_password, clothes, hides, password_page, posted
from usher.signin.second import passkey_part


@open_to_anyone
@asks
@hides
def sign_in(request: HttpRequest, slug: str = "") -> HttpResponse:
    """The common door, and every organisation's own; a slug that nobody has shows the common one.

    Who is signed in already goes on, but for a member whom the organisation wants to prove himself by its own
    identity provider: this page is where the lock sends him to (people/access.py), and says so.
    """
    organization = door.organization_of(slug)
    barred = _barred(request, organization)
    if request.method != "POST" and request.user.is_authenticated and barred is None:
        return redirect(after(request.GET.get("next", "")))
    if organization and organization.slug != slug and request.method != "POST":
        return to_new_slug(request, slug, organization.slug)
    kind = proof_forms.PasskeyForm if "credential" in request.POST else forms.SignInForm
    form, status, other_door = kind(posted(request), initial=request.GET.dict()), 200, ""
    if form.is_valid():
        try:
            return redirect(_enter(request, form.cleaned_data, organization))
        except UsherError as error:
            status, other_door = forms.show(form, error), _other_door(error, organization)
    wanted = request.POST.get("next", request.GET.get("next", ""))
    page = {
        "form": form if isinstance(form, forms.SignInForm) else forms.SignInForm(initial={"next": wanted}),
        "refused": form,
        "next": wanted,
        "passkey": passkey_part(request, passkeys.Purpose.SIGN_IN),
        "barred": barred if barred and barred.reason is Reason.SSO_ONLY else None,
        "proved_elsewhere": barred if barred and barred.reason is Reason.PROVED_ELSEWHERE else None,
        "other_door": other_door,
        **_buttons(organization),
        "by_address": organization is None and showing.is_any_active(),
        **clothes(organization),
    }
    return render(request, "signin/sign_in.html", page, status=status)


def _other_door(error: UsherError, organization: Organization | None) -> str:
    """The short name of the organisation whose own door is the way in for whoever stands at this one."""
    slug = str(error.findings[0].facts.get("slug", ""))
    return "" if organization and organization.slug == slug else slug


def _buttons(organization: Organization | None) -> dict[str, Any]:
    """Those of single sign-on; they come first where a password is for few."""
    buttons = showing.buttons(organization)
    is_for_few = organization is not None and organization.passwords_for != PasswordsFor.EVERYONE
    return {"buttons": buttons, "provider_first": bool(buttons) and is_for_few}


def _barred(request: HttpRequest, organization: Organization | None) -> Finding | None:
    """Why whoever is signed in here does not get into the organisation; None where nothing keeps him out."""
    account = request.user
    if organization is None or not isinstance(account, Account):
        return None
    return single_sign_on.keeps_out(request, account, organization)


def _enter(request: HttpRequest, given: dict[str, str], organization: Organization | None) -> str:
    """Where to go now: where the person wanted to, or first to the page that asks for a second proof."""
    if "credential" in given:
        door.sign_in_by_passkey(request, given["credential"], organization)
        return after(given["next"])
    to_link = questions.is_asked(request, given["next"])
    if not door.sign_in(request, given["name"], given["password"], organization, to_link=to_link):
        return f"{waiting.SECOND}?{urlencode({'next': given['next']})}" if given["next"] else waiting.SECOND
    return after(given["next"])


@open_to_anyone
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    sessions.sign_out(request)
    return redirect("/")


@open_to_anyone
@require_safe
def accent(request: HttpRequest, slug: str) -> HttpResponse:
    """The organisation's colour as a stylesheet; without an organisation the house colours stand."""
    organization = door.organization_of(slug)
    css = accent_css(organization.accent) if organization else ""
    return HttpResponse(css, content_type="text/css", headers={"Cache-Control": "max-age=300, private"})


@open_to_anyone
@asks
@hides
def set_up(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the form and uses nothing up: mail scanners open links."""
    account, status = credentials.account_to_set_up(token), 200
    form = forms.ChosenPasswordForm(posted(request))
    if form.is_valid():
        try:
            door.sign_in_account(request, credentials.set_up(token, form.cleaned_data["password"]))
            return redirect(HOME)
        except UsherError as error:
            status = forms.show(form, error)
    return render(request, "signin/set_up.html", password_page(form, account), status=status)


@lock(Lock.SIGNED_IN)
@before_first_password
@asks
@hides
def first_password(request: HttpRequest, visit: Visit) -> HttpResponse:
    if not visit.account.must_change_password:
        return redirect(HOME)
    form, status = forms.ChosenPasswordForm(posted(request)), 200
    if form.is_valid():
        try:
            credentials.choose_password(visit.account, form.cleaned_data["password"])
            sessions.renew(request, visit.account)
            return redirect(HOME)
        except UsherError as error:
            status = forms.show(form, error)
    return render(request, "signin/first_password.html", password_page(form, visit.account), status=status)


@lock(Lock.SIGNED_IN)
@asks
@hides
def password(request: HttpRequest, visit: Visit) -> HttpResponse:
    form, status = forms.ChangePasswordForm(posted(request)), 200
    if form.is_valid():
        given = form.cleaned_data
        try:
            credentials.change_own_password(visit.account, given["old"], given["password"])
            sessions.renew(request, visit.account)
            messages.success(request, _("Your password is changed. Other browsers are signed out."))
            return redirect(HOME)
        except UsherError as error:
            status = forms.show(form, error)
    return render(request, "signin/password.html", password_page(form, visit.account), status=status)
