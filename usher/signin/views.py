"""The pages at the door: signing in and out, and choosing a password. GET acts nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from usher.core.accent import accent_css
from usher.core.errors import UsherError
from usher.organizations.models import Organization
from usher.people import credentials
from usher.people import sign_in as door
from usher.people.access import Lock, Visit, lock, open_to_anyone
from usher.people.models import Account
from usher.signin import forms

V = TypeVar("V", bound=Callable[..., HttpResponse])

HOME = "/home"
asks = require_http_methods(["GET", "HEAD", "POST"])
hides = sensitive_post_parameters("password", "again", "old")


def before_first_password(view: V) -> V:
    """The lock sends whoever has to choose a first password here, and therefore lets him in here alone."""
    view.usher_first_password = True  # type: ignore[attr-defined]
    return view


@open_to_anyone
@asks
@hides
def sign_in(request: HttpRequest, slug: str = "") -> HttpResponse:
    """The common door, and every organisation's own; a slug that nobody has shows the common one."""
    if request.method != "POST" and request.user.is_authenticated:
        return redirect(_after(request.GET.get("next", "")))
    organization, status = door.organization_of(slug), 200
    form = forms.SignInForm(_posted(request), initial=request.GET.dict())
    if form.is_valid():
        given = form.cleaned_data
        try:
            door.sign_in(request, given["name"], given["password"], organization)
            return redirect(_after(given["next"]))
        except UsherError as error:
            status = forms.show(form, error)
    return render(request, "signin/sign_in.html", {"form": form, **_clothes(organization)}, status=status)


@open_to_anyone
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("/")


@open_to_anyone
@require_safe
def forgot(request: HttpRequest, slug: str = "") -> HttpResponse:
    return render(request, "signin/forgot.html", _clothes(door.organization_of(slug)))


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
    form = forms.ChosenPasswordForm(_posted(request))
    if form.is_valid():
        try:
            door.sign_in_account(request, credentials.set_up(token, form.cleaned_data["password"]))
            return redirect(HOME)
        except UsherError as error:
            status = forms.show(form, error)
    return render(request, "signin/set_up.html", _password_page(form, account), status=status)


@lock(Lock.SIGNED_IN)
@before_first_password
@asks
@hides
def first_password(request: HttpRequest, visit: Visit) -> HttpResponse:
    if not visit.account.must_change_password:
        return redirect(HOME)
    form, status = forms.ChosenPasswordForm(_posted(request)), 200
    if form.is_valid():
        try:
            credentials.choose_password(visit.account, form.cleaned_data["password"])
            update_session_auth_hash(request, visit.account)
            return redirect(HOME)
        except UsherError as error:
            status = forms.show(form, error)
    return render(request, "signin/first_password.html", _password_page(form, visit.account), status=status)


@lock(Lock.SIGNED_IN)
@asks
@hides
def password(request: HttpRequest, visit: Visit) -> HttpResponse:
    form, status = forms.ChangePasswordForm(_posted(request)), 200
    if form.is_valid():
        given = form.cleaned_data
        try:
            credentials.change_own_password(visit.account, given["old"], given["password"])
            update_session_auth_hash(request, visit.account)
            messages.success(request, _("Your password is changed. Other browsers are signed out."))
            return redirect(HOME)
        except UsherError as error:
            status = forms.show(form, error)
    return render(request, "signin/password.html", _password_page(form, visit.account), status=status)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _after(wanted: str) -> str:
    """Where the person wanted to go, if that is a page of ours: a path, never another address."""
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours else HOME


def _clothes(organization: Organization | None) -> dict[str, Any]:
    """What the door wears: the organisation's name and colour, or the house's own."""
    if organization is None:
        return {"organization": None, "forgot_url": "/forgot", "sign_in_url": "/"}
    door_url = f"/o/{organization.slug}/"
    return {
        "organization": organization,
        "accent_url": f"{door_url}accent.css",
        "forgot_url": f"{door_url}forgot",
        "sign_in_url": f"{door_url}sign-in",
    }


def _password_page(form: forms.ChosenPasswordForm, account: Account) -> dict[str, Any]:
    page = {"form": form, "account": account, "least": credentials.least_length(account), "home_url": HOME}
    return {**page, **_clothes(account.home)}
