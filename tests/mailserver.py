"""A real mail server for the tests, of every temper: it answers as it was told, and keeps what it was given."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from usher.core import postman


class Server:
    """What it says next stands in ``answers``, for how many seconds it thinks before that in ``waits``."""

    def __init__(self) -> None:
        self.answers: dict[str, list[str]] = {"MAIL": [], "RCPT": [], "DATA": []}
        self.waits: dict[str, list[float]] = {"RCPT": [], "DATA": []}
        self.mails: list[EmailMessage] = []
        self.asked: list[str] = []  # every address, whatever was said to it
        self.hang_up = 0  # so many times the line breaks after the text
        self.port = 0
        self.lines = 0  # that were opened

    async def next(self, command: str, otherwise: str) -> str:
        if self.waits.get(command):
            await asyncio.sleep(self.waits[command].pop(0))
        return self.answers[command].pop(0) if self.answers[command] else otherwise

    async def handle_EHLO(  # noqa: N802 - the library's name
        self, _server: SMTP, session: Session, _envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        self.lines += 1
        session.host_name = name
        return answers

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = await self.next("MAIL", "250 OK")
        if answer.startswith("250"):
            envelope.mail_from = address
        return answer

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.asked.append(address)
        answer = await self.next("RCPT", "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert envelope.rcpt_tos == [mail["To"]], "who gets it is who stands on it"
        answer = await self.next("DATA", "250 OK")
        self.mails.append(mail)
        if self.hang_up:
            self.hang_up -= 1
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return answer

    def got(self) -> list[str]:
        """To whom mails came, in their order."""
        return [str(mail["To"]) for mail in self.mails]

    def copies(self) -> Counter[str]:
        """How often each mail came, by its Message-ID."""
        return Counter(str(mail["Message-ID"]) for mail in self.mails)


@contextmanager
def serving(**how: Any) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server()
    controller = Controller(server, hostname="127.0.0.1", port=port, ready_timeout=20, **how)
    controller.start()
    server.port = port
    try:
        yield server
    finally:
        controller.stop()


@contextmanager
def listening(settings: Any, **how: Any) -> Iterator[Server]:
    """A server, and the settings that lead to it."""
    with serving(**how) as server:
        settings.EMAIL_BACKEND = "usher.core.postman.Backend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 10
        yield server
        postman.hang_up()
