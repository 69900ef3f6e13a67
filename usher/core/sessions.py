"""Sessions in the database, as Django keeps them, with one INSERT at a sign-in instead of four statements."""

from __future__ import annotations

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.utils.crypto import get_random_string


class SessionStore(db.SessionStore):
    """A new key at every sign-in all the same: a session that has a key is cycled, one that has none gets its first."""

    def cycle_key(self) -> None:
        if self.session_key is None:
            self.modified = True
        else:
            super().cycle_key()

    def _get_new_session_key(self) -> str:
        """165 random bits need no look whether they are taken; the INSERT would say so and be tried again."""
        return get_random_string(32, VALID_KEY_CHARS)
