"""The mail that invites somebody, and what became of it."""

from __future__ import annotations

import uuid

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from usher.core import clock
from usher.core.defang import tamed
from usher.core.letters import Fate, Letter, afterwards, letter
from usher.core.models import Mail
from usher.lifecycle.outreach import suppressed
from usher.methods.email_invitation import links
from usher.methods.email_invitation.found import last_day, objection
from usher.methods.email_invitation.models import Invitation
from usher.methods.email_invitation.order import LONGEST_NOTE
from usher.methods.email_invitation.send import LETTER
from usher.methods.email_invitation.words import NOT_WRITTEN
from usher.organizations.plans import Method
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
    """Written at the last moment: nothing goes out once it was taken back, sent anew, or not wanted any more."""
    found = _of(mail)
    if found is None or found.is_over or not _may_go_out(found):
        return None
    hashed = links.mailed_hash(found.link_id)
    if hashed != found.token_hash:  # the pepper is another one since
        values = {"token_hash": hashed, "refusal_hash": links.refusal_hash(found.id)}
        Invitation.objects.filter(id=found.id, link_id=found.link_id).update(**values)
    with override(found.organization.language):
        return _letter(found)


def _may_go_out(found: Invitation) -> bool:
    """Not where the link would let nobody in: the organisation shut, the way in gone, the inviter without a say."""
    organization = found.organization
    is_shut = organization.is_suspended or Method.EMAIL_INVITATION not in organization.license.plan.methods
    return not (is_shut or objection(found) or suppressed(organization, [found.address_key]))


def _letter(found: Invitation) -> Letter:
    organization, plan = found.organization, found.organization.license.plan
    role = plan.role(found.role) or plan.lowest  # as at the door, when the plan is another one since
    refusal = links.refusal_link(found)
    context = {
        "organization": organization.name,
        "role": str(role.label),
        **_own_words(found),
        "address": found.email,
        "until": last_day(found),
        "link": links.mailed_link(found),
        "refusal_link": refusal,
    }
    subject = _("{organization} invites you").format(organization=tamed(organization.name))
    return Letter(
        subject, "invitation", context, language=organization.language, headers={"List-Unsubscribe": f"<{refusal}>"}
    )


def _own_words(found: Invitation) -> dict[str, object]:
    """What somebody there typed: of those whom the operator knows alone, and the mark may be gone since."""
    if found.organization.trusted_at is None and found.actor_id is not None:
        return {"groups": [], "inviter": "", "name": "", "note": ""}
    actor = Account.objects.filter(id=found.actor_id).first() if found.actor_id else None
    return {
        "groups": [group.name for group in found.groups.order_by("name_key")],
        "inviter": actor.username if actor else "",
        "name": found.username,
        "note": tamed(found.note, LONGEST_NOTE),
    }


@afterwards(LETTER)
def remember(mail: Mail, fate: Fate) -> None:
    """For the desk: what became of the mail, as long as its link is the invitation's link."""
    now, mine = clock.now(), _mine(mail)
    if fate.state == "later":
        mine.update(mail_code=fate.code, mail_tries=F("mail_tries") + 1)
    elif fate.state == "void":
        mine.filter(mailing=Mailing.QUEUED).update(mailing=Mailing.FAILED, mail_code=NOT_WRITTEN, mailed_at=now)
    else:
        mine.update(mailing=Mailing(fate.state), mail_code=fate.code, mailed_at=now)
