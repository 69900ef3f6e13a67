"""What must always be true of connections and of what they open, and what an operator would want to know of them."""

from __future__ import annotations

from collections.abc import Iterator

from usher.core.checks import invariant, rows, warning
from usher.lifecycle.erase import BEING_ERASED
from usher.methods.sso import attempts
from usher.methods.sso.finding import connections
from usher.methods.sso.models import Connection
from usher.methods.sso.ways import label_of

ENOUGH = 3  # sign-ins in a row that failed


@invariant("V12", "Every identity that opens an account is known to a connection of its own organisation.")
def identities_have_their_connection() -> Iterator[str]:
    """A removed connection takes with it what it opened (connect.py)."""
    sql = f"""
        SELECT i.id FROM people_identity i
        LEFT JOIN sso_connection c ON c.id = i.connection_id AND c.organization_id = i.organization_id
        WHERE c.id IS NULL AND i.organization_id NOT IN {BEING_ERASED}
    """  # noqa: S608 - names of our own
    for (key,) in rows(sql):
        yield f"The identity {key} has no connection in its organisation."


@invariant("V12", "Nobody is an admin by a rule.")
def no_rule_makes_an_admin() -> Iterator[str]:
    for connection in connections().filter(rules__isnull=False).distinct():
        admin = connection.organization.license.plan.admin.slug
        for rule in connection.rules.filter(role=admin):
            yield f"The rule {rule.id} would give the role {admin}."


@warning("connections", "Every connection that is switched on signs people in.")
def connections_work() -> Iterator[str]:
    for connection in connections().filter(state=Connection.State.ON):
        last = attempts.last(connection, ENOUGH)
        if len(last) == ENOUGH and all(one.result == "refused" for one in last):
            yield (
                f"The last {ENOUGH} sign-ins by {label_of(connection)} of {connection.organization.slug} failed"
                f" ({last[0].reason}). See why with: usher connection attempts --org {connection.organization.slug}"
                f" {connection.id}"
            )
