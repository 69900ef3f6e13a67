"""What must always be true of accounts made in advance (V4): the record of a creation tells what the door did.

An organisation that is being erased goes piece by piece, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from usher.core.checks import invariant, rows
from usher.events.types import EventType
from usher.lifecycle.erase import BEING_ERASED
from usher.organizations.plans import Method


@invariant("V4", "Whoever stands in the record of a creation is a member, and no more stand there than were asked for.")
def records_have_their_members() -> Iterator[str]:
    lost = f"""
        SELECT l.source_id, l.line FROM bulk_accounts_createdaccount l
        JOIN bulk_accounts_creationrun r ON r.id = l.source_id
        LEFT JOIN people_membership m ON m.id = l.membership_id AND m.organization_id = r.organization_id
        WHERE r.organization_id NOT IN {BEING_ERASED} AND m.id IS NULL
          AND (l.membership_id IS NOT NULL OR r.undo_began_at IS NULL)
    """  # noqa: S608 - names of our own
    for run_id, line in rows(lost):
        yield f"Line {line} of the creation {run_id} made an account that is not there."
    many = f"""
        SELECT r.id, r.count, COUNT(l.line) FROM bulk_accounts_creationrun r
        LEFT JOIN bulk_accounts_createdaccount l ON l.source_id = r.id
        WHERE r.organization_id NOT IN {BEING_ERASED}
        GROUP BY r.id, r.count HAVING COUNT(l.line) > r.count OR COUNT(l.line) = 0
    """  # noqa: S608 - names of our own
    for run_id, asked, made in rows(many):
        yield f"The creation {run_id} was asked for {asked} accounts and has {made}."


@invariant("V4", "As many accounts made in advance are undone as events tell of it.")
def undone_accounts_have_their_events() -> Iterator[str]:
    """An undone line names nobody any more, so the two are counted for each organisation."""
    lines = f"""
        SELECT r.organization_id, COUNT(*) FROM bulk_accounts_createdaccount l
        JOIN bulk_accounts_creationrun r ON r.id = l.source_id
        WHERE l.membership_id IS NULL AND r.organization_id NOT IN {BEING_ERASED} GROUP BY r.organization_id
    """  # noqa: S608 - names of our own
    events = f"""
        SELECT organization_id, COUNT(*) FROM events_event
        WHERE type = %s AND method = %s AND organization_id NOT IN {BEING_ERASED} GROUP BY organization_id
    """  # noqa: S608 - names of our own
    undone = dict(rows(lines))
    told = dict(rows(events, EventType.MEMBERSHIP_UNDONE.value, Method.BULK_ACCOUNTS.value))
    for organization_id in undone.keys() | told.keys():
        if undone.get(organization_id, 0) != told.get(organization_id, 0):
            yield (
                f"Organisation {organization_id}: {undone.get(organization_id, 0)} accounts made in advance are "
                f"undone, and {told.get(organization_id, 0)} events tell of it."
            )
