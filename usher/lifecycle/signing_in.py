"""The rules of an organisation about signing in (people/policies.py): who sets them, and that somebody always gets in.

Nobody is locked out by a provider that fails: while passwords open nothing for the others, one admin at least has a
working one and may use it (security.md B15, K6). Every change is told to all admins by mail.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from usher.core import mail
from usher.core.errors import UsherError
from usher.core.mail import Envelope
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.lifecycle.admins import admins_with_password
from usher.organizations import suspend
from usher.organizations.models import Organization, PasswordsFor
from usher.people import factors
from usher.people.models import Membership

LETTER = "sign_in_rules"


@dataclass(frozen=True, slots=True)
class Rules:
    """What shall be: values of PasswordsFor and SecondFactorFor, and the ids of the admins' memberships that keep a
    password. What is None stays as it is."""

    passwords_for: str | None = None
    second_factor_for: str | None = None
    keeps: frozenset[uuid.UUID] | None = None


@dataclass(frozen=True, slots=True)
class Admin:
    """An active admin, and by what he gets in."""

    membership: Membership
    has_password: bool
    has_second: bool


def admins(organization: Organization) -> list[Admin]:
    """All active admins by name. Two queries."""
    with_password = admins_with_password(organization.id, _admin_role(organization), PasswordsFor.EVERYONE)
    works = set(with_password.values_list("id", flat=True))
    second = Authenticator.objects.filter(user=OuterRef("account"), type__in=factors.SECOND)
    members = _admins(organization).select_related("account").annotate(has_second=Exists(second))
    return [Admin(one, one.id in works, vars(one)["has_second"]) for one in members.order_by("sort_name", "id")]


@retrying
def change(organization: Organization, wanted: Rules, actor: Actor, *, has_connection: bool) -> bool:
    """Make it so, all or nothing; False when nothing is different.

    ``has_connection`` says whether an identity provider of the organisation is switched on. Raises UsherError:
    not_a_member for a mark of somebody who is no active admin, no_way_left, no_password_left.
    """
    with transaction.atomic():
        held = suspend.lock(organization)
        marks = _marks(held, wanted.keeps)
        given = {"passwords_for": wanted.passwords_for, "second_factor_for": wanted.second_factor_for}
        changes = {key: value for key, value in given.items() if value is not None and value != getattr(held, key)}
        if not changes and not marks:
            return False
        for member, keeps in marks.items():
            Membership.objects.filter(id=member.id).update(keeps_password=keeps)
        suspend.put(held, **changes)
        _check(held, is_stricter="passwords_for" in changes and not has_connection)
        _tell(held, changes, marks, actor)
    return True


def mark(organization: Organization, membership_id: uuid.UUID, actor: Actor, *, keeps: bool) -> bool:
    """Let one admin keep a password, or no longer; False when it is so already. Raises UsherError as :func:`change`."""
    now = frozenset(_admins(organization).filter(keeps_password=True).values_list("id", flat=True))
    wanted = now | {membership_id} if keeps else now - {membership_id}
    return change(organization, Rules(keeps=wanted), actor, has_connection=True)


def admin_of(organization: Organization, sign_in: str) -> Membership:
    """The active admin who signs in so. Raises UsherError: not_a_member."""
    found = _admins(organization).filter(account__sign_in_key=sign_in.strip().lower()).first()
    if found is None:
        raise UsherError(Reason.NOT_A_MEMBER("keep", sign_in=sign_in))
    return found


def _admin_role(organization: Organization) -> str:
    return organization.license.plan.admin.slug


def _admins(organization: Organization) -> QuerySet[Membership]:
    members = Membership.objects.filter(organization=organization, role=_admin_role(organization))
    return members.filter(state=Membership.State.ACTIVE)


def _marks(held: Organization, keeps: frozenset[uuid.UUID] | None) -> dict[Membership, bool]:
    """The marks that change."""
    if keeps is None:
        return {}
    members = {member.id: member for member in _admins(held)}
    for unknown in sorted(keeps - members.keys()):
        raise UsherError(Reason.NOT_A_MEMBER("keeps", sign_in=str(unknown)))
    return {one: not one.keeps_password for one in members.values() if one.keeps_password != (one.id in keeps)}


def _check(held: Organization, *, is_stricter: bool) -> None:
    """Asked when all is written; what is raised here takes it back."""
    if held.passwords_for == PasswordsFor.EVERYONE:
        return
    if is_stricter:
        raise UsherError(Reason.NO_WAY_LEFT("passwords_for", organization=held.name))
    if not admins_with_password(held.id, _admin_role(held), held.passwords_for).exists():
        raise UsherError(Reason.NO_PASSWORD_LEFT("passwords_for"))


def _tell(held: Organization, changes: Mapping[str, Any], marks: Mapping[Membership, bool], actor: Actor) -> None:
    drafts: Sequence[Draft] = [
        Draft(EventType.SECURITY_CHANGED, held.id, actor, account_id=member.account_id, data={"keeps": keeps})
        for member, keeps in marks.items()
    ]
    rules = [Draft(EventType.SECURITY_CHANGED, held.id, actor, data=dict(changes))] if changes else []
    record.record_many([*rules, *drafts])
    by = str(actor.account_id) if actor.account_id else ""
    mail.post(LETTER, "", Envelope(held.id, data={"by": by}))
