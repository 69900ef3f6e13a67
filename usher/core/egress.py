"""Connections to the outside, which lead to public addresses only: no name, however it resolves, opens our own network.

The host is resolved once; every address found is checked, and the connection goes to one of them. So a name that
says something else at the second question (DNS rebinding) gains nothing. What lies inside must be in
USHER_PRIVATE_HOSTS. The time a whole exchange may take is kept for the thread (``deadline``), and every wait on
one of these connections keeps to what is left of it.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
TRIES: Final = 4  # addresses of one name
# Seconds. Many servers hang up after five; who asks at that very moment gets no answer, and a code works only once.
IDLE: Final = 3.0

Found = tuple[int, int, int, str, Any]  # as socket.getaddrinfo says it
_here = threading.local()


class FetchError(Exception):
    """``code`` is one stable word in snake_case; ``detail`` one sentence for the admin who wrote the address."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


# Time


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """What is done on connections of this thread meanwhile ends after so many seconds, with a TimeoutError."""
    _here.until = time.monotonic() + seconds
    yield


def left() -> float:
    """Seconds. Raises TimeoutError when there are none."""
    seconds: float = _here.until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def is_over() -> bool:
    return bool(time.monotonic() >= _here.until)


class _Socket(socket.socket):
    """Each read waits for what is left of the whole time: a server that drips must not hold a thread."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(left())
        return super().recv_into(*args, **kwargs)


class TlsSocket(ssl.SSLSocket):
    """The same, for an SSLContext."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(left())
        return super().recv_into(*args, **kwargs)


# Addresses


def is_private_host(host: str, port: int) -> bool:
    """Did the operator name it as a part of his own network?"""
    host = host.strip("[]").removesuffix(".").lower()
    return not {host, f"{host}:{port}", f"[{host}]:{port}"}.isdisjoint(settings.USHER_PRIVATE_HOSTS)


def is_public(address: str) -> bool:
    """Is it an address of the internet, also after every translation that leads to another one?"""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (_last_32(ip) if ip in NAT64 else None)
        if inner is None:
            return ip in GLOBAL_UNICAST and ip.is_global
        ip = inner
    return ip.is_global and not ip.is_multicast


def _last_32(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)


def _checked(host: str, port: int) -> Sequence[Found]:
    """Where a host is, by one question. Raises FetchError."""
    found = _resolved(host, port)
    if not is_private_host(host, port):
        for *_, (address, *_) in found:
            if not is_public(address):
                raise FetchError(
                    "private_address",
                    f"{host} has the address {address}, which is not public. The operator may allow it by "
                    "USHER_PRIVATE_HOSTS.",
                )
    return found[:TRIES]


def _resolved(host: str, port: int) -> Sequence[Found]:
    """The system's resolver knows no deadline, so it works in a thread that nobody waits for longer than that."""
    answer: Future[Sequence[Found]] = Future()
    threading.Thread(target=_resolve, args=(host, port, answer), daemon=True).start()
    try:
        return answer.result(left())
    except TimeoutError:
        raise FetchError("timeout", f"The name {host} was not found in time (DNS).") from None
    except (OSError, UnicodeError):
        raise FetchError("not_found_in_dns", f"The name {host} is not known (DNS).") from None


def _resolve(host: str, port: int, answer: Future[Sequence[Found]]) -> None:
    try:
        answer.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        answer.set_exception(error)


def _connected(host: str, port: int) -> socket.socket:
    """A connection to the first checked address that takes one; each has its share of the time. Raises FetchError."""
    addresses = _checked(host, port)
    timed_out = False
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        line = _Socket(family, kind, protocol)
        try:
            line.settimeout(left() / (len(addresses) - index))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.connect(address)
            line.settimeout(left())
            return line
        except OSError as error:
            line.close()
            timed_out = isinstance(error, TimeoutError)
    if timed_out:
        raise FetchError("timeout", f"{host} took no connection in time.")
    raise FetchError("refused_connection", f"{host} takes no connection on port {port}.")


class _Line(HTTPConnection):
    used_at = 0.0

    def _new_conn(self) -> socket.socket:
        return _connected(self._dns_host.strip("[]"), self.port)

    def request(self, *args: Any, **kwargs: Any) -> None:
        self.used_at = time.monotonic()
        super().request(*args, **kwargs)

    @property
    def is_connected(self) -> bool:
        """Is it good for another request? The pool asks this before it hands one out."""
        return super().is_connected and time.monotonic() - self.used_at < IDLE


class _TlsLine(_Line, HTTPSConnection):
    """The same under TLS."""


class PlainPool(HTTPConnectionPool):
    ConnectionCls = _Line


class TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsLine
