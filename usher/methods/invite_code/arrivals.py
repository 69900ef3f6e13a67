"""What the page of a code knows: what the code does, and where its visitor stands already."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import QuerySet

from usher.core import clock, tokens
from usher.methods.invite_code.models import CodeUse, InviteCode, Standing
from usher.methods.invite_code.text import normal
from usher.methods.invite_code.ticket import group_names
from usher.organizations.models import Organization
from usher.organizations.plans import Role
from usher.people.models import Account, Group, GroupMembership, Membership
from usher.people.names import name_key

FORM = "join"  # the purpose of the token in the form for new accounts


@dataclass(frozen=True, slots=True)
class Way:
    """What a code does, in the words of its page. ``asks``: whoever comes now waits for an admin."""

    code: InviteCode
    role: Role
    groups: tuple[str, ...]
    asks: bool

    @property
    def organization(self) -> Organization:
        return self.code.organization

    @property
    def at_once(self) -> bool:
        return self.code.proof == InviteCode.Proof.AT_ONCE

    @property
    def into(self) -> str:
        """What one joins: the group where there is one, else the organisation."""
        return self.groups[0] if self.groups else self.organization.name


def way_of(code: InviteCode) -> Way:
    plan = code.organization.license.plan
    too_late = code.standing(clock.now()) in (Standing.ENDED, Standing.SPENT)
    asks = code.needs_approval or (too_late and code.at_end == InviteCode.AtEnd.ASK)
    return Way(code, plan.role(code.role) or plan.lowest, group_names(code), asks)


def codes() -> QuerySet[InviteCode]:
    """Codes with what their page shows: the organisation, its licence and logo, and the group."""
    whole = InviteCode.objects.select_related("organization__license", "organization__logo", "group")
    return whole.defer("organization__logo__content")


def code_of(code_id: uuid.UUID | None, typed_at: dt.datetime) -> InviteCode | None:
    """The code that somebody typed then, now dead or alive; no guess. None when it is gone, or another one since:
    a code is rotated because it came into wrong hands."""
    code = codes().filter(id=code_id).first() if code_id else None
    return None if code and code.rotated_at and code.rotated_at > typed_at else code


def uses() -> QuerySet[CodeUse]:
    """Who came by codes, with the account and what the page shows."""
    whole = ("code__group", "code__organization__license", "code__organization__logo", "membership__account")
    return CodeUse.objects.select_related(*whole).defer("code__organization__logo__content")


def came_by(account: Account, typed: str) -> CodeUse | None:
    """How this account came in, or asked to, by the code that was typed, whatever became of the code since."""
    return uses().filter(code__code=normal(typed), membership__account=account).order_by("at").last()


def here(account: Account, code: InviteCode) -> Membership | None:
    """The membership that this account has in the code's organisation."""
    return Membership.objects.filter(account=account, organization=code.organization_id).first()


def has_every_place(membership: Membership, way: Way) -> bool:
    """Whether the member is in all the groups that the code leads into."""
    keys = {name_key(name) for name in way.groups}
    groups = Group.objects.filter(organization=way.organization, name_key__in=keys)
    return GroupMembership.objects.filter(membership=membership, group__in=groups).count() == len(keys)


def form_hash(token: str) -> str:
    return tokens.token_hash(token, FORM)


def of_form(token: str) -> CodeUse | None:
    """Who came by this very form; one query whatever was sent."""
    return uses().filter(form=form_hash(token)).first()
