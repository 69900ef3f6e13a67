"""The addresses of /api/v1/: the operations behind their keys, what they are, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from usher.api import answers, documents
from usher.api.keys import admit
from usher.api.operations import api
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.people.access import open_to_anyone

View = Callable[..., HttpResponseBase]
KEY = "key"  # the lock of what no person opens: a key of an organisation


def for_keys(view: View) -> View:
    """Marks a view as locked by a key, and says in our words that it does not take a method."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = view(request, *args, **kwargs)
        if not isinstance(answer, HttpResponseNotAllowed):
            return answer
        no = answers.refused(request, UsherError(Reason.API_NOT_ALLOWED_HERE(method=str(request.method))))
        no["Allow"] = answer["Allow"]
        return no

    answered.usher_lock = KEY  # type: ignore[attr-defined]
    return csrf_exempt(answered)


def unknown(request: HttpRequest, rest: str) -> HttpResponse:
    """Whatever else is asked for below /api/v1/: a refusal as every other, for who has a key."""
    try:
        admit(request, None)
    except UsherError as no:
        return answers.refused(request, no)
    return answers.refused(request, UsherError(Reason.API_UNKNOWN_ADDRESS()))


def _operations() -> list[URLPattern]:
    """Those of ninja without its front page, which has no lock."""
    patterns, _, _ = api.urls
    mine = [one for one in patterns if isinstance(one, URLPattern) and one.name != "api-root"]
    for one in mine:
        one.callback = for_keys(one.callback)
    return mine


app_name = "api"
urlpatterns = [
    path("openapi.json", open_to_anyone(documents.openapi), name="openapi"),
    path("docs", open_to_anyone(documents.docs), name="docs"),
    *_operations(),
    path("<path:rest>", for_keys(unknown), name="unknown"),
]
