"""The switches of the whole server."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from usher.operator.frame import actor_of, frame
from usher.people import server
from usher.people.access import Lock, Visit, lock


@lock(Lock.OPERATOR)
@require_safe
def settings(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Who may register, and whether mail goes out."""
    context = {
        **frame(visit, "settings"),
        "is_open": server.registration_is_open(),
        "outbox": server.outbox(),
        "counted": server.COUNTED,
    }
    return render(request, "operator/settings.html", context)


@lock(Lock.OPERATOR)
@require_POST
def registration(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Open it or close it."""
    is_open = request.POST.get("open") == "1"
    server.set_registration(actor_of(visit), is_open=is_open)
    said = _("Anybody may register now.") if is_open else _("Who registers needs an invite code now.")
    messages.success(request, said)
    return redirect("operator:settings")


@lock(Lock.OPERATOR)
@require_POST
def resume_outbox(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Let out what waits since a restore."""
    server.resume_outbox(actor_of(visit))
    messages.success(request, _("What waited is on its way."))
    return redirect("operator:settings")
