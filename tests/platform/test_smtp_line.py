"""The line to the mail server: kept between mails, given up at the right moments; and what became of each mail (R4)."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from mailserver import Server, listening, serving

from usher.core import letters, postman, work
from usher.core import mail as outbox
from usher.core.letters import Fate, Letter, afterwards, letter
from usher.core.models import Mail
from usher.core.rows import new_id
from usher.core.work import BACK_OFF, drain, run_one

fates: list[tuple[Fate, str]] = []


@letter("told")
def write(mail: Mail) -> Letter | None:
    return None if mail.data.get("void") else Letter("Hello", "base", headers=mail.data.get("headers", {}))


@afterwards("told")
def note(mail: Mail, fate: Fate) -> None:
    fates.append((fate, mail.failure))
    if mail.data.get("breaks"):
        raise ValueError("zoe@mail.example is no good")


@pytest.fixture(autouse=True)
def nothing_told(clock: time_machine.Traveller) -> Iterator[None]:
    fates.clear()
    yield
    postman._rests.clear()


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    with listening(settings) as server:
        yield server


def post(count: int = 1, **data: Any) -> None:
    for n in range(count):
        outbox.post("told", f"p{n}@mail.example", outbox.Envelope(data=data))


# The line


def test_a_hundred_mails_go_over_one_line(db: None, server: Server) -> None:
    post(postman.MOST + 1)
    drain()
    assert len(server.mails) == postman.MOST + 1
    assert server.lines == 2


def test_a_line_that_lay_idle_is_taken_anew(db: None, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    post()
    drain()
    postman.hang_up(only_stale=True)
    post()
    drain()
    assert (len(server.mails), server.lines) == (2, 1)
    monkeypatch.setattr(postman, "IDLE", 0.0)
    post()
    drain()
    assert (len(server.mails), server.lines) == (3, 2)
    postman.hang_up(only_stale=True)
    assert postman._held.line is None


def test_a_server_that_hung_up_meanwhile_costs_no_try(db: None, server: Server, settings: Any) -> None:
    post()
    drain()
    assert postman._held.line
    assert postman._held.line.connection
    assert postman._held.line.connection.sock
    postman._held.line.connection.sock.shutdown(socket.SHUT_RDWR)
    post()
    drain()
    assert len(server.mails) == 2
    assert not Mail.objects.exists()


def test_a_refused_address_does_not_close_the_line(db: None, server: Server) -> None:
    server.answers["RCPT"] = ["550 nobody", "250 OK"]
    post(2)
    drain()
    assert (len(server.mails), server.lines) == (1, 1)


def test_a_slow_server_is_waited_for_after_the_text(db: None, server: Server, settings: Any) -> None:
    """Whoever hangs up on it gives it the same mail again and again."""
    settings.EMAIL_TIMEOUT = 1
    server.waits["DATA"] = [1.5]
    post()
    drain()
    assert len(server.mails) == 1
    assert [fate.state for fate, _ in fates] == ["sent"]


def test_a_server_that_is_slow_before_the_text_is_tried_later(db: None, server: Server, settings: Any) -> None:
    settings.EMAIL_TIMEOUT = 1
    server.waits["RCPT"] = [1.5]
    post()
    drain()
    assert fates == [(Fate("later"), "The connection to the mail server broke: SMTPServerDisconnected.")]


# Other work goes on


def test_a_server_that_is_away_is_not_asked_for_each_mail(
    db: None, settings: Any, clock: time_machine.Traveller
) -> None:
    with listening(settings):
        pass
    post(3)
    while Mail.can_run() and run_one([Mail]):
        pass
    assert sorted(Mail.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    assert fates[0][1].startswith("The mail server could not be reached: ")
    clock.shift(dt.timedelta(seconds=postman.RESTS[0]))
    assert Mail.can_run()


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_421_is_a_rest_for_all_and_costs_no_mail(
    db: None, server: Server, clock: time_machine.Traveller, command: str
) -> None:
    server.answers[command] = ["421 4.3.2 closing"]
    post(2)
    while Mail.can_run() and run_one([Mail]):
        pass
    assert sorted(Mail.objects.values_list("attempts", flat=True)) == [0, 1]
    clock.shift(dt.timedelta(seconds=BACK_OFF[0]))
    drain()
    assert not Mail.objects.exists()
    assert sorted(server.got())[-2:] == ["p0@mail.example", "p1@mail.example"]
    assert [fate.state for fate, _ in fates] == ["later", "sent", "sent"]


def test_plain_is_no_way_out_where_tls_is_wanted(db: None, settings: Any) -> None:
    settings.EMAIL_USE_TLS = True
    with listening(settings) as server:
        post()
        drain()
        assert server.asked == []
    assert fates == [(Fate("later"), "The mail server could not be reached: SMTPNotSupportedError.")]


# What became of it


@pytest.mark.parametrize(
    ("command", "answers", "told"),
    [
        ("RCPT", [], [Fate("sent", 250)]),
        ("RCPT", ["451 greylisted", "250 OK"], [Fate("later", 451), Fate("sent", 250)]),
        ("DATA", ["451 busy", "250 OK"], [Fate("later", 451), Fate("sent", 250)]),
        ("RCPT", ["550 nobody"], [Fate("bounced", 550)]),
        ("DATA", ["554 spam"], [Fate("failed", 554)]),
        ("RCPT", ["450 later"] * Mail.most_tries, [Fate("later", 450)] * (Mail.most_tries - 1) + [Fate("failed", 450)]),
    ],
)
def test_its_fate_is_told_at_each_try(
    db: None, server: Server, clock: time_machine.Traveller, command: str, answers: list[str], told: list[Fate]
) -> None:
    server.answers[command] = answers
    post()
    for _ in told:
        drain()
        clock.shift(dt.timedelta(seconds=BACK_OFF[-1]))
    assert [fate for fate, _ in fates] == told
    assert all(("250" in why or str(fate.code) in why) is (fate.state != "sent") for fate, why in fates[:1])
    assert not Mail.objects.filter(dead_at=None).exists()


def test_a_mail_that_has_nothing_to_say_is_void(db: None, server: Server) -> None:
    post(void=True)
    drain()
    assert fates == [(Fate("void"), "")]
    assert not Mail.objects.exists()


def test_what_breaks_afterwards_sends_no_mail_twice(
    db: None, server: Server, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    post(breaks=True)
    for _ in range(3):
        drain()
        clock.shift(dt.timedelta(seconds=BACK_OFF[-1]))
    assert len(server.mails) == 1
    row = Mail.objects.get()
    assert row.dead_at
    assert row.failure == "It was tried, but what became of it could not be written down: ValueError."


def test_a_mail_whose_lease_is_lost_is_neither_sent_nor_told_of(db: None, server: Server) -> None:
    """Another worker took it while this one asked the server for the address."""
    post()
    item = work.claim(Mail)
    assert item
    Mail.objects.update(lease_token=new_id())
    work._run(item)
    assert (server.asked, server.mails, fates) == (["p0@mail.example"], [], [])
    assert Mail.objects.get().lease_token


def test_a_worker_told_to_stop_gives_nothing_more_away(db: None, server: Server) -> None:
    post()
    work.stopping.set()
    try:
        run_one([Mail])
    finally:
        work.stopping.clear()
    assert (server.mails, fates) == ([], [])
    row = Mail.objects.get()
    assert (row.attempts, row.lease_token) == (0, None)


def test_headers_of_a_letter_are_one_line_and_ours_stand(db: None, server: Server) -> None:
    unsubscribe = "<https://usher.example/stop>\r\nBcc: eve@mail.example"
    post(headers={"List-Unsubscribe": unsubscribe, "Message-ID": "<forged@mail.example>"})
    row = Mail.objects.get()
    drain()
    (mail,) = server.mails
    assert mail["List-Unsubscribe"] == "<https://usher.example/stop> Bcc: eve@mail.example"
    assert mail["Bcc"] is None
    assert mail["Message-ID"] == letters.message_id(row)


def test_each_thread_has_its_own_line(db: None, settings: Any) -> None:
    with serving() as server:
        settings.EMAIL_BACKEND = "usher.core.postman.Backend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        lines: list[object] = []

        def take() -> None:
            lines.append(postman._line())
            postman.hang_up()

        threads = [threading.Thread(target=take) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert lines[0] is not lines[1]
