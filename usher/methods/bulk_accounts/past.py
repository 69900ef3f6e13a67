"""Creations of the past on the shelf of all runs, and the book of one of them, for its undo."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usher.events.types import EventType
from usher.lifecycle.past import Kept, register
from usher.methods.bulk_accounts.models import CreatedAccount, CreationRun
from usher.organizations.models import Organization
from usher.organizations.plans import Method


class CreationBook:
    """The accounts of one creation."""

    undone_as = EventType.ACCOUNTS_UNDONE

    def __init__(self, kept: Kept) -> None:
        self.kept = kept

    def people(self, after: int, size: int) -> Sequence[tuple[int, uuid.UUID]]:
        lines = self._lines().filter(line__gt=after, membership_id__isnull=False)
        found = lines.order_by("line").values_list("line", "membership_id")[:size]
        return [(line, member) for line, member in found if member]

    def _lines(self) -> QuerySet[CreatedAccount]:
        return CreatedAccount.objects.filter(source=self.kept.id)

    def begin(self, now: dt.datetime) -> None:
        CreationRun.objects.filter(id=self.kept.id, undo_began_at=None).update(undo_began_at=now)

    def cross_out(self, lines: Collection[int]) -> None:
        self._lines().filter(line__in=lines).update(membership_id=None)

    def end(self, now: dt.datetime) -> tuple[int, int] | None:
        if not CreationRun.objects.filter(id=self.kept.id, undone_at=None).update(undone_at=now):
            return None
        stay = self._lines().filter(membership_id__isnull=False).count()
        return self._lines().count() - stay, stay

    def facts(self) -> Mapping[str, Any]:
        return {"creation": str(self.kept.id)}


class Creations:
    """All creations of an organisation, or those of one manager."""

    def latest(
        self, organization: Organization, owner: uuid.UUID | None, before: uuid.UUID | None, size: int
    ) -> Sequence[Kept]:
        found = _counted(organization, owner)
        return [_kept(run) for run in (found.filter(id__lt=before) if before else found).order_by("-id")[:size]]

    def find(self, organization: Organization, owner: uuid.UUID | None, run_id: uuid.UUID) -> CreationBook | None:
        run = _counted(organization, owner).filter(id=run_id).first()
        return CreationBook(_kept(run)) if run else None


def _counted(organization: Organization, owner: uuid.UUID | None) -> QuerySet[CreationRun]:
    """With ``came`` and ``left``: everybody who was made, and those who were not taken back."""
    runs = CreationRun.objects.filter(organization=organization)
    mine = runs.filter(account_id=owner) if owner else runs
    return mine.annotate(came=Count("lines__line"), left=Count("lines__membership_id"))


def _kept(run: Any) -> Kept:
    return Kept(
        id=run.id,
        method=Method.BULK_ACCOUNTS,
        name=_name(run.came, run.group),
        at=run.at,
        account_id=run.account_id,
        role=run.role,
        group=run.group,
        asked=run.count,
        came=run.came,
        gone=run.came - run.left,
        is_finished=True,
        undo_began_at=run.undo_began_at,
        undone_at=run.undone_at,
    )


def _name(count: int, group: str) -> str:
    accounts = ngettext("{n} account", "{n} accounts", count).format(n=count)
    return _("{accounts} for {group}").format(accounts=accounts, group=group) if group else accounts


register(Method.BULK_ACCOUNTS, Creations())
