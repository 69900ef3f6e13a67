"""Passwords that staff make and that people choose: who may, what ends, what is written down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from world import PASSWORD, Person, World, signed_in, somebody

from usher.core import clock as clocks
from usher.core.errors import UsherError
from usher.core.limits import SIGN_IN_ACCOUNT
from usher.core.work import drain
from usher.events.models import Event
from usher.events.types import OPERATOR
from usher.lifecycle.join import join
from usher.lifecycle.leave import deactivate
from usher.people import credentials, links, passwords
from usher.people.access import Visit
from usher.people.models import Account, HashBatch

OWN = "my very own password"


def visit(person: Person) -> Visit:
    return Visit(person.account, person.membership)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(UsherError) as refused:
        act()
    return refused.value.findings[0].code


def pupil(world: World, name: str = "Lea", groups: tuple[str, ...] = ()) -> Person:
    outcome = world.cedar.add(somebody(name, groups=groups))
    assert outcome.account_id, outcome.findings
    return Person(outcome.account_id, outcome.membership_id)


# Staff


def test_a_new_password_replaces_the_old_one_and_all_that_it_opened(world: World) -> None:
    browser = signed_in(world.pia)
    link = links.make_setup_link(world.pia.account, world.cedar.id, OPERATOR)
    reset = credentials.reset_password(visit(world.ada), world.pia.membership.id)
    assert browser.get("/password").status_code == 302
    assert Client().get(f"/set-up/{link.rpartition('/')[2]}").status_code == 410
    assert not opens("pia@cedar.example", PASSWORD)
    assert opens("pia@cedar.example", reset.password)
    event = Event.objects.get(type="password:reset")
    assert (event.organization_id, event.actor_id, event.account_id) == (
        world.cedar.id,
        world.ada.account_id,
        world.pia.account_id,
    )
    assert reset.password not in str(vars(event))


def test_the_new_one_follows_the_rule_of_the_role(world: World, clock: time_machine.Traveller) -> None:
    for person, must_change, days in ((world.pia, False, None), (world.tom, True, 30)):
        credentials.reset_password(visit(world.ada), person.membership.id)
        account = person.account
        assert account.must_change_password is must_change
        assert account.password_expires_at == (clocks.now() + timedelta(days=days) if days else None)


def test_the_quick_form_is_wrapped_by_the_worker(world: World) -> None:
    reset = credentials.reset_password(visit(world.ada), world.pia.membership.id)
    assert not passwords.is_hardened(world.pia.account.password)
    drain([HashBatch])
    assert passwords.is_hardened(world.pia.account.password)
    assert opens("pia@cedar.example", reset.password)


def peer(world: World) -> Person:
    return world.cedar.settle("Ben Bay", "admin")


def proved(world: World) -> Person:
    Account.objects.filter(id=world.pia.account_id).update(home=None, claimed_at=clocks.now())
    return world.pia


def gone(world: World) -> Person:
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    return world.pia


ADA, TOM = "ada", "tom"
RIGHTS: tuple[tuple[str, Callable[[World], Person], str], ...] = (
    (ADA, lambda world: world.pia, ""),
    (ADA, lambda world: world.tom, ""),
    (ADA, lambda world: world.ada, "not_below_you"),
    (ADA, peer, "not_below_you"),
    (ADA, proved, "not_managed_here"),
    (ADA, gone, "member_inactive"),
    (ADA, lambda world: world.bob, "not_a_member"),
    (TOM, lambda world: world.pia, ""),
    (TOM, pupil, "not_in_your_groups"),
    (TOM, lambda world: world.tom, "not_below_you"),
    (TOM, lambda world: world.ada, "not_below_you"),
    (TOM, lambda world: world.cedar.settle("Una Urn", "teacher", ("Year 5",)), "not_below_you"),
    (TOM, proved, "not_managed_here"),
    ("pia", pupil, "not_below_you"),
    ("bob", lambda world: world.pia, "not_a_member"),
)


@pytest.mark.parametrize(("who", "whom", "code"), RIGHTS)
def test_whose_password_one_may_reset(world: World, who: str, whom: Callable[[World], Person], code: str) -> None:
    person = whom(world)
    before = person.account.password

    def act() -> object:
        return credentials.reset_password(visit(world.people[who]), person.membership.id)

    assert (refusal(act) if code else bool(act())) == (code or True)
    assert (person.account.password == before) is bool(code)


def test_a_teacher_without_a_group_of_his_own_resets_nobody(world: World) -> None:
    teacher = world.cedar.settle("Una Urn", "teacher", ("Year 5",))
    code = refusal(lambda: credentials.reset_password(visit(teacher), world.pia.membership.id))
    assert code == "not_in_your_groups"


def test_a_whole_group_with_those_left_out_and_why(world: World) -> None:
    lea = pupil(world, groups=("Year 5",))
    rows = credentials.reset_group(visit(world.tom), world.year5.id)
    assert [(row.username, [f.code for f in row.findings]) for row in rows] == [
        ("Lea", []),
        ("Pia Pine", []),
        ("Tom Thorn", ["not_below_you"]),
    ]
    assert [bool(row.password) for row in rows] == [True, True, False]
    assert opens(rows[0].sign_in, rows[0].password)
    assert lea.account.sign_in_key == rows[0].sign_in
    assert len({row.password for row in rows}) == 3
    assert Event.objects.filter(type="password:reset").count() == 2


@pytest.mark.parametrize("who", ["bob", "pia"])
def test_a_group_of_others_is_not_there(world: World, who: str) -> None:
    code = refusal(lambda: credentials.reset_group(visit(world.people[who]), world.year5.id))
    assert code == "unknown_group"
    assert world.pia.account.check_password(PASSWORD)


def test_a_group_costs_a_fixed_number_of_reads(
    world: World, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    for number in range(20):
        join(world.cedar.id, somebody(f"Pupil {number}", groups=("Year 5",)), world.ada.by)
    with django_assert_max_num_queries(21 + 14):  # type: ignore[attr-defined]
        credentials.reset_group(visit(world.ada), world.year5.id)


# The person


def test_changing_ones_own_password(world: World) -> None:
    other = signed_in(world.pia)
    credentials.change_own_password(world.pia.account, PASSWORD, OWN)
    assert other.get("/password").status_code == 302
    assert opens("pia@cedar.example", OWN)
    assert Event.objects.filter(type="password:changed", account_id=world.pia.account_id).count() == 1


@pytest.mark.parametrize(
    ("who", "old", "new", "code"),
    [
        ("pia", "wrong", OWN, "password_wrong"),
        ("pia", PASSWORD, "short", "password_too_short"),
        ("pia", PASSWORD, "qwertyuiop", "password_too_common"),
        ("pia", PASSWORD, PASSWORD, "password_same"),
        ("pia", PASSWORD, "x" * 129, "password_too_long"),
        ("ada", PASSWORD, "14 characters.", "password_too_short"),
        ("olga", PASSWORD, "14 characters.", "password_too_short"),
        ("tom", PASSWORD, "10 charact", ""),
        ("ada", PASSWORD, "15 characters..", ""),
    ],
)
def test_what_one_may_choose(world: World, who: str, old: str, new: str, code: str) -> None:
    person = world.people[who]

    def act() -> None:
        credentials.change_own_password(person.account, old, new)

    if code:
        assert refusal(act) == code
    else:
        act()
    assert person.account.check_password(PASSWORD) is bool(code)


def test_guessing_the_old_password_in_a_borrowed_browser_is_limited(
    world: World, clock: time_machine.Traveller
) -> None:
    for _ in range(SIGN_IN_ACCOUNT.capacity - 1):
        SIGN_IN_ACCOUNT.add("pia@cedar.example")
    assert refusal(lambda: credentials.change_own_password(world.pia.account, "guess", OWN)) == "password_wrong"
    assert refusal(lambda: credentials.change_own_password(world.pia.account, PASSWORD, OWN)) == "too_many_tries"


def opens(name: str, password: str) -> bool:
    return Client().post("/o/cedar/sign-in", {"name": name, "password": password}).status_code == 302
