"""The rules of the door as a table: who stands before which house, and what the door says. No database."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

import pytest

from usher.core.reasons import Finding, Reason
from usher.core.rows import new_id
from usher.events.types import OPERATOR
from usher.lifecycle.facts import AccountFacts, GroupFacts, House, Pool, TicketFacts
from usher.lifecycle.joiner import OPERATOR_RANK, By, Joiner, NewAccount, Result, Terms
from usher.lifecycle.rules import RULES
from usher.lifecycle.walk import consider
from usher.organizations.plans import PLANS, Method

TODAY = dt.date(2026, 3, 2)
HERE, ELSEWHERE = new_id(), new_id()
STUDENT = NewAccount("Åsa Öberg", "Asa@Cedar.example", "asa@cedar.example")
NAMELESS = NewAccount("Åsa Öberg")
JOINER = Joiner(Method.CSV_IMPORT, STUDENT, "student", line=7)
YEAR5, CHOIR, FULL, CLOSED = (new_id() for _ in range(4))
MEMBERSHIP = new_id()


def house(plan_slug: str = "school", **changes: Any) -> House:
    """Cedar on an ordinary Monday: seats free, four groups, the operator at the desk."""
    built = House(
        HERE,
        "cedar",
        PLANS[plan_slug],
        starts_on=dt.date(2025, 9, 1),
        ends_on=dt.date(2026, 8, 31),
        today=TODAY,
        by=By(OPERATOR, OPERATOR_RANK),
        terms=Terms(),
        pools={pool: Pool(30, 0) for pool in PLANS[plan_slug].seats},
        groups={
            "year 5": GroupFacts(YEAR5, "Year 5", cap=30),
            "choir": GroupFacts(CHOIR, "Choir"),
            "full": GroupFacts(FULL, "Full", cap=2, used=2),
            "closed": GroupFacts(CLOSED, "Closed", is_open=False),
        },
    )
    return replace(built, **changes)


def account(
    *, claimed: bool = False, home: uuid.UUID | None = HERE, state: str = "", email: str = "Asa@Cedar.example"
) -> AccountFacts:
    membership = MEMBERSHIP if state else None
    return AccountFacts(new_id(), email or "asa", "Åsa Öberg", email, claimed, home, membership, state)


def found(facts: AccountFacts, **changes: Any) -> House:
    """A house that knows the address of ``STUDENT``."""
    return house(accounts={STUDENT.address: facts}, known={facts.id: facts}, **changes)


def of(account: uuid.UUID | NewAccount = STUDENT, **changes: Any) -> Joiner:
    return replace(JOINER, account=account, **changes)


def manager_of(*groups: uuid.UUID) -> By:
    return By(OPERATOR, PLANS["school"].lowest.rank, frozenset(groups))


def by_code(facts: AccountFacts | None = None, *, house_of: dict[str, Any] | None = None, **ticket: Any) -> House:
    """A house that looks at a code with these facts; it knows the account of whoever comes, if there is one."""
    known = {facts.id: facts} if facts else {}
    return house(ticket=TicketFacts(**ticket), known=known, **(house_of or {}))


STRANGER = account(home=ELSEWHERE)
PROVED = account(claimed=True, home=None)
MEMBER = account(state="active")
WAITS = account(state="waiting")
CEDARS = frozenset({"cedar.example"})
ADMIN_RANK = By(OPERATOR, PLANS["school"].admin.rank)
TEACHER_RANK = By(OPERATOR, 2)
SSO_HOUSE: dict[str, Any] = {"needs_sso": frozenset({"student"}), "name": "Cedar"}
FULL_HOUSE = {"student": Pool(30, 30), "teacher": Pool(5, 1)}

# house, joiner, the reasons of the refusal in order (None: let in)
CASES: dict[str, tuple[House, Joiner, tuple[Reason, ...]]] = {
    "an ordinary pupil": (house(), of(), ()),
    "with two groups": (house(), of(groups=("Year 5", "choir")), ()),
    "a pupil without address": (house(), of(NAMELESS), ()),
    "a proved account": (found(account(claimed=True, home=None)), of(NAMELESS), ()),
    # the organisation and the licence
    "a suspended organisation": (house(is_suspended=True), of(), (Reason.ORGANIZATION_SUSPENDED,)),
    "suspended, whatever the licence says": (
        house(is_suspended=True, ends_on=TODAY - dt.timedelta(1)), of(), (Reason.ORGANIZATION_SUSPENDED,)
    ),
    "licence over since yesterday": (house(ends_on=TODAY - dt.timedelta(1)), of(), (Reason.LICENSE_ENDED,)),
    "last day of the licence": (house(ends_on=TODAY), of(), ()),
    "licence without end": (house(ends_on=None, starts_on=None), of(), ()),
    "licence from tomorrow": (house(starts_on=TODAY + dt.timedelta(1)), of(), (Reason.LICENSE_NOT_STARTED,)),
    "first day of the licence": (house(starts_on=TODAY), of(), ()),
    "LTI where the plan has none": (
        house("marketing"), of(role="member", method=Method.LTI), (Reason.METHOD_NOT_IN_PLAN,)
    ),
    "the operator needs no plan": (
        house(plan=replace(PLANS["school"], methods=frozenset())),
        of(method=Method.OPERATOR),
        (),
    ),
    "by hand needs no plan": (
        house(plan=replace(PLANS["school"], methods=frozenset())), of(method=Method.CONSOLE), ()
    ),
    # the description
    "role of another plan": (house(), of(role="learner"), (Reason.UNKNOWN_ROLE,)),
    "no role": (house(), of(role=""), (Reason.UNKNOWN_ROLE,)),
    "role above the giver's": (house(by=TEACHER_RANK), of(role="admin"), (Reason.ROLE_ABOVE_YOURS,)),
    "role of the giver": (house(by=ADMIN_RANK), of(role="admin"), ()),
    "group where the plan has none": (
        house("marketing"), of(role="member", groups=("Year 5",)), (Reason.NO_GROUPS_IN_PLAN,)
    ),
    "group nobody made": (house(), of(groups=("Year 5", "Year 9")), (Reason.UNKNOWN_GROUP,)),
    "group to be made": (house(terms=Terms(make_groups=True)), of(groups=("Year 9",)), ()),
    "manager, his group": (house(by=manager_of(YEAR5)), of(groups=("Year 5",)), ()),
    "manager, another's group": (house(by=manager_of(YEAR5)), of(groups=("Choir",)), (Reason.NOT_YOUR_GROUP,)),
    "manager, his and another's": (
        house(by=manager_of(YEAR5)), of(groups=("Year 5", "Choir")), (Reason.NOT_YOUR_GROUP,)
    ),
    "manager, no group": (house(by=manager_of(YEAR5)), of(), (Reason.NOT_YOUR_GROUP,)),
    "manager of nothing": (house(by=manager_of()), of(groups=("Year 5",)), (Reason.NOT_YOUR_GROUP,)),
    "manager gives the lowest role only": (
        house(by=manager_of(YEAR5)), of(role="teacher", groups=("Year 5",)), (Reason.ROLE_ABOVE_YOURS,)
    ),
    # the person
    "address of an earlier line": (house(seen={STUDENT.address: 3}), of(), (Reason.DUPLICATE_IN_FILE,)),
    "address proved elsewhere": (found(account(claimed=True, home=None)), of(), (Reason.HAS_ACCOUNT,)),
    "account made by another organisation": (
        house(known={STRANGER.id: STRANGER}), of(STRANGER.id), (Reason.ACCOUNT_BELONGS_ELSEWHERE,)
    ),
    "deactivated member": (found(account(state="inactive")), of(), (Reason.MEMBER_INACTIVE,)),
    "deactivated member with a proved address": (
        found(account(claimed=True, state="inactive")), of(), (Reason.MEMBER_INACTIVE,)
    ),
    "name that is here without address": (
        house(nameless={"åsa öberg"}), of(NAMELESS), (Reason.SAME_NAME,)
    ),
    "the same name allowed": (
        house(nameless={"åsa öberg"}, terms=Terms(allow_same_name=True)), of(NAMELESS), ()
    ),
    "the same name with an address": (house(nameless={"åsa öberg"}), of(), ()),
    # room
    "no seat": (house(pools=FULL_HOUSE), of(), (Reason.SEATS_TAKEN,)),
    "a seat of another kind": (house(pools=FULL_HOUSE), of(role="teacher"), ()),
    "over-full after the licence was lowered": (
        house(pools={"student": Pool(3, 9), "teacher": Pool(1, 0)}), of(), (Reason.SEATS_TAKEN,)
    ),
    "group full": (house(), of(groups=("Choir", "Full")), (Reason.GROUP_FULL,)),
    "group closed": (house(), of(groups=("Choir", "Closed")), (Reason.GROUP_CLOSED,)),
    # an invite code
    "a code, nobody known": (by_code(), of(NAMELESS, groups=("Year 5",)), ()),
    "a code, an account of one's own": (by_code(PROVED), of(PROVED.id), ()),
    "a code with a use left": (by_code(PROVED, uses_left=1), of(PROVED.id), ()),
    "a code where single sign-on is wanted": (
        by_code(PROVED, house_of=SSO_HOUSE),
        replace(of(PROVED.id), method=Method.INVITE_CODE),
        (Reason.SSO_ONLY,),
    ),
    "an invitation where single sign-on is wanted": (
        by_code(PROVED, house_of=SSO_HOUSE),
        replace(of(PROVED.id), method=Method.EMAIL_INVITATION),
        (Reason.SSO_ONLY,),
    ),
    "a code, and the provider knows the account": (
        by_code(replace(PROVED, may_enter=True), house_of=SSO_HOUSE),
        replace(of(PROVED.id), method=Method.INVITE_CODE),
        (),
    ),
    "a list where single sign-on is wanted": (house(**SSO_HOUSE), of(), ()),
    "a code for a domain that another organisation vouches for": (
        by_code(replace(PROVED, vouched_by=ELSEWHERE), domains=CEDARS), of(PROVED.id), (Reason.CODE_NEEDS_ADDRESS,)
    ),
    "a code for a domain that this organisation vouches for": (
        by_code(replace(PROVED, vouched_by=house().organization_id), domains=CEDARS), of(PROVED.id), ()
    ),
    "a code that is used up": (by_code(PROVED, uses_left=0), of(PROVED.id), (Reason.CODE_USED_UP,)),
    "a code that lets nobody in": (
        by_code(PROVED, stop=Reason.CODE_PAUSED(), uses_left=0), of(PROVED.id), (Reason.CODE_PAUSED,)
    ),
    "a code for other addresses": (
        by_code(PROVED, domains=frozenset({"birch.example"})), of(PROVED.id), (Reason.CODE_NEEDS_ADDRESS,)
    ),
    "a code for this domain": (by_code(PROVED, domains=CEDARS), of(PROVED.id), ()),
    "a code for a domain, an address nobody proved": (
        by_code(account(), domains=CEDARS), of(STUDENT), (Reason.CODE_NEEDS_ADDRESS,)
    ),
    "a code for a domain, no address": (by_code(domains=CEDARS), of(NAMELESS), (Reason.CODE_NEEDS_ADDRESS,)),
    "a code for a domain, no address, to ask": (
        by_code(domains=CEDARS, waits=True), of(NAMELESS), (Reason.CODE_NEEDS_ADDRESS,)
    ),
    "a code by which one asks": (by_code(PROVED, waits=True), of(PROVED.id), ()),
    "asking needs neither seat nor place nor use": (
        by_code(PROVED, waits=True, uses_left=0, house_of={"pools": FULL_HOUSE}),
        of(PROVED.id, groups=("Full", "Closed")),
        (),
    ),
    "used up, and whoever comes now asks": (by_code(PROVED, uses_left=0, asks_when_spent=True), of(PROVED.id), ()),
    "a seat is needed by code too": (
        by_code(PROVED, house_of={"pools": FULL_HOUSE}), of(PROVED.id), (Reason.SEATS_TAKEN,)
    ),
    "a code into a full group": (by_code(PROVED), of(PROVED.id, groups=("Full",)), (Reason.GROUP_FULL,)),
    "a code into a closed group": (by_code(PROVED), of(PROVED.id, groups=("Closed",)), (Reason.GROUP_CLOSED,)),
    "a code does not bring back who was deactivated": (
        by_code(gone := account(state="inactive"), waits=True), of(gone.id), (Reason.MEMBER_INACTIVE,)
    ),
    "a code does not open a house where the licence has ended": (
        by_code(PROVED, waits=True, house_of={"ends_on": TODAY - dt.timedelta(1)}),
        of(PROVED.id),
        (Reason.LICENSE_ENDED,),
    ),
    "a member by the code of a group": (by_code(MEMBER), of(MEMBER.id, groups=("Year 5",)), ()),
    "a member needs a use": (
        by_code(MEMBER, uses_left=0, asks_when_spent=True),
        of(MEMBER.id, groups=("Year 5",)),
        (Reason.CODE_USED_UP,),
    ),
    "a member, the group is full": (by_code(MEMBER), of(MEMBER.id, groups=("Full",)), (Reason.GROUP_FULL,)),
    "a member, the group is closed": (by_code(MEMBER), of(MEMBER.id, groups=("Closed",)), (Reason.GROUP_CLOSED,)),
    "a member needs no address of the code's": (
        by_code(MEMBER, domains=frozenset({"birch.example"})), of(MEMBER.id, groups=("Year 5",)), ()
    ),
    "a member by a code that lets nobody in": (
        by_code(MEMBER, stop=Reason.CODE_PAUSED()), of(MEMBER.id, groups=("Year 5",)), (Reason.CODE_PAUSED,)
    ),
    # what comes first
    "all that is wrong with a description": (
        house(by=TEACHER_RANK),
        of(role="admin", groups=("Year 9",), findings=(Reason.NAME_MISSING(), Reason.PASSWORD_TOO_COMMON())),
        (Reason.NAME_MISSING, Reason.PASSWORD_TOO_COMMON, Reason.ROLE_ABOVE_YOURS, Reason.UNKNOWN_GROUP),
    ),
    "nobody reads about roles when the licence has ended": (
        house(ends_on=TODAY - dt.timedelta(1)),
        of(role="learner", findings=(Reason.NAME_MISSING(),)),
        (Reason.LICENSE_ENDED,),
    ),
    "nobody reads about seats when the role is unknown": (
        house(pools=FULL_HOUSE), of(role="learner"), (Reason.UNKNOWN_ROLE,)
    ),
    "nobody reads about the person when the description is wrong": (
        found(account(claimed=True, home=None)), of(role="learner"), (Reason.UNKNOWN_ROLE,)
    ),
    "nobody reads about seats who cannot come anyway": (
        found(account(state="inactive"), pools=FULL_HOUSE), of(), (Reason.MEMBER_INACTIVE,)
    ),
    "a row of a file is refused before its person is looked up": (
        house(), of(findings=(Reason.ADDRESS_INCOMPLETE("email", given="asa"),)), (Reason.ADDRESS_INCOMPLETE,)
    ),
    "one reason is enough when there is no room": (
        house(pools=FULL_HOUSE), of(groups=("Full", "Closed")), (Reason.GROUP_CLOSED,)
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_door_says(case: str) -> None:
    here, joiner, reasons = CASES[case]
    outcome = consider(joiner, here)
    assert tuple(finding.reason for finding in outcome.findings) == reasons
    assert (outcome.result is Result.REFUSED) == bool(reasons)


# by a code: the ticket, who comes, what becomes of him, and the seats, places and uses that he takes
SEEN = ("year 5",)
WALKS: dict[str, tuple[House, Joiner, Result, tuple[int, int, int | None]]] = {
    "a stranger comes in": (by_code(uses_left=3), of(NAMELESS, groups=SEEN), Result.CREATED, (1, 1, 2)),
    "without a limit nothing is counted": (by_code(), of(NAMELESS, groups=SEEN), Result.CREATED, (1, 1, None)),
    "an account of one's own comes in": (
        by_code(PROVED, uses_left=1), of(PROVED.id, groups=SEEN), Result.JOINED, (1, 1, 0)
    ),
    "a stranger asks": (by_code(uses_left=3, waits=True), of(NAMELESS, groups=SEEN), Result.WAITING, (0, 0, 3)),
    "an account of one's own asks": (
        by_code(PROVED, waits=True), of(PROVED.id, groups=SEEN), Result.WAITING, (0, 0, None)
    ),
    "who comes too late asks": (
        by_code(PROVED, uses_left=0, asks_when_spent=True), of(PROVED.id, groups=SEEN), Result.WAITING, (0, 0, 0)
    ),
    "who comes in time does not": (
        by_code(PROVED, uses_left=1, asks_when_spent=True), of(PROVED.id, groups=SEEN), Result.JOINED, (1, 1, 0)
    ),
    "a member is placed without a seat": (
        by_code(MEMBER, uses_left=3), of(MEMBER.id, groups=SEEN), Result.PLACED, (0, 1, 2)
    ),
    "a member is placed without asking": (
        by_code(MEMBER, waits=True), of(MEMBER.id, groups=SEEN), Result.PLACED, (0, 1, None)
    ),
    "a member of the group stays as he is": (
        by_code(MEMBER, uses_left=3, house_of={"places": {(MEMBERSHIP, YEAR5)}}),
        of(MEMBER.id, groups=SEEN),
        Result.UNCHANGED,
        (0, 0, 3),
    ),
    "a member by a code without a group stays as he is": (
        by_code(MEMBER, uses_left=0), of(MEMBER.id), Result.UNCHANGED, (0, 0, 0)
    ),
    "who waits goes on waiting": (
        by_code(WAITS, uses_left=3), of(WAITS.id, groups=SEEN), Result.UNCHANGED, (0, 0, 3)
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WALKS)
def test_a_code_at_the_door(case: str) -> None:
    here, joiner, result, (seats, places, uses) = WALKS[case]
    outcome = consider(joiner, here)
    assert here.ticket
    assert (outcome.result, outcome.findings) == (result, ())
    assert (here.pools["student"].used, here.groups["year 5"].used, here.ticket.uses_left) == (seats, places, uses)


def test_a_code_places_in_the_groups_where_the_member_is_not_yet() -> None:
    here = by_code(MEMBER, house_of={"places": {(MEMBERSHIP, YEAR5)}})
    outcome = consider(of(MEMBER.id, groups=("Year 5", "Choir")), here)
    assert (outcome.result, outcome.joiner.groups) == (Result.PLACED, ("Choir",))


def test_the_last_use_is_the_first_ones() -> None:
    here = by_code(uses_left=1)
    reasons = [consider(of(NewAccount(f"P{n}")), here).reason for n in range(3)]
    assert reasons == ["", "code_used_up", "code_used_up"]


def test_approving_lets_in_who_waits_and_nobody_else_does() -> None:
    approving = house(known={WAITS.id: WAITS}, terms=Terms(approving=True))
    assert consider(of(WAITS.id), approving).result is Result.JOINED
    assert consider(of(WAITS.id), house(known={WAITS.id: WAITS})).result is Result.UNCHANGED


def test_every_rule_has_said_no_in_the_table() -> None:
    table = {reason for stage in RULES for reason, _ in stage}
    met = {reason for _, _, reasons in CASES.values() for reason in reasons}
    assert table <= met


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case][2]])
def test_a_refusal_reads_as_a_sentence_and_changes_nothing(case: str) -> None:
    here, joiner, _ = CASES[case]
    before = repr((here.pools, here.groups, here.seen, here.made, here.nameless, here.ticket))
    for finding in consider(joiner, here).findings:
        assert "{" not in finding.text + finding.next_step
        assert finding.text.startswith(f"{finding.code}: ")
    assert repr((here.pools, here.groups, here.seen, here.made, here.nameless, here.ticket)) == before


@pytest.mark.parametrize("state", ["active", "waiting"])
def test_being_here_already_needs_neither_seat_nor_group(state: str) -> None:
    here = found(account(state=state), pools={"student": Pool(30, 30), "teacher": Pool(0, 0)})
    outcome = consider(of(groups=("Full", "Closed")), here)
    assert outcome.result is Result.UNCHANGED
    assert (outcome.membership_id, here.pools["student"].used) == (MEMBERSHIP, 30)


def test_a_proved_account_joins_as_it_is() -> None:
    proved = account(claimed=True, home=None)
    outcome = consider(of(proved.id), found(proved))
    assert outcome.result is Result.JOINED
    assert (outcome.account_id, outcome.sign_in, outcome.username) == (proved.id, proved.email, proved.username)


def test_returning_lets_a_deactivated_member_in() -> None:
    member = account(state="inactive")
    outcome = consider(of(member.id), found(member, terms=Terms(returning=True)))
    assert (outcome.result, outcome.membership_id) == (Result.JOINED, MEMBERSHIP)


def test_row_seven_meets_the_seats_that_rows_before_left() -> None:
    here = house(pools={"student": Pool(2, 0), "teacher": Pool(1, 0)})
    people = [NewAccount(f"P{n}", f"p{n}@cedar.example", f"p{n}@cedar.example") for n in range(4)]
    reasons = [consider(of(person, line=n), here).reason for n, person in enumerate(people)]
    assert reasons == ["", "", "seats_taken", "seats_taken"]
    assert here.pools["student"] == Pool(2, 2)


def test_places_in_groups_are_counted_as_people_come() -> None:
    here = house()
    here.groups["year 5"].cap = 1
    first = consider(of(NewAccount("A"), groups=("Year 5", "Choir")), here)
    second = consider(of(NewAccount("B"), groups=("Choir", "Year 5")), here)
    assert (first.reason, second.reason) == ("", "group_full")
    assert (here.groups["year 5"].used, here.groups["choir"].used) == (1, 1)
    assert second.findings == (Finding(Reason.GROUP_FULL, {"group": "Year 5", "cap": 1}),)


def test_a_missing_group_is_made_once() -> None:
    here = house(terms=Terms(make_groups=True))
    for n, name in enumerate(("Year 9", "year  9", "YEAR 9")):
        assert not consider(of(NewAccount(f"P{n}"), groups=(name,)), here).findings
    made = [group for group in here.groups.values() if group.is_new]
    assert [(group.name, group.used) for group in made] == [("Year 9", 3)]


def test_a_group_named_twice_takes_one_place() -> None:
    here = house()
    consider(of(groups=("Year 5", "year 5")), here)
    assert here.groups["year 5"].used == 1


def test_the_second_line_with_an_address_names_the_first() -> None:
    here = house()
    consider(of(line=4), here)
    (finding,) = consider(of(line=9), here).findings
    assert finding.facts == {"first_line": 4}


def test_a_refused_line_does_not_make_the_next_one_a_duplicate() -> None:
    here = house()
    consider(of(line=4, role="learner"), here)
    assert consider(of(line=5), here).result is Result.CREATED


def test_one_account_cannot_take_two_seats_in_one_run() -> None:
    proved = account(claimed=True, home=None)
    here = found(proved)
    first, second = (consider(of(proved.id, line=line), here) for line in (2, 3))
    assert first.result is Result.JOINED
    assert second.result is not Result.JOINED
    assert here.pools["student"].used == 1


def test_a_manager_makes_no_groups() -> None:
    here = house(by=manager_of(YEAR5), terms=Terms(make_groups=True))
    assert consider(of(groups=("Year 5", "Year 9")), here).reason == "not_your_group"


# the name typed again and again, and the sign-in names made of it
MADE = {
    "Åsa Öberg": ["asa.oberg", "asa.oberg-2", "asa.oberg-3"],
    "山田 太郎": ["student.1001", "student.1002"],
    "": ["student.1001", "student.1002"],
    "Jean-Luc": ["jean-luc", "jean-luc-2"],
}


@pytest.mark.parametrize("username", MADE)
def test_made_names_count_up(username: str) -> None:
    here = house(terms=Terms(allow_same_name=True))
    names = [consider(of(NewAccount(username)), here).sign_in for _ in MADE[username]]
    assert names == [f"{name}@cedar.usher.invalid" for name in MADE[username]]


def test_a_made_name_is_shown_where_no_name_was_given() -> None:
    outcome = consider(of(NewAccount()), house())
    assert (outcome.username, outcome.email) == ("Student 1001", "")


def test_the_name_shown_defaults_to_the_address() -> None:
    outcome = consider(of(NewAccount("", "Asa@Cedar.example", "asa@cedar.example")), house())
    assert (outcome.username, outcome.sign_in) == ("Asa", "Asa@Cedar.example")
