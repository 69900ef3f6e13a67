"""What must always be true of invitations and the seats they keep (V1, V2, V3, V5)."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef

from usher.core import clock
from usher.core.checks import invariant, rows, warning
from usher.core.models import Mail
from usher.lifecycle.erase import BEING_ERASED
from usher.methods.email_invitation.models import Invitation
from usher.methods.email_invitation.send import LETTER
from usher.organizations.plans import Method


@invariant("V1", "Every seat that is kept is kept for an invitation that waits.")
def seats_are_kept_for_somebody() -> Iterator[str]:
    sql = f"""
        SELECT r.id FROM organizations_seatreservation r
        LEFT JOIN email_invitation_invitation i ON i.id = r.ref AND i.organization_id = r.organization_id
        WHERE (i.id IS NULL OR i.state <> 'open' OR NOT i.reserves OR i.address_key <> r.address_key)
          AND r.organization_id NOT IN {BEING_ERASED}
    """  # noqa: S608 - names of our own
    for (reservation_id,) in rows(sql):
        yield f"The seat {reservation_id} is kept for an invitation that does not wait for it."


@invariant("V2", "No invitation was used after its end.")
def none_was_used_too_late() -> Iterator[str]:
    used = Invitation.objects.filter(state=Invitation.State.ACCEPTED, method=Method.EMAIL_INVITATION.value)
    # Who came by an earlier one and proved this one's address later was found by the tidying, and used nothing.
    earlier = used.filter(membership_id=OuterRef("membership_id"), ended_at__lt=OuterRef("ended_at"))
    late = used.filter(~Exists(earlier), ended_at__gte=F("expires_at"))
    for (key,) in late.values_list("id"):
        yield f"The invitation {key} was used after its end."


@invariant("V3", "Whoever came by an invitation is a member of its organisation.")
def members_are_of_one_organization() -> Iterator[str]:
    sql = """
        SELECT i.id FROM email_invitation_invitation i
        JOIN people_membership m ON m.id = i.membership_id WHERE m.organization_id <> i.organization_id
    """
    for (key,) in rows(sql):
        yield f"The invitation {key} brought somebody into another organisation."


@invariant("V3", "The groups of an invitation are those of its organisation.")
def invitations_lead_into_their_own_groups() -> Iterator[str]:
    sql = """
        SELECT i.id FROM email_invitation_invitation i
        JOIN email_invitation_invitationgroup l ON l.invitation_id = i.id
        JOIN people_group g ON g.id = l.group_id WHERE g.organization_id <> i.organization_id
    """
    for (key,) in rows(sql):
        yield f"The invitation {key} leads into a group of another organisation."


@invariant("V5", "Every invitation that waits to be mailed has its mail in the outbox.")
def queued_invitations_have_a_mail() -> Iterator[str]:
    queued = Invitation.objects.filter(
        state=Invitation.State.OPEN, mailing=Invitation.Mailing.QUEUED, expires_at__gt=clock.now()
    ).exclude(id__in=Mail.objects.filter(kind=LETTER, ref__isnull=False).values("ref"))
    for (key,) in queued.values_list("id"):
        yield f"The invitation {key} waits for a mail that is not there."


@warning("invitations", "Every invitation that was mailed arrived, as far as the mail server says.")
def mails_arrived() -> Iterator[str]:
    lost = Invitation.objects.filter(
        state=Invitation.State.OPEN, mailing__in=(Invitation.Mailing.FAILED, Invitation.Mailing.BOUNCED)
    )
    if count := lost.count():
        yield f"{count} invitations could not be delivered; the admins see them on the list of invitations."
