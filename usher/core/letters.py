"""Letters: what a queued mail says, written and handed over when it is sent.

A floor that has something to write registers it by kind with :func:`letter`, in its module ``letters``, which is
found by name. The function gets the row and returns the letter, or None when there is nothing to say any more.
Who wants to know what becomes of the mails of a kind registers that with :func:`afterwards`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import override

from usher.core import postman
from usher.core.defang import Tamed, one_line, tamed
from usher.core.work import End

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
    headers: Mapping[str, str] = field(default_factory=dict)  # more of them, as List-Unsubscribe (RFC 2369)


State: TypeAlias = Literal["sent", "void", "later", "failed", "bounced"]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one try. Why stands in ``mail.failure``, in words for people; never with an address.

    - ``sent``: the server took it. A copy may still come back one day.
    - ``void``: its writer had nothing to say any more. The row is gone, as that of a sent one.
    - ``later``: not yet; it is tried again at ``mail.run_at``.
    - ``failed``: given up: the server refused it for good, or did not take it for two days. The row is dead.
    - ``bounced``: the same, and it was the address that the server refused.
    """

    state: State
    code: int = 0  # the server's three digits; 0 when it was not reached


Writer = Callable[["Mail"], Letter | None]
Act = Callable[["Mail", Fate], None]
_writers: dict[str, Writer] = {}
_acts: dict[str, Act] = {}


def letter(kind: str) -> Callable[[Writer], Writer]:
    """Register what writes the letters of one kind."""

    def keep(write: Writer) -> Writer:
        _writers[kind] = write
        return write

    return keep


def afterwards(kind: str) -> Callable[[Act], Act]:
    """Register what happens after each try of one kind.

    ``act(mail, fate)`` runs in the transaction that ends the try, and only while the lease is ours: so it is never told
    twice of one end, nor of a try that another worker does again. It must not fail: the mail would be dead.
    """

    def keep(act: Act) -> Act:
        _acts[kind] = act
        return act

    return keep


def send(mail: Mail) -> Fate:
    """Write the letter and hand it to the mail server.

    Raises LookupError for a kind that nobody writes, postman.NotSentError, postman.RefusedError when the server will
    never take it, LeaseLostError when another worker has this mail.
    """
    _discover()
    written = _writers[mail.kind](mail)
    if written is None:
        return Fate("void")
    return Fate("sent", postman.hand_over(message(mail, written), mail.beat))


@cache
def _discover() -> None:
    """Once: looking for modules that are not there costs more than the rest of a mail."""
    autodiscover_modules("letters")


def fate_of(end: End, error: Exception | None) -> Fate:
    """What became of a mail that was not sent."""
    code = error.code if isinstance(error, postman.NotSentError | postman.RefusedError) else 0
    if end is End.LATER:
        return Fate("later", code)
    return Fate("bounced" if isinstance(error, postman.RefusedError) and error.recipient else "failed", code)


def follow(mail: Mail, fate: Fate) -> None:
    """What was registered for its kind."""
    _discover()
    act = _acts.get(mail.kind)
    if act is not None:
        act(mail, fate)


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
        headers={
            **{name: one_line(value) for name, value in written.headers.items()},
            "Message-ID": message_id(mail),
            "Auto-Submitted": "auto-generated",
        },
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
        return value if isinstance(value, Tamed) else tamed(value)
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
