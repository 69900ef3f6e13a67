"""/healthz: this process answers. /readyz: its database does too, and is up to date."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse

from usher.core import schema

log = structlog.get_logger(__name__)


def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> JsonResponse:
    try:
        pending = schema.pending()
    except DatabaseError as error:
        log.warning("not ready", error=type(error).__name__)
        return JsonResponse({"status": "unready", "database": "unreachable", "migrations": "unknown"}, status=503)
    answer = {"status": "unready" if pending else "ready", "database": "ok"}
    return JsonResponse(answer | {"migrations": "pending" if pending else "ok"}, status=503 if pending else 200)


PATHS: dict[str, Callable[[HttpRequest], JsonResponse]] = {"/healthz": healthz, "/readyz": readyz}
