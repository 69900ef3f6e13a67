"""“This was not for me”: whoever has the mailbox ends an invitation, and wants no more of them."""

from __future__ import annotations

from enum import StrEnum

from django.db import transaction

from usher.core import tokens
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.record import address_hash
from usher.events.types import SYSTEM, EventType
from usher.methods.email_invitation.changes import end
from usher.methods.email_invitation.history import event
from usher.methods.email_invitation.links import REFUSAL
from usher.methods.email_invitation.models import Invitation, Suppression
from usher.organizations.models import License


class Scope(StrEnum):
    """What the owner of the mailbox wants no more of."""

    THIS = "this"
    ORGANIZATION = "organization"
    ALL = "all"


def find(token: str) -> Invitation:
    """The invitation of a "not for me" link, dead or alive. Raises UsherError (invitation_dead)."""
    rows = Invitation.objects.select_related("organization__license", "organization__logo")
    hashed = tokens.token_hash(token, REFUSAL)
    found = rows.defer("organization__logo__content").filter(refusal_hash=hashed).first()
    if found is None:
        raise UsherError(Reason.INVITATION_DEAD())
    return found


def wants_none(invitation: Invitation) -> Scope | None:
    """What was asked for before."""
    of_all = Suppression.objects.filter(address_hash=address_hash(invitation.address_key))
    scopes = set(of_all.values_list("organization_id", flat=True))
    if None in scopes:
        return Scope.ALL
    return Scope.ORGANIZATION if invitation.organization_id in scopes else None


@retrying
def refuse(invitation: Invitation, scope: Scope) -> None:
    """End the invitation where it still waits, and remember what is not wanted."""
    with transaction.atomic():
        License.objects.select_for_update().get(organization=invitation.organization_id)
        held = Invitation.objects.select_for_update(of=("self",)).get(id=invitation.id)
        if held.state == Invitation.State.OPEN:
            end(held, Invitation.State.DECLINED)
            record.record(event(EventType.INVITATION_DECLINED, held, SYSTEM))
        if scope is not Scope.THIS:
            of = invitation.organization if scope is Scope.ORGANIZATION else None
            Suppression.objects.get_or_create(organization=of, address_hash=address_hash(held.address_key))


def allow_again(invitation: Invitation) -> None:
    """The owner of the mailbox changed his mind: invitations may come again, from everybody."""
    Suppression.objects.filter(address_hash=address_hash(invitation.address_key)).delete()
