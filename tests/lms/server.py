"""The HTTP side of one LMS: a thread that answers tools and browsers on 127.0.0.1."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lms import ags, face, nrps
from lms.content import content_return
from lms.families import Family
from lms.platform import Lms
from lms.registration import configuration, register
from lms.school import Request
from lms.tokens import token_endpoint
from lms.web import JSON, Answer, as_json, page

Serve = Callable[..., Answer]


def jwks(lms: Lms, _request: Request, **_more: str) -> Answer:
    """The keyset, or one of its faults."""
    whole = lms.jwks()
    answers: dict[str, Callable[[], Answer]] = {
        "": lambda: as_json(whole),
        "down": lambda: Answer(503, b"<h1>Maintenance</h1>"),
        "huge": lambda: as_json({**whole, "padding": "x" * (20 << 20)}),
        "redirect": lambda: Answer(302, b"", headers=(("Location", lms.switches.redirect_to),)),
        "slow": lambda: Answer(200, as_json(whole).body, JSON, seconds=lms.switches.seconds),
        "garbage": lambda: Answer(200, b"<p>not JSON"),
        "no_kid": lambda: as_json({"keys": [{k: v for k, v in one.items() if k != "kid"} for one in whole["keys"]]}),
        "empty": lambda: as_json({"keys": []}),
    }
    return answers[lms.switches.jwks]()


def token(lms: Lms, request: Request, **_more: str) -> Answer:
    return token_endpoint(lms, request)


@lru_cache
def routes(family: Family) -> list[tuple[re.Pattern[str], Serve]]:
    """Which path is answered by what, in this order."""
    column, columns = (path.partition("?")[0] for path in (family.lineitem, family.lineitems))
    table: list[tuple[str, Serve]] = [
        (family.jwks, jwks),
        (family.token, token),
        (family.auth, face.auth),
        (family.configuration, configuration),
        (family.registration, register),
        (f"{column}/scores", ags.scores),
        (f"{column}/results", ags.results),
        (column, ags.lineitem),
        (columns, ags.lineitems),
        (family.members, nrps.members),
        ("/mod/lti/contentitem_return.php", content_return),
        *face.PAGES,
    ]
    return [(re.compile(_pattern(path)), serve) for path, serve in table]


def _pattern(path: str) -> str:
    """{course} becomes a group of that name."""
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)) + r"\Z"


def answer(lms: Lms, request: Request) -> Answer:
    lms.requests.append(request)
    for end, status in lms.switches.broken.items():
        if request.path.endswith(end):
            return page("<h1>Broken</h1>", status)
    for pattern, serve in routes(lms.family):
        if found := pattern.match(request.path):
            return serve(lms, request, **found.groupdict())
    return page("<h1>Not found</h1>", 404)


class Server:
    """``lms`` may be changed for another while it runs."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.http = ThreadingHTTPServer((host, port), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://{host}:{self.http.server_port}"
        self.over = threading.Event()
        self.lms = Lms(self.url)

    def start(self) -> Server:
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        self.over.set()
        self.http.shutdown()
        self.http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def serve(self) -> None:
                self.close_connection = True
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                told = answer(server.lms, Request(self.command, self.path, headers, self.rfile.read(length)))
                if told.seconds:
                    server.over.wait(told.seconds)
                with suppress(OSError):
                    self.wfile.write(_written(told))

            do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815  # names of http.server

            def log_message(self, *_args: Any) -> None:
                """Says nothing."""

        return Handler


def _written(told: Answer) -> bytes:
    """The whole answer; curly quotes in a header go as UTF-8, as Moodle sends them."""
    lines = [f"HTTP/1.1 {told.status} {HTTPStatus(told.status).phrase}", f"Content-Type: {told.media_type}"]
    lines += [f"Content-Length: {len(told.body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in told.headers]
    return "\r\n".join([*lines, "", ""]).encode() + told.body
