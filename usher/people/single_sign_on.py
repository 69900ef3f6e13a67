"""What the policies about signing in (policies.py) mean for one account: where a password opens nothing, and who asks
it for a second factor."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.http import HttpRequest

from usher.core.findings import Finding
from usher.core.reasons import Reason
from usher.organizations.models import Organization, PasswordsFor, SecondFactorFor
from usher.people import policies, proved_by
from usher.people.models import Account, Membership


def needed_by(member: Membership) -> bool:
    """Whether this member comes in by single sign-on alone. Wants the organisation with its licence loaded."""
    organization = member.organization
    return policies.needs_single_sign_on(
        organization.passwords_for,
        is_admin=member.role == organization.license.plan.admin.slug,
        keeps_password=member.keeps_password,
    )


def shut_out(account: Account, door_id: uuid.UUID | None = None) -> Organization | None:
    """The organisation whose single sign-on is this account's only way in; None where a password opens something.

    Of several it is the one at whose door (``door_id``) the person stands, else the one he joined first. An account
    without an organisation and the operator's own are shut out of nothing.
    """
    if account.is_operator:
        return None
    members = list(_active(account).order_by("joined_at", "id"))
    if not members or not all(needed_by(member) for member in members):
        return None
    here = [member.organization for member in members if member.organization_id == door_id]
    return here[0] if here else members[0].organization


def keeps_out(request: HttpRequest, account: Account, organization: Organization) -> Finding | None:
    """Why this session opens nothing at the organisation, although the account is in: its provider has not proved the
    person, or only another one's has."""
    is_foreign = proved_by.is_word_of_others(request, account, organization.id)
    is_bound = organization.passwords_for != PasswordsFor.EVERYONE
    if str(organization.id) in proved_by.of(request).by or not (is_foreign or is_bound):
        return None
    member = _active(account).filter(organization=organization).first()
    if member is not None and needed_by(member):
        return Reason.SSO_ONLY(organization=organization.name)
    return Reason.PROVED_ELSEWHERE(organization=organization.name) if member is not None and is_foreign else None


def asks_second_factor(request: HttpRequest, account: Account) -> list[str]:
    """The names of the organisations that want a second factor of this account, where their provider saw none."""
    members = _active(account).exclude(organization__second_factor_for=SecondFactorFor.NOBODY)
    strongly = proved_by.of(request).strongly
    return [
        member.organization.name
        for member in members.order_by("organization__name", "id")
        if str(member.organization_id) not in strongly and _asks(member)
    ]


def _asks(member: Membership) -> bool:
    plan = member.organization.license.plan
    return policies.asks_second_factor(
        member.organization.second_factor_for,
        is_admin=member.role == plan.admin.slug,
        is_staff=(plan.role(member.role) or plan.lowest) is not plan.lowest,
    )


def _active(account: Account) -> QuerySet[Membership]:
    members = Membership.objects.select_related("organization__license").filter(account=account)
    return members.filter(state=Membership.State.ACTIVE)
