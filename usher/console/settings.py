"""Organisation → Settings: its name and short name, colour, logo, time zone and language."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from usher.console.forms import LogoForm, SettingsForm, add_findings
from usher.core import accent as colors
from usher.core.errors import UsherError
from usher.lifecycle.visitor import by_visit
from usher.organizations import logo as logos
from usher.organizations import settings as general
from usher.organizations.plans import Method
from usher.organizations.settings import Settings
from usher.people.access import Lock, Visit, lock, open_to_anyone
from usher.people.frame import frame
from usher.people.sign_in import organization_of

KEPT = "public, max-age=31536000, immutable"  # another picture has another address


@lock(Lock.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form; POST changes what is different."""
    now = asdict(general.settings_of(visit.organization))
    form = SettingsForm(request.POST if request.method == "POST" else None, initial=now)
    if form.is_valid():
        try:
            changed = general.change(visit.organization, Settings(**form.cleaned_data), by_visit(visit).actor)
        except UsherError as no:
            add_findings(form, no)
        else:
            messages.success(request, _("Saved."))
            return redirect("console:settings", changed.slug)
    return _show(request, visit, form, LogoForm())


def _show(request: HttpRequest, visit: Visit, form: SettingsForm, picture: LogoForm) -> HttpResponse:
    context = {
        **frame(visit, "settings"),
        "form": form,
        "logo_form": picture,
        "old_slugs": general.old_slugs(visit.organization),
        "has_codes": Method.INVITE_CODE in visit.plan.methods,
        **_sample(str(form["accent"].value())),
    }
    return render(request, "console/settings.html", context, status=400 if form.errors or picture.errors else 200)


# The colour


@lock(Lock.ADMIN)
@require_safe
def accent(request: HttpRequest, visit: Visit) -> HttpResponse:
    """How the door would look in a colour that is not saved."""
    return render(request, "console/_accent.html", frame(visit, "settings") | _sample(request.GET.get("accent", "")))


@lock(Lock.ADMIN)
@require_safe
def accent_css(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The same colour as the stylesheet it would be."""
    return HttpResponse(colors.accent_css(request.GET.get("color", "")), content_type="text/css")


def _sample(wanted: str) -> dict[str, str]:
    """The colour as typed, and as it is shown; both empty for one that is none."""
    color = wanted.strip().lower()
    if not general.COLOR.fullmatch(color):
        return {"wanted": "", "shown": ""}
    return {"wanted": color, "shown": colors.readable(color)}


# The logo


@lock(Lock.ADMIN)
@require_POST
def change_logo(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Another picture, or the first one."""
    form = LogoForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            logos.put(visit.organization, form.cleaned_data["file"].read(), by_visit(visit).actor)
        except UsherError as no:
            add_findings(form, no)
        else:
            messages.success(request, _("The logo is changed."))
            return redirect("console:settings", visit.organization.slug)
    now = SettingsForm(initial=asdict(general.settings_of(visit.organization)))
    return _show(request, visit, now, form)


@lock(Lock.ADMIN)
@require_POST
def remove_logo(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The first letter of the name stands there again."""
    if logos.remove(visit.organization, by_visit(visit).actor):
        messages.success(request, _("The logo is removed."))
    return redirect("console:settings", visit.organization.slug)


@open_to_anyone
@require_safe
def logo(request: HttpRequest, slug: str, digest: str) -> HttpResponse:
    """The picture itself: it hangs at the door, so anybody sees it. Opened alone it may do nothing but be seen."""
    organization = organization_of(slug)
    found = logos.find(organization, digest) if organization else None
    if found is None:
        raise Http404
    headers = {"Cache-Control": KEPT, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return HttpResponse(bytes(found.content), content_type=found.content_type, headers=headers)
