"""What must always be true of imports and their lines (V4): the book of lines tells what the door did.

An organisation that is being erased goes piece by piece, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from usher.core.checks import invariant, rows
from usher.events.types import EventType
from usher.lifecycle.erase import BEING_ERASED
from usher.methods.csv_import.models import UNDONE
from usher.organizations.plans import Method


@invariant("V4", "A finished import has one outcome for every row, an unfinished one no more than that.")
def every_row_has_its_outcome() -> Iterator[str]:
    sql = f"""
        SELECT i.id, i.file_name, i.rows, COALESCE(done.n, 0) FROM csv_import_import i
        LEFT JOIN (
            SELECT source_id, COUNT(*) AS n FROM csv_import_importline GROUP BY source_id
        ) done ON done.source_id = i.id
        WHERE (COALESCE(done.n, 0) > i.rows OR (i.finished_at IS NOT NULL AND COALESCE(done.n, 0) <> i.rows))
          AND i.organization_id NOT IN {BEING_ERASED}
    """  # noqa: S608 - names of our own
    for import_id, name, count, done in rows(sql):
        yield f"The import {import_id} of {name} has {count} rows and {done} outcomes."


@invariant("V4", "A line that made a member has that member, and one that is refused or undone has none.")
def lines_have_their_members() -> Iterator[str]:
    """A line of somebody who was a member already keeps his id, also when another undo took him back since."""
    sql = f"""
        SELECT l.source_id, l.line, l.result FROM csv_import_importline l
        JOIN csv_import_import i ON i.id = l.source_id
        LEFT JOIN people_membership m ON m.id = l.membership_id AND m.organization_id = i.organization_id
        LEFT JOIN (
            SELECT DISTINCT organization_id FROM events_event WHERE type = %s
        ) undo ON undo.organization_id = i.organization_id
        WHERE i.organization_id NOT IN {BEING_ERASED} AND (
            (l.result IN ('refused', %s)) <> (l.membership_id IS NULL)
            OR (m.id IS NULL AND (l.result = 'created' OR (l.result = 'unchanged' AND undo.organization_id IS NULL)))
        )
    """  # noqa: S608 - names of our own
    for import_id, line, result in rows(sql, EventType.MEMBERSHIP_UNDONE.value, UNDONE):
        yield f"Line {line} of the import {import_id} is {result}, and its member says otherwise."


@invariant("V4", "A line that made a member has its event of joining, and no two lines share one.")
def lines_have_their_events() -> Iterator[str]:
    sql = f"""
        SELECT l.membership_id, COUNT(*), COALESCE(MAX(told.n), 0) FROM csv_import_importline l
        LEFT JOIN people_membership m ON m.id = l.membership_id
        LEFT JOIN (
            SELECT organization_id, account_id, COUNT(*) AS n FROM events_event
            WHERE type IN (%s, %s) AND method = %s AND account_id IS NOT NULL GROUP BY organization_id, account_id
        ) told ON told.organization_id = m.organization_id AND told.account_id = m.account_id
        JOIN csv_import_import i ON i.id = l.source_id
        WHERE l.result = 'created' AND i.organization_id NOT IN {BEING_ERASED}
        GROUP BY l.membership_id HAVING COUNT(*) <> COALESCE(MAX(told.n), 0)
    """  # noqa: S608 - names of our own
    # The owner of an address who takes the membership made for it has the event of taking.
    began = (EventType.MEMBERSHIP_CREATED.value, EventType.MEMBERSHIP_TAKEN.value)
    for membership_id, lines, events in rows(sql, *began, Method.CSV_IMPORT.value):
        yield f"Membership {membership_id} was made by {lines} lines of imports and {events} events of joining."


@invariant("V4", "A member whom an import brought stands in a line of it.")
def members_have_their_lines() -> Iterator[str]:
    """But for those deactivated since: the file, sent again, enters a refusal in their line."""
    sql = f"""
        SELECT m.id FROM people_membership m
        LEFT JOIN csv_import_importline l ON l.membership_id = m.id
        WHERE m.method = %s AND l.membership_id IS NULL AND m.organization_id NOT IN {BEING_ERASED} AND NOT EXISTS (
            SELECT 1 FROM events_event e
            WHERE e.type = %s AND e.organization_id = m.organization_id AND e.account_id = m.account_id
        )
    """  # noqa: S608 - names of our own
    for (membership_id,) in rows(sql, Method.CSV_IMPORT.value, EventType.MEMBERSHIP_DEACTIVATED.value):
        yield f"Membership {membership_id} came by an import, and no line of any import made it."


@invariant("V4", "As many lines are undone as people were taken back by undoing imports.")
def undone_lines_have_their_events() -> Iterator[str]:
    """An undone line names nobody any more, so the two are counted for each organisation."""
    lines = f"""
        SELECT i.organization_id, COUNT(*) FROM csv_import_importline l
        JOIN csv_import_import i ON i.id = l.source_id
        WHERE l.result = %s AND i.organization_id NOT IN {BEING_ERASED} GROUP BY i.organization_id
    """  # noqa: S608 - names of our own
    events = f"""
        SELECT organization_id, COUNT(*) FROM events_event
        WHERE type = %s AND method = %s AND organization_id NOT IN {BEING_ERASED} GROUP BY organization_id
    """  # noqa: S608 - names of our own
    undone = dict(rows(lines, UNDONE))
    told = dict(rows(events, EventType.MEMBERSHIP_UNDONE.value, Method.CSV_IMPORT.value))
    for organization_id in undone.keys() | told.keys():
        if undone.get(organization_id, 0) != told.get(organization_id, 0):
            yield (
                f"Organisation {organization_id}: {undone.get(organization_id, 0)} lines of imports are undone, "
                f"and {told.get(organization_id, 0)} events tell of it."
            )


@invariant("V4", "Only an import that was being undone has undone lines, and then its identity is free.")
def undone_imports_are_marked() -> Iterator[str]:
    sql = f"""
        SELECT i.id FROM csv_import_import i
        LEFT JOIN (SELECT DISTINCT source_id FROM csv_import_importline WHERE result = %s) l ON l.source_id = i.id
        WHERE i.organization_id NOT IN {BEING_ERASED} AND (
            (i.undo_began_at IS NULL AND (l.source_id IS NOT NULL OR i.undone_at IS NOT NULL))
            OR (i.undo_began_at IS NULL) <> (i.identity NOT LIKE %s)
        )
    """  # noqa: S608 - names of our own
    for (import_id,) in rows(sql, UNDONE, "undone-%"):
        yield f"The import {import_id} is half undone: its lines, its marks and its identity do not agree."
