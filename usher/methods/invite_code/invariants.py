"""What must always be true of invite codes, their groups and who came by them (V2, V3).

A code was open when somebody came by it: that is proved by tests (docs/admin/check.md), since its dates and its
state may have been changed since.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.db.models import F, QuerySet

from usher.core.checks import invariant, rows, warning
from usher.events.models import Event
from usher.events.types import EventType
from usher.lifecycle.erase import BEING_ERASED
from usher.methods.invite_code.models import InviteCode
from usher.organizations.plans import PLANS


@invariant("V2", "The uses counted of a code are those of the people who came in by it.")
def uses_are_counted_right() -> Iterator[str]:
    """Whoever asked for an admin's yes is listed and takes no use, also when he is in by now."""
    sql = f"""
        SELECT c.id, c.used, COALESCE(came.n, 0) FROM invite_code_invitecode c
        LEFT JOIN (
            SELECT code_id, COUNT(*) AS n FROM invite_code_codeuse WHERE NOT asked GROUP BY code_id
        ) came ON came.code_id = c.id
        WHERE c.used <> COALESCE(came.n, 0) AND c.organization_id NOT IN {BEING_ERASED}
    """  # noqa: S608 - names of our own
    for code_id, used, came in rows(sql):
        yield f"The code {code_id} has {used} uses counted, and {came} people came in by it."


def _over_full() -> QuerySet[InviteCode]:
    return InviteCode.objects.filter(used__gt=F("max_uses"))


def _lowered() -> set[str]:
    """The codes that are over-full because somebody lowered their number of uses."""
    here = _over_full().values("organization_id")
    told = Event.objects.filter(type=EventType.CODE_CHANGED.value, organization_id__in=here)
    return {str(data.get("code")) for data in told.values_list("data", flat=True) if "max_uses" in data}


@invariant("V2", "No code let more people in than it may, unless its number of uses was lowered since.")
def no_code_let_in_too_many() -> Iterator[str]:
    for code_id, used, most in _by_lowering(was_lowered=False):
        yield f"The code {code_id} is for {most} uses and let {used} people in."


@warning("codes", "No code is over-full.")
def no_code_is_over_full() -> Iterator[str]:
    for code_id, used, most in _by_lowering(was_lowered=True):
        yield f"The code {code_id} let {used} people in before it was lowered to {most} uses."


def _by_lowering(*, was_lowered: bool) -> Iterator[tuple[uuid.UUID, int, int | None]]:
    codes = list(_over_full().values_list("id", "used", "max_uses"))
    lowered = _lowered() if codes else set()
    return (code for code in codes if (str(code[0]) in lowered) is was_lowered)


@invariant("V2", "No code makes an admin.")
def no_code_makes_an_admin() -> Iterator[str]:
    for plan in PLANS.values():
        codes = InviteCode.objects.filter(organization__license__plan_slug=plan.slug, role=plan.admin.slug)
        for code_id in codes.values_list("id", flat=True):
            yield f"The code {code_id} gives the role “{plan.admin.slug}”."


@invariant("V3", "Whoever came by a code is a member of its organisation.")
def uses_are_of_one_organization() -> Iterator[str]:
    sql = """
        SELECT u.id FROM invite_code_codeuse u
        LEFT JOIN invite_code_invitecode c ON c.id = u.code_id
        LEFT JOIN people_membership m ON m.id = u.membership_id
        WHERE c.organization_id IS NULL OR m.organization_id IS NULL
           OR u.organization_id <> c.organization_id OR u.organization_id <> m.organization_id
    """
    for (use_id,) in rows(sql):
        yield f"The use {use_id} joins a code and a member that are not of one organisation."


@invariant("V3", "The groups of a code are those of its organisation.")
def codes_lead_into_their_own_groups() -> Iterator[str]:
    sql = """
        SELECT c.id FROM invite_code_invitecode c
        JOIN people_group g ON g.id = c.group_id WHERE g.organization_id <> c.organization_id
        UNION
        SELECT c.id FROM invite_code_invitecode c
        JOIN invite_code_codegroup l ON l.code_id = c.id
        JOIN people_group g ON g.id = l.group_id WHERE g.organization_id <> c.organization_id
    """
    for (code_id,) in rows(sql):
        yield f"The code {code_id} leads into a group of another organisation."
