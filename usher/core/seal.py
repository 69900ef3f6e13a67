"""Secrets that must be read again, as the client secret of a connection: sealed at rest under a subkey of the pepper.

Fernet (AES-128-CBC and HMAC-SHA-256) of the cryptography package. What is sealed names the pepper it was sealed
under, so that an older one stays readable as long as it stands in ``USHER_PEPPER``.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken

from usher.core import pepper


class SealError(Exception):
    """It cannot be opened: sealed for another purpose, damaged, or under a pepper that is gone."""


def seal(text: str, purpose: str) -> str:
    """Some 100 characters more than ``text``; opens for this purpose alone."""
    pepper_id = pepper.current_id()
    return f"{pepper_id}:{_box(purpose, pepper_id).encrypt(text.encode()).decode()}"


def unseal(sealed: str, purpose: str) -> str:
    """Raises SealError."""
    pepper_id, _colon, box = sealed.partition(":")
    try:
        return _box(purpose, pepper_id).decrypt(box.encode()).decode()
    except (InvalidToken, LookupError) as error:
        raise SealError("The secret cannot be read under this pepper.") from error


def _box(purpose: str, pepper_id: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(pepper.subkey(f"seal:{purpose}", pepper_id)))
