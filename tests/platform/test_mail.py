"""Mails on the wire: real SMTP servers of every temper, files where there is none, and nothing a stranger put in."""

from __future__ import annotations

import datetime as dt
import logging
import re
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from mailserver import Server, listening

from usher.core import clock as clocks
from usher.core import letters, mailbox, postman, worker
from usher.core import mail as outbox
from usher.core.letters import Letter, letter
from usher.core.models import Mail
from usher.core.work import BACK_OFF, drain
from usher.urls import DEMO
from usher.urls import urlpatterns as everywhere

urlpatterns = [*everywhere, *DEMO]

TO = "zoe@mail.example"
LINK = re.compile(r"""(?:https?://|www\.)[^\s"'<>]+""")


@letter("greeting")
def greet(mail: Mail) -> Letter:
    return Letter(f"Hello {mail.data.get('name', '')}", "base", mail.data)


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    with listening(settings) as server:
        yield server


def post(**data: Any) -> Mail:
    outbox.post("greeting", TO, outbox.Envelope(data=data))
    return Mail.objects.get()


def lines(caplog: pytest.LogCaptureFixture) -> str:
    """What we logged; the server in this process has its own log."""
    ours = [record for record in caplog.records if not record.name.startswith("mail.")]
    return "\n".join(f"{record.getMessage()} {record.exc_info}" for record in ours)


# The mail server


def test_a_mail_goes_out_once(db: None, server: Server) -> None:
    row = post(name="Zoë")
    drain()
    (mail,) = server.mails
    assert (mail["To"], mail["Subject"], mail["Auto-Submitted"]) == (TO, "Hello Zoë", "auto-generated")
    assert mail["Message-ID"] == letters.message_id(row)
    assert [part.get_content_type() for part in mail.walk()][1:] == ["text/plain", "text/html"]
    assert not Mail.objects.exists()


def test_busy_then_free(db: None, server: Server, clock: time_machine.Traveller) -> None:
    """What may be tried again is tried again, and is the same mail."""
    server.answers["RCPT"] = ["450 4.2.1 <zoe@mail.example> is over quota"]
    server.answers["DATA"] = ["451 4.3.0 busy"]
    row = post()
    drain()
    assert server.mails == []
    assert Mail.objects.get().failure.endswith("The mail server answered 450.")
    clock.shift(dt.timedelta(seconds=BACK_OFF[0]))
    drain()
    clock.shift(dt.timedelta(seconds=BACK_OFF[1]))
    drain()
    assert [mail["Message-ID"] for mail in server.mails] == [letters.message_id(row)] * 2
    assert not Mail.objects.exists()


@pytest.mark.parametrize(("command", "what"), [("RCPT", "the address"), ("DATA", "the mail")])
def test_a_refusal_for_good_ends_it(
    db: None, server: Server, caplog: pytest.LogCaptureFixture, command: str, what: str
) -> None:
    server.answers[command] = ["550 5.1.1 <zoe@mail.example> nobody of that name"] * 2
    post()
    with caplog.at_level(logging.INFO):
        drain()
    row = Mail.objects.get()
    assert row.dead_at
    assert row.failure == f"The mail server refused {what} with 550."
    assert "550" in lines(caplog)
    assert TO not in lines(caplog)


def test_a_line_that_breaks_after_the_text_brings_the_same_mail_again(
    db: None, server: Server, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    server.hang_up = 1
    row = post()
    with caplog.at_level(logging.INFO):
        drain()
    assert Mail.objects.get().attempts == 1
    clock.shift(dt.timedelta(seconds=BACK_OFF[0]))
    drain()
    assert [mail["Message-ID"] for mail in server.mails] == [letters.message_id(row)] * 2
    assert not Mail.objects.exists()
    assert TO not in lines(caplog)


def test_a_mail_that_never_goes_out_is_given_up_after_two_days(
    db: None, server: Server, clock: time_machine.Traveller
) -> None:
    server.answers["RCPT"] = ["450 later"] * 200
    post()
    begun = clocks.now()
    while Mail.objects.filter(dead_at=None).exists():
        clock.shift(dt.timedelta(seconds=BACK_OFF[-1]))
        drain()
    assert dt.timedelta(days=2) <= clocks.now() - begun < dt.timedelta(days=3)
    assert server.mails == []


@pytest.fixture
def untrusted(tmp_path: Path) -> ssl.SSLContext:
    """A certificate for this machine that nobody signed but itself."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_certificate_that_nobody_vouches_for_gets_no_mail(db: None, settings: Any, untrusted: ssl.SSLContext) -> None:
    settings.EMAIL_USE_TLS = True
    with listening(settings, tls_context=untrusted, require_starttls=True) as server:
        post()
        drain()
    assert server.mails == []
    assert "SSLCertVerificationError" in Mail.objects.get().failure


def test_a_server_that_wants_another_sender_keeps_the_mail_waiting(db: None, settings: Any, server: Server) -> None:
    """That is for the operator to mend: no mail is lost by it."""
    settings.EMAIL_PORT = 9  # nobody listens
    post()
    drain()
    assert "ConnectionRefusedError" in Mail.objects.get().failure


def test_without_a_way_out_mails_wait_untouched(db: None, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    post()
    assert not postman.can_send()
    assert Mail not in worker.kinds()
    drain()
    assert Mail.objects.get().attempts == 0


# Files instead


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND = "usher.core.mailbox.Backend"
    settings.USHER_DATA_DIR = tmp_path / "var"
    return tmp_path / "var" / "mail"


def test_a_mail_becomes_a_file_that_only_we_can_read(db: None, files: Path, clock: time_machine.Traveller) -> None:
    row = post(name="Zoë")
    drain()
    (file,) = files.iterdir()
    assert file.name == f"20260302T080000.000000Z-{row.id.hex}.eml"
    assert (files.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    (shown,) = [mailbox.read(name) for name in mailbox.names()]
    assert shown
    assert (shown.to, shown.subject) == (TO, "Hello Zoë")
    assert "Sent by Usher" in shown.text
    assert "Sent by Usher" in shown.html


def test_the_oldest_files_go(
    db: None, files: Path, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MOST", 3)
    for _ in range(5):
        clock.shift(1)
        post()
        drain()
    assert [name[9:15] for name in mailbox.names()] == ["080005", "080004", "080003"]


@pytest.mark.parametrize("name", ["../keys/pepper", "x.eml", "20260302T080000.000000Z-0.eml", "", "."])
def test_no_other_file_is_read(files: Path, name: str) -> None:
    (files.parent / "keys").mkdir(parents=True)
    (files.parent / "keys" / "pepper").write_text("secret")
    assert mailbox.read(name) is None


# Shown in a demonstration


@pytest.mark.urls("test_mail")
def test_a_demonstration_shows_its_mails(db: None, files: Path, clock: time_machine.Traveller) -> None:
    client = Client()
    assert "No mail yet" in client.get("/_mail/").content.decode()
    for name in ("Ann", "Bo"):
        clock.shift(1)
        post(name=name)
        drain()
    page = client.get("/_mail/").content.decode()
    assert page.index("Hello Bo") < page.index("Hello Ann")
    path = re.findall('href="(/_mail/[^"]+)"', page)[0]
    assert 'href="http://127.0.0.1:8000"' in client.get(path).content.decode()
    picture = client.get(f"{path}/picture")
    assert "Hello Bo" in picture.content.decode()
    policy_of_it = picture["Content-Security-Policy"]
    assert "default-src 'none'" in policy_of_it
    assert "script-src" not in policy_of_it
    assert picture["X-Frame-Options"] == "SAMEORIGIN"
    assert client.get("/_mail/keys").status_code == 404


def test_nobody_else_shows_them(db: None) -> None:
    assert Client().get("/_mail/").status_code == 404
