"""What the LMS answers, as values: the server writes them to the line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from lms.school import Request

JSON: Final = "application/json; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    media_type: str = HTML
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0  # to wait before it is sent


def as_json(body: Any, status: int = 200, media_type: str = JSON, **headers: str) -> Answer:
    """``headers`` with _ for -."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    return Answer(status, raw, media_type, tuple((name.replace("_", "-"), said) for name, said in headers.items()))


def page(body: str, status: int = 200) -> Answer:
    return Answer(status, body.encode())


def redirect(url: str) -> Answer:
    return Answer(303, b"", headers=(("Location", url),))


def form(request: Request) -> dict[str, str]:
    """The fields of an urlencoded body; empty for any other."""
    if request.media_type != "application/x-www-form-urlencoded":
        return {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def refused(request: Request, status: int, reason: str) -> Answer:
    """As Moodle's services say no."""
    accept, given = request.headers.get("accept", ""), request.headers.get("content-type", "")
    asked = {"method": request.method, "url": request.url, "accept": accept, "contentType": given}
    return as_json({"status": status, "reason": reason, "request": asked}, status)


def no_handler(request: Request) -> Answer:
    """For a media type that no service takes or gives."""
    accept, given = request.headers.get("accept", "*/*").replace("*/*", ""), request.headers.get("content-type", "")
    if not accept and not given:
        return refused(request, 400, "No context or unsupported content type")
    path = request.path.removeprefix("/mod/lti/services.php")
    return refused(request, 400, f"No handler found for {path} {accept} {given}")
