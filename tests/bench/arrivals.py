"""People who come by a code, who register, and the pages their admin looks at meanwhile."""

from __future__ import annotations

import re
import statistics
import threading
import time
from collections.abc import Callable
from functools import partial

from browsers import Browser, crowd, token_of
from report import organization, p95, p99, people, say, signed_in
from stage import Stage

FORM = re.compile(r'name="form" value="([^"]+)"')
# A proxy in front, so that each browser has an address of its own.
BEHIND_A_PROXY = {"USHER_TRUSTED_PROXY_HOPS": "1"}


def codes(on: Stage, *, quick: bool) -> None:
    """Children by one code, from one address: joins a second, and the slowest, at 30 and at 300 at once."""
    organization(on)
    link = on.usher("code", "create", "--org", "bench", "--in-at-once", "--json").json["link"]
    path = "/join/" + link.rpartition("/")[2]
    bare = on.child("bare")["rate"]
    with on.serving() as server:
        for number, at_once in enumerate((30,) if quick else (30, 300)):
            used, begun = server.cpu_seconds(), time.perf_counter()
            seconds = together(server.address, at_once, partial(child, path=path, batch=number))
            wall, used = time.perf_counter() - begun, server.cpu_seconds() - used
            say(f"joins by code, {at_once} at once", f"{at_once / wall:.0f} /s",
                f"{wall:.1f} s for all; {1000 * used / at_once:.1f} CPU-ms each, page and form")  # fmt: skip
            say("   the POST: median, p95, p99", f"{statistics.median(seconds) * 1000:.0f} ms",
                f"{p95(seconds) * 1000:.0f} ms, {p99(seconds) * 1000:.0f} ms")  # fmt: skip
    say("argon2id on all cores, bare", f"{bare:.0f} /s", "each join costs one")


def child(browser: Browser, number: int, *, path: str, batch: int) -> list[float]:
    """Open the page of the code and come in; the seconds of the POST."""
    page = browser.ask("GET", path)[1]
    found = FORM.search(page)
    form = {
        "csrfmiddlewaretoken": token_of(page),
        "form": found.group(1) if found else "",
        "username": f"Pupil {batch} {number}",
        "password": f"a meadow with {number} cows",
    }
    return [post(browser, path, form, 302)]


def registrations(on: Stage, *, quick: bool) -> None:
    """Registrations by the form, none from an address where somebody registered before."""
    organization(on)
    code = on.usher("code", "create", "--org", "bench", "--json").json["code"]
    bare = on.child("bare")["rate"]
    count = 40 if quick else 400
    with on.serving(**BEHIND_A_PROXY) as server:
        used, begun = server.cpu_seconds(), time.perf_counter()
        each = partial(newcomers, server.address, code, count // 4)
        seconds = crowd([partial(each, first) for first in range(4)])
        wall, used = time.perf_counter() - begun, server.cpu_seconds() - used
    say(
        "registrations", f"{len(seconds) / wall:.0f} /s", f"{1000 * used / len(seconds):.1f} CPU-ms each, page and form"
    )
    say("   the POST: median, p95", f"{statistics.median(seconds) * 1000:.0f} ms", f"{p95(seconds) * 1000:.0f} ms")
    say("argon2id on all cores, bare", f"{bare:.0f} /s", "each registration costs one, and one mail")


def newcomers(address: str, code: str, count: int, first: int) -> list[float]:
    seconds = []
    for number in range(count):
        browser = Browser(address, {"X-Forwarded-For": f"10.{first}.{number // 250}.{number % 250 + 1}"})
        form = {
            "csrfmiddlewaretoken": token_of(browser.ask("GET", f"/register?code={code}")[1]),
            "username": f"Person {first} {number}",
            "email": f"person{first}-{number}@bench.example",
            "password": f"a meadow with {number} cows",
            "code": code,
        }
        seconds.append(post(browser, "/register", form, 200))
        browser.connection.close()
    return seconds


def desk(on: Stage, *, quick: bool) -> None:
    """Every page of an organisation with 10,000 members, one after the other: p95 should stay below 60 ms."""
    organization(on)
    on.usher("import", str(people(on.folder / "d.csv", 1_000 if quick else 10_000)), "--org", "bench", "--role",
             "student", "--out", str(on.folder / "d.out.csv"))  # fmt: skip
    (on.folder / "boss.csv").write_text("email,password,username\nboss@bench.example,river-lamp-4821,Boss\n")
    on.usher("import", str(on.folder / "boss.csv"), "--org", "bench", "--role", "admin",
             "--out", str(on.folder / "boss.out.csv"))  # fmt: skip
    on.usher("code", "create", "--org", "bench", "--json")
    pages = (
        "",
        "users",
        "users?q=pupil",
        "groups",
        "licence",
        "events",
        "settings",
        "settings/codes",
        "asks",
        "imports",
    )
    with on.serving() as server:
        boss = signed_in(server.address, "bench")
        for name in pages:
            times = []
            for _ in range(20 if quick else 100):
                begun = time.perf_counter()
                status, _ = boss.ask("GET", f"/o/bench/{name}")
                times.append(time.perf_counter() - begun)
                if status != 200:
                    raise RuntimeError(f"/o/bench/{name} answered {status}.")
            say(
                f"/o/SLUG/{name}", f"{p95(times) * 1000:.0f} ms p95", f"median {statistics.median(times) * 1000:.0f} ms"
            )


# All of them at one moment


def together(address: str, count: int, act: Callable[[Browser, int], list[float]]) -> list[float]:
    """``count`` browsers that begin at once; their numbers."""
    gate = threading.Barrier(count)

    def one(number: int) -> list[float]:
        browser = Browser(address)
        gate.wait()
        try:
            return act(browser, number)
        finally:
            browser.connection.close()

    return crowd([partial(one, number) for number in range(count)])


def post(browser: Browser, path: str, form: dict[str, str], expected: int) -> float:
    begun = time.perf_counter()
    status, page = browser.ask("POST", path, form)
    seconds = time.perf_counter() - begun
    if status != expected:
        raise RuntimeError(f"{path} answered {status}: {page[:600]}")
    return seconds
