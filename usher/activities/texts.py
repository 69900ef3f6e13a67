"""The texts and addresses of an activity: what may stand in them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.utils.encoding import iri_to_uri

from usher.core.egress import is_private_host
from usher.core.errors import UsherError
from usher.core.given import is_loopback
from usher.core.reasons import Reason
from usher.people.names import clean_name

LONGEST_ADDRESS: Final = 2000
# What nobody sees: controls but the line end and the tab, signs that turn the direction of a text, surrogates, tags.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
# A host stands in security headers too, so nothing but these. Names of other scripts come as A-labels (RFC 5890).
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.?|[0-9a-f:.]*:[0-9a-f:.]*")
_NOT_IN_ADDRESS: Final = re.compile(r"[\s\x00-\x20\x7f\\<>\"]")
_PORTS: Final = {"https": 443, "http": 80}


def clean_title(text: str) -> str:
    """A title of 1 to 150 characters on one line. Raises UsherError: title_missing, the findings of a name."""
    if not text.strip():
        raise UsherError(Reason.TITLE_MISSING("title"))
    return clean_name(text, "title")


def clean_text(text: str, longest: int, column: str) -> str:
    """A text of some lines, NFC, without space at its ends. Raises UsherError: text_not_clean, words_too_long."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    cleaned = unicodedata.normalize("NFC", lines).strip()
    if _HIDDEN.search(lines):
        raise UsherError(Reason.TEXT_NOT_CLEAN(column))
    if len(cleaned) > longest:
        raise UsherError(Reason.WORDS_TOO_LONG(column, length=len(cleaned), limit=longest))
    return cleaned


def clean_address(text: str, column: str) -> str:
    """A web address with what is not ASCII in its path escaped; "" stays. https, and http only for what the operator
    calls his own network and for this machine. Raises UsherError: web_address_not_allowed, web_address_without_tls."""
    typed = text.strip()
    if not typed:
        return ""
    url = _split(typed)
    if url is None:
        raise UsherError(Reason.WEB_ADDRESS_NOT_ALLOWED(column, given=_shown(typed)))
    host = url.hostname or ""
    if url.scheme == "http" and not (is_loopback(host) or is_private_host(host, url.port or _PORTS["http"])):
        raise UsherError(Reason.WEB_ADDRESS_WITHOUT_TLS(column, given=_shown(typed)))
    return iri_to_uri(url.geturl())


def _split(typed: str) -> SplitResult | None:
    """None for what a browser and we might read in two ways."""
    if _NOT_IN_ADDRESS.search(typed) or _HIDDEN.search(typed) or len(iri_to_uri(typed)) > LONGEST_ADDRESS:
        return None
    try:
        url = urlsplit(typed)
        is_good = url.scheme in _PORTS and "@" not in url.netloc and url.port != 0
    except ValueError:
        return None
    return url if is_good and _HOST.fullmatch(url.hostname or "") else None


def _shown(typed: str) -> str:
    return _HIDDEN.sub("", typed)[:80]
