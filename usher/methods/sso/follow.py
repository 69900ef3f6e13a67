"""A member whom the rules give something else than last time is moved. What people set by hand stays until then."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

from usher.core.errors import UsherError
from usher.events.types import SYSTEM
from usher.lifecycle import move
from usher.lifecycle.joiner import OPERATOR_RANK, By
from usher.methods.sso.models import Connection
from usher.methods.sso.rules import Verdict
from usher.people.models import Identity, Membership

BY = By(SYSTEM, OPERATOR_RANK)


def follow(connection: Connection, identity: Identity, verdict: Verdict, member: Membership, *, is_new: bool) -> None:
    """Role and groups as the rules say, where they say something new; nobody who is in is kept out by it.

    An admin stays one: that role is given and taken by hand. A list that came incomplete moves nobody. What the house
    has no place for is left as it is, and tried again when the answer changes.
    """
    if not verdict.is_sure:
        return
    before = "" if is_new else identity.role
    admin = connection.organization.license.plan.admin.slug
    wanted = _role_now(connection, before, verdict, member)
    if wanted not in ("", before, member.role) and member.role != admin:
        _try(partial(move.move, connection.organization_id, member.id, wanted, BY))
    had = set() if is_new else {uuid.UUID(group) for group in identity.groups}
    for group_id in sorted(set(verdict.groups) - had):
        _try(partial(move.add_to_group, connection.organization_id, member.id, group_id, BY))
    for group_id in sorted(had - set(verdict.groups)):
        _try(partial(move.remove_from_group, connection.organization_id, member.id, group_id, BY))


def _role_now(connection: Connection, before: str, verdict: Verdict, member: Membership) -> str:
    """What a rule gives; the lowest role where one gave what he has and none does any more; "" for no opinion."""
    is_taken_back = not verdict.role and before and member.role == before
    return connection.organization.license.plan.lowest.slug if is_taken_back else verdict.role


def _try(act: Callable[[], object]) -> None:
    """A seat or a place that is not free, a group that is gone: the person signs in all the same."""
    try:
        act()
    except UsherError:
        return
