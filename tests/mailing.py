"""Reading what was mailed: the links in it, by the pages they lead to."""

from __future__ import annotations

import re

from django.conf import settings
from django.core import mail

from usher.core.work import drain

LINK = re.compile(r"""https?://[^\s"'<>]+""")


def mails() -> list[mail.EmailMessage]:
    """Send what waits; everything that was sent since the last look, the oldest first."""
    drain()
    found = list(mail.outbox)
    mail.outbox.clear()
    return found


def one_mail() -> mail.EmailMessage:
    (found,) = mails()
    return found


def link_in(message: mail.EmailMessage, page: str) -> str:
    """The path of the one link to this page (``/reset/``), the same in both parts."""
    assert isinstance(message, mail.EmailMultiAlternatives)
    parts = str(message.body), str(message.alternatives[0][0])
    found = [{link for link in LINK.findall(part) if page in link} for part in parts]
    assert found[0] == found[1]
    (link,) = found[0]
    assert link.startswith(settings.USHER_BASE_URL)
    return str(link.removeprefix(settings.USHER_BASE_URL))
