"""Letters: what a queued mail says, written and handed over when it is sent.

A floor that has something to write registers it by kind with :func:`letter`, in its module ``letters``, which is
found by name. The function gets the row and returns the letter, or None when there is nothing to say any more.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import override

from usher.core import postman
from usher.core.defang import one_line, tamed

if TYPE_CHECKING:
    from usher.core.models import Mail

LONGEST_SUBJECT: Final = 150
# Values that are used as they are: links of ours, and addresses that were parsed.
AS_THEY_ARE: Final = ("link", "address")
_PLAIN: Final = (int, float, dt.date, Promise, type(None))


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail in words. The templates ``mail/NAME.txt`` and ``mail/NAME.html`` are filled with ``context``.

    Whatever text stands in the context is taken for something that a stranger typed: put into one line, cut at 60
    characters, no longer a link (core/defang.py). Only what is called ``…link`` or ``…address`` stays as it is.
    """

    subject: str
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    to: str = ""  # instead of the address of the row
    language: str = settings.LANGUAGE_CODE


Writer = Callable[["Mail"], Letter | None]
_writers: dict[str, Writer] = {}


def letter(kind: str) -> Callable[[Writer], Writer]:
    """Register what writes the letters of one kind."""

    def keep(write: Writer) -> Writer:
        _writers[kind] = write
        return write

    return keep


def send(mail: Mail) -> None:
    """Write the letter and hand it to the mail server.

    Raises LookupError for a kind that nobody writes, postman.NotSentError, and GiveUpError when the server will
    never take it.
    """
    autodiscover_modules("letters")
    written = _writers[mail.kind](mail)
    if written is not None:
        postman.hand_over(message(mail, written))


def message(mail: Mail, written: Letter) -> EmailMultiAlternatives:
    """The mail as it leaves: plain and HTML, one Message-ID for the row however often it is tried."""
    with override(written.language):
        return _message(mail, written)


def _message(mail: Mail, written: Letter) -> EmailMultiAlternatives:
    subject = tamed(written.subject, LONGEST_SUBJECT)
    context = {**safe(written.context), "base_url": settings.USHER_BASE_URL, "subject": subject}
    one = EmailMultiAlternatives(
        subject,
        _text(render_to_string(f"mail/{written.template}.txt", context)),
        to=[one_line(written.to or mail.to)],
        headers={"Message-ID": message_id(mail), "Auto-Submitted": "auto-generated"},
    )
    one.attach_alternative(render_to_string(f"mail/{written.template}.html", context), "text/html")
    return one


def safe(context: Mapping[str, Any]) -> dict[str, Any]:
    """The context of a letter with nothing in it that a stranger could act by.

    Raises TypeError for a thing that is no plain value: its parts could not be looked at.
    """
    return {key: value if key.endswith(AS_THEY_ARE) else _safe(value) for key, value in context.items()}


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return tamed(value)
    if isinstance(value, Mapping):
        return safe(value)
    if isinstance(value, (list, tuple)):
        return [_safe(part) for part in value]
    if isinstance(value, _PLAIN):
        return value
    raise TypeError(f"A letter takes plain values, not a {type(value).__name__}.")


def _text(rendered: str) -> str:
    """No more than one empty line anywhere: templates may be laid out as they read best."""
    return re.sub(r"\s*\n[ \t]*\n\s*", "\n\n", rendered).strip() + "\n"


def message_id(mail: Mail) -> str:
    """RFC 5322 section 3.6.4; the same at every try, so that a copy can be recognised."""
    host = urlsplit(settings.USHER_BASE_URL).hostname or "usher.invalid"
    return f"<{mail.id.hex}@{f'[{host}]' if ':' in host else host}>"
