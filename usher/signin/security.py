"""What opens one's own account: password, authenticator app, passkeys, recovery codes, and where one is signed in."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.people import credentials, factors, passkeys, sessions, single_sign_on, totp
from usher.people.access import Lock, Visit, lock
from usher.people.fresh import fresh
from usher.people.models import Account
from usher.signin import forms, proof_forms, square
from usher.signin.page import after, asks, posted

SECURITY, SESSIONS = "/account/security", "/account/sessions"
ONWARD = "usher.onward"  # in the session: a page of ours


@lock(Lock.SIGNED_IN)
@require_safe
def security(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Also where the lock sends whoever needs a second factor (people/access.py): then it says who asks for it."""
    has = factors.of(visit.account)
    asking = [] if has.has_second else single_sign_on.asks_second_factor(request, visit.account)
    page = {
        "account": visit.account,
        "factors": has,
        "wanted": [Reason.SECOND_FACTOR_WANTED(organization=name) for name in asking],
        "onward": _onward(request, is_wanted=bool(asking)),
        "passkeys_possible": passkeys.are_possible(),
        "places": len(sessions.places(request, visit.account)),
    }
    return _render(request, "security", page)


def _onward(request: HttpRequest, *, is_wanted: bool) -> str:
    """Where the person was going who had to set up a second factor first, as soon as there is one."""
    if is_wanted:
        if "next" in request.GET:
            request.session[ONWARD] = after(request.GET["next"])
        return ""
    return str(request.session.pop(ONWARD, ""))


# The app


@lock(Lock.SIGNED_IN)
@fresh
@asks
def app(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The square and the key; the app counts when it has shown a code that fits."""
    form, status = proof_forms.SetUpAppForm(posted(request)), 200
    seed = form.seed_given or totp.new_seed()
    if form.is_valid() and form.seed_given:
        try:
            codes = factors.add_app(visit.account, seed, form.cleaned_data["code"])
            return _added(request, codes, _("The authenticator app is set up. From now on you sign in with its codes."))
        except UsherError as error:
            status = forms.show(form, error)
    return _render(request, "security_app", {"form": form, "seed": seed, **_key(visit.account, seed)}, status)


def _key(account: Account, seed: str) -> dict[str, Any]:
    shared = totp.key(account.id, seed)
    return {"key": totp.as_text(shared), "square": square.of_app(shared, account.sign_in)}


@lock(Lock.SIGNED_IN)
@fresh
@asks
def remove_app(request: HttpRequest, visit: Visit) -> HttpResponse:
    if request.method != "POST":
        return _render(request, "security_remove_app", {"factors": factors.of(visit.account)})
    if factors.remove_app(visit.account):
        _say_removed(request, visit.account, _("The authenticator app is removed."))
    return redirect(SECURITY)


# Passkeys


@lock(Lock.SIGNED_IN)
@fresh
@asks
def add_passkey(request: HttpRequest, visit: Visit) -> HttpResponse:
    if not passkeys.are_possible():
        raise Http404
    form, status = proof_forms.NewPasskeyForm(posted(request), initial={"name": _first_name(request)}), 200
    if form.is_valid():
        given = form.cleaned_data
        try:
            codes = passkeys.add(request, visit.account, given["name"], given["credential"])
            return _added(request, codes, _("The passkey is added. You can sign in with it."))
        except UsherError as error:
            status = forms.show(form, error)
    page = {"form": form, "passkey": json.dumps(passkeys.options_to_add(request, visit.account))}
    return _render(request, "security_add_passkey", page, status)


def _first_name(request: HttpRequest) -> str:
    """What one would call this device: “Firefox, Windows”."""
    return sessions.called(request) or _("My passkey")


@lock(Lock.SIGNED_IN)
@fresh
@asks
def passkey(request: HttpRequest, visit: Visit, key: int) -> HttpResponse:
    """Rename it or remove it."""
    found = factors.passkey_of(visit.account, key)
    if found is None:
        raise Http404
    if request.POST.get("do") == "remove":
        if factors.remove_passkey(visit.account, key):
            _say_removed(request, visit.account, _("The passkey “{name}” is removed.").format(name=found.name))
        return redirect(SECURITY)
    form = proof_forms.NameForm(posted(request), initial={"name": found.name})
    if form.is_valid():
        factors.rename(visit.account, key, form.cleaned_data["name"])
        return redirect(SECURITY)
    page = {"form": form, "found": found, "factors": factors.of(visit.account)}
    return _render(request, "security_passkey", page, 400 if form.errors else 200)


# Recovery codes


@lock(Lock.SIGNED_IN)
@fresh
@asks
def codes(request: HttpRequest, visit: Visit) -> HttpResponse:
    if request.method == "POST":
        return _added(request, factors.renew_codes(visit.account), "")
    return _render(request, "security_codes", {"factors": factors.of(visit.account)})


def _added(request: HttpRequest, codes: list[str], sentence: str) -> HttpResponse:
    """Recovery codes are in this answer and nowhere else."""
    if codes:
        return _render(request, "security_new_codes", {"codes": codes, "sentence": sentence})
    messages.success(request, sentence)
    return redirect(SECURITY)


def _say_removed(request: HttpRequest, account: Account, sentence: str) -> None:
    messages.success(request, sentence)
    least = credentials.least_length(account)
    if least == credentials.LEAST_ADMIN and not factors.has_second(account):
        advice = _("Your password stands alone now. Change it if it has fewer than {least} characters.")
        messages.warning(request, advice.format(least=least))


# Sessions


@lock(Lock.SIGNED_IN)
@require_safe
def places(request: HttpRequest, visit: Visit) -> HttpResponse:
    return _render(request, "sessions", {"places": sessions.places(request, visit.account)})


@lock(Lock.SIGNED_IN)
@fresh
@require_POST
def end_place(request: HttpRequest, visit: Visit) -> HttpResponse:
    number = request.POST.get("place", "")
    if number.isdecimal() and sessions.end(request, visit.account, int(number[:18])):
        messages.success(request, _("That browser is signed out."))
    return redirect(SESSIONS)


@lock(Lock.SIGNED_IN)
@fresh
@require_POST
def end_others(request: HttpRequest, visit: Visit) -> HttpResponse:
    count = sessions.end_others(request, visit.account)
    sentence = ngettext("{count} other browser is signed out.", "{count} other browsers are signed out.", count)
    messages.success(request, sentence.format(count=count) if count else _("You were signed in nowhere else."))
    return redirect(SESSIONS)


def _render(request: HttpRequest, name: str, page: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, f"signin/{name}.html", {"tab": "security", **page}, status=status)
