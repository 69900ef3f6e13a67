"""Invitations by e-mail, the groups they lead into, and the addresses that want none."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from django.db import models
from django.db.models import Q

from usher.core import clock
from usher.core.rows import Row, new_id
from usher.organizations.models import Organization
from usher.people.models import Group


class Standing(StrEnum):
    """What an invitation is in one moment, as the desk shows it."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"
    NOT_MAILED = "not_mailed"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    REVOKED = "revoked"
    DECLINED = "declined"


class Invitation(Row):
    """Somebody who is invited: to which address, as what, into which groups, by whom, and until when.

    ``actor_id`` is the account that invites, and None for the operator. The mailed link follows from ``link_id`` under
    a subkey of the pepper, so a new id is a new link and the old one is dead; a *copied* link is another one, which
    proves no mailbox. Of both, and of the link "not for me", only the hashes are here.
    """

    class State(models.TextChoices):
        OPEN = "open"  # and expired, once ``expires_at`` has passed
        ACCEPTED = "accepted"  # also when the person came another way
        REVOKED = "revoked"
        DECLINED = "declined"  # "this was not for me"

    class Mailing(models.TextChoices):
        NONE = "none"
        QUEUED = "queued"
        SENT = "sent"
        FAILED = "failed"
        BOUNCED = "bounced"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    email = models.CharField(max_length=254)  # as written
    address_key = models.CharField(max_length=254)
    username = models.CharField(max_length=150, blank=True)  # how the person was called; they may change it
    role = models.CharField(max_length=20)
    groups = models.ManyToManyField(Group, blank=True, related_name="+", through="InvitationGroup")
    note = models.CharField(max_length=500, blank=True)
    reserves = models.BooleanField(default=False)  # a seat is kept until it is accepted or over
    actor_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    ended_at = models.DateTimeField(null=True, blank=True)
    membership_id = models.UUIDField(null=True, blank=True)  # no foreign key: an undo may take the person out again
    method = models.CharField(max_length=20, blank=True)  # by which way the person came in, once accepted

    link_id = models.UUIDField(default=new_id)
    token_hash = models.CharField(max_length=64, unique=True)
    copied_hash = models.CharField(max_length=64, null=True, blank=True, unique=True)
    copied_unproved = models.BooleanField(default=False)  # by it one comes in unproved, with the lowest role
    refusal_hash = models.CharField(max_length=64, unique=True)

    mailing = models.CharField(max_length=10, choices=Mailing.choices, default=Mailing.QUEUED)
    mailed_at = models.DateTimeField(null=True, blank=True)  # when ``mailing`` became what it is
    mail_code = models.PositiveSmallIntegerField(default=0)  # the server's three digits; 0 when it was not reached
    mail_tries = models.PositiveSmallIntegerField(default=0)  # that were in vain

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "address_key"], name="one_open_invitation", condition=Q(state="open")
            )
        ]
        indexes = [
            models.Index(fields=["organization", "state", "id"], name="invitations_by_state"),
            models.Index(fields=["organization", "address_key"], name="invitations_of_address"),
        ]

    def __str__(self) -> str:
        return f"invitation {self.id} of {self.organization_id}"

    @property
    def is_over(self) -> bool:
        return self.expires_at <= clock.now()

    @property
    def is_live(self) -> bool:
        return self.state == self.State.OPEN and not self.is_over

    def standing(self, now: dt.datetime) -> Standing:
        if self.state != self.State.OPEN:
            return Standing(self.state)
        if self.expires_at <= now:
            return Standing.EXPIRED
        return Standing.NOT_MAILED if self.mailing == self.Mailing.NONE else Standing(self.mailing)


class InvitationGroup(Row):
    """A group that an invitation leads into."""

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="group_links")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invitation", "group"], name="one_link_of_invitation_and_group")]

    def __str__(self) -> str:
        return f"{self.invitation_id} into {self.group_id}"


class Suppression(Row):
    """An address that wants no invitations: of one organisation, or (``organization`` empty) of nobody here.

    Only a keyed hash of the address is kept (events/record.py).
    """

    organization = models.ForeignKey(Organization, null=True, on_delete=models.CASCADE, related_name="+")
    address_hash = models.CharField(max_length=32)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "address_hash"], name="one_suppression"),
            models.UniqueConstraint(
                fields=["address_hash"], name="one_suppression_of_all", condition=Q(organization__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"no invitations from {self.organization_id or 'anybody'}"
