"""E-mail addresses: one strict form, read the same way by our checks, the database and every mail server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from usher.core import domain_names
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason

LONGEST: Final = 254
LONGEST_LOCAL: Final = 64
_LONGEST_SHOWN: Final = 80

# The dot-atom of RFC 5322 without % ! / | and ` (routes and shells of old mail servers), and without a
# beginning that a spreadsheet takes for a formula or drops.
_ATOM: Final = r"[A-Za-z0-9#$&'*+=?^_{}~-]"
_LOCAL: Final = rf"(?![=+'-]){_ATOM}+(?:\.{_ATOM}+)*"
_ADDRESS: Final = re.compile(rf"({_LOCAL})@({domain_names.PATTERN})")
_LOCAL_ONLY: Final = re.compile(_LOCAL)
# Top names that never lead to a mailbox (RFC 6761). .invalid is ours, see ``_fault``.
_NOWHERE: Final = (".localhost",)
_MADE_UP: Final = ".invalid"


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address, ASCII throughout. Only ``parse_address`` makes one.

    ``original`` is shown and mailed: as typed, but an international domain in its A-label form (``xn--…``), the
    one a mail server is given and in which no letter passes for another. ``key`` is what is compared.
    """

    original: str
    key: str


def parse_address(text: str, column: str = "email") -> Address:
    """The address in ``text``, spaces around it aside. Raises UsherError when mail servers could differ."""
    typed = text.strip()
    if len(typed) <= LONGEST:
        match = _ADDRESS.fullmatch(typed if typed.isascii() else _with_ascii_domain(typed))
        if match and len(match[1]) <= LONGEST_LOCAL and len(match[0]) <= LONGEST:
            key = match[0].lower()
            if not key.endswith((_MADE_UP, *_NOWHERE)):
                return Address(match[0], key)
    raise UsherError(_fault(typed, column))


def domain_key(address: str) -> str:
    """What stands after the @, as domains are compared."""
    return address.rpartition("@")[2].lower()


def _with_ascii_domain(typed: str) -> str:
    """The address with its domain in A-labels, or "" where that cannot be said with certainty."""
    local, _, domain = typed.rpartition("@")
    ascii_domain = domain_names.to_ascii(domain)
    return f"{local}@{ascii_domain}" if ascii_domain else ""


def _fault(typed: str, column: str) -> Finding:
    given = typed if len(typed) <= _LONGEST_SHOWN else typed[:_LONGEST_SHOWN] + "…"
    local, at, domain = typed.partition("@")
    if domain.lower().rstrip(".").endswith(_MADE_UP):
        return Reason.ADDRESS_MADE_UP(column, given=given)
    if _is_incomplete(local, at, domain):
        return Reason.ADDRESS_INCOMPLETE(column, given=given)
    if len(typed) > LONGEST:
        return Reason.ADDRESS_TOO_LONG(column, given=given)
    if len(local) > LONGEST_LOCAL and _LOCAL_ONLY.fullmatch(local):
        return Reason.ADDRESS_NAME_TOO_LONG(column, given=given, length=len(local), limit=LONGEST_LOCAL)
    return Reason.ADDRESS_NOT_ALLOWED(column, given=given)


def _is_incomplete(local: str, at: str, domain: str) -> bool:
    """The @ or a part beside it is missing, or the domain stops early. Two @ are another matter."""
    if "@" in domain or domain.startswith("["):
        return False
    return not (local and at) or "." not in domain or domain[0] == "." or domain[-1] == "."
