"""Who came by a code: a list by time, the curve of the last two weeks, and the whole as a file."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from usher.core import clock
from usher.core.cells import guard
from usher.methods.invite_code import days
from usher.methods.invite_code.models import CodeUse, InviteCode
from usher.organizations.models import Organization
from usher.organizations.plans import Plan
from usher.people.models import Membership

PAGE: Final = 50
PIECE: Final = 500  # rows of the file read together
DAYS: Final = 14
COLUMNS: Final = ("at", "username", "sign_in", "role", "how")
_TALLEST: Final = 24  # units of the drawing
_STEP: Final = 15


@dataclass(frozen=True, slots=True)
class Came:
    """Somebody who came by a code, or asked to. ``how``: came, waiting, approved, declined."""

    at: dt.datetime
    membership_id: uuid.UUID
    username: str
    sign_in: str
    role: str
    how: str


@dataclass(frozen=True, slots=True)
class CamePage:
    """The newest first. ``back`` and ``next`` are the places to page on from, empty at the ends."""

    people: Sequence[Came]
    back: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the curve, as it is drawn and as it is said."""

    day: str
    count: int
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The last two weeks. ``came`` and ``asked`` are sums."""

    bars: Sequence[Bar]
    came: int
    asked: int

    @property
    def said(self) -> str:
        """The curve for those who do not see it."""
        busy = [f"{bar.day}: {bar.count}" for bar in self.bars if bar.count]
        return "; ".join(busy) or _("Nobody in these days.")


def _uses(code: InviteCode) -> QuerySet[CodeUse]:
    return CodeUse.objects.filter(code=code).select_related("membership__account")


def page(organization: Organization, code: InviteCode, *, after: str = "", before: str = "") -> CamePage:
    """A page of who came by the code; one query."""
    plan, uses = organization.license.plan, _uses(code)
    start = _place(before)
    if start:
        newer = uses.filter(Q(at__gt=start[0]) | Q(at=start[0], id__gt=start[1])).order_by("at", "id")
        rows = list(newer[: PAGE + 1])
        shown = rows[:PAGE][::-1]
        return CamePage(_told(shown, plan), _mark(shown[:1]) if len(rows) > PAGE else "", _mark(shown[-1:]))
    end = _place(after)
    older = uses.filter(Q(at__lt=end[0]) | Q(at=end[0], id__lt=end[1])) if end else uses
    rows = list(older.order_by("-at", "-id")[: PAGE + 1])
    back = _mark(rows[:1]) if end else ""
    return CamePage(_told(rows[:PAGE], plan), back, _mark(rows[PAGE - 1 : PAGE]) if len(rows) > PAGE else "")


def _mark(rows: Sequence[CodeUse]) -> str:
    """The place of a row in the list, for an address."""
    text = "".join(f"{row.at.isoformat()} {row.id.hex}" for row in rows)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(mark: str) -> tuple[dt.datetime, uuid.UUID] | None:
    """None for no mark, and for nonsense: then the list begins at its beginning."""
    try:
        at, _space, key = base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)).decode().partition(" ")
        return dt.datetime.fromisoformat(at).astimezone(dt.UTC), uuid.UUID(key)
    except (ValueError, OverflowError):
        return None


def _told(uses: Sequence[CodeUse], plan: Plan) -> list[Came]:
    return [_came(use, plan) for use in uses]


def _came(use: CodeUse, plan: Plan) -> Came:
    member = use.membership
    role = plan.role(member.role)
    label = str(role.label) if role else member.role
    return Came(use.at, member.id, member.account.username, member.account.sign_in, label, _how(use, member))


def _how(use: CodeUse, member: Membership) -> str:
    if not use.asked:
        return "came"
    outcomes = {Membership.State.WAITING: "waiting", Membership.State.ACTIVE: "approved"}
    return outcomes.get(Membership.State(member.state), "declined")


def curve(organization: Organization, code: InviteCode) -> Curve:
    """How many came on each of the last 14 days of the organisation; one grouped query."""
    zone = days.zone_of(organization)
    today = clock.now().astimezone(zone).date()
    first = today - dt.timedelta(days=DAYS - 1)
    uses = CodeUse.objects.filter(code=code, at__gte=days.begin_of(first, zone))
    counted = uses.values(day=TruncDate("at", tzinfo=zone)).annotate(
        came=Count("id", filter=Q(asked=False)), asked=Count("id", filter=Q(asked=True))
    )
    by_day = {row["day"]: (row["came"], row["asked"]) for row in counted.order_by()}
    counts = [by_day.get(first + dt.timedelta(days=number), (0, 0)) for number in range(DAYS)]
    bars = _bars(first, [came for came, _asked in counts])
    return Curve(bars, sum(came for came, _asked in counts), sum(asked for _came, asked in counts))


def _bars(first: dt.date, counts: Sequence[int]) -> list[Bar]:
    most = max([1, *counts])
    heights = [round(_TALLEST * count / most, 1) if count else 0.5 for count in counts]
    return [
        Bar(days.short_text(first + dt.timedelta(days=at)), count, at * _STEP, _TALLEST - height, height)
        for at, (count, height) in enumerate(zip(counts, heights, strict=True))
    ]


def as_csv(organization: Organization, code: InviteCode) -> Iterator[str]:
    """Everybody who came by the code as a CSV file, the earliest first, read while it is written."""
    plan = organization.license.plan
    yield _lines([COLUMNS])
    piece: list[Sequence[str]] = []
    for use in _uses(code).order_by("at", "id").iterator(chunk_size=PIECE):
        piece.append(_row(_came(use, plan)))
        if len(piece) == PIECE:
            yield _lines(piece)
            piece = []
    yield _lines(piece)


def _row(came: Came) -> Sequence[str]:
    return came.at.isoformat(timespec="seconds"), guard(came.username), guard(came.sign_in), guard(came.role), came.how


def _lines(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
