"""What must always be true of one-time links, registrations and proved addresses (V6, V12)."""

from __future__ import annotations

from collections.abc import Iterator

from usher.core.checks import invariant, rows
from usher.events.types import EventType


@invariant("V6", "A set-up link was used once at most.")
def setup_links_are_used_once() -> Iterator[str]:
    """Every use is an event. A claim takes the links with it, so those who claimed are left out."""
    sql = """
        SELECT told.account_id, told.n, COALESCE(used.n, 0) FROM (
            SELECT account_id, COUNT(*) AS n FROM events_event
            WHERE type = %s AND account_id IS NOT NULL GROUP BY account_id
        ) told
        JOIN people_account a ON a.id = told.account_id AND a.claimed_at IS NULL
        LEFT JOIN (
            SELECT account_id, COUNT(*) AS n FROM people_onetimelink
            WHERE purpose = 'setup' AND consumed_at IS NOT NULL GROUP BY account_id
        ) used ON used.account_id = told.account_id
        WHERE told.n > COALESCE(used.n, 0) AND NOT EXISTS (
            SELECT 1 FROM events_event e WHERE e.account_id = told.account_id AND e.type = %s
        )
    """
    for account_id, told, used in rows(sql, EventType.SETUP_LINK_USED.value, EventType.ACCOUNT_CLAIMED.value):
        yield f"The account {account_id} used {told} set-up links and has {used} that are used up."


@invariant("V6", "Nobody registered twice by one proof.")
def registrations_are_used_once() -> Iterator[str]:
    sql = """
        SELECT account_id, COUNT(*) FROM events_event WHERE type = %s AND account_id IS NOT NULL
        GROUP BY account_id HAVING COUNT(*) > 1
    """
    for account_id, count in rows(sql, EventType.ACCOUNT_REGISTERED.value):
        yield f"The account {account_id} was registered {count} times."


@invariant("V12", "An address that is marked as proved belongs to a claimed account, as its own.")
def proved_addresses_are_of_claimed_accounts() -> Iterator[str]:
    sql = """
        SELECT e.user_id FROM account_emailaddress e JOIN people_account a ON a.id = e.user_id
        WHERE e.verified AND a.claimed_at IS NULL
    """
    for (account_id,) in rows(sql):
        yield f"The unclaimed account {account_id} has an address that is marked as proved."
