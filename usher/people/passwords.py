"""Passwords: the rules for choosing them, how they are stored, and how they are checked.

Two forms are stored. An import writes the quick one in the request, the worker or the first sign-in wraps it:

    keyed$KEY$SALT$HEX                        HMAC-SHA-256(pepper subkey, salt || password)
    argon2id-keyed$KEY$SALT$$argon2id$v=19…   argon2id over that HEX; key id and salt stay as they were

The wrapping needs no password, and both forms fit into the 128 characters of Django's column.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from argon2.low_level import Type, hash_secret
from django.contrib.auth.password_validation import CommonPasswordValidator

from usher.core import pepper
from usher.core.cells import begins_like_formula
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason

# How a stored one begins; what begins with UNUSABLE opens nothing, as in Django.
UNUSABLE = "!"
KEYED = "keyed$"
HARDENED = "argon2id-keyed$"

LEAST_SUPPLIED = 10
MOST = 128  # OWASP Authentication Cheat Sheet: allow 64 at least, and set some limit


# The rules


def check_supplied(password: str, column: str = "password") -> None:
    """The rule for a password in a file or made by staff; all that is wrong is said at once."""
    _raise_any(_supplied_findings(password, column))


def check_chosen(password: str, least: int = LEAST_SUPPLIED) -> None:
    """The rule for a password that a person chooses: length and the list of common ones, no composition."""
    _raise_any(_common_findings(password, least, "password"))


def _raise_any(findings: Iterator[Finding]) -> None:
    found = tuple(findings)
    if found:
        raise UsherError(*found)


def _supplied_findings(password: str, column: str) -> Iterator[Finding]:
    yield from _common_findings(password, LEAST_SUPPLIED, column)
    if not (any(map(str.isalpha, password)) and any(map(str.isdecimal, password))):
        yield Reason.PASSWORD_NEEDS_LETTERS_AND_NUMBERS(column)
    if begins_like_formula(password):
        yield Reason.PASSWORD_LOOKS_LIKE_FORMULA(column, first=password[0])


def _common_findings(password: str, least: int, column: str) -> Iterator[Finding]:
    if len(password) < least:
        yield Reason.PASSWORD_TOO_SHORT(column, length=len(password), limit=least)
    if len(password) > MOST:
        yield Reason.PASSWORD_TOO_LONG(column, limit=MOST)
    if _stable(password).strip().lower() in _common_passwords():
        yield Reason.PASSWORD_TOO_COMMON(column)
    if _hides_characters(password):
        yield Reason.PASSWORD_HIDDEN_CHARACTERS(column)


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)


def _hides_characters(password: str) -> bool:
    """Controls, invisible formats and line ends; the two joiners are on Persian and Indian keyboards."""
    if password.isascii() and password.isprintable():
        return False
    visible = password.replace("\u200c", "").replace("\u200d", "")
    return any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in visible)


def _stable(password: str) -> str:
    """One form for what looks the same: keyboards differ in é and in full-width letters (NIST SP 800-63B)."""
    return password if password.isascii() else unicodedata.normalize("NFKC", password)


# How they are stored


@dataclass(frozen=True, slots=True)
class Cost:
    """What one argon2id costs, and how many bytes it gives."""

    memory_kib: int
    passes: int
    lanes: int
    tag_bytes: int


# The floor of the OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane (about 30 ms of one core).
# It may be raised, never lowered: sign-ins rewrap what has another cost. A tag of 128 bits suffices (RFC
# 9106, section 4) and keeps the whole inside Django's column.
COST = Cost(memory_kib=19 * 1024, passes=2, lanes=1, tag_bytes=16)


@dataclass(frozen=True, slots=True)
class Wrap:
    """The argon2id part of a hardened hash: as it is written, and what is needed to compute it again."""

    text: str
    salt: bytes
    cost: Cost


@dataclass(frozen=True, slots=True)
class Stored:
    """A hash taken apart; either `digest` or `wrap` is there."""

    key_id: str
    salt: str
    digest: str = ""
    wrap: Wrap | None = None


def digest(password: str) -> str:
    """The quick form: microseconds, so that an import can write 100,000 of them while the browser waits."""
    key_id, salt = pepper.current_id(), secrets.token_urlsafe(16)
    return f"{KEYED}{key_id}${salt}${_keyed(password, salt, key_id)}"


def harden(encoded: str) -> str:
    """Wrap a digest in argon2id. What is hardened already or opens nothing anyway comes back as it is.

    Threads run it in parallel: the C code releases the GIL. It needs neither the password nor the pepper.
    """
    stored = _read(encoded)
    return _wrapped(stored.key_id, stored.salt, stored.digest) if stored and stored.digest else encoded


def make(password: str) -> str:
    return harden(digest(password))


def is_hardened(encoded: str) -> bool:
    return encoded.startswith(HARDENED)


def salt_of(encoded: str) -> str:
    """What sessions are bound to: new with each new password, the same when only its wrapping changes."""
    if encoded.startswith(UNUSABLE):
        return encoded.removeprefix(UNUSABLE)
    stored = _read(encoded)
    return stored.salt if stored else ""


def _keyed(password: str, salt: str, key_id: str) -> str:
    # The salt has one length, so salt || password can be read in one way only.
    text = (salt + _stable(password)).encode("utf-8", "surrogatepass")
    return hmac.digest(pepper.subkey("password", key_id), text, "sha256").hex()


def _wrapped(key_id: str, salt: str, keyed: str) -> str:
    return f"{HARDENED}{key_id}${salt}${_argon2(keyed, secrets.token_bytes(16), COST)}"


def _argon2(secret: str, salt: bytes, cost: Cost) -> str:
    """Every argon2id of Usher runs here, so that tests can count them."""
    raw = hash_secret(secret.encode(), salt, cost.passes, cost.memory_kib, cost.lanes, cost.tag_bytes, type=Type.ID)
    return raw.decode()


# How they are read

_HEAD = r"(?P<key_id>[0-9a-f]{8})\$(?P<salt>[A-Za-z0-9_-]{22})\$"
_KEYED = re.compile(rf"keyed\${_HEAD}(?P<digest>[0-9a-f]{{64}})")
_HARDENED = re.compile(
    rf"argon2id-keyed\${_HEAD}(?P<wrap>\$argon2id\$v=19\$m=(?P<m>[0-9]{{1,7}}),t=(?P<t>[0-9]{{1,2}}),p=(?P<p>[0-9])"
    r"\$(?P<wrap_salt>[A-Za-z0-9+/]{22})\$(?P<tag>[A-Za-z0-9+/]{22,86}))"
)
# A hash that asks for more than this did not come from us and must not be able to exhaust the machine.
_MOST_COST = Cost(memory_kib=256 * 1024, passes=16, lanes=8, tag_bytes=64)


def _read(encoded: str) -> Stored | None:
    """None for everything that is no hash of ours, UNUSABLE included."""
    if found := _KEYED.fullmatch(encoded):
        return Stored(found["key_id"], found["salt"], digest=found["digest"])
    if not (found := _HARDENED.fullmatch(encoded)):
        return None
    wrap = _read_wrap(found)
    return Stored(found["key_id"], found["salt"], wrap=wrap) if wrap else None


def _read_wrap(found: re.Match[str]) -> Wrap | None:
    cost = Cost(int(found["m"]), int(found["t"]), int(found["p"]), len(found["tag"]) * 3 // 4)
    return Wrap(found["wrap"], _unpadded(found["wrap_salt"]), cost) if _bearable(cost) else None


def _bearable(cost: Cost) -> bool:
    return (
        1 <= cost.lanes <= _MOST_COST.lanes
        and 8 * cost.lanes <= cost.memory_kib <= _MOST_COST.memory_kib
        and 1 <= cost.passes <= _MOST_COST.passes
        and cost.tag_bytes <= _MOST_COST.tag_bytes
    )


def _unpadded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


# How they are checked


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password is right, and a hash to store instead of the old one ("": keep it)."""

    ok: bool
    better: str = ""


WRONG = Verdict(ok=False)


def verify(password: str, encoded: str) -> Verdict:
    """Exactly one argon2id whatever is stored: the time tells nobody who has an account or of which kind.

    Only a right password under an old pepper or another cost may take a second one.
    """
    stored = _read(encoded)
    if stored is None or not _is_known(stored.key_id) or not 0 < len(password) <= MOST:
        _argon2(password[:MOST].encode("utf-8", "replace").hex(), b"nobody at home..", COST)
        return WRONG
    return _verify_wrap(password, stored, stored.wrap) if stored.wrap else _verify_digest(password, stored)


def _is_known(key_id: str) -> bool:
    try:
        pepper.subkey("password", key_id)
    except LookupError:
        return False
    return True


def _verify_wrap(password: str, stored: Stored, wrap: Wrap) -> Verdict:
    keyed = _keyed(password, stored.salt, stored.key_id)
    if not hmac.compare_digest(_argon2(keyed, wrap.salt, wrap.cost), wrap.text):
        return WRONG
    fresh = stored.key_id == pepper.current_id() and wrap.cost == COST
    return Verdict(ok=True, better="" if fresh else _renewed(password, stored))


def _verify_digest(password: str, stored: Stored) -> Verdict:
    """The one argon2id that every try has to cost is the wrapping itself; a wrong try throws it away."""
    better = _renewed(password, stored)
    if not hmac.compare_digest(_keyed(password, stored.salt, stored.key_id), stored.digest):
        return WRONG
    return Verdict(ok=True, better=better)


def _renewed(password: str, stored: Stored) -> str:
    """Under the current pepper and cost, with the old salt: nobody is signed out by it."""
    key_id = pepper.current_id()
    return _wrapped(key_id, stored.salt, _keyed(password, stored.salt, key_id))
