"""What the letters of this floor share: whose they are, in which language, and where their links lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from usher.core.letters import Letter
from usher.organizations.models import Organization
from usher.organizations.plans import Method
from usher.people.models import Membership

NAMED = 20  # people or groups named in one mail


def letter_of(organization: Organization, subject: str, template: str, facts: Mapping[str, Any]) -> Letter:
    """A letter in the name of the organisation and in its language; the subject is written in that already."""
    context = {"organization": organization.name, **facts}
    return Letter(subject, template, context, language=organization.language)


def page_of(organization: Organization, rest: str) -> str:
    """A page of the organisation, below ``/o/SLUG/``."""
    return f"{settings.USHER_BASE_URL}/o/{organization.slug}/{rest}"


def admins_of(organization: Organization) -> list[str]:
    """The addresses of its active admins, as far as mail may reach them."""
    admins = Membership.objects.filter(organization=organization, role=organization.license.plan.admin.slug)
    return addresses_of(admins)


def addresses_of(members: QuerySet[Membership]) -> list[str]:
    """Addresses that are proved, or that the operator gave (``people.members.is_reached``); each once."""
    ours = Q(account__claimed_at__isnull=False) | Q(method=Method.OPERATOR.value)
    reached = members.filter(ours, state=Membership.State.ACTIVE).exclude(account__email="").order_by("id")
    return list(dict.fromkeys(reached.values_list("account__email", flat=True)))
