"""Tokens for links and browsers: made here, given out once, and stored as a hash only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid

from usher.core import pepper

TOKEN_BYTES = 32


def new_token() -> str:
    """256 random bits, 43 characters that need no escaping in an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def derived_token(purpose: str, row_id: uuid.UUID) -> str:
    """The token of a row that a mail will carry: made anew whenever that mail is written, and kept nowhere.

    256 bits of HMAC-SHA-256 under a subkey of the pepper: whoever has the database alone cannot make it.
    """
    made = hmac.digest(pepper.subkey("links"), f"{purpose}\0{row_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def token_hash(token: str, purpose: str) -> str:
    """What the database keeps. The purpose is part of it: a token for one thing opens no other.

    No pepper and no slow hash: 256 random bits cannot be guessed (NIST SP 800-63B asks for both only below
    112 bits), and links that are on their way survive a change of the pepper.
    """
    # The purpose is our own word and holds no NUL, so no two pairs give the same bytes.
    return hashlib.sha256(f"usher:{purpose}\0{token}".encode("utf-8", "surrogatepass")).hexdigest()
