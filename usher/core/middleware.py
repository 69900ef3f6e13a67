"""Around every request: its id, where it comes from, health, refusals as pages, nothing kept by caches."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import TypeAlias

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from uuid_utils.compat import uuid7

from usher.core import health, scrape, watch
from usher.core.errors import UsherError

GetResponse: TypeAlias = Callable[[HttpRequest], HttpResponseBase]
# Answered before any host is checked and without a session; they come by IP address.
PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {**health.PATHS, scrape.PATH: scrape.page}
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestContext:
    """Outermost: gives the request its id, in the log and in the answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = _request_id(request)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = watch.watched(request, self._answer)
        response["X-Request-ID"] = request_id
        # What is not a static file is about a person: neither a proxy nor the back button may keep it.
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if _holds_nul(request):
            return HttpResponseBadRequest("Bad request")
        probe = PROBES.get(request.path)
        if probe:
            return probe(request)
        # TLS ends at the proxy, or nowhere. The operator's word counts, not a header anyone can send.
        if settings.SESSION_COOKIE_SECURE:
            request.META["wsgi.url_scheme"] = "https"
        return self.get_response(request)


class Errors:
    """Innermost: an UsherError becomes its page, or JSON for machines, with the right status."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return refusal(request, exception) if isinstance(exception, UsherError) else None


def refusal(request: HttpRequest, error: UsherError) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"errors": [_as_json(error, at) for at in range(len(error.findings))]}, status=error.status)
    return render(request, "refusal.html", {"findings": error.findings, "status": error.status}, status=error.status)


def _as_json(error: UsherError, at: int) -> dict[str, str]:
    finding = error.findings[at]
    said = {"code": finding.code, "sentence": str(finding.sentence), "next_step": str(finding.next_step)}
    return said | ({"column": finding.column} if finding.column else {})


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def client_ip(request: HttpRequest) -> str:
    """Who is calling: the entry our own outermost proxy wrote, never one the caller may have made up."""
    peer = _address(str(request.META.get("REMOTE_ADDR", "")))
    hops: int = settings.USHER_TRUSTED_PROXY_HOPS
    forwarded = [part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")]
    if hops == 0 or len(forwarded) < hops:
        return peer
    return _address(forwarded[-hops]) or peer


def _address(text: str) -> str:
    """One spelling for each address, '' when it is none; proxies may add a port or brackets."""
    bare = text.partition("]")[0].strip("[")
    for candidate in (bare, bare.rpartition(":")[0]):
        try:
            address = ip_address(candidate)
        except ValueError:
            continue
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return str(mapped or address)
    return ""


def _holds_nul(request: HttpRequest) -> bool:
    """No address of ours has a NUL, and PostgreSQL takes none in a question: forms refuse it, addresses do here."""
    return "\0" in request.path or "%00" in request.META.get("QUERY_STRING", "")


def _request_id(request: HttpRequest) -> str:
    given = str(request.META.get("HTTP_X_REQUEST_ID", ""))
    believed = settings.USHER_TRUSTED_PROXY_HOPS > 0 and REQUEST_ID.fullmatch(given)
    return given if believed else uuid7().hex
