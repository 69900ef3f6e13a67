"""What the letters of this floor share: whose they are, in which language, and where their links lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from usher.core.letters import Letter
from usher.organizations.models import Organization

NAMED = 20  # people or groups named in one mail


def letter_of(organization: Organization, subject: str, template: str, facts: Mapping[str, Any]) -> Letter:
    """A letter in the name of the organisation and in its language; the subject is written in that already."""
    context = {"organization": organization.name, **facts}
    return Letter(subject, template, context, language=organization.language)


def page_of(organization: Organization, rest: str) -> str:
    """A page of the organisation, below ``/o/SLUG/``."""
    return f"{settings.USHER_BASE_URL}/o/{organization.slug}/{rest}"
