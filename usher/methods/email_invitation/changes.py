"""What is done to invitations that wait: sent again, taken back, another role, the link copied.

Each in a transaction of its own under the licence lock, so that one refusal does not stop the others.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.core.retry import retrying
from usher.core.rows import new_id
from usher.events import record
from usher.events.types import EventType
from usher.lifecycle import house as houses
from usher.lifecycle.joiner import By, Terms
from usher.lifecycle.outreach import suppressed
from usher.methods.email_invitation import links
from usher.methods.email_invitation.history import event
from usher.methods.email_invitation.models import Invitation
from usher.methods.email_invitation.order import Order, check, count_mails
from usher.methods.email_invitation.send import lifetime, post, reservation
from usher.methods.email_invitation.words import standing_word
from usher.organizations.models import License, Organization, SeatReservation
from usher.organizations.plans import Plan

MOST = 500  # invitations in one request
State = Invitation.State


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one invitation: changed, left as it was, or refused with the reasons."""

    invitation: Invitation
    changed: bool
    findings: tuple[Finding, ...] = ()


def resend(organization: Organization, ids: Sequence[uuid.UUID], by: By) -> list[Done]:
    """A new link to each of them and the whole time anew; the old link is dead. Whoever sends it is the one who
    invites from now on. Works on expired ones, and on those whose mail did not arrive."""
    return _each(organization, ids, lambda one: _resend(organization, one, by))


def revoke(organization: Organization, ids: Sequence[uuid.UUID], by: By) -> list[Done]:
    """Take each of them back: its links are dead, its seat is free, its mail is not sent any more."""
    return _each(organization, ids, lambda one: _revoke(organization, one, by))


def set_role(organization: Organization, ids: Sequence[uuid.UUID], role: str, by: By) -> list[Done]:
    """Another role for each of those who have not accepted yet; whoever sets it is the one who invites."""
    return _each(organization, ids, lambda one: _set_role(organization, one, role, by))


@retrying
def copy_link(organization: Organization, invitation_id: uuid.UUID, by: By, *, unproved: bool) -> str:
    """A link to hand over where mail does not arrive; shown once, an earlier copy is dead.

    ``unproved``: by it the person comes in without proving the address, with the lowest role; else the address has to
    be proved all the same. Raises UsherError: unknown_invitation, not_your_group, role_above_yours, invitation_over.
    """
    with transaction.atomic():
        one = _hold(organization, invitation_id, by)
        _still_open(one)
        link, one.copied_hash = links.new_copied()
        one.copied_unproved = unproved
        one.save(update_fields=["copied_hash", "copied_unproved"])
        record.record(event(EventType.INVITATION_COPIED, one, by.actor))
    return link


def may_handle(invitation: Invitation, plan: Plan, by: By) -> Finding | None:
    """Why somebody may not touch this invitation: a manager has those for his own groups, nobody those above him."""
    if by.groups is not None:
        wanted = {link.group_id for link in invitation.group_links.all()}
        if not wanted or not wanted <= by.groups:
            return Reason.NOT_YOUR_GROUP()
    role = plan.role(invitation.role)
    return Reason.ROLE_ABOVE_YOURS("role", role=str(role.label)) if role and role.rank > by.rank else None


def _each(organization: Organization, ids: Sequence[uuid.UUID], act: Callable[[Invitation], bool]) -> list[Done]:
    """Ids of other organisations, or of none, are left out."""
    known = Invitation.objects.filter(organization=organization, id__in=list(ids)[:MOST]).order_by("id")
    return [_one(one, act) for one in known]


def _one(invitation: Invitation, act: Callable[[Invitation], bool]) -> Done:
    try:
        return Done(invitation, act(invitation))
    except UsherError as no:
        return Done(invitation, changed=False, findings=no.findings)


def _hold(organization: Organization, invitation_id: uuid.UUID, by: By) -> Invitation:
    """The licence row is the lock of the house, then the invitation's own."""
    plan = License.objects.select_for_update().get(organization=organization).plan
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("organization__license")
    one = rows.filter(organization=organization, id=invitation_id).first()
    if one is None:
        raise UsherError(Reason.UNKNOWN_INVITATION())
    if no := may_handle(one, plan, by):
        raise UsherError(no)
    return one


def _still_open(one: Invitation, *, also_expired: bool = False) -> None:
    if one.state != State.OPEN or (one.is_over and not also_expired):
        raise UsherError(Reason.INVITATION_OVER(standing=str(standing_word(one.standing(clock.now())))))


def _resend(organization: Organization, invitation: Invitation, by: By) -> bool:
    order = Order(organization, (), by)
    check(order)
    if no := may_handle(invitation, organization.license.plan, by):  # before anything is counted
        raise UsherError(no)
    if suppressed(organization, [invitation.address_key]):
        raise UsherError(Reason.ADDRESS_SUPPRESSED("email"))
    if invitation.state == State.OPEN and (full := count_mails(order, [invitation.address_key])):
        raise UsherError(*full.values())
    return _send_again(organization, invitation.id, by)


@retrying
def _send_again(organization: Organization, invitation_id: uuid.UUID, by: By) -> bool:
    with transaction.atomic():
        one = _hold(organization, invitation_id, by)
        _still_open(one, also_expired=True)
        one.link_id, one.expires_at = new_id(), clock.now() + lifetime(organization)
        # The link "not for me" stays, but follows from the pepper, which may be another one since.
        one.token_hash, one.refusal_hash = links.mailed_hash(one.link_id), links.refusal_hash(one.id)
        one.actor_id = by.actor.account_id
        one.mailing, one.mailed_at = Invitation.Mailing.QUEUED, clock.now()
        one.mail_code = one.mail_tries = 0
        one.copied_hash = None
        one.save()
        if one.reserves:
            _keep_seat(organization, one, by)
        post(one)
        record.record(event(EventType.INVITATION_RESENT, one, by.actor))
    return True


def _keep_seat(organization: Organization, one: Invitation, by: By) -> None:
    """The seat of an invitation as it is now. Raises UsherError (seats_taken) when there is none for it."""
    SeatReservation.objects.filter(ref=one.id).delete()
    kept, house = reservation(one), houses.open_house(organization.id, by, Terms(), lock=True)
    pool = house.pools[kept.pool]
    if pool.used + pool.kept >= pool.limit:
        raise UsherError(Reason.SEATS_TAKEN(limit=pool.limit, pool=kept.pool))
    kept.save(force_insert=True)


@retrying
def _revoke(organization: Organization, invitation: Invitation, by: By) -> bool:
    with transaction.atomic():
        one = _hold(organization, invitation.id, by)
        if one.state == State.REVOKED:
            return False
        _still_open(one, also_expired=True)
        end(one, State.REVOKED)
        record.record(event(EventType.INVITATION_REVOKED, one, by.actor))
    return True


def end(one: Invitation, state: Invitation.State) -> None:
    """It is over, and its seat is free. Needs the licence lock."""
    one.state, one.ended_at = state, clock.now()
    one.save(update_fields=["state", "ended_at"])
    SeatReservation.objects.filter(ref=one.id).delete()


@retrying
def _set_role(organization: Organization, invitation: Invitation, role_slug: str, by: By) -> bool:
    with transaction.atomic():
        one = _hold(organization, invitation.id, by)
        plan = one.organization.license.plan
        role = plan.role(role_slug)
        if role is None:
            raise UsherError(Reason.UNKNOWN_ROLE("role", role=role_slug, roles=", ".join(r.slug for r in plan.roles)))
        if role.rank > by.rank:
            raise UsherError(Reason.ROLE_ABOVE_YOURS("role", role=str(role.label)))
        _still_open(one)
        if one.role == role.slug:
            return False
        one.role, one.actor_id = role.slug, by.actor.account_id
        one.save(update_fields=["role", "actor_id"])
        if one.reserves:
            _keep_seat(organization, one, by)
        record.record(event(EventType.INVITATION_CHANGED, one, by.actor))
    return True
