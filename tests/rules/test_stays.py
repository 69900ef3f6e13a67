"""Who stays when a run is undone, as a table. No database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from usher.core.reasons import Reason
from usher.core.rows import new_id
from usher.events.types import OPERATOR
from usher.lifecycle.joiner import OPERATOR_RANK, By
from usher.lifecycle.stays import STAYS, Brought, Desk, why_stays
from usher.organizations.plans import PLANS

SCHOOL = PLANS["school"]
YEAR5, CHOIR = new_id(), new_id()
PUPIL = Brought(2, new_id(), new_id(), "Åsa", "asa", "asa@cedar.usher.invalid", "student", groups=frozenset({YEAR5}))
ADMIN = replace(PUPIL, role="admin", groups=frozenset())
ADA = new_id()


def desk(by: By = By(OPERATOR, OPERATOR_RANK)) -> Desk:
    """Cedar has one more admin."""
    return Desk(SCHOOL, by, {ADA, ADMIN.membership_id})


ADMINS = By(OPERATOR, SCHOOL.admin.rank)
TOM = By(OPERATOR, SCHOOL.lowest.rank, frozenset({YEAR5}))

CASES: dict[str, tuple[Brought, Desk, Reason | None]] = {
    "nothing has happened": (PUPIL, desk(), None),
    "in no group": (replace(PUPIL, groups=frozenset()), desk(), None),
    "an admin undoes an admin": (ADMIN, desk(ADMINS), None),
    "a teacher undoes a teacher": (replace(PUPIL, role="teacher"), desk(By(OPERATOR, 2)), None),
    "a manager, his own group": (PUPIL, desk(TOM), None),
    "claimed": (replace(PUPIL, is_claimed=True), desk(), Reason.STAYS_CLAIMED),
    "signed in": (replace(PUPIL, has_signed_in=True), desk(), Reason.STAYS_SIGNED_IN),
    "a member elsewhere": (replace(PUPIL, is_elsewhere=True), desk(), Reason.STAYS_ELSEWHERE),
    "changed": (replace(PUPIL, change="Role changed"), desk(), Reason.STAYS_CHANGED),
    "above": (ADMIN, desk(By(OPERATOR, 2)), Reason.ABOVE_YOU),
    "a manager, another group too": (
        replace(PUPIL, groups=frozenset({YEAR5, CHOIR})), desk(TOM), Reason.NOT_IN_YOUR_GROUPS
    ),
    "a manager, no group": (replace(PUPIL, groups=frozenset()), desk(TOM), Reason.NOT_IN_YOUR_GROUPS),
    "the last admin": (ADMIN, Desk(SCHOOL, ADMINS, {ADMIN.membership_id}), Reason.LAST_ADMIN),
    "an admin where nobody can sign in anyway": (ADMIN, Desk(SCHOOL, ADMINS, set()), Reason.LAST_ADMIN),
    "his own account before all else": (
        replace(PUPIL, is_claimed=True, has_signed_in=True, change="Signed in"), desk(), Reason.STAYS_CLAIMED
    ),
    "signed in before changed": (
        replace(PUPIL, has_signed_in=True, change="Signed in"), desk(), Reason.STAYS_SIGNED_IN
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_who_stays(case: str) -> None:
    person, at, reason = CASES[case]
    finding = why_stays(person, at)
    assert (finding.reason if finding else None) is reason
    if finding:
        assert "{" not in f"{finding.sentence} {finding.next_step}"


def test_every_reason_to_stay_is_in_the_table() -> None:
    assert {reason for reason, _ in STAYS} == {reason for _, _, reason in CASES.values() if reason}


def test_of_two_admins_one_stays() -> None:
    first, second = ADMIN, replace(ADMIN, membership_id=new_id())
    at = Desk(SCHOOL, ADMINS, {first.membership_id, second.membership_id})
    assert why_stays(first, at) is None
    last = why_stays(second, at)
    assert last
    assert last.reason is Reason.LAST_ADMIN
