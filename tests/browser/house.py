"""A whole Usher to look at from outside: the demonstration, served from its own data directory."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import APIRequestContext, Page
from standins import StandIns

from usher.cli.demo_data import SIGN_INS

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class House:
    """A running server, and the command that works on the same data."""

    address: str
    process: subprocess.Popen[bytes]
    environ: dict[str, str]

    def usher(self, *words: str) -> str:
        """What a command prints."""
        return self._run("-m", "usher", *words)

    def plant(self, idp: StandIns) -> None:
        """Two organisations that sign in by the stand-ins; see planting.py."""
        self._run(str(Path(__file__).with_name("planting.py")), idp.tenants["cedar"], idp.tenants["birch"])

    def plant_lms(self, url: str) -> str:
        """An LMS at that address, connected with Cedar; see planting_lti.py, which prints what it made."""
        return self._run(str(Path(__file__).with_name("planting_lti.py")), url)

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=self.environ, capture_output=True, text=True, check=True
        )
        return done.stdout

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def open_house(folder: Path, idp: StandIns) -> House:
    """`usher demo` on a free port, with the stand-ins as Microsoft and Google; returns when it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("USHER_")}
    kept.pop("DATABASE_URL", None)
    # By name: browsers give passkeys to no IP address.
    address, data = f"http://localhost:{port}", folder / "var"
    environ = kept | {
        "USHER_LISTEN": f"127.0.0.1:{port}",
        "USHER_BASE_URL": address,
        "USHER_DATA_DIR": str(data),
        **_registrations(idp),
    }
    log = folder / "demo.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "usher", "demo"]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=subprocess.STDOUT)
    house = House(address, process, environ)
    _wait(house, log)
    return house


def _registrations(idp: StandIns) -> dict[str, str]:
    """The operator's own registrations with both."""
    return {
        "USHER_PRIVATE_HOSTS": "127.0.0.1",
        "USHER_MICROSOFT_AUTHORITY": idp.entra,
        "USHER_MICROSOFT_GRAPH": idp.graph,
        "USHER_MICROSOFT_CLIENT_ID": idp.apps["platform"].id,
        "USHER_MICROSOFT_CLIENT_SECRET": idp.apps["platform"].secret,
        "USHER_GOOGLE_ISSUER": idp.google,
        "USHER_GOOGLE_APIS": idp.apis,
        "USHER_GOOGLE_CLIENT_ID": idp.apps["google"].id,
        "USHER_GOOGLE_CLIENT_SECRET": idp.apps["google"].secret,
    }


def _wait(house: House, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and house.process.poll() is None:
        try:
            with urlopen(f"{house.address}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    house.close()
    raise RuntimeError(f"the demonstration did not start:\n{log.read_text()}")


# Who signs in, and how


def password_of(sign_in: str) -> str:
    return next(one.password for one in SIGN_INS if one.sign_in == sign_in)


def sign_in(page: Page, name: str, password: str, door: str = "/o/cedar/sign-in") -> None:
    page.goto(door)
    page.get_by_label("Sign-in name or e-mail").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


# What goes in and comes out as a file


def listed(rows: list[Row], columns: tuple[str, ...] = ("email", "username", "password", "role", "groups")) -> bytes:
    """Rows as a CSV file; a cell that is not named is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def read_list(content: bytes | str) -> list[Row]:
    text = content if isinstance(content, str) else content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def bring(request: APIRequestContext, slug: str, rows: list[Row], **options: str) -> list[Row]:
    """People for a test, through the same door without its pages: their rows of userlist.csv."""
    way = f"/o/{slug}/users/add/csv"
    token = token_in(request.get(way).text())
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": listed(rows)}
    form = {"csrfmiddlewaretoken": token, "role": "student", "file": file} | options
    answer = request.post(f"{way}/import", multipart=form)  # type: ignore[arg-type]
    assert answer.headers["content-type"].startswith("text/csv"), answer.text()
    return read_list(answer.body())


def token_in(html: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', html)
    assert found, "the page has no form"
    return found[1]
