"""Finding organisations by their short name: the operator's way to them."""

from __future__ import annotations

from django.db.models import QuerySet

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.organizations.models import Organization


def all_of_them() -> QuerySet[Organization]:
    """All organisations with licence and seats, by short name."""
    return Organization.objects.select_related("license").prefetch_related("pools").order_by("slug")


def by_slug(slug: str) -> Organization:
    """Raises UsherError: unknown_organization."""
    found = all_of_them().filter(slug=slug).first()
    if found is None:
        raise UsherError(Reason.UNKNOWN_ORGANIZATION("org", slug=slug))
    return found
