"""Search across organisations: whose sign-in is this, whose code is this? Every look is an event."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from usher.core import clock
from usher.methods.invite_code import lookup as codes
from usher.operator.frame import actor_of, frame
from usher.people import lookup as people
from usher.people.access import Lock, Visit, lock

LONGEST = 300


@lock(Lock.OPERATOR)
@require_safe
def search(request: HttpRequest, visit: Visit) -> HttpResponse:
    """A person by address, sign-in name or id; an organisation by one of its invite codes."""
    query = request.GET.get("q", "").strip()[:LONGEST]
    context: dict[str, object] = {**frame(visit, "search"), "query": query, "least": people.LEAST, "most": people.SHOWN}
    if query:
        code = codes.look_up(query, actor_of(visit))
        context |= {
            "answer": people.look_up(query, actor_of(visit)),
            "code": code,
            "standing": code.standing(clock.now()) if code else "",
        }
    return render(request, "operator/search.html", context)
