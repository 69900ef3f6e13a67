"""What admins are written about connections: whoever changes one decides how everybody signs in."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from usher.core.letters import Letter, letter
from usher.core.models import Mail
from usher.events.types import EventType
from usher.lifecycle.letters_shared import letter_of, page_of
from usher.methods.sso.connect import LETTER
from usher.organizations.models import Organization
from usher.people.models import Account

WHAT: Mapping[str, str | Promise] = {
    EventType.CONNECTION_CREATED.value: _("was added. It lets nobody in until it is switched on."),
    EventType.CONNECTION_CHANGED.value: _("was changed."),
    EventType.CONNECTION_PROVED.value: _("was proved: an admin of the other side signed in."),
    EventType.CONNECTION_REMOVED.value: _("was removed. What it opened, it opens no more."),
}


@letter(LETTER)
def connection(row: Mail) -> Letter | None:
    """To one admin: what was done to a connection, and by whom."""
    organization = Organization.objects.filter(id__in=[row.organization_id]).first()
    if organization is None or organization.is_suspended:
        return None
    actor = Account.objects.filter(id__in=[row.ref]).first() if row.ref else None
    with override(organization.language):
        subject = str(_("Single sign-on of {organization} was changed")).format(organization=organization.name)
        what = str(WHAT[row.data["what"]])
        if row.data.get("is_on") is not None:
            what = str(_("was switched on.") if row.data["is_on"] else _("was switched off."))
        if row.data.get("vouched"):
            what = str(_("was proved, on the word of the operator of this server."))
    facts = {
        "provider": row.data["provider"],
        "what": what,
        "by": actor.username if actor else "",
        "link": page_of(organization, "settings/integrations/"),
    }
    return letter_of(organization, subject, "connection", facts)
