"""Inviting: the rows, the kept seats, the mails and the events, batch by batch, under the licence lock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction

from usher.core import clock, mail
from usher.core.mail import Envelope
from usher.core.retry import retrying
from usher.core.rows import new_id
from usher.events import record
from usher.events.types import EventType
from usher.lifecycle.visitor import check_still
from usher.methods.email_invitation import links
from usher.methods.email_invitation.history import event
from usher.methods.email_invitation.models import Invitation, InvitationGroup
from usher.methods.email_invitation.order import Kind, Order, Report, Weighed, check, check_limits, count_mails, weigh
from usher.organizations.models import License, Organization, SeatReservation
from usher.people.models import Group
from usher.people.names import name_key

BATCH = 250  # invitations of one transaction
LETTER = "invitation"  # the kind of the mail


def send(order: Order) -> Report:
    """Invite everybody who can be; the mails go out after commit. The report says what became of each.

    All are looked at together first, so that the write does what the preview said; those who may be invited are judged
    once more under the lock. Sent twice, an order invites nobody twice. Raises UsherError as ``order.preview``.
    """
    check(order)
    report = Report(order, weigh(order, order.entries))
    going = [at for at, row in enumerate(report.rows) if row.goes_out]
    check_limits(order, len(going))
    for start in range(0, len(going), BATCH):
        batch = going[start : start + BATCH]
        for at, row in zip(batch, _take_batch(order, [report.rows[at] for at in batch]), strict=True):
            report.rows[at] = row
        check_still(order.organization, order.by)
    return report


def _take_batch(order: Order, rows: Sequence[Weighed]) -> list[Weighed]:
    """Count the mails, then write who may get one."""
    full = count_mails(order, [row.entry.address for row in rows])
    written = iter(_write(order, [row for row in rows if row.entry.address not in full]))
    return [
        replace(row, kind=Kind.REFUSED, findings=(full[row.entry.address],))
        if row.entry.address in full
        else next(written)
        for row in rows
    ]


@retrying
def _write(order: Order, rows: Sequence[Weighed]) -> list[Weighed]:
    """One transaction. The licence is locked first, so that what is found then still holds at its end."""
    with transaction.atomic():
        License.objects.select_for_update().get(organization=order.organization)
        keys = {name_key(name) for row in rows for name in row.joiner.groups}
        groups = Group.objects.select_for_update().filter(organization=order.organization, name_key__in=keys)
        list(groups.order_by("id"))  # none of them gets another name meanwhile
        weighed = weigh(order, [row.entry for row in rows], is_counted=True)
        made = iter(_make(order, [row for row in weighed if row.goes_out]))
        return [next(made) if row.goes_out else row for row in weighed]


def _make(order: Order, rows: Sequence[Weighed]) -> list[Weighed]:
    """The rows of the invitations, and everything that goes with them."""
    now = clock.now()
    made = [_invitation(order, row, now) for row in rows]
    shown = [_copy(one, unproved=order.unproved) if order.copies else "" for one in made]
    _close_expired(order.organization, [one.address_key for one in made], now)
    Invitation.objects.bulk_create(made, batch_size=100)
    _link(order.organization, rows, made)
    if order.reserve:
        SeatReservation.objects.bulk_create(map(reservation, made), batch_size=100)
    if order.mailed:
        mail.post_many(LETTER, [(one.email, _envelope(one)) for one in made])
    record.record_many([event(EventType.INVITATION_CREATED, one, order.by.actor) for one in made])
    return [replace(row, invitation_id=one.id, link=link) for row, one, link in zip(rows, made, shown, strict=True)]


def _copy(one: Invitation, *, unproved: bool) -> str:
    link, one.copied_hash = links.new_copied()
    one.copied_unproved = unproved
    return link


def _invitation(order: Order, row: Weighed, now: dt.datetime) -> Invitation:
    row_id, link_id = new_id(), new_id()
    mailing = Invitation.Mailing.QUEUED if order.mailed else Invitation.Mailing.NONE
    return Invitation(
        id=row_id,
        organization=order.organization,
        email=row.entry.email,
        address_key=row.entry.address,
        username=row.entry.username,
        role=row.joiner.role,
        note=order.note,
        reserves=order.reserve,
        actor_id=order.by.actor.account_id,
        created_at=now,
        expires_at=now + lifetime(order.organization),
        link_id=link_id,
        token_hash=links.mailed_hash(link_id),
        refusal_hash=links.refusal_hash(row_id),
        mailing=mailing,
        mailed_at=now,
    )


def lifetime(organization: Organization) -> dt.timedelta:
    return dt.timedelta(days=organization.invitation_days)


def _close_expired(organization: Organization, addresses: Sequence[str], now: dt.datetime) -> None:
    """One whose time is over makes room for the new one of the same address."""
    expired = Invitation.objects.filter(
        organization=organization, address_key__in=addresses, expires_at__lte=now, state=Invitation.State.OPEN
    )
    old = list(expired.values_list("id", flat=True))
    SeatReservation.objects.filter(ref__in=old).delete()
    Invitation.objects.filter(id__in=old).update(state=Invitation.State.REVOKED, ended_at=now)


def _link(organization: Organization, rows: Sequence[Weighed], made: Sequence[Invitation]) -> None:
    keys = {name_key(name) for row in rows for name in row.joiner.groups}
    groups = {group.name_key: group for group in Group.objects.filter(organization=organization, name_key__in=keys)}
    InvitationGroup.objects.bulk_create(
        [
            InvitationGroup(invitation=one, group=groups[name_key(name)])
            for row, one in zip(rows, made, strict=True)
            for name in row.joiner.groups
        ],
        batch_size=200,
    )


def reservation(invitation: Invitation) -> SeatReservation:
    """The seat that is kept for an invitation, of the kind its role takes; a role that the plan lost is the lowest."""
    plan = invitation.organization.license.plan
    return SeatReservation(
        organization_id=invitation.organization_id,
        pool=(plan.role(invitation.role) or plan.lowest).pool,
        address_key=invitation.address_key,
        ref=invitation.id,
        until=invitation.expires_at,
    )


def post(invitation: Invitation) -> None:
    """Queue the mail with the link of this moment; when the link is replaced before, it is not sent."""
    mail.post(LETTER, invitation.email, _envelope(invitation))


def _envelope(invitation: Invitation) -> Envelope:
    return Envelope(invitation.organization_id, ref=invitation.id, data={"of": str(invitation.link_id)})
