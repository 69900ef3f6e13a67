"""The Users list: a page by name, filtered and searched, at the same cost for a thousand members as for a million.

No query here grows with the house. A page is read by keyset from an index that is in the order of names:
of everybody, of one role, of those who never signed in, or of those not active. Filters that this index does
not know are applied to what it yields, piece by piece, and the walk stops after ``REACH`` people: then the
page says how far it looked and goes on from there. Searches and groups that lead to few people start from
those people instead.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from usher.people.models import GroupMembership, Membership, SearchWord
from usher.people.names import query_words

PAGE = 50
REACH = 5_000  # people looked at for one page, at most
PIECE = 1_000  # people looked at together
FEW = 2_000  # a word or a group that leads to so few is read whole
COUNTED = 1_000  # counted exactly up to here; then "more than 1,000"
_LAST = "\U0010ffff"  # sorts after every character
_LOWEST, _HIGHEST = uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Filter:
    """Whom to list; empty means everybody. ``query`` is what was typed: the beginnings of some words."""

    query: str = ""
    role: str = ""
    group: uuid.UUID | None = None
    method: str = ""
    state: str = ""
    never: bool = False

    @property
    def is_set(self) -> bool:
        return self != Filter()


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place between two people where a page begins, or ends when ``back``. ``number`` people stand before it."""

    sort_name: str
    id: uuid.UUID
    number: int = 0
    back: bool = False

    def __str__(self) -> str:
        text = json.dumps([self.sort_name, self.id.hex, self.number, int(self.back)], ensure_ascii=False)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """The cursor of an address; None for the first page and for nonsense."""
        try:
            name, key, number, back = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            str(name).encode()  # half a surrogate pair is no text for a database
            return cls(str(name), uuid.UUID(key), max(0, int(number)), bool(back))
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return None


class Row(NamedTuple):
    """What filters look at, in the order of the list."""

    sort_name: str
    id: uuid.UUID
    role: str
    method: str
    state: str
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A member with the names of the groups, as a row of the table shows them."""

    member: Membership
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``total`` is None where counting would mean looking at everybody.

    It is ``COUNTED + 1`` for any number above ``COUNTED``. ``cut``: the walk stopped at ``REACH`` people.
    """

    people: Sequence[Listed]
    first: int = 1
    total: int | None = None
    back: Cursor | None = None
    next: Cursor | None = None
    cut: bool = False

    @property
    def last(self) -> int:
        return self.first + len(self.people) - 1


@dataclass(frozen=True, slots=True)
class _Walk:
    """What is looked for, and where."""

    organization_id: uuid.UUID
    chosen: Filter
    words: Sequence[str]

    def fitting(self, rows: Iterable[Row]) -> list[Row]:
        """Those of a piece that pass every filter, in the same order; a fixed number of queries."""
        fit = [row for row in rows if self._fits(row)]
        if self.chosen.group and fit:
            places = _in_group(self.organization_id, self.chosen.group)
            fit = _only(fit, places.filter(membership_id__in=[row.id for row in fit]))
        for word in self.words:
            named = SearchWord.objects.filter(_begins(word), membership_id__in=[row.id for row in fit])
            fit = _only(fit, named.values_list("membership_id", flat=True)) if fit else fit
        return fit

    def _fits(self, row: Row) -> bool:
        chosen = self.chosen
        return (
            chosen.role in ("", row.role)
            and chosen.method in ("", row.method)
            and chosen.state in ("", row.state)
            and not (chosen.never and row.last_seen_at)
        )

    def streams(self) -> list[Stream]:
        """The indexes in the order of names that may be walked, the narrowest first; everybody comes last."""
        members = Membership.objects.filter(organization_id=self.organization_id)
        streams = []
        if self.chosen.state and self.chosen.state != Membership.State.ACTIVE:
            streams.append(Stream("state", not_active(members).filter(state=self.chosen.state)))
        if self.chosen.role:
            streams.append(Stream("role", members.filter(role=self.chosen.role)))
        if self.chosen.never:
            streams.append(Stream("never", members.filter(last_seen_at__isnull=True)))
        return [*streams, Stream("", members)]

    def is_plain(self, stream: Stream) -> bool:
        """Whether the stream alone knows every filter."""
        return not self.words and replace(self.chosen, query="", **_unset(stream.filter)) == Filter()


class Stream(NamedTuple):
    """Members in the order of an index, and the filter that the index knows."""

    filter: str
    members: QuerySet[Membership]


def _unset(name: str) -> dict[str, Any]:
    return {name: getattr(Filter(), name)} if name else {}


def _only(rows: Iterable[Row], ids: Iterable[uuid.UUID]) -> list[Row]:
    kept = set(ids)
    return [row for row in rows if row.id in kept]


def not_active(members: QuerySet[Membership]) -> QuerySet[Membership]:
    """Said in the words of the index ``members_not_active``, which SQLite compares one by one."""
    return members.exclude(state=Membership.State.ACTIVE)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a walk found, in its own direction. ``resume`` is where to go on, None at the end of the list."""

    rows: list[Row]
    resume: Row | None = None
    cut: bool = False
    total: int | None = None


def page(organization_id: uuid.UUID, chosen: Filter, cursor: Cursor | None = None, *, size: int = PAGE) -> Page:
    """One page of members by name: the first, or the one after (before, when ``cursor.back``) a place."""
    words = query_words(chosen.query)
    if chosen.query.strip() and not words:
        return Page((), total=0)  # only signs were typed: they begin nobody's name
    few = _few(organization_id, chosen, words)
    if few is None:
        found = _along(_Walk(organization_id, chosen, words), cursor, size)
    else:
        found = _among(_Walk(organization_id, chosen, words), few, cursor, size)
    return _backwards(found, cursor) if cursor and cursor.back else _forwards(found, cursor)


def _forwards(found: _Found, cursor: Cursor | None) -> Page:
    number = cursor.number if cursor else 0
    end = number + len(found.rows)
    total = end if found.total is None and found.resume is None else found.total
    return Page(
        people=_listed(found.rows),
        first=number + 1,
        total=total,
        back=_before(found, cursor) if cursor else None,
        next=Cursor(found.resume.sort_name, found.resume.id, end) if found.resume else None,
        cut=found.cut,
    )


def _before(found: _Found, cursor: Cursor) -> Cursor:
    """Back from this page: what stands before its first person; before its place, when nobody is on it."""
    begin = found.rows[0] if found.rows else found.resume
    if begin:
        return Cursor(begin.sort_name, begin.id, cursor.number, back=True)
    return Cursor(cursor.sort_name, _HIGHEST, cursor.number, back=True)


def _backwards(found: _Found, cursor: Cursor) -> Page:
    number = max(0, cursor.number - len(found.rows)) if found.resume else 0
    rows = found.rows[::-1]
    place = Cursor(rows[-1].sort_name, rows[-1].id, number + len(rows)) if rows else None
    return Page(
        people=_listed(rows),
        first=number + 1,
        total=found.total,
        back=Cursor(found.resume.sort_name, found.resume.id, number, back=True) if found.resume else None,
        next=place or Cursor(cursor.sort_name, _LOWEST, number),
        cut=found.cut,
    )


# From few people ---------------------------------------------------------------------------------------------


def _few(organization_id: uuid.UUID, chosen: Filter, words: Sequence[str]) -> set[uuid.UUID] | None:
    """The ids of the people that the group or a word leads to, if they are few; None when every way leads to many."""
    if chosen.group:
        ids = list(_in_group(organization_id, chosen.group)[: FEW + 1])
        if len(ids) <= FEW:
            return set(ids)
    for word in _ways(organization_id, words):
        ids = list(word[: FEW + 1])
        if len(ids) <= FEW:
            return set(ids)
    return None


def _in_group(organization_id: uuid.UUID, group_id: uuid.UUID) -> QuerySet[GroupMembership, uuid.UUID]:
    places = GroupMembership.objects.filter(organization_id=organization_id, group=group_id)
    return places.values_list("membership_id", flat=True)


def _ways(organization_id: uuid.UUID, words: Sequence[str]) -> list[QuerySet[SearchWord, uuid.UUID]]:
    """One question for each word, the longest first: it leads to the fewest."""
    return [
        SearchWord.objects.filter(organization_id=organization_id)
        .filter(_begins(word))
        .values_list("membership_id", flat=True)
        for word in sorted(words, key=len, reverse=True)
    ]


def _begins(word: str) -> Q:
    """A range, not LIKE: it uses the index on every database."""
    return Q(word__gte=word, word__lt=word + _LAST)


def _among(walk: _Walk, ids: Iterable[uuid.UUID], cursor: Cursor | None, size: int) -> _Found:
    """The page out of a few people, sorted here. They are asked for by id alone: no plan but one is possible."""
    people = [Row(*row) for row in Membership.objects.filter(id__in=ids).values_list(*Row._fields)]
    fitting = sorted(walk.fitting(people), reverse=bool(cursor and cursor.back))
    ahead = [row for row in fitting if _is_beyond(row, cursor)] if cursor else fitting
    rows = ahead[:size]
    return _Found(rows, rows[-1] if len(ahead) > size else None, total=min(len(fitting), COUNTED + 1))


def _is_beyond(row: Row, cursor: Cursor) -> bool:
    place = (cursor.sort_name, cursor.id)
    return (row.sort_name, row.id) < place if cursor.back else (row.sort_name, row.id) > place


# Along the names ---------------------------------------------------------------------------------------------


def _along(walk: _Walk, cursor: Cursor | None, size: int) -> _Found:
    """The page from a stream of members, looked at piece by piece, ``REACH`` of them at most."""
    stream = _stream(walk)
    is_plain = walk.is_plain(stream)
    rows: list[Row] = []
    looked = 0
    for piece, is_last in _pieces(stream.members, cursor, size + 1 if is_plain else 2 * size):
        rows += piece if is_plain else walk.fitting(piece)
        looked += len(piece)
        if len(rows) > size:
            total = counted(stream.members) if is_plain else None
            return _Found(rows[:size], rows[size - 1], total=total)
        if looked >= REACH and not is_last:
            return _Found(rows, piece[-1], cut=True)
    return _Found(rows, total=counted(stream.members) if is_plain else None)


def _stream(walk: _Walk) -> Stream:
    """One that leads to few people, if there is one: then the walk sees the end of it."""
    streams = walk.streams()
    if walk.is_plain(streams[0]):
        return streams[0]
    return next((stream for stream in streams if counted(stream.members, REACH) <= REACH), streams[0])


def counted(members: QuerySet[Membership], most: int = COUNTED) -> int:
    """How many there are, counted no further than one beyond ``most``."""
    return members.order_by().values("id")[: most + 1].count()


def _pieces(members: QuerySet[Membership], cursor: Cursor | None, size: int) -> Iterator[tuple[list[Row], bool]]:
    """The stream from the cursor on, in pieces that grow up to ``PIECE``, and whether this is the last."""
    back = bool(cursor and cursor.back)
    ordered = members.order_by(*(("-sort_name", "-id") if back else ("sort_name", "id")))
    place = cursor
    while True:
        rest = ordered.filter(_beyond(place)) if place else ordered
        piece = [Row(*row) for row in rest.values_list(*Row._fields)[:size]]
        yield piece, len(piece) < size
        if len(piece) < size:
            return
        place = Cursor(piece[-1].sort_name, piece[-1].id, back=back)
        size = min(2 * size, max(PIECE, size))


def _beyond(place: Cursor) -> Q:
    """The range first, which the index knows, then those of the very same name."""
    name = place.sort_name.replace("\0", "")  # as PostgreSQL wants it; no name has one
    if place.back:
        return Q(sort_name__lte=name) & (Q(sort_name__lt=name) | Q(id__lt=place.id))
    return Q(sort_name__gte=name) & (Q(sort_name__gt=name) | Q(id__gt=place.id))


# The rows shown ----------------------------------------------------------------------------------------------


def _listed(rows: Sequence[Row]) -> list[Listed]:
    """The members of a page with their accounts and groups, in three queries."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    members = Membership.objects.select_related("account").in_bulk(ids)
    groups: dict[uuid.UUID, list[str]] = {}
    places = GroupMembership.objects.filter(membership_id__in=ids).order_by("group__name_key")
    for member_id, name in places.values_list("membership_id", "group__name"):
        groups.setdefault(member_id, []).append(name)
    return [Listed(members[key], tuple(groups.get(key, ()))) for key in ids if key in members]


def everybody(organization_id: uuid.UUID, chosen: Filter) -> Iterator[Listed]:
    """All whom the filter leaves, by name, read in pieces: for files, which may be long."""
    walk = _Walk(organization_id, chosen, query_words(chosen.query))
    members = _stream(walk).members
    for piece, _is_last in _pieces(members, None, PIECE):
        yield from _listed(walk.fitting(piece))
