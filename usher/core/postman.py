"""Handing a mail to the mail server, and reading its answer: done, later, or never. No address gets into the log."""

from __future__ import annotations

import smtplib

from django.conf import settings
from django.core.mail import EmailMessage

from usher.core.work import GiveUpError


class NotSentError(Exception):
    """The mail is still here and will be tried again. Names no address."""


def can_send() -> bool:
    """Whether there is a way out at all. On PostgreSQL without a mail server there is none, and mails wait."""
    return not str(settings.EMAIL_BACKEND).endswith(".dummy.EmailBackend")


def hand_over(message: EmailMessage) -> None:
    """Raises GiveUpError when the server refused this very mail for good, else NotSentError.

    What Python's library raises quotes the address and the server's words, which often hold it too: neither is
    kept, only the three digits (RFC 5321 section 4.2.1: 4yz may be tried again, 5yz not).
    """
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as refused:
        raise _judged([code for code, _ in refused.recipients.values()]) from None
    except smtplib.SMTPDataError as refused:
        raise _judged([refused.smtp_code]) from None
    except smtplib.SMTPResponseException as refused:
        # The greeting, the sign-in or the sender: for the operator to mend, and then the mail goes out.
        raise NotSentError(f"The mail server answered {refused.smtp_code} before it took a mail.") from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotSentError(f"The mail server could not be reached: {type(error).__name__}.") from None


def _judged(codes: list[int]) -> Exception:
    code = max(codes, default=0)
    if 500 <= code <= 599:
        return GiveUpError(f"The mail server refused it with {code}.")
    return NotSentError(f"The mail server answered {code}.")
