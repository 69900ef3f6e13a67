"""Registering with an invite code, and confirming the address by the link in the mail. GET acts nowhere."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from usher.core import switches, tokens
from usher.core.errors import UsherError
from usher.core.limits import network_of
from usher.core.middleware import client_ip
from usher.core.reasons import Reason
from usher.methods.invite_code import answers, arrivals, guesses
from usher.methods.invite_code.arrivals import Way
from usher.methods.invite_code.entry import enter
from usher.methods.invite_code.text import normal
from usher.people import passwords, registrations
from usher.people.access import open_to_anyone
from usher.people.addresses import Address, domain_key
from usher.people.models import Account, Registration
from usher.people.newcomers import Newcomer, newcomer
from usher.people.registrations import Application
from usher.people.sign_in import sign_in_account
from usher.signin.forms import show
from usher.signin.page import HOME, asks, clothes, hides, posted
from usher.signin.register_forms import OwnPasswordForm, RegisterForm

# It ends with the browser: at a computer that many use, the next one shall not be taken for the one who registered.
COOKIE = "__Host-registration" if settings.SESSION_COOKIE_SECURE else "usher_registration"
OVER = (Reason.REGISTRATION_DEAD, Reason.ACCOUNT_EXISTS)


# Registering


@open_to_anyone
@asks
@hides
def register(request: HttpRequest) -> HttpResponse:
    """The form; POST costs and answers the same whoever has the address."""
    typed = request.GET.get("code", "")
    if request.user.is_authenticated:
        code = normal(typed)
        return redirect("invite_code:join", code) if code else redirect(HOME)
    needs_code = not switches.is_on(switches.OPEN_REGISTRATION)
    form = RegisterForm(posted(request), initial={"code": typed}, needs_code=needs_code)
    if not form.is_bound:
        return _form(request, form, _way_shown(request, typed), 200)
    return _register(request, form) if form.is_valid() else _form(request, form, None, 400)


def _register(request: HttpRequest, form: RegisterForm) -> HttpResponse:
    given, way = form.cleaned_data, None
    browser = request.COOKIES.get(COOKIE) or tokens.new_token()
    try:
        way = arrivals.way_of(guesses.find(request, given["code"])) if given["code"] else None
        new = newcomer(given["username"], given["email"], given["password"])
        _check_domain(new.address, way)
        address = registrations.register(_application(new, browser, way), network_of(client_ip(request)))
    except UsherError as error:
        return _form(request, form, way, show(form, error))
    response = render(request, "signin/registered.html", {"address": address.original, **_clothes(way)})
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(COOKIE, browser, secure=secure, httponly=True, samesite="Lax")
    return response


def _application(new: Newcomer, browser: str, way: Way | None) -> Application:
    if way is None:
        return Application(new, browser)
    return Application(new, browser, way.code.id, reverse("invite_code:join", args=[way.code.code]))


def _check_domain(address: Address | None, way: Way | None) -> None:
    """A mail to a wrong address would only lead to the same "no". Raises UsherError: code_needs_address."""
    domains = way.code.domains if way else []
    if domains and address and domain_key(address.key) not in domains:
        raise UsherError(Reason.CODE_NEEDS_ADDRESS("email", domains=", ".join(sorted(domains))))


def _way_shown(request: HttpRequest, typed: str) -> Way | None:
    """What the code of the link does; a dead one is told of when the form is sent."""
    try:
        return arrivals.way_of(guesses.find(request, typed)) if typed else None
    except UsherError:
        return None


def _form(request: HttpRequest, form: RegisterForm, way: Way | None, status: int) -> HttpResponse:
    page = {"form": form, "way": way, "least": passwords.LEAST_SUPPLIED, **_clothes(way)}
    return render(request, "signin/register.html", page, status=status)


def _clothes(way: Way | None) -> dict[str, object]:
    return clothes(way.organization if way else None)


# Confirming


@open_to_anyone
@asks
@hides
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows; POST makes the account, in another browser than that of the form with a password chosen here.

    Programs open the links in mails, and some send the forms they find: they type no password.
    """
    try:
        registration = registrations.find(token)
        if registrations.is_taken(registration):
            raise UsherError(Reason.ACCOUNT_EXISTS())
        return _confirm(request, registration, token)
    except UsherError as error:
        if error.findings[0].reason not in OVER:
            raise
        page = {"finding": error.findings[0], **clothes(None)}
        return render(request, "signin/confirm_over.html", page, status=error.status)


def _confirm(request: HttpRequest, registration: Registration, token: str) -> HttpResponse:
    code = arrivals.code_of(registration.code_id, registration.created_at)
    way = arrivals.way_of(code) if code else None
    home = way.organization.id if way else None
    least = registrations.least_length(registration, home)
    is_here = registrations.is_from(registration, request.COOKIES.get(COOKIE, ""))
    # An admin's password has to be longer, and a hash does not say how long one is.
    form = None if is_here and least == passwords.LEAST_SUPPLIED else OwnPasswordForm(posted(request))
    status = 400 if form and form.is_bound else 200
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            chosen = form.cleaned_data["password"] if form else ""
            account = registrations.confirm(token, home, chosen)
        except UsherError as error:
            if form is None or error.findings[0].reason in OVER:
                raise
            status = show(form, error)
        else:
            return _welcome(request, account, way, had_code=bool(registration.code_id))
    page = {"registration": registration, "way": way, "form": form, "least": least, **_clothes(way)}
    return render(request, "signin/confirm.html", page, status=status)


def _welcome(request: HttpRequest, account: Account, way: Way | None, *, had_code: bool) -> HttpResponse:
    """Signed in, and with the code to the door. The account stays, whatever the door says."""
    sign_in_account(request, account)
    if way:
        response = answers.after(request, way, enter(way.code, account.id), is_new=True)
    else:
        messages.success(request, _("Your account is ready. You sign in with your e-mail address."))
        if had_code:
            messages.warning(request, f"{Reason.CODE_DEAD().sentence} {Reason.CODE_DEAD().next_step}")
        response = redirect(HOME)
    response.delete_cookie(COOKIE, samesite="Lax")
    return response
