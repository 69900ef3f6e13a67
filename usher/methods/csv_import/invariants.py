"""What must always be true of imports and their lines (V4): the book of lines tells what the door did."""

from __future__ import annotations

from collections.abc import Iterator

from usher.core.checks import invariant, rows
from usher.events.types import EventType
from usher.organizations.plans import Method


@invariant("V4", "A finished import has one outcome for every row, an unfinished one no more than that.")
def every_row_has_its_outcome() -> Iterator[str]:
    sql = """
        SELECT i.id, i.file_name, i.rows, COALESCE(done.n, 0) FROM csv_import_import i
        LEFT JOIN (
            SELECT source_id, COUNT(*) AS n FROM csv_import_importline GROUP BY source_id
        ) done ON done.source_id = i.id
        WHERE COALESCE(done.n, 0) > i.rows OR (i.finished_at IS NOT NULL AND COALESCE(done.n, 0) <> i.rows)
    """
    for import_id, name, count, done in rows(sql):
        yield f"The import {import_id} of {name} has {count} rows and {done} outcomes."


@invariant("V4", "A line that made a member has that member, and a refused line has none.")
def lines_have_their_members() -> Iterator[str]:
    sql = """
        SELECT l.source_id, l.line, l.result FROM csv_import_importline l
        JOIN csv_import_import i ON i.id = l.source_id
        LEFT JOIN people_membership m ON m.id = l.membership_id AND m.organization_id = i.organization_id
        WHERE (l.result = 'refused') <> (m.id IS NULL) OR (l.result = 'refused' AND l.membership_id IS NOT NULL)
    """
    for import_id, line, result in rows(sql):
        yield f"Line {line} of the import {import_id} is {result}, and its member says otherwise."


@invariant("V4", "A line that made a member has its event of joining, and no two lines share one.")
def lines_have_their_events() -> Iterator[str]:
    sql = """
        SELECT l.membership_id, COUNT(*), COALESCE(MAX(told.n), 0) FROM csv_import_importline l
        LEFT JOIN people_membership m ON m.id = l.membership_id
        LEFT JOIN (
            SELECT organization_id, account_id, COUNT(*) AS n FROM events_event
            WHERE type = %s AND method = %s AND account_id IS NOT NULL GROUP BY organization_id, account_id
        ) told ON told.organization_id = m.organization_id AND told.account_id = m.account_id
        WHERE l.result = 'created'
        GROUP BY l.membership_id HAVING COUNT(*) <> COALESCE(MAX(told.n), 0)
    """
    for membership_id, lines, events in rows(sql, EventType.MEMBERSHIP_CREATED.value, Method.CSV_IMPORT.value):
        yield f"Membership {membership_id} was made by {lines} lines of imports and {events} events of joining."


@invariant("V4", "A member whom an import brought stands in a line of it.")
def members_have_their_lines() -> Iterator[str]:
    """But for those deactivated since: the file, sent again, enters a refusal in their line."""
    sql = """
        SELECT m.id FROM people_membership m
        LEFT JOIN csv_import_importline l ON l.membership_id = m.id
        WHERE m.method = %s AND l.membership_id IS NULL AND NOT EXISTS (
            SELECT 1 FROM events_event e
            WHERE e.type = %s AND e.organization_id = m.organization_id AND e.account_id = m.account_id
        )
    """
    for (membership_id,) in rows(sql, Method.CSV_IMPORT.value, EventType.MEMBERSHIP_DEACTIVATED.value):
        yield f"Membership {membership_id} came by an import, and no line of any import made it."
