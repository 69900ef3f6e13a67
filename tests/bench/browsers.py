"""Plain HTTP clients that sign in as a browser does: a page with its token first, then the form."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlencode, urlsplit

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def token_of(page: str) -> str:
    """The token of the form on a page. Raises RuntimeError when there is none."""
    found = TOKEN.search(page)
    if not found:
        raise RuntimeError(f"The page has no form: {page[:300]}")
    return found.group(1)


class Browser:
    """One keep-alive connection with cookies."""

    def __init__(self, address: str, headers: dict[str, str] | None = None) -> None:
        self.headers = headers or {}
        self.host = urlsplit(address).netloc
        self.connection = http.client.HTTPConnection(self.host, timeout=120)
        self.cookies: dict[str, str] = {}
        self.leads_to = ""  # where the last answer redirects

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        headers = self.headers | {
            "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()),
            "Accept": "text/html",
        }
        body = urlencode(form) if form else None
        if form:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{self.host}"}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.leads_to = answer.headers.get("Location", "")
        return answer.status, answer.read().decode()

    def sign_in(self, slug: str, sign_in: str, password: str, *, forget: bool = True) -> float:
        """Sign in by the form; returns the seconds of the POST alone. ``forget`` leaves no session behind."""
        path = f"/o/{slug}/sign-in"
        if not hasattr(self, "token"):
            self.token = token_of(self.ask("GET", path)[1])
            self.kept = dict(self.cookies)
        begun = time.perf_counter()
        status, page = self.ask(
            "POST", path, {"csrfmiddlewaretoken": self.token, "name": sign_in, "password": password}
        )
        seconds = time.perf_counter() - begun
        if status != 302:
            raise RuntimeError(f"Sign-in answered {status}: {page[:300]}")
        if forget:
            self.cookies = dict(self.kept)
        return seconds


def crowd(work: Sequence[Callable[[], list[float]]]) -> list[float]:
    """Run each in a thread of its own; all their numbers together. An error in one is raised here."""
    numbers: list[float] = []
    errors: list[BaseException] = []

    def run(one: Callable[[], list[float]]) -> None:
        try:
            numbers.extend(one())
        except BaseException as error:  # raised again below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return numbers
