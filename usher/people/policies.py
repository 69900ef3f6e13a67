"""Whom an organisation lets in with a password, and of whom it asks a second factor: pure, and in this one place.

The lock (access.py), signing in (sign_in.py), the door (lifecycle/house.py) and the pages all ask here.
"""

from __future__ import annotations

from typing import Final

from usher.organizations.models import PasswordsFor, SecondFactorFor

ENOUGH: Final = "mfa"  # what an identity provider says in ``amr`` (RFC 8176) of a sign-in with several factors


def needs_single_sign_on(passwords_for: str, *, is_admin: bool, keeps_password: bool) -> bool:
    """Whether a member comes in by the organisation's own identity provider alone.

    Whoever is marked is always exempt: somebody has to get in when the provider fails.
    """
    if passwords_for == PasswordsFor.EVERYONE or keeps_password:
        return False
    return passwords_for == PasswordsFor.MARKED or not is_admin


def asks_second_factor(second_factor_for: str, *, is_admin: bool, is_staff: bool) -> bool:
    """Whether a member needs a second factor. An admin is staff too."""
    if second_factor_for == SecondFactorFor.NOBODY:
        return False
    return is_admin or (second_factor_for == SecondFactorFor.STAFF and is_staff)
