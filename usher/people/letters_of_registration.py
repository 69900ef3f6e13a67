"""What Usher writes to somebody who registered: the link, or that there is an account already.

Nothing that a stranger typed is quoted: whoever registers with somebody else's address could write to him by it.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _

from usher.core import clock, tokens
from usher.core.letters import Letter, letter
from usher.core.models import Mail
from usher.people import registrations
from usher.people.models import Registration


@letter(registrations.LETTER)
def registration(mail: Mail) -> Letter | None:
    """To the owner of the mailbox alone: here is told whether there is an account."""
    living = Registration.objects.filter(consumed_at=None, expires_at__gt=clock.now())
    found = living.filter(id=mail.ref).first() if mail.ref else None
    if found is None:
        return None
    return _known(mail) if registrations.is_taken(found) else _unknown(found)


def _unknown(found: Registration) -> Letter:
    token = tokens.derived_token(registrations.LETTER, found.id)
    hashed = tokens.token_hash(token, registrations.LETTER)
    if hashed != found.token_hash:  # the pepper is another one since
        Registration.objects.filter(id=found.id).update(token_hash=hashed)
    link = f"{settings.USHER_BASE_URL}/confirm/{token}"
    return Letter(_("Confirm your address"), "registration", {"link": link})


def _known(mail: Mail) -> Letter:
    """Sign in, or choose a new password; with a code, its page comes after."""
    page = mail.data.get("code_page", "")
    way = f"/?{urlencode({'next': page})}" if page else "/"
    context = {
        "sign_in_link": f"{settings.USHER_BASE_URL}{way}",
        "forgot_link": f"{settings.USHER_BASE_URL}/forgot",
        "has_code": int(bool(page)),
    }
    return Letter(_("You have an account already"), "registration_known", context)
