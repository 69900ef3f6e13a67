"""The roster of one course, by an LMS that costs next to nothing. It ends when stdin closes.

usage: python registrar.py PEOPLE; prints its address. Pages are as long as they are asked for, written beforehand.
POST /change: ten have gone, ten are teachers now, eighty have come.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
GONE, RAISED, NEW = 10, 10, 80
members: list[dict[str, Any]] = []


def member(number: int, role: str = "Learner") -> dict[str, Any]:
    name = {"given_name": "Åsa", "family_name": f"Öberg {number}", "name": f"Åsa Öberg {number}"}
    address = f"asa{number}@rolls.example"
    return {"status": "Active", "user_id": f"u{number}", "roles": [ROLE + role], "email": address, **name}


def change() -> None:
    count = len(members)
    members[:] = [member(n, "Instructor" if n < GONE + RAISED else "Learner") for n in range(GONE, count + NEW)]


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        start, limit = (int(asked.get(name, ["0"])[0]) for name in ("from", "limit"))
        shown = members[start : start + limit]
        self.link = (
            f"<{self.address}/roster?limit={limit}&from={start + limit}>; rel=next" if shown[limit - 1 :] else ""
        )
        self._say({"id": "roster", "context": {"id": "1"}, "members": shown})

    def do_POST(self) -> None:
        self.link = ""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/change":
            change()
        self._say({"access_token": "x", "token_type": "Bearer", "expires_in": 3600})

    @property
    def address(self) -> str:
        return f"http://{self.headers['Host']}"

    def _say(self, body: object) -> None:
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        if self.link:
            self.send_header("Link", self.link)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_what: object) -> None:
        """It says nothing."""


if __name__ == "__main__":
    members[:] = [member(number) for number in range(int(sys.argv[1]))]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
