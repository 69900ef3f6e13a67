"""Reading back what imports did, for the page: progress, summary, the latest ones."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.http import Http404

from usher.core.reasons import Reason
from usher.lifecycle.house import today_in
from usher.lifecycle.joiner import Result
from usher.lifecycle.past import last_day
from usher.methods.csv_import import instead
from usher.methods.csv_import.models import UNDONE, Import, ImportLine
from usher.organizations.models import Organization

LATEST = 10


@dataclass(frozen=True, slots=True)
class Summary:
    """One import and the counts of its lines; ``reasons`` as (sentence pattern, count), most frequent first."""

    source: Import
    created: int
    unchanged: int
    refused: int
    undone: int  # of those who were created, and are no more
    undo_until: dt.date | None  # None when nobody is left to undo, or the time is over
    reasons: tuple[tuple[str, int], ...]
    invitable: int  # who have an account of their own, where they can be invited instead

    @property
    def is_finished(self) -> bool:
        return self.source.finished_at is not None

    @property
    def came(self) -> int:
        return self.created + self.undone

    @property
    def is_undone(self) -> bool:
        return self.source.undo_began_at is not None

    @property
    def date(self) -> dt.datetime:
        return self.source.started_at


def get(organization: Organization, import_id: uuid.UUID) -> Import:
    """An import of this organisation. Raises Http404."""
    source = Import.objects.filter(organization=organization, id=import_id).first()
    if source is None:
        raise Http404
    return source


def latest(organization: Organization) -> list[Import]:
    """The imports sent last, newest first."""
    return list(Import.objects.filter(organization=organization).order_by("-id")[:LATEST])


def progress(organization: Organization, identity: str) -> dict[str, Any]:
    """Rows, rows done and whether it is finished; zeros while the import has not begun."""
    source = Import.objects.filter(organization=organization, identity=identity).first()
    if source is None:
        return {"rows": 0, "done": 0, "finished": False}
    return {"rows": source.rows, "done": source.rows_done, "finished": source.finished_at is not None}


def summary(organization: Organization, import_id: uuid.UUID) -> Summary:
    """What an import did. Raises Http404."""
    source = get(organization, import_id)
    lines = ImportLine.objects.filter(source=source)
    counts = dict(lines.values_list("result").annotate(n=Count("line")).order_by("result"))
    refused = lines.filter(result=Result.REFUSED.value).values_list("reason")
    reasons = list(refused.annotate(n=Count("line")).order_by("-n", "reason"))
    return Summary(
        source,
        counts.get(Result.CREATED.value, 0),
        counts.get(Result.UNCHANGED.value, 0),
        counts.get(Result.REFUSED.value, 0),
        counts.get(UNDONE, 0),
        _undo_until(organization, source, counts.get(Result.CREATED.value, 0)),
        tuple((Reason[code.upper()].pattern, n) for code, n in reasons if code),
        dict(reasons).get(Reason.HAS_ACCOUNT.code, 0) if instead.is_offered(organization) else 0,
    )


def _undo_until(organization: Organization, source: Import, created: int) -> dt.date | None:
    until = last_day(organization, source.finished_at or source.started_at)
    return until if created and not source.undone_at and today_in(organization) <= until else None
