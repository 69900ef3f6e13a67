"""The server's secret, kept apart from the database, and one subkey of it for each purpose.

``USHER_PEPPER`` is a list: the first is current, the others stay readable so that what was made under them
can still be checked. Who loses the pepper loses every password; who changes it puts the new one in front.
"""

from __future__ import annotations

import hmac
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def current_id() -> str:
    """Names the current pepper beside what was made with it; it tells nothing of the pepper itself."""
    return _id_of(_peppers()[0])


def ids() -> tuple[str, ...]:
    """The ids of all peppers, the current one first."""
    return tuple(map(_id_of, _peppers()))


def subkey(purpose: str, pepper_id: str = "") -> bytes:
    """A key for one purpose, under the current pepper or the named one. An unknown id is a LookupError."""
    peppers = _peppers()
    if not pepper_id:
        return _subkey(peppers[0], purpose)
    for pepper in peppers:
        if _id_of(pepper) == pepper_id:
            return _subkey(pepper, purpose)
    raise LookupError(f"No pepper has the id {pepper_id}.")


def _peppers() -> list[str]:
    peppers: list[str] = settings.USHER_PEPPER
    if not peppers or not all(peppers):
        raise ImproperlyConfigured("USHER_PEPPER is empty: give a secret of 32 characters or more.")
    return peppers


# Both caches are keyed by the pepper itself, so they follow a change of the setting.
@lru_cache(maxsize=64)
def _id_of(pepper: str) -> str:
    return _subkey(pepper, "id").hex()[:8]


@lru_cache(maxsize=512)
def _subkey(pepper: str, purpose: str) -> bytes:
    return hmac.digest(pepper.encode(), f"usher:{purpose}".encode(), "sha256")
