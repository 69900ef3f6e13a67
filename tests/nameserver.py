"""A real DNS server on this machine, for TXT records: what it answers can be changed while it runs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from django.test import override_settings


class Mode(Enum):
    """How it answers whatever it is asked."""

    ANSWERS = "answers"
    SERVFAIL = "servfail"
    SILENCE = "silence"


@dataclass
class Nameserver:
    """``texts`` are the TXT records by name, ``aliases`` the names that lead to another; a name in neither is none."""

    address: str
    texts: dict[str, list[str]]
    aliases: dict[str, str] = field(default_factory=dict)
    mode: Mode = Mode.ANSWERS
    asked: list[str] = field(default_factory=list)

    def answer(self, wire: bytes) -> bytes:
        """What goes back; nothing when it is silent."""
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        if self.mode is Mode.SILENCE:
            return b""
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA | dns.flags.AA
        if self.mode is Mode.SERVFAIL:
            response.set_rcode(dns.rcode.SERVFAIL)
        else:
            self._fill(response, name)
        return response.to_wire()

    def _fill(self, response: dns.message.Message, name: str) -> None:
        while name in self.aliases:
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{self.aliases[name]}."))
            name = self.aliases[name]
        if name not in self.texts:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif self.texts[name]:
            quoted = [" ".join(f'"{piece}"' for piece in _pieces(text)) for text in self.texts[name]]
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", *quoted))


def _pieces(text: str) -> list[str]:
    """A text as DNS panels cut it; a TXT record is made of strings of 255 bytes at the most."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return [plain[:40], plain[40:]] if len(plain) > 40 else [plain]


@contextmanager
def nameserver(texts: Mapping[str, Sequence[str]] | None = None) -> Iterator[Nameserver]:
    """The server, and Usher asking it as long as it runs."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    host, port = listener.getsockname()
    server = Nameserver(f"{host}:{port}", {name: list(values) for name, values in (texts or {}).items()})
    thread = threading.Thread(target=_serve, args=(server, listener), daemon=True)
    thread.start()
    try:
        with override_settings(USHER_DNS_SERVER=server.address):
            yield server
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
            stopper.sendto(b"", (host, port))
        thread.join()
        listener.close()


def _serve(server: Nameserver, listener: socket.socket) -> None:
    """Until an empty packet comes."""
    while True:
        wire, sender = listener.recvfrom(4096)
        if not wire:
            return
        answer = server.answer(wire)
        if answer:
            listener.sendto(answer, sender)
