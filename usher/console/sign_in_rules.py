"""Organisation → Settings → Sign-in: who may use a password, who needs a second factor, who keeps a password."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from usher.console.forms import SignInRulesForm, add_findings
from usher.core.errors import UsherError
from usher.lifecycle import signing_in
from usher.lifecycle.signing_in import Admin, Rules
from usher.lifecycle.visitor import by_visit
from usher.methods.sso.showing import has_active
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame
from usher.people.fresh import fresh


@lock(Lock.ADMIN)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_rules(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form; POST changes what is different. A no stays beside what was chosen."""
    admins, is_connected = signing_in.admins(visit.organization), has_active(visit.organization)
    form = SignInRulesForm(_given(request), admins=admins, initial=_now(visit, admins))
    if form.is_valid():
        try:
            wanted = Rules(**form.cleaned_data)
            changed = signing_in.change(visit.organization, wanted, by_visit(visit).actor, has_connection=is_connected)
        except UsherError as no:
            add_findings(form, no)
        else:
            messages.success(request, _("Saved. All admins are told by mail.") if changed else _("It was so already."))
            return redirect("console:sign_in_rules", visit.organization.slug)
    kept = {str(value) for value in form["keeps"].value() or ()}
    context = {
        **frame(visit, "settings"),
        "form": form,
        "admins": [(admin, str(admin.membership.id) in kept) for admin in admins],
        "is_connected": is_connected,
        "effects": _effects(visit),
    }
    return render(request, "console/sign_in_rules.html", context, status=400 if form.errors else 200)


def _given(request: HttpRequest) -> object:
    return request.POST if request.method == "POST" else None


def _now(visit: Visit, admins: list[Admin]) -> dict[str, object]:
    return {
        "passwords_for": visit.organization.passwords_for,
        "second_factor_for": visit.organization.second_factor_for,
        "keeps": [str(admin.membership.id) for admin in admins if admin.membership.keeps_password],
    }


def _effects(visit: Visit) -> dict[str, dict[str, str]]:
    """What each choice does, as a sentence that an admin could read aloud."""
    names = {"name": visit.organization.name, "admin": visit.plan.admin.label}
    sentences = {
        "passwords_for": {
            "everyone": _("Everybody signs in with a password, a passkey or single sign-on, as they like."),
            "admins": _("People come in by single sign-on. Admins may use a password too."),
            "marked": _("Everybody comes in by single sign-on. Only the admins ticked below may use a password."),
        },
        "second_factor_for": {
            "nobody": _("Whoever wants a second factor sets one up."),
            "admins": _("An admin without one sets it up before anything else opens at {name}."),
            "staff": _("Everybody above the lowest role sets one up before anything else opens at {name}."),
        },
    }
    return {
        field: {value: text.format(**names) for value, text in choices.items()} for field, choices in sentences.items()
    }
