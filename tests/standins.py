"""The identity providers as they stand in for the tests: Entra, Google, any other OpenID provider, Graph and Classroom.

One Node.js process for each worker, started when the first test asks for ``idp``; see idp/README.md. It ends when its
stdin closes, so it outlives nobody.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

import pytest
import requests

IDP = Path(__file__).resolve().parent / "idp"
MOST_STEPS = 20


@dataclass(frozen=True)
class App:
    """An application as it is registered with a provider."""

    id: str
    secret: str


@dataclass(frozen=True)
class StandIns:
    """Where they are (all URLs without a slash at the end), and what a test may do to them."""

    base: str
    entra: str
    google: str
    plain: str
    graph: str
    apis: str
    apps: dict[str, App]  # platform, cedar, birch, google, plain
    tenants: dict[str, str]  # cedar, birch, oak, personal: the tenant ids
    password: str
    http: requests.Session = field(default_factory=requests.Session, repr=False, compare=False)

    def control(self, **orders: Any) -> dict[str, Any]:
        """Change people, tenants, faults, keys or the clock; idp/control.mjs says how. Returns people and tenants."""
        answer = self.http.post(f"{self.base}/control", json=orders, timeout=10)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def reset(self) -> None:
        self.control(reset=True)

    def counts(self) -> dict[str, int]:
        """How often each path was asked for since the last reset."""
        told: dict[str, int] = self.http.get(f"{self.base}/control/counts", timeout=10).json()
        return told

    def forget_counts(self) -> None:
        self.http.delete(f"{self.base}/control/counts", timeout=10)

    def person(self, key: str) -> dict[str, Any]:
        """A row of people.json as it is now, such as ``entra/tom``."""
        told: dict[str, Any] = self.control()["people"][key]
        return told

    def authority(self, tenant: str) -> str:
        """Where people of one tenant sign in: a name of ``tenants``, or ``organizations``, ``common``."""
        return f"{self.entra}/{self.tenants.get(tenant, tenant)}/v2.0"

    def walk(self, url: str, login: str, **how: Any) -> str:
        """See ``Walker.walk``, with a browser that has been nowhere yet."""
        return Walker(self).walk(url, login, **how)


class StoppedError(Exception):
    """The provider showed a page from which no button leads on; ``page`` is its HTML."""

    def __init__(self, page: requests.Response) -> None:
        super().__init__(f"{page.status_code} {page.url}\n{page.text}")
        self.status, self.page = page.status_code, page.text


class Walker:
    """A browser without script that keeps its cookies: who has signed in once is known at the next walk."""

    def __init__(self, idp: StandIns) -> None:
        self.idp, self.http = idp, requests.Session()

    def walk(self, url: str, login: str, *, password: str = "", press: str = "") -> str:
        """From an authorization URL to the callback, which is not called: its URL with code and state is returned.

        ``login`` is a login name or a key of people.json without its family (``tom``); ``press`` the button of a page
        that asks something, otherwise its first. What a provider would post to the callback stands in its query.
        Raises StoppedError where it goes no further.
        """
        typed = {"login": login, "password": password or self.idp.password}
        page = self._get(url)
        for _ in range(MOST_STEPS):
            if page.is_redirect:
                url = urljoin(page.url, page.headers["location"])
                if not url.startswith(self.idp.base):
                    return url
                page = self._get(url)
                continue
            form = Form.of(page.text)
            if form is None or ("login" in form.fields and not typed):
                raise StoppedError(page)
            url = urljoin(page.url, form.action)
            filled = form.filled(typed, press)
            if not url.startswith(self.idp.base):
                return f"{url}{'&' if '?' in url else '?'}{urlencode(filled)}"
            if "login" in form.fields:
                typed = {}
            page = self.http.post(url, data=filled, headers=self._now(), allow_redirects=False, timeout=30)
        raise StoppedError(page)

    def _get(self, url: str) -> requests.Response:
        return self.http.get(url, headers=self._now(), allow_redirects=False, timeout=30)

    @staticmethod
    def _now() -> dict[str, str]:
        """Their clock follows that of the test, which may stand still in another year."""
        return {"X-Clock": str(time.time())}


class Form(HTMLParser):
    """The first form of a page: its fields with their values, and its buttons by their words."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.buttons: list[tuple[str, str]] = []
        self.begun = self.done = False

    @classmethod
    def of(cls, html: str) -> Form | None:
        form = cls()
        form.feed(html)
        return form if form.begun else None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.begun:
            self.begun, self.action = True, given.get("action", "")
        elif self.begun and not self.done and tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        elif self.begun and not self.done and tag == "button" and "name" in given:
            self.buttons.append((given["name"], given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        self.done = self.done or (self.begun and tag == "form")

    def filled(self, typed: dict[str, str], press: str) -> dict[str, str]:
        asked = {name: typed.get(name, value) for name, value in self.fields.items()}
        pressed = next((button for button in self.buttons if not press or button[1] == press), None)
        return asked | (dict([pressed]) if pressed else {})


@contextmanager
def standing_in() -> Iterator[StandIns]:
    """The stand-ins in a process of their own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    node = shutil.which("node", path=path)
    if not node or not (IDP / "node_modules").is_dir():
        pytest.fail("The stand-ins for identity providers are not installed: make .venv/stamps/idp")
    process = subprocess.Popen(
        [node, "server.mjs"], cwd=IDP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PATH": path}
    )
    assert process.stdin
    assert process.stdout
    try:
        told = json.loads(process.stdout.readline())
        apps = {name: App(**app) for name, app in told.pop("clients").items()}
        idp = StandIns(apps=apps, **told)
        with idp.http:
            yield idp
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()


@pytest.fixture(scope="session")
def idp_process() -> Iterator[StandIns]:
    with standing_in() as idp:
        yield idp


@pytest.fixture
def idp(idp_process: StandIns) -> StandIns:
    """The stand-ins as people.json has them; whatever the test before did to them is undone."""
    idp_process.reset()
    return idp_process
