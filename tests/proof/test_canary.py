"""Canaries: passwords that rest in no file, table or log line, but in the list that was asked for."""

from __future__ import annotations

import base64
import csv
import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import psycopg.sql
import pytest
from crew import database

SUPPLIED = [f"canary-{word}-{n}{n}{n}" for n, word in enumerate(("yellow", "zebra", "quartz"), start=4)]
TYPED_WRONG = "canary-mistyped-777"
FILE = "email,username,password\r\n" + "".join(
    f"p{n}@cedar.example,Pupil {n},{password}\r\n" for n, password in enumerate([*SUPPLIED, "", "", ""])
)


class Usher:
    """An installation of its own; everything it says is kept."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self.folder = folder
        self.said = ""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.base = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.environ = environ | {
            "USHER_LOG_LEVEL": "DEBUG",
            "USHER_WEB_PROCESSES": "1",
            "USHER_LISTEN": self.base.removeprefix("http://"),
            "TMPDIR": str(folder),
            "PYTHONWARNINGS": "default",
        }

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "usher", *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self.said += done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def serving(self) -> Iterator[None]:
        log = self.folder.parent / "serve.log"
        with log.open("wb") as out:
            server = subprocess.Popen(
                [sys.executable, "-m", "usher", "serve"],
                env=self.environ,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                self._wait_until_ready(server)
                yield
            finally:
                # The whole family, without a farewell: what a crash leaves in the WAL is looked at, too.
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
        self.said += log.read_text()

    def _wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and server.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.base}/readyz", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        pytest.fail("usher serve did not get ready")

    def sign_in(self, name: str, password: str) -> int:
        """By the page, as a browser does; the status after all redirects."""
        jar = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        page = f"{self.base}/o/cedar/sign-in"
        with browser.open(page) as response:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', response.read().decode())
        assert token
        form = {"name": name, "password": password, "next": "", "csrfmiddlewaretoken": token[1]}
        request = urllib.request.Request(page, urllib.parse.urlencode(form).encode(), {"Referer": page})
        try:
            with browser.open(request) as response:
                return int(response.status) if not response.url.endswith("sign-in") else 0
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def rows(self) -> Iterator[bytes]:
        """What PostgreSQL keeps, as text; SQLite is read as the file it is."""
        url = self.environ.get("DATABASE_URL", "")
        if not url.startswith("postgres"):
            return
        with psycopg.connect(url) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (table,) in tables:
                everything = psycopg.sql.SQL("SELECT t::text FROM {} t").format(psycopg.sql.Identifier(table))
                for (row,) in connection.execute(everything):
                    yield row.encode()

    def kept(self) -> Iterator[tuple[str, bytes]]:
        """Every place where something could rest."""
        yield from ((str(path), path.read_bytes()) for path in self.folder.rglob("*") if path.is_file())
        yield from (("a row", row) for row in self.rows())
        yield "what was said", self.said.encode()


def spellings(secret: str) -> list[bytes]:
    plain = secret.encode()
    return [
        plain,
        plain.hex().encode(),
        base64.b64encode(plain).rstrip(b"=")[:-1],
        secret.encode("utf-16-le"),
        plain[::-1],
    ]


def found(usher: Usher, secrets: list[str]) -> list[str]:
    return [
        f"{secret} in {place}"
        for place, content in usher.kept()
        for secret in secrets
        if any(spelling in content for spelling in spellings(secret))
    ]


@pytest.fixture
def usher(tmp_path: Path) -> Iterator[Usher]:
    folder = tmp_path / "data"
    with database(folder) as environ:
        installed = Usher(environ, folder)
        folder.mkdir(exist_ok=True)
        yield installed


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def wait_for_hardening(usher: Usher) -> None:
    """The worker has wrapped every digest when none is left in the books."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        told = subprocess.run(
            [sys.executable, "-c", LEFT], env=usher.environ, capture_output=True, text=True, check=True, timeout=30
        )
        if told.stdout.strip() == "0":
            return
        time.sleep(0.3)
    pytest.fail("the worker did not harden the passwords")


LEFT = """
import django; django.setup()
from usher.people.models import Account
print(Account.objects.filter(password__startswith="keyed$").count())
"""


def people_brought_in(usher: Usher, folder: Path) -> list[dict[str, str]]:
    """A file with supplied and made passwords, and accounts made in advance; their lists."""
    source, out, cards = folder / "people.csv", folder / "userlist.csv", folder / "accounts.csv"
    source.write_text(FILE)
    usher.run("import", str(source), "--org", "cedar", "--role", "student", "--out", str(out))
    usher.run("create-accounts", "--org", "cedar", "--role", "student", "--count", "2", "--out", str(cards))
    return table(out) + table(cards)


def set_up_link(usher: Usher) -> str:
    if "DATABASE_URL" in usher.environ:
        usher.run("migrate")
    told = usher.run("org", "create", "cedar", "--plan", "school", "--admin", "ada@cedar.example")
    token = re.search(r"/set-up/(\S+)", told)
    assert token
    usher.said = usher.said.replace(token[1], "")  # said once, as asked; nowhere else
    return token[1]


def test_no_password_rests_anywhere_after_an_import(usher: Usher, tmp_path: Path) -> None:
    token = set_up_link(usher)
    secrets = [person["password"] for person in people_brought_in(usher, tmp_path)]
    assert len(set(secrets)) == 8
    assert set(SUPPLIED) < set(secrets)
    assert found(usher, [*secrets, token]) == []


@pytest.mark.proof
def test_no_password_rests_anywhere_after_signing_in(usher: Usher, tmp_path: Path) -> None:
    set_up_link(usher)
    people = people_brought_in(usher, tmp_path)
    secrets = [*(person["password"] for person in people), TYPED_WRONG]
    with usher.serving():
        for person in (people[0], people[4], people[7]):
            assert usher.sign_in(person["sign_in"], person["password"]) == 200
        assert usher.sign_in(people[1]["sign_in"], TYPED_WRONG) == 403
        wait_for_hardening(usher)
        assert found(usher, secrets) == []
    assert found(usher, secrets) == []
    assert "listens" in usher.said


MAILED = """
import django; django.setup()
from usher.methods.email_invitation import links
from usher.methods.email_invitation.models import Invitation
one = Invitation.objects.get()
print(links.mailed_link(one)[-43:], links.refusal_link(one)[-43:])
"""


def test_c8_no_token_of_an_invitation_rests_anywhere(usher: Usher, tmp_path: Path) -> None:
    """security.md C8: not in the database, not in a log, also after the links were opened; in the mail alone."""
    set_up_link(usher)
    told = json.loads(usher.run("invite", "--org", "cedar", "ann@mail.example", "--json"))
    copied = told["people"][0]["link"][-43:]
    usher.said = usher.said.replace(copied, "")  # said once, as asked; nowhere else
    made = subprocess.run(
        [sys.executable, "-c", MAILED], env=usher.environ, capture_output=True, text=True, check=True, timeout=30
    )
    mailed, refusal = made.stdout.split()
    with usher.serving():
        for page in (f"invitation/{mailed}", f"invitation/{copied}", f"not-for-me/{refusal}"):
            with urllib.request.urlopen(f"{usher.base}/{page}", timeout=10) as answer:
                assert answer.headers["Referrer-Policy"] in ("no-referrer", "same-origin")
    places = found(usher, [mailed, copied, refusal])
    assert [place for place in places if "/mail/" not in place] == []


def test_a_canary_is_found_where_there_is_one(usher: Usher) -> None:
    for number, spelling in enumerate(spellings(SUPPLIED[0])):
        place = usher.folder / f"{number}.bin"
        place.write_bytes(b"\0\0" + spelling + b"\n")
        assert len(found(usher, SUPPLIED)) == 1, spelling
        place.unlink()
