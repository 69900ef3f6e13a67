"""The switches of the whole server, and the work behind its pages."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from usher.core import jobs
from usher.operator.frame import actor_of, frame
from usher.people import server
from usher.people.access import Lock, Visit, lock

SHOWN = 20  # jobs that were given up; `usher jobs --dead` lists them all
KINDS = {
    "mail": lazy("Mail"),
    "chore": lazy("Tidying up, once an hour"),
    "hashbatch": lazy("Hardening of passwords"),
    "erasure": lazy("Erasing of organisations"),
}


@lock(Lock.OPERATOR)
@require_safe
def settings(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Who may register, whether mail goes out, and how the work goes."""
    context = {
        **frame(visit, "settings"),
        "is_open": server.registration_is_open(),
        "outbox": server.outbox(),
        "counted": server.COUNTED,
        **_work(),
    }
    return render(request, "operator/settings.html", context)


def _work() -> Mapping[str, Any]:
    tallies = jobs.tallies()
    return {
        "work": [{"label": KINDS.get(tally.kind, tally.kind), "tally": tally} for tally in tallies],
        "dead": [{"label": KINDS.get(one.kind, one.kind), "one": one} for one in jobs.dead(SHOWN)],
        "dead_count": sum(tally.dead for tally in tallies),
    }


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


@lock(Lock.OPERATOR)
@require_POST
def retry_jobs(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Try again what was given up: one job, or all."""
    everything = "all" in request.POST
    count = server.retry_jobs(actor_of(visit), None if everything else _ids(request.POST.getlist("id")))
    said = ngettext("%(n)d job will be tried again.", "%(n)d jobs will be tried again.", count) % {"n": count}
    messages.success(request, said)
    return redirect("operator:settings")


def _ids(sent: list[str]) -> list[uuid.UUID]:
    """What is no id is nobody's job."""
    found = []
    for text in sent:
        with suppress(ValueError):
            found.append(uuid.UUID(text))
    return found
