"""The second proof of a sign-in, and the proof that is asked for again."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.methods.sso import identities
from usher.people import factors, fresh, passkeys, waiting
from usher.people import sign_in as door
from usher.people.access import Lock, Visit, lock, open_to_anyone
from usher.people.models import Account
from usher.people.waiting import Waiting
from usher.signin import forms, proof_forms
from usher.signin.page import after, asks, clothes, hides, posted


@open_to_anyone
@asks
@hides
def second(request: HttpRequest) -> HttpResponse:
    """Whose password was right gives a code, a recovery code or a passkey. Who waits for nothing goes to the door."""
    here = waiting.find(request)
    if here is None:
        if request.method == "POST":
            raise UsherError(Reason.SECOND_STEP_OVER())
        return redirect("/")
    has, status = factors.of(here.account), 200
    form = _form(request, has)
    if form.is_valid():
        try:
            _finish(request, here, form.cleaned_data)
            return redirect(after(form.cleaned_data["next"]))
        except UsherError as error:
            status = forms.show(form, error)
    return render(request, "signin/second.html", _page(request, form, here, has), status=status)


def _form(request: HttpRequest, has: factors.Factors) -> Any:
    """By code, by recovery code (where asked for, or when there is no app), or what a passkey answered."""
    if "credential" in request.POST:
        return proof_forms.PasskeyForm(request.POST)
    by_recovery = has.app is None or request.GET.get("with") == "recovery"
    kind = proof_forms.RecoveryCodeForm if by_recovery else proof_forms.AppCodeForm
    return kind(posted(request), initial={"next": request.GET.get("next", "")})


def _finish(request: HttpRequest, here: Waiting, given: dict[str, str]) -> None:
    if "credential" in given:
        door.finish_by_passkey(request, here, given["credential"])
    else:
        door.finish(request, here, given["code"])


def _page(request: HttpRequest, form: Any, here: Waiting, has: factors.Factors) -> dict[str, Any]:
    wanted = request.POST.get("next", request.GET.get("next", ""))
    fields = form if "code" in form.fields else proof_forms.AppCodeForm(initial={"next": wanted})
    by_recovery = request.GET.get("with") == "recovery"
    return {
        "form": fields,
        "refused": form,
        "next": wanted,
        "by_recovery": by_recovery,
        "by_app": has.app is not None and not by_recovery,
        "by_passkey": has.app is None and not by_recovery,
        "has_codes": bool(has.codes_left),
        "passkey": passkey_part(request, passkeys.Purpose.SECOND, here.account) if has.passkeys else "",
        **clothes(here.organization),
    }


def passkey_part(request: HttpRequest, purpose: passkeys.Purpose, account: Account | None = None) -> str:
    """What signin/_passkey.html hands to the browser, as JSON; empty where this server cannot have passkeys."""
    return json.dumps(passkeys.options_to_prove(request, purpose, account)) if passkeys.are_possible() else ""


@lock(Lock.SIGNED_IN)
@asks
@hides
def again(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Before a page of consequence (people/fresh.py): the password once more, or a passkey."""
    by_passkey, status = "credential" in request.POST, 200
    kind: type[Any] = proof_forms.PasskeyForm if by_passkey else proof_forms.PasswordForm
    wanted = request.POST.get("next", request.GET.get("next", ""))
    form = kind(posted(request), initial={"next": wanted})
    if form.is_valid():
        try:
            if by_passkey:
                door.prove_again_by_passkey(request, visit.account, form.cleaned_data["credential"])
            else:
                door.prove_again(request, visit.account, form.cleaned_data["password"])
            return redirect(after(wanted))
        except UsherError as error:
            status = forms.show(form, error)
    page = {
        "form": proof_forms.PasswordForm(initial={"next": wanted}) if by_passkey else form,
        "refused": form,
        "next": wanted,
        "account": visit.account,
        "has_password": visit.account.has_usable_password(),
        "providers": [] if fresh.is_word_of_others(request) else identities.of_account(visit.account),
        "passkey": passkey_part(request, passkeys.Purpose.AGAIN, visit.account) if _has_passkey(visit) else "",
        **clothes(visit.account.home),
    }
    return render(request, "signin/again.html", page, status=status)


def _has_passkey(visit: Visit) -> bool:
    return bool(factors.of(visit.account).passkeys)
