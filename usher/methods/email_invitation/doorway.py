"""What the pages of those who are invited share: outside every organisation, in the clothes of the one that invites."""

from __future__ import annotations

from typing import Any

from django.views.decorators.http import require_http_methods

from usher.organizations.models import Organization

asks = require_http_methods(["GET", "HEAD", "POST"])


def clothes(organization: Organization | None) -> dict[str, Any]:
    """The organisation's name, logo and colour, or the house's own."""
    if organization is None:
        return {"organization": None}
    return {"organization": organization, "accent_url": f"/o/{organization.slug}/accent.css"}
