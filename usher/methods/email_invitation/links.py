"""The links of an invitation: mailed, copied, and "not for me". Each has a purpose; the tables have only hashes."""

from __future__ import annotations

import uuid

from django.conf import settings

from usher.core import tokens
from usher.methods.email_invitation.models import Invitation

MAILED = "invitation"  # proves the mailbox
COPIED = "invitation_copied"  # was seen by staff, and proves nothing
REFUSAL = "invitation_refusal"


def mailed_hash(link_id: uuid.UUID) -> str:
    """What the table keeps of the link that the mail brings."""
    return tokens.token_hash(_mailed(link_id), MAILED)


def refusal_hash(invitation_id: uuid.UUID) -> str:
    return tokens.token_hash(_refusal(invitation_id), REFUSAL)


def mailed_link(invitation: Invitation) -> str:
    """Written anew whenever the mail is; always under our own address, whatever host a request names."""
    return _under(_mailed(invitation.link_id))


def refusal_link(invitation: Invitation) -> str:
    """The same in every mail of an invitation, so that it works in an older one too."""
    return f"{settings.USHER_BASE_URL}/not-for-me/{_refusal(invitation.id)}"


def new_copied() -> tuple[str, str]:
    """A link to be shown once, and its hash."""
    token = tokens.new_token()
    return _under(token), tokens.token_hash(token, COPIED)


def _under(token: str) -> str:
    return f"{settings.USHER_BASE_URL}/invitation/{token}"


def _mailed(link_id: uuid.UUID) -> str:
    return tokens.derived_token(MAILED, link_id)


def _refusal(invitation_id: uuid.UUID) -> str:
    return tokens.derived_token(REFUSAL, invitation_id)
