"""The mail that invites somebody, and what became of it."""

from __future__ import annotations

import uuid

from django.db.models import F, QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import override

from usher.core import clock
from usher.core.defang import tamed
from usher.core.letters import Fate, Letter, afterwards, letter
from usher.core.models import Mail
from usher.lifecycle.outreach import suppressed
from usher.methods.email_invitation import links
from usher.methods.email_invitation.found import objection
from usher.methods.email_invitation.models import Invitation
from usher.methods.email_invitation.order import LONGEST_NOTE
from usher.methods.email_invitation.send import LETTER
from usher.organizations.models import Organization
from usher.people.models import Account

Mailing = Invitation.Mailing


def _of(mail: Mail) -> Invitation | None:
    """The invitation of this mail, where it still waits."""
    waiting = _mine(mail).select_related("organization__license").filter(state=Invitation.State.OPEN)
    return waiting.first()


def _mine(mail: Mail) -> QuerySet[Invitation]:
    """The invitation as long as the mail's link is its link."""
    return Invitation.objects.filter(id=mail.ref or mail.id, link_id=uuid.UUID(mail.data["of"]))


@letter(LETTER)
def invitation(mail: Mail) -> Letter | None:
    """Written at the last moment: nothing goes out once it was taken back, sent anew, not wanted any more, or its
    organisation is shut."""
    found = _of(mail)
    if found is None or found.is_over or found.organization.is_suspended or objection(found):
        return None
    if suppressed(found.organization, [found.address_key]):
        return None
    hashed = links.mailed_hash(found.link_id)
    if hashed != found.token_hash:  # the pepper is another one since
        values = {"token_hash": hashed, "refusal_hash": links.refusal_hash(found.id)}
        Invitation.objects.filter(id=found.id, link_id=found.link_id).update(**values)
    with override(found.organization.language):
        return _letter(found)


def _letter(found: Invitation) -> Letter:
    organization, plan = found.organization, found.organization.license.plan
    role = plan.role(found.role) or plan.lowest  # as at the door, when the plan is another one since
    actor = Account.objects.filter(id=found.actor_id).first() if found.actor_id else None
    refusal = links.refusal_link(found)
    context = {
        "organization": organization.name,
        "role": str(role.label),
        "groups": [group.name for group in found.groups.order_by("name_key")],
        "inviter": actor.username if actor else "",
        "name": found.username,
        "address": found.email,
        "note": _note(found, organization),
        "until": date_format(localtime(found.expires_at), "j F Y"),
        "link": links.mailed_link(found),
        "refusal_link": refusal,
    }
    subject = _("{organization} invites you").format(organization=tamed(organization.name))
    return Letter(
        subject, "invitation", context, language=organization.language, headers={"List-Unsubscribe": f"<{refusal}>"}
    )


def _note(found: Invitation, organization: Organization) -> str:
    """Free text of those whom the operator knows alone; the mark may be gone since it was written."""
    is_known = organization.trusted_at is not None or found.actor_id is None
    return tamed(found.note, LONGEST_NOTE) if is_known else ""


@afterwards(LETTER)
def remember(mail: Mail, fate: Fate) -> None:
    """For the desk: what became of the mail, as long as its link is the invitation's link."""
    now, mine = clock.now(), _mine(mail)
    if fate.state == "later":
        mine.update(mail_code=fate.code, mail_tries=F("mail_tries") + 1)
    elif fate.state == "void":
        mine.filter(mailing=Mailing.QUEUED).update(mailing=Mailing.NONE, mailed_at=now)
    else:
        mine.update(mailing=Mailing(fate.state), mail_code=fate.code, mailed_at=now)
