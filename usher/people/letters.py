"""The letters of this floor; each module registers its own kinds when it is imported."""

from __future__ import annotations

from usher.people import letters_of_account, letters_of_registration, letters_of_security

__all__ = ["letters_of_account", "letters_of_registration", "letters_of_security"]
