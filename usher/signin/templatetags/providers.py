"""The buttons of single sign-on, for the pages of other rooms at the door."""

from __future__ import annotations

from collections.abc import Sequence

from django import template

from usher.methods.sso import showing
from usher.organizations.models import Organization

register = template.Library()


@register.simple_tag
def provider_buttons(organization: Organization | None) -> Sequence[showing.Button]:
    """Those of an organisation's own door; of the common one, those of the operator."""
    return showing.buttons(organization)
