"""Erasing an organisation: a small transaction at a time, so that nobody waits and a kill costs one of them at most.

Accounts that it made and nobody claimed go with it; those of people who proved an address are their own and stay.
What remains is one event and the short names, which nobody else ever gets (``OldSlug``).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import models, transaction

from usher.core import bulk, clock
from usher.core.models import Mail
from usher.core.retry import retrying
from usher.events import record
from usher.events.models import Event
from usher.events.types import SYSTEM, Draft, EventType
from usher.organizations.models import ApiKey, Domain, License, Logo, OldSlug, Organization, SeatPool, SeatReservation
from usher.people.models import Account, Membership, Registration

# Everything that refers to an organisation, and what becomes of it. A test finds the references by introspection
# and fails when something is missing here: decide, take it into STEPS (or below what cascades), then write it down.
REFERENCES: Mapping[str, str] = {
    "activities.Activity.organization": "step",
    "activities.Score.organization_id": "goes with its activity",
    "bulk_accounts.CreationRun.organization": "step",
    "core.Mail.organization_id": "step",
    "csv_import.Import.organization": "step",
    "email_invitation.Invitation.organization": "step",
    "email_invitation.Suppression.organization": "step",
    "events.Event.organization_id": "step",
    "invite_code.CodeUse.organization_id": "goes with its membership",
    "invite_code.InviteCode.organization": "step",
    "lifecycle.Erasure.organization_id": "is the work itself",
    "lti.Course.organization": "step",
    "lti.Delivery.organization": "goes with its link",
    "lti.Deployment.organization": "step",
    "lti.Launch.organization": "step",
    "lti.Platform.organization": "step",
    "lti.PlatformUser.organization": "step",
    "lti.RegistrationLink.organization": "step",
    "lti.ResourceLink.organization": "step",
    "lti.RosterRun.organization": "goes with its course",
    "organizations.ApiKey.organization": "goes last",
    "organizations.Domain.organization": "goes last",
    "organizations.License.organization": "goes last",
    "organizations.Logo.organization": "goes last",
    "organizations.OldSlug.organization": "stays, and leads nowhere",
    "organizations.SeatPool.organization": "goes last",
    "organizations.SeatReservation.organization": "goes last",
    "people.Account.home": "step",
    "people.Account.vouched_by_organization": "step",
    "people.Group.organization": "step",
    "people.GroupMembership.organization_id": "goes with its membership",
    "people.Identity.organization": "step",
    "people.MadeName.organization": "step",
    "people.Membership.organization": "step",
    "people.OneTimeLink.organization": "step",
    "people.SearchWord.organization_id": "goes with its membership",
    "sso.Connection.organization": "step",
    "sso.Trip.door": "goes last",
}
BATCH = 500  # rows of one transaction
NOBODY = uuid.UUID(int=0)
# For `usher check`, which is to say nothing of a house that is being taken down.
BEING_ERASED = "(SELECT organization_id FROM lifecycle_erasure WHERE begun_at IS NOT NULL)"

Step = Callable[[uuid.UUID], int]


def references() -> Iterator[str]:
    """Every field of every model that leads to an organisation, by foreign key or by a plain id."""
    for model in apps.get_models(include_auto_created=True):
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many):
            loose = isinstance(field, models.UUIDField) and "organization" in field.name
            if field.related_model is Organization or loose:
                yield f"{model._meta.label}.{field.name}"


def erase_some(organization_id: uuid.UUID) -> bool:
    """Erase a piece. False when nothing is left of the organisation."""
    if any(_take(step, organization_id) for step in STEPS):
        return True
    _finish(organization_id)
    return False


@retrying
def _take(step: Step, organization_id: uuid.UUID) -> int:
    """One step in its transaction, under the licence's lock: an import that is under way comes before or after."""
    with held(organization_id):
        return step(organization_id)


@contextmanager
def held(organization_id: uuid.UUID) -> Iterator[None]:
    """A transaction under the licence's lock, or under none where the licence is gone."""
    with transaction.atomic():
        License.objects.select_for_update().filter(organization_id=organization_id).first()
        yield


def _rows(label: str, path: str = "organization_id") -> Step:
    """Rows of a table that may stand on a higher floor, which this one knows by name alone."""

    def step(organization_id: uuid.UUID) -> int:
        model = apps.get_model(label)
        keys = list(model._base_manager.filter(**{path: organization_id}).values_list("pk", flat=True)[:BATCH])
        if keys:
            bulk.delete(model, keys)
        return len(keys)

    return step


def _registrations(organization_id: uuid.UUID) -> int:
    """Those who registered by one of its codes and have still to prove the address."""
    codes = apps.get_model("invite_code.InviteCode")._base_manager.filter(organization_id=organization_id)
    return Registration.objects.filter(code_id__in=codes.values("id")).delete()[0]


def _members(organization_id: uuid.UUID) -> int:
    """Members with all that hangs on the membership, and their accounts where the organisation made them."""
    members = Membership.objects.filter(organization_id=organization_id).values_list("id", "account_id")
    found = list(members[:BATCH])
    bulk.delete(Membership, [member_id for member_id, _ in found])
    _forget([account_id for _, account_id in found], organization_id)
    return len(found)


def _accounts(organization_id: uuid.UUID) -> int:
    """Accounts that it made and that have no membership any more. They have no index of their own: one look at all."""
    ids = list(Account.objects.filter(home_id=organization_id).values_list("id", flat=True)[:BATCH])
    _forget(ids, organization_id)
    return len(ids)


def _attempts_at_shared(organization_id: uuid.UUID) -> int:
    """Launches from an LMS that the operator shares among several: kept with it, and known by the deployment."""
    deployments = apps.get_model("lti.Deployment")._base_manager.filter(organization_id=organization_id)
    kept = apps.get_model("lti.Attempt")._base_manager
    mine = list(deployments.values_list("platform_id", "deployment_id")[:BATCH])
    return sum(kept.filter(platform_id=one, deployment_id=name).delete()[0] for one, name in mine)


def _vouched(organization_id: uuid.UUID) -> int:
    """Accounts of people of their own, for whose address it answered: as unproved as before, and by nobody now."""
    ids = list(Account.objects.filter(vouched_by_organization=organization_id).values_list("id", flat=True)[:BATCH])
    return Account.objects.filter(id__in=ids).update(vouched_by_organization=NOBODY)


def _forget(account_ids: Sequence[uuid.UUID], organization_id: uuid.UUID) -> None:
    """The accounts that are nobody's own, with sessions and whatever else opens them."""
    ids = Account.objects.filter(id__in=account_ids, home_id=organization_id).values_list("id", flat=True)
    shells = list(ids)
    if shells:
        open_ = UserSession.objects.filter(user__in=shells).values_list("session_key", flat=True)
        Session.objects.filter(session_key__in=list(open_)).delete()
        bulk.delete(Account, shells)


# From the top of the house down: each table after those that point to it.
STEPS: Sequence[Step] = (
    _rows("core.Mail"),
    _rows("events.Event"),
    _rows("csv_import.ImportLine", "source__organization_id"),
    _rows("csv_import.Import"),
    _rows("bulk_accounts.CreatedAccount", "source__organization_id"),
    _rows("bulk_accounts.CreationRun"),
    _rows("email_invitation.InvitationGroup", "invitation__organization_id"),
    _rows("email_invitation.Invitation"),
    _rows("email_invitation.Suppression"),
    _rows("lti.RegistrationLink"),
    _rows("lti.Launch"),
    _rows("lti.ResourceLink"),
    _rows("lti.Course"),
    _rows("lti.PlatformUser"),
    _rows("lti.Attempt", "platform__organization_id"),
    _attempts_at_shared,
    _rows("lti.Deployment"),
    _rows("lti.Platform"),
    _rows("activities.Activity"),
    _rows("sso.Attempt", "connection__organization_id"),
    _rows("sso.Connection"),
    _rows("people.Identity"),
    _registrations,
    _members,
    _rows("invite_code.CodeGroup", "code__organization_id"),
    _rows("invite_code.InviteCode"),
    _rows("people.Group"),
    _rows("people.MadeName"),
    _rows("people.OneTimeLink"),
    _vouched,
    _accounts,
)


@retrying
def _finish(organization_id: uuid.UUID) -> None:
    """The organisation itself, in one transaction with the event that tells of it. Done again, it does nothing."""
    with held(organization_id):
        organization = Organization.objects.filter(id=organization_id).first()
        if organization is None:
            return
        for model in (ApiKey, Domain, Logo, SeatPool, SeatReservation, License):
            model._base_manager.filter(organization=organization).delete()
        # What somebody did to it in this very moment goes too: neither table would hold it back.
        Event.objects.filter(organization_id=organization_id).delete()
        Mail.objects.filter(organization_id=organization_id).delete()
        OldSlug.objects.get_or_create(slug=organization.slug, defaults={"at": clock.now()})
        record.record(Draft(EventType.ORGANIZATION_ERASED, None, SYSTEM, data={"slug": organization.slug}))
        organization.delete()
