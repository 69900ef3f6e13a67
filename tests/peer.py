"""A real web server for the tests, of every temper: it answers as it is told, byte by byte if need be."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

Answer = Callable[[socket.socket], None]


def reply(body: bytes | Any = b"{}", status: str = "200 OK", **headers: str) -> Answer:
    """An answer at once; names of headers with _ for -."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(raw)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    whole = "\r\n".join([*lines, "", ""]).encode() + raw
    return lambda line: line.sendall(whole)


def just(raw: bytes) -> Answer:
    """These bytes, and the line is closed."""

    def answer(line: socket.socket) -> None:
        line.sendall(raw)
        line.shutdown(socket.SHUT_RDWR)

    return answer


class Peer:
    """``answer`` is what the next request gets; ``asked`` are the requests, whole; ``lines`` counts connections."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self.answer: Answer = reply()
        self.asked: list[bytes] = []
        self.lines = 0
        self.over = threading.Event()
        self.tls = tls
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.door.getsockname()[1]
        self.at = f"127.0.0.1:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.at}/"

    def drip(self, start: bytes, drop: bytes) -> Answer:
        """A server that is never silent and never done."""

        def answer(line: socket.socket) -> None:
            line.sendall(start)
            while not self.over.wait(0.02):
                line.sendall(drop)

        return answer

    def silence(self, _line: socket.socket) -> None:
        self.over.wait()

    def serve(self) -> None:
        while True:
            try:
                line, _ = self.door.accept()
            except OSError:
                return
            self.lines += 1
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with suppress(OSError):
            line.settimeout(10)
            whole = self.tls.wrap_socket(line, server_side=True) if self.tls else line
            with whole:
                while request := self._read(whole):
                    self.asked.append(request)
                    self.answer(whole)

    def _read(self, line: socket.socket) -> bytes:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = line.recv(65536)
            if not piece:
                return b""
            request += piece
        head, _, body = request.partition(b"\r\n\r\n")
        names = dict(part.lower().split(b": ", 1) for part in head.split(b"\r\n")[1:])
        while len(body) < int(names.get(b"content-length", b"0")):
            body += line.recv(65536)
        return head + b"\r\n\r\n" + body


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    peer = Peer(tls)
    thread = threading.Thread(target=peer.serve, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        peer.over.set()
        peer.door.shutdown(socket.SHUT_RDWR)
        peer.door.close()
        thread.join()
