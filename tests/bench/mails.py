"""Invitations: mails handed to a mail server on this machine, and people who come in by their links."""

from __future__ import annotations

import asyncio
import re
import smtplib
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from functools import partial

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from arrivals import BEHIND_A_PROXY, post
from browsers import Browser, crowd, token_of
from report import SLUG, organization, p95, say
from stage import BIN, Stage

LINK = re.compile(r"/invitation/[\w-]{43}")
PATIENCE = 600.0


@dataclass
class Sink:
    """A mail server that takes everything and remembers when."""

    port: int
    mails: list[bytes] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        self.at.append(time.perf_counter())
        await asyncio.sleep(0)
        return "250 OK"

    def wait_for(self, count: int) -> None:
        deadline = time.perf_counter() + PATIENCE
        while len(self.mails) < count:
            if time.perf_counter() > deadline:
                raise RuntimeError(f"Only {len(self.mails)} of {count} mails arrived.")
            time.sleep(0.02)

    def links(self) -> list[str]:
        """The path of the link in each mail."""
        texts = [message_from_bytes(mail, policy=policy.default).get_body(("plain",)) for mail in self.mails]
        found = [LINK.search(str(text.get_content())) for text in texts if text]
        return [link.group(0) for link in found if link]


@contextmanager
def sink() -> Iterator[Sink]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    here = Sink(port)
    controller = Controller(here, hostname="127.0.0.1", port=port, ready_timeout=20)
    controller.start()
    try:
        yield here
    finally:
        controller.stop()


@contextmanager
def workers(on: Stage, count: int) -> Iterator[None]:
    hired = [
        subprocess.Popen([str(BIN / "usher"), "worker"], env=on.environ, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for one in hired:
            one.terminate()
        for one in hired:
            one.wait(30)


def mails(on: Stage, *, quick: bool) -> None:
    """Mails a second by one worker, and on PostgreSQL by four, against bare hand-overs on one line."""
    organization(on)
    count = 200 if quick else 1_500
    with sink() as server:
        on.environ["USHER_SMTP_URL"] = f"smtp://127.0.0.1:{server.port}"
        for number, hired in enumerate((1, 4) if on.name == "PostgreSQL" else (1,)):
            server.mails.clear()
            server.at.clear()
            invited = invite(on, count, number)
            with workers(on, hired):
                server.wait_for(count)
            seconds = server.at[-1] - server.at[0]
            say(f"mails by {hired} worker{'s' * (hired > 1)}", f"{(count - 1) / seconds:.0f} /s", f"{count} in a row")
            say("   inviting so many, the command", f"{invited:.1f} s")
        rate = bare(server, count)
    say("the same mails by smtplib alone, one line", f"{rate:.0f} /s", "client and server on the same cores")


def invite(on: Stage, count: int, number: int = 0) -> float:
    """Invite so many; the seconds the command took."""
    file = on.folder / f"guests{number}.txt"
    file.write_text("\n".join(f"Guest {n} <guest{number}-{n}@mail.example>" for n in range(count)))
    done = on.usher("invite", "--org", SLUG, str(file))
    return done.seconds


def bare(server: Sink, count: int) -> float:
    """The mails that arrived, sent once more with nothing around them."""
    again = list(server.mails)
    begun = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", server.port) as line:
        for mail in again:
            line.sendmail("usher@bench.example", ["guest@mail.example"], mail)
    return count / (time.perf_counter() - begun)


def invitations(on: Stage, *, quick: bool) -> None:
    """People who are new accept by their links: a page, a form, an account, the door."""
    organization(on)
    count = 40 if quick else 400
    hashes = on.child("bare")["rate"]
    with sink() as server:
        on.environ["USHER_SMTP_URL"] = f"smtp://127.0.0.1:{server.port}"
        invite(on, count)
        with workers(on, 1):
            server.wait_for(count)
        links = server.links()
    del on.environ["USHER_SMTP_URL"]
    with on.serving(**BEHIND_A_PROXY) as house:
        used, begun = house.cpu_seconds(), time.perf_counter()
        seconds = crowd([partial(accept, house.address, links[first::4], first) for first in range(4)])
        wall, used = time.perf_counter() - begun, house.cpu_seconds() - used
    say("invitations accepted", f"{count / wall:.0f} /s", f"{1000 * used / count:.1f} CPU-ms each, page and form")
    say("   the POST: median, p95", f"{statistics.median(seconds) * 1000:.0f} ms", f"{p95(seconds) * 1000:.0f} ms")
    say("argon2id on all cores, bare", f"{hashes:.0f} /s", "each costs one")


def accept(address: str, links: list[str], first: int) -> list[float]:
    seconds = []
    for number, link in enumerate(links):
        browser = Browser(address, {"X-Forwarded-For": f"10.{first}.{number // 250}.{number % 250 + 1}"})
        form = {
            "csrfmiddlewaretoken": token_of(browser.ask("GET", link)[1]),
            "act": "register",
            "username": f"Guest {first} {number}",
            "password": f"a meadow with {number} cows",
        }
        seconds.append(post(browser, link, form, 302))
        browser.connection.close()
    return seconds
