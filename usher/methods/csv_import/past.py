"""Imports of the past on the shelf of all runs, and the book of one of them, for its undo."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from django.db.models import Count
from django.urls import reverse

from usher.events.types import EventType
from usher.lifecycle.joiner import Result
from usher.lifecycle.past import Kept, register
from usher.methods.csv_import.models import UNDONE, Import, ImportLine
from usher.organizations.models import Organization
from usher.organizations.plans import Method

CAME: Final = (Result.CREATED.value, UNDONE)


class ImportBook:
    """The lines of one import that made a member."""

    undone_as = EventType.IMPORT_UNDONE

    def __init__(self, source: Import, kept: Kept) -> None:
        self.source = source
        self.kept = kept

    def people(self, after: int, size: int) -> Sequence[tuple[int, uuid.UUID]]:
        lines = ImportLine.objects.filter(
            source=self.source, line__gt=after, result=Result.CREATED.value, membership_id__isnull=False
        )
        found = lines.order_by("line").values_list("line", "membership_id")[:size]
        return [(line, member) for line, member in found if member]

    def begin(self, now: dt.datetime) -> None:
        """The identity is free, so that the same file is a new import; see ``ImportJournal.done``, too."""
        mine = Import.objects.filter(id=self.source.id, undo_began_at=None)
        mine.update(undo_began_at=now, identity=f"undone-{self.source.id.hex}")

    def cross_out(self, lines: Collection[int]) -> None:
        mine = ImportLine.objects.filter(source=self.source, line__in=lines)
        mine.update(result=UNDONE, membership_id=None)

    def end(self, now: dt.datetime) -> tuple[int, int] | None:
        if not Import.objects.filter(id=self.source.id, undone_at=None).update(undone_at=now):
            return None
        counts = _counts([self.source.id])[self.source.id]
        return counts[UNDONE], counts[Result.CREATED.value]

    def facts(self) -> Mapping[str, Any]:
        return {"import": str(self.source.id), "file": self.source.file_name}


class Imports:
    """All imports of an organisation. They are an admin's work: nobody else has any."""

    def latest(
        self, organization: Organization, owner: uuid.UUID | None, before: uuid.UUID | None, size: int
    ) -> Sequence[Kept]:
        if owner:
            return []
        found = Import.objects.filter(organization=organization).select_related("organization")
        sources = list((found.filter(id__lt=before) if before else found).order_by("-id")[:size])
        counts = _counts([source.id for source in sources])
        return [_kept(source, counts[source.id]) for source in sources]

    def find(self, organization: Organization, owner: uuid.UUID | None, run_id: uuid.UUID) -> ImportBook | None:
        found = Import.objects.filter(organization=organization, id=run_id).select_related("organization")
        source = None if owner else found.first()
        return ImportBook(source, _kept(source, _counts([run_id])[run_id])) if source else None


def _counts(ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Mapping[str, int]]:
    """How many lines of each import came in, and how many of them were taken back."""
    counts: dict[uuid.UUID, dict[str, int]] = defaultdict(lambda: dict.fromkeys(CAME, 0))
    lines = ImportLine.objects.filter(source__in=ids, result__in=CAME).values_list("source_id", "result")
    for source_id, result, count in lines.annotate(n=Count("line")).order_by():
        counts[source_id][result] = count
    return counts


def _kept(source: Import, counts: Mapping[str, int]) -> Kept:
    return Kept(
        id=source.id,
        method=Method.CSV_IMPORT,
        name=source.file_name,
        at=source.finished_at or source.started_at,
        account_id=source.account_id,
        role=str(source.options.get("role", "")),
        group=str(source.options.get("group", "")),
        asked=source.rows,
        came=sum(counts.values()),
        gone=counts[UNDONE],
        is_finished=source.finished_at is not None,
        undo_began_at=source.undo_began_at,
        undone_at=source.undone_at,
        page=reverse("csv_import:done", args=[source.organization.slug, source.id]),
    )


register(Method.CSV_IMPORT, Imports())
