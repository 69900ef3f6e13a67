"""How the API says no: every refusal as Reasons in JSON, in one shape, whatever went wrong."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, JsonResponse
from ninja.errors import ValidationError

from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason

RETRY_SECONDS = 1  # a key gets one more try after that (core/limits.py: API_KEY)


def refused(_request: HttpRequest, error: UsherError) -> JsonResponse:
    """The shape of core/middleware.refusal, always in JSON."""
    answer = JsonResponse({"errors": [as_json(finding) for finding in error.findings]}, status=error.status)
    if error.status == Reason.API_KEY_MISSING.status:
        answer["WWW-Authenticate"] = 'Bearer realm="usher"'  # RFC 6750 section 3
    if error.status == Reason.API_TOO_FAST.status:
        answer["Retry-After"] = str(RETRY_SECONDS)
    return answer


def as_json(finding: Finding) -> dict[str, str]:
    said = {"code": finding.code, "sentence": str(finding.sentence), "next_step": str(finding.next_step)}
    return said | ({"column": finding.column} if finding.column else {})


def not_valid(request: HttpRequest, error: ValidationError) -> JsonResponse:
    """What pydantic found, as one Reason for each value."""
    return refused(request, UsherError(*_findings(error.errors)))


def _findings(errors: Sequence[dict[str, object]]) -> list[Finding]:
    return [_finding(error) for error in errors]


def _finding(error: dict[str, object]) -> Finding:
    """``loc`` is ("body", name of the argument, field …), or ("query", field)."""
    place = error["loc"]
    names = [str(part) for part in place] if isinstance(place, (list, tuple)) else []
    inside = names[2:] if names[:1] == ["body"] else names[1:]
    if not inside:
        return Reason.BODY_NOT_JSON()
    name = ".".join(inside)[:80]
    why = str(error["msg"]).rstrip(".")
    return Reason.VALUE_NOT_ALLOWED(name, name=name, why=why[:1].lower() + why[1:])
