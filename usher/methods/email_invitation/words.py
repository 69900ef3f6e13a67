"""The words for what an invitation is, and for what became of its mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from usher.methods.email_invitation.models import Invitation, Standing
from usher.methods.email_invitation.order import Kind

STANDINGS: Final[Mapping[Standing, str | Promise]] = {
    Standing.QUEUED: lazy("queued"),
    Standing.SENT: lazy("sent"),
    Standing.FAILED: lazy("failed"),
    Standing.BOUNCED: lazy("bounced"),
    Standing.NOT_MAILED: lazy("not mailed"),
    Standing.ACCEPTED: lazy("accepted"),
    Standing.EXPIRED: lazy("expired"),
    Standing.REVOKED: lazy("taken back"),
    Standing.DECLINED: lazy("declined"),
}
KINDS: Final[Mapping[Kind, str | Promise]] = {
    Kind.NEW: lazy("new"),
    Kind.ACCOUNT: lazy("has an account"),
    Kind.MEMBER: lazy("member already"),
    Kind.INVITED: lazy("invited already"),
    Kind.REFUSED: lazy("refused"),
}
# What a mail server says by its three digits (RFC 5321 section 4.2.3), for those who are no postmasters.
NOT_WRITTEN: Final = 1  # no digits of a server: by then there was nothing to send
_CODES: Final[Mapping[int, str | Promise]] = {
    NOT_WRITTEN: lazy(
        "It was not sent: by then the organisation was closed, whoever invited may not any more, or no mail is wanted."
    ),
    450: lazy("The mailbox is busy. Usher tries again."),
    451: lazy("The mail server asks to come again later. Usher does."),
    452: lazy("The mailbox is full, or the server has no room. Usher tries again."),
    550: lazy("There is no such mailbox, or it takes no mail from outside."),
    551: lazy("The mailbox has moved elsewhere."),
    552: lazy("The mailbox is full."),
    553: lazy("The mail server does not know such an address."),
    554: lazy("The mail server took it for unwanted mail."),
    556: lazy("The domain of the address takes no mail."),
}


def standing_word(standing: Standing) -> str | Promise:
    return STANDINGS[standing]


def mail_words(invitation: Invitation) -> str:
    """What became of the mail, where it did not simply go out; empty where there is nothing to say."""
    mailing, code = invitation.mailing, invitation.mail_code
    if mailing in (Invitation.Mailing.FAILED, Invitation.Mailing.BOUNCED):
        return str(_CODES.get(code) or _failed(code))
    if mailing == Invitation.Mailing.QUEUED and invitation.mail_tries:
        return str(_CODES.get(code) or _("The mail server could not take it yet. Usher tries again for two days."))
    return ""


def gone_words() -> str:
    """Of an invitation that waits in vain, since its inviter has lost the role or the group."""
    return _("Whoever sent it may not invite people any more, so it lets nobody in. Send it again yourself.")


def _failed(code: int) -> str:
    if code:
        return _("The mail server refused it with {code}.").format(code=code)
    return _("The mail server could not be reached for two days.")
