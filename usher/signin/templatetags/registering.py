"""Whether the sign-in page offers to register without a code."""

from __future__ import annotations

from django import template

from usher.core import switches

register = template.Library()


@register.simple_tag
def registration_is_open() -> bool:
    return switches.is_on(switches.OPEN_REGISTRATION)
