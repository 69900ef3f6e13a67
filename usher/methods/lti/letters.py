"""What admins are written about LMSs: whoever connects one decides who comes in by it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from usher.core.letters import Letter, letter
from usher.core.models import Mail
from usher.events.types import EventType
from usher.lifecycle.letters_shared import letter_of, page_of
from usher.methods.lti.connect import LETTER, WAITS
from usher.organizations.models import Organization
from usher.people.models import Account

WHAT: Mapping[str, str | Promise] = {
    EventType.PLATFORM_CREATED.value: _("was added. It lets nobody in until it is switched on."),
    EventType.PLATFORM_REGISTERED.value: _("was registered there. It lets nobody in until one of you approves it."),
    EventType.PLATFORM_CHANGED.value: _("was changed."),
    EventType.PLATFORM_REMOVED.value: _("was removed. What it opened, it opens no more."),
    EventType.DEPLOYMENT_APPROVED.value: _("has a new deployment that lets people in: {deployment}."),
    EventType.DEPLOYMENT_REMOVED.value: _("lost the deployment {deployment}. What it opened, it opens no more."),
    WAITS: _("is used from a deployment that nobody has approved: {deployment}. People there are stopped until one of"
             " you says yes."),
}  # fmt: skip


@letter(LETTER)
def platform(row: Mail) -> Letter | None:
    """To one admin: what was done to an LMS, and by whom."""
    organization = Organization.objects.filter(id__in=[row.organization_id]).first()
    if organization is None or organization.is_suspended:
        return None
    actor = Account.objects.filter(id__in=[row.ref]).first() if row.ref else None
    with override(organization.language):
        subject = str(_("The LMS of {organization}")).format(organization=organization.name)
        what = str(WHAT[row.data["what"]]).format(deployment=row.data.get("deployment", ""))
        if row.data.get("is_on") is not None:
            what = str(_("was switched on.") if row.data["is_on"] else _("was switched off."))
    facts = {
        "name": row.data["name"],
        "what": what,
        "waits": row.data["what"] == WAITS,
        "by": actor.username if actor else "",
        "link": page_of(organization, "settings/integrations/"),
    }
    return letter_of(organization, subject, "platform", facts)
