"""The one part that mails have and pages have not: a link that looks like a button, with its address to copy."""

from __future__ import annotations

from django import template

register = template.Library()


@register.inclusion_tag("mail/_button.html")
def button(link: str, word: str) -> dict[str, str]:
    """{% button link _("Choose a new password") %}; in the text part write {{ link }} on a line of its own."""
    return {"link": link, "word": word}
