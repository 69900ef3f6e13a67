"""Mail without a mail server: on the embedded default each mail becomes a file, for the one who runs this machine.

``DATA_DIR/mail/20261122T125501.123456Z-0198….eml``, the newest last by name; whoever can read them can read every
link in them, so only the owner can. Shown at ``/_mail/`` in demo mode.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage as Parsed
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from usher.core import clock

MOST: Final = 1000  # mails kept; the oldest go
_TIME: Final = "%Y%m%dT%H%M%S.%fZ"
_NAME: Final = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{1,40}\.eml")


class Backend(BaseEmailBackend):
    """Django's way out for mails (EMAIL_BACKEND): into files."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            _keep(message)
        return len(email_messages)


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail as a page shows it."""

    name: str
    at: dt.datetime
    to: str
    subject: str
    text: str
    html: str


def folder() -> Path:
    return Path(settings.USHER_DATA_DIR) / "mail"


def names() -> list[str]:
    """The files of all mails, the newest first."""
    try:
        found = [file.name for file in folder().iterdir()]
    except FileNotFoundError:
        return []
    return sorted(filter(_NAME.fullmatch, found), reverse=True)


def read(name: str) -> Shown | None:
    """One mail; None when there is none of this name."""
    if not _NAME.fullmatch(name):
        return None
    try:
        content = (folder() / name).read_bytes()
    except FileNotFoundError:
        return None
    mail = message_from_bytes(content, policy=policy.default)
    at = dt.datetime.strptime(name.partition("-")[0], _TIME).replace(tzinfo=dt.UTC)
    return Shown(name, at, mail["To"] or "", mail["Subject"] or "", _part(mail, "plain"), _part(mail, "html"))


def _part(mail: Parsed, kind: str) -> str:
    body = mail.get_body((kind,))
    return str(body.get_content()) if body else ""


def _keep(message: EmailMessage) -> None:
    """Write one mail so that nobody ever sees half of it, and nobody else any of it."""
    here = folder()
    here.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = re.sub("[^0-9a-f]", "", str(message.extra_headers.get("Message-ID", "")).partition("@")[0]) or "0"
    path = here / f"{clock.now():{_TIME}}-{number[:40]}.eml"
    draft = path.with_suffix(".part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(message.message().as_bytes())
    draft.rename(path)
    for name in names()[MOST:]:
        (here / name).unlink(missing_ok=True)
