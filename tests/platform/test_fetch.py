"""Asking other machines: no door into our own network, and nobody out there can hold a thread or fill the memory."""

from __future__ import annotations

import datetime as dt
import gzip
import os
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import evil
import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from peer import Peer, just, listening, reply
from pytest_django import Settings

from usher.core import circuit, egress, fetch
from usher.core.fetch import FetchError

PUBLIC = "93.184.216.34"


@pytest.fixture
def peer(settings: Settings) -> Iterator[Peer]:
    with listening() as peer:
        settings.USHER_PRIVATE_HOSTS = (peer.at,)
        yield peer


def refused(code: str, url: str, call: Callable[..., Any] = fetch.get, **more: Any) -> str:
    with pytest.raises(FetchError) as caught:
        call(url, **more)
    assert caught.value.code == code
    assert caught.value.detail.endswith(".")
    return caught.value.detail


def putting(url: str, **more: Any) -> fetch.Answer:
    return fetch.send("PUT", url, b"{}", content_type="application/json", **more)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """What DNS says, question by question (the last again and again); returns the names that were asked for."""
    names: list[str] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        names.append(host)
        found = answers[min(len(names), len(answers)) - 1]
        kinds = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in found]
        return [
            (kind, socket.SOCK_STREAM, 6, "", (address, port))
            for kind, address in zip(kinds, found, strict=True)
        ]  # fmt: skip

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


# What works


def test_an_answer(peer: Peer) -> None:
    peer.answer = reply({"a": "ä"}, Content_Type="application/json", X_One="1")
    answer = fetch.get(peer.url, headers={"Authorization": "Bearer opaque"})
    assert (answer.status, answer.json()) == (200, {"a": "ä"})
    assert answer.headers["x-one"] == "1"
    assert b"Authorization: Bearer opaque\r\n" in peer.asked[0]
    assert "ä" not in repr(answer)


def test_a_form(peer: Peer) -> None:
    peer.answer = reply({"error": "invalid_grant"}, "400 Bad Request")
    answer = fetch.post_form(f"{peer.url}token?x=1", {"code": "a b&c", "name": "ä"})
    assert (answer.status, answer.json()) == (400, {"error": "invalid_grant"})
    assert peer.asked[0].startswith(b"POST /token?x=1 HTTP/1.1\r\n")
    assert peer.asked[0].endswith(b"\r\n\r\ncode=a+b%26c&name=%C3%A4")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_any_body(peer: Peer, method: str) -> None:
    peer.answer = reply(b"", "201 Created", Location="elsewhere")
    told = {"Authorization": "Bearer opaque", "Accept": "a/b"}
    answer = fetch.send(method, f"{peer.url}scores?x=1", b'{"a": 1}', content_type="a/b+json", headers=told)
    assert (answer.status, answer.headers["location"]) == (201, "elsewhere")
    asked = peer.asked[0]
    assert asked.startswith(f"{method} /scores?x=1 HTTP/1.1\r\n".encode())
    assert asked.endswith(b'\r\n\r\n{"a": 1}')
    for line in (b"Content-Type: a/b+json", b"Accept: a/b", b"Content-Length: 8", b"Authorization: Bearer opaque"):
        assert asked.count(line + b"\r\n") == 1
    assert asked.count(b"Accept:") == 1


def test_connections_are_kept_by_thread_and_process(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        fetch.get(peer.url)
    assert (len(peer.asked), peer.lines) == (3, 1)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(fetch.get, peer.url).result()
    assert peer.lines == 2
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as after a fork
    fetch.get(peer.url)
    assert peer.lines == 3


def test_a_connection_that_lay_idle_is_not_trusted(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server may be hanging up at this very moment."""
    fetch.get(peer.url)
    monkeypatch.setattr(egress, "IDLE", 0)
    fetch.get(peer.url)
    assert peer.lines == 2


def test_a_kept_connection_that_was_closed_meanwhile(peer: Peer) -> None:
    gone = threading.Event()

    def answer_and_go(line: socket.socket) -> None:
        reply()(line)
        line.shutdown(socket.SHUT_RDWR)
        gone.set()

    peer.answer = answer_and_go
    for _ in range(3):
        assert fetch.get(peer.url).status == 200
        assert gone.wait(5)
        gone.clear()


def test_a_packed_answer(peer: Peer) -> None:
    peer.answer = reply(gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")
    assert fetch.get(peer.url).json() == {"a": 1}


def test_the_surroundings_change_nothing(peer: Peer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy, no .netrc, no cookie of the last answer."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    peer.answer = reply(Set_Cookie="a=b; Path=/")
    fetch.get(peer.url)
    fetch.get(peer.url)
    assert b"Authorization" not in peer.asked[0]
    assert b"Cookie" not in peer.asked[1]


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff", b"[" * 100_000])
def test_no_json(peer: Peer, body: bytes) -> None:
    peer.answer = reply(body)
    with pytest.raises(FetchError) as caught:
        fetch.get(peer.url).json()
    assert caught.value.code == "not_json"


# Slow, large, broken


def test_slow_headers(peer: Peer) -> None:
    peer.answer = peer.drip(b"HTTP/1.1 200 OK\r\nX: ", b"x")
    refused("timeout", peer.url, seconds=0.2)


def test_slow_body(peer: Peer) -> None:
    peer.answer = peer.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" ")
    refused("timeout", peer.url, seconds=0.2)


def test_endless_preliminaries(peer: Peer) -> None:
    peer.answer = peer.drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n")
    refused("timeout", peer.url, seconds=0.2)


def test_silence(peer: Peer) -> None:
    peer.answer = peer.silence
    assert refused("timeout", peer.url, seconds=0.1) == "127.0.0.1 did not answer in time."
    refused("timeout", peer.url, fetch.post_form, form={"a": "b"}, seconds=0.1)
    refused("timeout", peer.url, putting, seconds=0.1)
    assert len(peer.asked) == 3, "nothing is sent twice"


def test_silence_instead_of_tls(peer: Peer) -> None:
    peer.answer = peer.silence
    refused("timeout", peer.url.replace("http:", "https:"), seconds=0.1)


def test_too_large(peer: Peer) -> None:
    peer.answer = reply(b"x" * 1001)
    assert refused("too_large", peer.url, limit=1000) == "The answer is larger than 1,000 bytes."
    peer.answer = reply(b"x" * 1000)
    assert len(fetch.get(peer.url, limit=1000).body) == 1000
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    peer.answer = peer.drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk * 20)
    refused("too_large", peer.url)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_bomb(peer: Peer, chunked: bool) -> None:
    """Fifty megabytes in some hundred kilobytes: no more of it is unpacked than is taken."""
    bomb = gzip.compress(bytes(50_000_000), compresslevel=1)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
    if chunked:
        peer.answer = just(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(bomb), bomb))
    else:
        peer.answer = just(head + b"Content-Length: %d\r\n\r\n" % len(bomb) + bomb)
    tracemalloc.start()
    try:
        refused("too_large", peer.url)
        assert tracemalloc.get_traced_memory()[1] < 15_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent", "304 Not Modified"])
def test_redirects_are_not_followed(peer: Peer, status: str) -> None:
    peer.answer = reply(b"", status, Location=f"{peer.url}other")
    refused("redirect", peer.url)
    refused("redirect", peer.url, fetch.post_form, form={})
    refused("redirect", peer.url, putting)
    assert len(peer.asked) == 3


def test_a_redirect_with_an_endless_body(peer: Peer) -> None:
    peer.answer = peer.drip(f"HTTP/1.1 302 Found\r\nLocation: {peer.url}\r\n\r\n".encode(), b"x" * 65536)
    refused("redirect", peer.url)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "refused_connection"),
        (b"220 mail.example ESMTP\r\n", "refused_connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "refused_connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n{}", "refused_connection"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "refused_connection"),
    ],
)
def test_answers_that_are_none(peer: Peer, raw: bytes, code: str) -> None:
    peer.answer = just(raw)
    refused(code, peer.url)


# Where it does not go


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://id.example/", "http://id.example/", "gopher://id.example/", "javascript:alert(1)",
        "id.example", "//id.example/", "", "https://", "https:///keys", "data:,{}", "http://127.0.0.1/",
    ],
)  # fmt: skip
def test_only_https(url: str) -> None:
    refused("no_https", url)


def test_no_password_in_an_address() -> None:
    assert "secret" not in refused("bad_url", "https://ada:secret@id.example/")
    refused("bad_url", "https://[::1")
    refused("bad_url", "https://id.example:99999/")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.1:8443", "localhost", "LOCALHOST", "127.1", "2130706433", "0x7f000001",
        "0177.0.0.1", "0", "10.0.0.5", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "198.18.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[::1]", "[::]", "[fd00::1]",
        "[fe80::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]",
        "[::127.0.0.1]", "[2002:7f00:1::]", "[2002:a00:5::1]", "[64:ff9b::a00:5]", "[64:ff9b:1::a00:5]",
        "[2001:0:4136:e378::1]",
    ],
)  # fmt: skip
def test_private_addresses(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress._Socket, "connect", lambda *_: pytest.fail("a connection was tried"))
    assert "USHER_PRIVATE_HOSTS" in refused("private_address", f"https://{host}/")


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    assert egress.is_public(address)


@pytest.mark.parametrize("found", [["10.0.0.5"], [PUBLIC, "10.0.0.5"], ["::1", PUBLIC], ["::ffff:10.0.0.5"]])
def test_a_name_that_leads_inside(found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, found)
    monkeypatch.setattr(egress._Socket, "connect", lambda *_: pytest.fail("a connection was tried"))
    refused("private_address", "https://id.example/")


def test_a_name_that_changes_its_mind(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it is checked, and ours a moment later. The connection goes where the check went."""
    names = resolving(monkeypatch, [PUBLIC], ["127.0.0.1"])
    tried: list[Any] = []

    def connect(_: socket.socket, address: Any) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(egress._Socket, "connect", connect)
    refused("refused_connection", f"https://rebinding.example:{peer.port}/")
    assert tried == [(PUBLIC, peer.port)]
    assert names == ["rebinding.example"]
    assert peer.lines == 0


def test_hosts_the_operator_allows(peer: Peer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["127.0.0.1"])
    inside = f"http://id.school.internal:{peer.port}/"
    for allowed in ("id.school.internal", f"id.school.internal:{peer.port}"):
        settings.USHER_PRIVATE_HOSTS = (allowed,)
        assert fetch.get(inside).status == 200
        assert fetch.get(inside.replace("id.", "ID.")).status == 200
    settings.USHER_PRIVATE_HOSTS = ("id.school.internal:1", "127.0.0.1", "school.internal")
    refused("no_https", inside)
    refused("private_address", inside.replace("http:", "https:"))


def test_an_ipv6_host_the_operator_allows(settings: Settings) -> None:
    for allowed in ("::1", "[::1]:8443"):
        settings.USHER_PRIVATE_HOSTS = (allowed,)
        assert egress.is_private_host("[::1]", 8443)
        assert not egress.is_private_host("[::2]", 8443)


# Names and ports


def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert refused("not_found_in_dns", "https://id.example/") == "The name id.example is not known (DNS)."


def test_a_resolver_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait() and [])
    refused("timeout", "https://slow-dns.example/", seconds=0.1)
    over.set()


def test_the_second_address_is_tried(peer: Peer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.USHER_PRIVATE_HOSTS = ("id.school.internal",)
    resolving(monkeypatch, ["127.0.0.2", "127.0.0.1"])  # the server listens on one of them alone
    assert fetch.get(f"http://id.school.internal:{peer.port}/").status == 200


# TLS


def certificate(folder: Path, name: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """A server with a certificate that it signed itself."""
    key = evil.rsa_key()
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    alternative = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(Encoding.PEM))
    both = folder / "both.pem"
    both.write_bytes(
        path.read_bytes() + key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, path


def anew(url: str) -> fetch.Answer:
    """As a process does that starts now."""
    fetch._context.cache_clear()
    try:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(fetch.get, url).result()
    finally:
        fetch._context.cache_clear()


def test_certificates(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    context, path = certificate(tmp_path)
    settings.USHER_PRIVATE_HOSTS = ("127.0.0.1",)
    with listening(context) as peer:
        assert "self-signed certificate" in refused("tls", peer.url)
        assert peer.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        assert anew(peer.url).status == 200


def test_a_certificate_for_another_host(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    context, path = certificate(tmp_path, "other.example")
    settings.USHER_PRIVATE_HOSTS = ("127.0.0.1",)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with listening(context) as peer:
        assert "mismatch" in refused("tls", peer.url, anew)
        assert peer.asked == []


def test_a_slow_body_under_tls(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    context, path = certificate(tmp_path)
    settings.USHER_PRIVATE_HOSTS = ("127.0.0.1",)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with listening(context) as peer:
        anew(peer.url)
        peer.answer = peer.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" ")
        refused("timeout", peer.url, lambda url: in_new_thread(url, 0.2))


def in_new_thread(url: str, seconds: float) -> fetch.Answer:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(fetch.get, url, seconds=seconds).result()


# Whoever does not answer is left alone


def origin(peer: Peer) -> circuit.Origin:
    return ("http", "127.0.0.1", peer.port)


def break_off(peer: Peer, times: int) -> None:
    peer.answer = just(b"")
    for _ in range(times):
        refused("refused_connection", peer.url)


def test_a_dead_provider_rests(peer: Peer, clock: time_machine.Traveller) -> None:
    break_off(peer, 5)
    assert "half a minute" in refused("resting", peer.url)
    clock.shift(29)
    refused("resting", peer.url, fetch.post_form, form={})
    assert len(peer.asked) == 5
    clock.shift(2)
    break_off(peer, 1)
    refused("resting", peer.url)
    clock.shift(31)
    peer.answer = reply()
    assert fetch.get(peer.url).status == 200
    break_off(peer, 4)
    assert len(peer.asked) == 11


def test_one_try_is_let_through(peer: Peer, clock: time_machine.Traveller) -> None:
    break_off(peer, 5)
    clock.shift(31)
    meanwhile: list[str] = []

    def answer(line: socket.socket) -> None:
        try:
            circuit.check(origin(peer))
        except FetchError as error:
            meanwhile.append(error.code)
        reply()(line)

    peer.answer = answer
    fetch.get(peer.url)
    circuit.check(origin(peer))
    assert meanwhile == ["resting"]


def test_now_and_then_is_no_reason(peer: Peer, clock: time_machine.Traveller) -> None:
    for _ in range(10):
        break_off(peer, 1)
        clock.shift(16)
    peer.answer = reply()
    fetch.get(peer.url)


def test_a_bad_answer_is_an_answer(peer: Peer) -> None:
    peer.answer = reply(b"xx", "500 Broken")
    for _ in range(6):
        refused("too_large", peer.url, limit=1)
    assert fetch.get(peer.url).status == 500


def test_others_are_not_left_alone(peer: Peer, settings: Settings) -> None:
    with listening() as other:
        settings.USHER_PRIVATE_HOSTS = ("127.0.0.1",)
        break_off(peer, 5)
        assert fetch.get(other.url).status == 200


def test_origins_in_trouble_are_not_remembered_without_end() -> None:
    for port in range(circuit.MOST + 50):
        circuit.failed(("https", "flood.example", port))
    assert len(circuit._board.troubles) == circuit.MOST
