"""The rule that an organisation always keeps an admin who can sign in (invariant V7)."""

from __future__ import annotations

import uuid

from django.db.models import Exists, OuterRef, Q, QuerySet

from usher.core import clock
from usher.organizations.models import PasswordsFor
from usher.people import passwords
from usher.people.models import Membership, OneTimeLink


def admins_who_can_sign_in(organization_id: uuid.UUID, admin_role: str) -> QuerySet[Membership]:
    """Active admins with a password that works, or with a set-up link that is still alive."""
    return who_can_sign_in().filter(organization_id=organization_id, role=admin_role)


def admins_with_password(organization_id: uuid.UUID, admin_role: str, passwords_for: str) -> QuerySet[Membership]:
    """Active admins who get in by a password that works, when this policy (people/policies.py) holds: those whom the
    organisation still has when its identity provider fails."""
    members = Membership.objects.filter(
        _works(), organization_id=organization_id, role=admin_role, state=Membership.State.ACTIVE
    )
    return members.filter(keeps_password=True) if passwords_for == PasswordsFor.MARKED else members


def _works() -> Q:
    return ~Q(account__password__startswith=passwords.UNUSABLE) & (
        Q(account__password_expires_at=None) | Q(account__password_expires_at__gt=clock.now())
    )


def who_can_sign_in() -> QuerySet[Membership]:
    """The same of everybody: for one organisation at the door, for all of them at once in `usher check`."""
    now = clock.now()
    alive = OneTimeLink.objects.filter(
        account=OuterRef("account"), purpose=OneTimeLink.Purpose.SETUP, consumed_at=None, expires_at__gt=now
    )
    return Membership.objects.filter(state=Membership.State.ACTIVE).filter(_works() | Exists(alive))
