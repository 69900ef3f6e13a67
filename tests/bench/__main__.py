"""make bench: what Usher does a second, side by side with the bare machine of the same run.

usage: python tests/bench [--quick] [imports] [wrapping] [signins] [pages] [codes] [registrations] [desk]
       [mails] [invitations] [sso] [launches] [grades] [rosters]

Absolute numbers belong to the machine; the ratios are what to look at. USHER_TEST_DATABASE_URL adds PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial

from arrivals import codes, desk, registrations
from browsers import Browser, crowd
from mails import invitations, mails
from marks import grades
from openings import launches
from report import SLUG, organization, p95, people, say, signed_in
from rolls import rosters
from signons import sso
from stage import Stage, stage

SIGN_IN_SECONDS = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=[])
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that the bench works")
    options = parser.parse_args()
    parts = options.parts or list(PARTS)
    for url in ["", *filter(None, [os.environ.get("USHER_TEST_DATABASE_URL", "")])]:
        for part in parts:
            with stage(url) as built:
                print(f"\n== {part} on {built.name}", flush=True)
                PARTS[part](built, quick=options.quick)
    return 0


def imports(on: Stage, *, quick: bool) -> None:
    """Rows a second and peak memory, dry and written out, at three sizes: growth should be linear."""
    organization(on)
    start, each = 0, {}
    for rows in (1_000, 10_000) if quick else (1_000, 10_000, 100_000):
        file = people(on.folder / f"{rows}.csv", rows, start)
        start += rows
        given = ("import", str(file), "--org", SLUG, "--role", "student", "--json")
        dry = on.usher(*given, "--dry-run")
        real = on.usher(*given, "--out", str(on.folder / f"{rows}.out.csv"))
        report = real.json
        if report["created"] != rows:
            raise RuntimeError(f"Not everybody came in: {report}")
        each[rows] = report["seconds"]
        say(f"dry run, {rows:,} rows", f"{rows / dry.json['seconds']:,.0f} rows/s", f"peak {dry.peak_mb:.0f} MB")
        say(f"import, {rows:,} rows", f"{rows / report['seconds']:,.0f} rows/s",
            f"{report['seconds']:.1f} s, command {real.seconds:.1f} s, peak {real.peak_mb:.0f} MB")  # fmt: skip
    small, large = min(each), max(each)
    say("growth per row, largest against smallest", f"{each[large] / large / (each[small] / small):.2f}")


def wrapping(on: Stage, *, quick: bool) -> None:
    """The worker's pass over fresh digests against argon2id on every core."""
    organization(on)
    rows = 300 if quick else 1_500
    on.usher("import", str(people(on.folder / "w.csv", rows)), "--org", SLUG, "--role", "student",
             "--out", str(on.folder / "w.out.csv"))  # fmt: skip
    before = on.child("bare")["rate"]
    pass_ = on.child("wrapping")
    after = on.child("bare")["rate"]
    if pass_["left"]:
        raise RuntimeError(f"{pass_['left']} digests were left.")
    say("argon2id on all cores, bare", f"{(before + after) / 2:.0f} /s")
    say("wrapping pass", f"{pass_['rate']:.0f} /s", f"{pass_['rate'] / ((before + after) / 2):.0%} of bare")


def signins(on: Stage, *, quick: bool) -> None:
    """Sign-ins by the form against bare hashing, and their latency while a large list is imported."""
    organization(on)
    rows = 100
    on.usher("import", str(people(on.folder / "s.csv", rows)), "--org", SLUG, "--role", "student",
             "--out", str(on.folder / "s.out.csv"))  # fmt: skip
    on.child("hardened", SLUG)
    seconds = 3.0 if quick else SIGN_IN_SECONDS
    before = on.child("bare")["rate"]
    with on.serving() as server:
        run_for(server.address, 1.0)
        used = server.cpu_seconds()
        count = len(run_for(server.address, seconds, clients=4))
        used = server.cpu_seconds() - used
    after = on.child("bare")["rate"]
    bare, cores = (before + after) / 2, os.cpu_count() or 1
    say("argon2id on all cores, bare", f"{bare:.0f} /s", f"{1000 * cores / bare:.1f} CPU-ms each")
    say(
        "sign-in POSTs, clients on the same cores", f"{count / seconds:.0f} /s", f"{count / seconds / bare:.0%} of bare"
    )
    say("sign-in POSTs, the server's own time", f"{count / used * cores:.0f} /s",
        f"{1000 * used / count:.1f} CPU-ms each, {count / used * cores / bare:.0%} of bare")  # fmt: skip
    during_import(on, quick=quick)


def run_for(address: str, seconds: float, *, clients: int = 2, pause: float = 0.0) -> list[float]:
    """Sign in over and over from several browsers; the seconds of every POST."""
    end = time.perf_counter() + seconds

    def loop(first: int) -> Iterator[float]:
        browser, n = Browser(address), first
        while time.perf_counter() < end:
            number = n % 50 * 2 + 1
            yield browser.sign_in(SLUG, f"pupil{number}@bench.example", f"river-lamp-{number % 9000 + 1000}")
            n += clients
            time.sleep(pause)
        browser.connection.close()

    return crowd([partial(list, loop(first)) for first in range(clients)])


def during_import(on: Stage, *, quick: bool) -> None:
    rows = 10_000 if quick else 100_000
    file = people(on.folder / "big.csv", rows, 1_000)
    with on.serving() as server:
        address = server.address
        quiet = run_for(address, 4.0, clients=1, pause=0.1)
        command = ("import", str(file), "--org", SLUG, "--role", "student", "--out", str(on.folder / "big.out.csv"))
        importing = threading.Thread(target=on.usher, args=command)
        importing.start()
        busy: list[float] = []
        while importing.is_alive():
            busy += run_for(address, 1.0, clients=1, pause=0.1)
        importing.join()
    say("sign-in p95, quiet", f"{p95(quiet) * 1000:.0f} ms", f"{len(quiet)} sign-ins")
    say(f"sign-in p95 while {rows:,} rows are imported", f"{p95(busy) * 1000:.0f} ms", f"{len(busy)} sign-ins")


def pages(on: Stage, *, quick: bool) -> None:
    """The Users page at 1,000 and at 1,000,000 members, with and without filters, in turn."""
    sizes = {"small": 1_000, "large": 20_000 if quick else 1_000_000}
    for slug, size in sizes.items():
        on.usher("org", "create", slug, "--name", slug, "--plan", "school", "--admin", f"ada@{slug}.example")
        on.child("members", slug, str(size))
        (on.folder / f"{slug}.csv").write_text(f"email,password,username\nboss@{slug}.example,river-lamp-4821,Boss\n")
        on.usher("import", str(on.folder / f"{slug}.csv"), "--org", slug, "--role", "admin",
                 "--out", str(on.folder / f"{slug}.out.csv"))  # fmt: skip
    queries = {"first page": "", "search": "?q=%C3%B6b", "two words": "?q=nguy+mai", "never signed in": "?never=1",
               "role": "?role=teacher", "way in": "?way=csv_import"}  # fmt: skip
    with on.serving() as server:
        browsers = {slug: signed_in(server.address, slug) for slug in sizes}
        for name, query in queries.items():
            compare(browsers, name, query, 5 if quick else 25)
    print(f"   ({', '.join(f'{slug} {size:,}' for slug, size in sizes.items())})")


def compare(browsers: dict[str, Browser], name: str, query: str, runs: int) -> None:
    times: dict[str, list[float]] = {slug: [] for slug in browsers}
    for _ in range(runs):
        for slug, browser in browsers.items():
            begun = time.perf_counter()
            status, _ = browser.ask("GET", f"/o/{slug}/users{query}")
            times[slug].append(time.perf_counter() - begun)
            if status != 200:
                raise RuntimeError(f"The page answered {status}.")
    small, large = (statistics.median(times[slug]) * 1000 for slug in ("small", "large"))
    say(f"Users page, {name}", f"{small:.0f} / {large:.0f} ms", f"ratio {large / small:.2f}")


PARTS = {
    "imports": imports,
    "wrapping": wrapping,
    "signins": signins,
    "pages": pages,
    "codes": codes,
    "registrations": registrations,
    "desk": desk,
    "mails": mails,
    "invitations": invitations,
    "sso": sso,
    "launches": launches,
    "grades": grades,
    "rosters": rosters,
}

if __name__ == "__main__":
    sys.exit(main())
