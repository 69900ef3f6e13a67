"""One's own LMSs: by which of them an account is opened, and the code that adds one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction

from usher.core.retry import deleting
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.methods.lti.models import PlatformUser
from usher.methods.lti.platforms import label_of
from usher.organizations.plans import Method
from usher.people.models import Account, Membership


@dataclass(frozen=True, slots=True)
class Mine:
    """One person of an LMS who opens this account."""

    user: PlatformUser
    label: str


def of_account(account: Account) -> list[Mine]:
    """The oldest first."""
    found = PlatformUser.objects.filter(account=account).select_related("platform", "organization").order_by("id")
    return [Mine(one, label_of(one.platform)) for one in found]


@deleting
def unlink(account: Account, user_id: str) -> bool:
    """From now on this person of the LMS opens the account no more; what is open in its frames ends with it.

    False where there is none. An account is never left without a way in by it: an LMS opens its own frames alone, so
    whoever is signed in here came by another way.
    """
    try:
        wanted = uuid.UUID(user_id)
    except ValueError:
        return False
    with transaction.atomic():
        mine = PlatformUser.objects.select_for_update(of=("self",)).select_related("platform")
        found = mine.filter(account=account, id=wanted).first()
        if found is None or _was_sent_away(found):
            return False
        found.delete()
        record.record(_told(found))
    return True


def _was_sent_away(user: PlatformUser) -> bool:
    """Who was deactivated would come back as somebody new (security.md H15)."""
    here = Membership.objects.filter(account=user.account_id, organization=user.organization_id)
    return here.filter(state=Membership.State.INACTIVE).exists()


def _told(user: PlatformUser) -> Draft:
    return Draft(
        EventType.LMS_USER_UNLINKED,
        user.organization_id,
        Actor("account", user.account_id),
        account_id=user.account_id,
        address=user.address.lower(),
        method=Method.LTI.value,
        data={"platform": label_of(user.platform)},
    )
