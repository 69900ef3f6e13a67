"""What the API is: the OpenAPI 3.1 document, and the same as a page without any script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from usher.api.operations import api

PREFIX = "api/v1/"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a field of a body, in words."""

    name: str
    kind: str
    words: str
    is_needed: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it. ``scope`` is empty where any key will do."""

    method: str
    path: str
    summary: str
    description: str
    scope: str
    group: str
    parameters: Sequence[Field]
    takes: Sequence[Field]
    status: str
    gives: Sequence[Field]

    @property
    def anchor(self) -> str:
        return f"{self.method}{self.path}".lower().translate(str.maketrans("/{}_", "----")).strip("-")


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """For machines."""
    return JsonResponse(schema())


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """For people."""
    groups: dict[str, list[Operation]] = {}
    for one in operations():
        groups.setdefault(one.group, []).append(one)
    context = {"groups": list(groups.items()), "base_url": f"{settings.USHER_BASE_URL}/{PREFIX}"}
    return render(request, "api/docs.html", context)


@cache
def schema() -> dict[str, Any]:
    """Read-only: made once in a process."""
    told = dict(api.get_openapi_schema(path_prefix=PREFIX))
    for methods in told["paths"].values():
        for one in methods.values():
            one["security"] = one["security"][-1:]  # ninja's own, which knows no scopes, stands before ours
    return told


def operations() -> list[Operation]:
    """All of them, in the order of the document."""
    return [
        _operation(path, method, told)
        for path, methods in schema()["paths"].items()
        for method, told in methods.items()
    ]


def _operation(path: str, method: str, told: Mapping[str, Any]) -> Operation:
    status, answer = next(iter(told["responses"].items()))
    scopes = told["security"][0]["Key"]
    body = told.get("requestBody")
    return Operation(
        method=method.upper(),
        path=path,
        summary=told["summary"],
        description=told["description"],
        scope=scopes[0] if scopes else "",
        group=told["tags"][0],
        parameters=[_field(one["name"], one["schema"], one["required"]) for one in told.get("parameters", ())],
        takes=list(_fields(body)) if body else [],
        status=str(status),
        gives=list(_fields(answer)),
    )


def _fields(told: Mapping[str, Any]) -> Iterator[Field]:
    """Of the JSON object that a body or an answer is."""
    whole = _resolved(told["content"]["application/json"]["schema"])
    needed = set(whole.get("required", ()))
    for name, part in whole.get("properties", {}).items():
        yield _field(name, part, name in needed)


def _resolved(part: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in part:
        return part
    found: Mapping[str, Any] = schema()["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    return found


def _field(name: str, part: Mapping[str, Any], is_needed: bool) -> Field:
    return Field(name, _kind(part), part.get("description", ""), is_needed)


def _kind(part: Mapping[str, Any]) -> str:
    """``string``, ``uuid or null``, ``list of object``."""
    if "anyOf" in part:
        return " or ".join(_kind(one) for one in part["anyOf"])
    if "enum" in part:
        return " | ".join(map(str, part["enum"]))
    if part.get("type") == "array":
        return f"list of {_kind(part['items'])}"
    if "$ref" in part:
        return "object"
    return str(part.get("format") or part.get("const") or part.get("type", ""))
