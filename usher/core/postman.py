"""Handing a mail to the mail server, and reading its answer: done, later, or never. No address gets into the log.

What Python's library raises quotes the address and the server's words, which often hold it too: neither is kept,
only the three digits (RFC 5321 section 4.2.1: 4yz may be tried again, 5yz not).
"""

from __future__ import annotations

import datetime as dt
import select
import smtplib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import sanitize_address

from usher.core import clock
from usher.core.work import GiveUpError, PlainError

IDLE: Final = 30.0  # seconds that a connection is kept without a mail
MOST: Final = 100  # mails of one connection: some servers count
# RFC 5321 section 4.5.3.2.6: whoever hangs up on a slow server earlier gives it the same mail again and again.
PATIENCE_FOR_DATA: Final = 300.0
GOODBYE: Final = 2.0  # seconds to wait for the answer to it
RESTS: Final = (5, 10, 20, 40, 60)  # seconds without a try when the server could not be reached, growing


class NotSentError(PlainError):
    """The mail is still here and will be tried again."""

    def __init__(self, why: str, code: int = 0) -> None:
        super().__init__(why)
        self.code = code


class AwayError(NotSentError):
    """The same, and it is no matter of this one mail: no other would get out either."""


class RefusedError(GiveUpError):
    """The server refused this very mail for good; ``recipient`` when it was for the address."""

    def __init__(self, code: int, *, recipient: bool) -> None:
        what = "the address" if recipient else "the mail"
        super().__init__(f"The mail server refused {what} with {code}.")
        self.code = code
        self.recipient = recipient


class Backend(EmailBackend):
    """Django's way out for mails (EMAIL_BACKEND), with a connection that is kept between mails.

    TLS is what the settings say, with a certificate that this machine trusts, or there is no mail at all.
    """

    connection: smtplib.SMTP | None
    _partial_connection: smtplib.SMTP | None
    timeout: float
    mails = 0
    used_at = 0.0

    def where(self) -> tuple[Any, ...]:
        """What makes two of them the same line."""
        return self.host, self.port, self.username, self.password, self.use_tls, self.use_ssl

    def deliver(self, message: EmailMessage, confirm: Callable[[], None]) -> int:
        """Hand over a mail to one address; ``confirm`` is called at the last moment before that, and may raise.

        Returns the server's digits. Raises NotSentError, RefusedError, and whatever ``confirm`` raises.
        """
        encoding = message.encoding or settings.DEFAULT_CHARSET
        (to,) = message.recipients()
        sender, recipient = (sanitize_address(one, encoding) for one in (message.from_email, to))
        content = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own
        try:
            line = self._begun(sender)
            self._ask_for(line, recipient)
            confirm()
            return self._give(line, content)
        except RefusedError as refused:
            self._go_on(refused)
            raise
        except BaseException:
            self.drop()
            raise

    def hang_up(self) -> None:
        """Take leave, and close the line."""
        if self.connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                _wait(self.connection, GOODBYE)
                self.connection.quit()
        self.drop()

    def drop(self) -> None:
        """Close the line, whatever state it is in: nothing more is said on it."""
        for line in (self.connection, self._partial_connection):
            if line is not None:
                line.close()
        self.connection, self._partial_connection, self.mails = None, None, 0

    def is_stale(self) -> bool:
        return time.monotonic() - self.used_at > IDLE

    def _begun(self, sender: str) -> smtplib.SMTP:
        """A line on which a mail has begun. One that broke while it lay idle is taken anew: it had got nothing yet."""
        if self._is_good():
            with suppress(AwayError):
                return self._begin(sender)
        self.hang_up()
        try:
            self.open()
        except smtplib.SMTPResponseException as refused:
            raise _away(refused.smtp_code) from None
        except (smtplib.SMTPException, OSError) as error:
            raise AwayError(f"The mail server could not be reached: {type(error).__name__}.") from None
        return self._begin(sender)

    def _is_good(self) -> bool:
        """Nobody talks before being asked but a server that hangs up."""
        line = self.connection
        if line is None or line.sock is None or self.is_stale() or self.mails >= MOST:
            return False
        ears = select.poll()
        ears.register(line.sock, select.POLLIN)
        return not ears.poll(0)

    def _begin(self, sender: str) -> smtplib.SMTP:
        """Raises AwayError: what the server says of us and of the sender is for the operator to mend."""
        line = self.connection
        assert line is not None  # noqa: S101 - it was opened
        try:
            line.ehlo_or_helo_if_needed()
            code, _ = line.mail(sender, ["body=8bitmime"] if line.has_extn("8bitmime") else [])
        except smtplib.SMTPResponseException as refused:
            raise _away(refused.smtp_code) from None
        except (smtplib.SMTPException, OSError) as error:
            raise AwayError(_broke(error)) from None
        if code != 250:
            raise _away(code)
        return line

    def _ask_for(self, line: smtplib.SMTP, recipient: str) -> None:
        try:
            code, _ = line.rcpt(recipient)
        except (smtplib.SMTPException, OSError) as error:
            raise NotSentError(_broke(error)) from None
        if code not in (250, 251):
            raise _judged(code, recipient=True)

    def _give(self, line: smtplib.SMTP, content: bytes) -> int:
        try:
            _wait(line, PATIENCE_FOR_DATA)
            code, _ = line.data(content)
            _wait(line, self.timeout)
        except smtplib.SMTPDataError as refused:
            code = refused.smtp_code
        except (smtplib.SMTPException, OSError) as error:
            raise NotSentError(_broke(error)) from None
        if not 200 <= code <= 299:
            raise _judged(code, recipient=False)
        self.mails, self.used_at = self.mails + 1, time.monotonic()
        return code

    def _go_on(self, refused: RefusedError) -> None:
        """Of many addresses some are refused; that is no reason to begin anew with each."""
        try:
            assert self.connection is not None  # noqa: S101 - it has just answered
            code, _ = self.connection.rset()
        except (smtplib.SMTPException, OSError):
            code = 0
        self.used_at = time.monotonic()
        if code != 250 or not refused.recipient:
            self.hang_up()


def _wait(line: smtplib.SMTP, seconds: float) -> None:
    """Raises SMTPServerDisconnected on a closed line."""
    if line.sock is None:
        raise smtplib.SMTPServerDisconnected("closed")
    line.sock.settimeout(seconds)


def _away(code: int) -> AwayError:
    return AwayError(f"The mail server answered {code} before it took a mail.", code)


def _broke(error: Exception) -> str:
    return f"The connection to the mail server broke: {type(error).__name__}."


def _judged(code: int, *, recipient: bool) -> Exception:
    if 500 <= code <= 599:
        return RefusedError(code, recipient=recipient)
    if code == 421:  # it closes, whatever was asked
        return AwayError("The mail server answered 421.", code)
    return NotSentError(f"The mail server answered {code}.", code)


# The way out


class _Held(threading.local):
    """The line of this thread, if one is open."""

    line: Backend | None = None


_held = _Held()
_rests: dict[tuple[str, int], tuple[int, dt.datetime]] = {}  # by server: how often in a row, and until when


def can_send() -> bool:
    """Whether there is a way out at all. On PostgreSQL without a mail server there is none, and mails wait."""
    return not str(settings.EMAIL_BACKEND).endswith(".dummy.EmailBackend")


def is_resting() -> bool:
    """Whether the server could not be reached a moment ago: then no mail is tried, and other work goes on."""
    _, until = _rests.get(_server(), (0, None))
    return until is not None and clock.now() < until


def hand_over(message: EmailMessage, confirm: Callable[[], None]) -> int:
    """Send one mail to one address; ``confirm`` is called at the last moment before it leaves, and may raise.

    Returns the server's digits, 0 where there is no server. Raises NotSentError, RefusedError, and as ``confirm``.
    """
    line = _line()
    if line is None:
        return _put(message, confirm)
    try:
        code = line.deliver(message, confirm)
    except AwayError:
        times = _rests.get(_server(), (0,))[0]
        wait = RESTS[min(times, len(RESTS) - 1)]
        _rests[_server()] = times + 1, clock.now() + dt.timedelta(seconds=wait)
        raise
    _rests.pop(_server(), None)
    return code


def hang_up(*, only_stale: bool = False) -> None:
    """Close the line of this thread; ``only_stale`` when no mail used it for a while."""
    line = _held.line
    if line is not None and (line.is_stale() or not only_stale):
        line.hang_up()
        _held.line = None


def _line() -> Backend | None:
    """The line to the server of the settings, an open one if there is one; None where mails take another way."""
    fresh = get_connection()
    if not isinstance(fresh, Backend):
        return None
    if _held.line is None or _held.line.where() != fresh.where():
        hang_up()
        _held.line = fresh
    return _held.line


def _put(message: EmailMessage, confirm: Callable[[], None]) -> int:
    confirm()
    try:
        message.send()
    except OSError as error:
        raise NotSentError(f"The mail could not be written: {type(error).__name__}.") from None
    return 0


def _server() -> tuple[str, int]:
    return settings.EMAIL_HOST, settings.EMAIL_PORT
