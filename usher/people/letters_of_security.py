"""What Usher writes when something changed that opens an account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from usher.core.letters import Letter, letter
from usher.core.models import Mail
from usher.people.models import Account

# What happened, as the subject; the sentences stand in mail/_what_changed.txt.
SUBJECTS: Final[Mapping[str, Promise]] = {
    "signed_in": _("New sign-in to your account"),
    "totp_added": _("An authenticator app was set up"),
    "totp_removed": _("The authenticator app was removed"),
    "webauthn_added": _("A passkey was added"),
    "webauthn_removed": _("A passkey was removed"),
    "recovery_codes_made": _("New recovery codes were made"),
    "recovery_code_used": _("A recovery code was used"),
    "all_removed": _("Your second step at sign-in was removed"),
    "guesses": _("Somebody knows your password"),
}


@letter("security_notice")
def security_notice(mail: Mail) -> Letter | None:
    """To the proved address that the account had when it happened."""
    account, what = Account.objects.filter(id=mail.ref).first() if mail.ref else None, mail.data["what"]
    if account is None:
        return None
    context = {
        "what": what,
        "name": mail.data["name"],
        "at": dt.datetime.fromisoformat(mail.data["at"]).astimezone(dt.UTC),
        "sign_in_address": account.sign_in,
        "security_link": f"{settings.USHER_BASE_URL}/account/security",
        "forgot_link": f"{settings.USHER_BASE_URL}/forgot",
    }
    return Letter(str(SUBJECTS[what]), "security_notice", context)
