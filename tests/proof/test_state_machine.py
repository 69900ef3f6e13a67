"""Any order of joining, moving, leaving, coming back and undoing: no seat too many, nobody twice, events are the
changes, and an undo removes those alone to whom nothing has happened."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from recount import broken, faults
from world import BY_OPERATOR, House, Person, somebody
from world import _claimed as claimed

from usher.core.errors import UsherError
from usher.events.models import Event
from usher.events.types import EventType
from usher.lifecycle import join as door
from usher.lifecycle import past, undo
from usher.lifecycle.desk import Choices
from usher.lifecycle.joiner import Joiner, Outcome, Result, Terms
from usher.lifecycle.leave import deactivate, reactivate
from usher.lifecycle.move import add_to_group, move, remove_from_group
from usher.methods.bulk_accounts import names
from usher.methods.bulk_accounts import run as creations
from usher.methods.bulk_accounts.order import Order
from usher.organizations.create import change_license
from usher.organizations.models import SeatPool
from usher.organizations.plans import Method
from usher.people.models import Group, Membership

POOL_OF = {"student": "student", "teacher": "teacher", "admin": "teacher"}
GROUPS = ("Blue", "Green", "Red")

roles = st.sampled_from(["student", "student", "student", "teacher", "admin"])
groups = st.lists(st.sampled_from([*GROUPS, "red", "New"]), max_size=3).map(tuple)
# A file has its own book of lines, so the CSV room stands in test_crash.py.
methods = st.sampled_from([Method.API, Method.BULK_ACCOUNTS, Method.INVITE_CODE, Method.LTI, Method.MICROSOFT])
addresses = st.one_of(st.just(""), st.integers(1, 12).map(lambda n: f"p{n}@cedar.example"))
newcomers = st.builds(
    lambda name, email, role, into, method: somebody(name, role, email=email, groups=into, method=method),
    st.sampled_from(["Åsa Öberg", "山田", "Bo", "bo"]),
    addresses,
    roles,
    groups,
    methods,
)
proved = st.builds(lambda n, role, into, method: (n, role, into, method), st.integers(0, 2), roles, groups, methods)
terms = st.builds(Terms, make_groups=st.booleans(), allow_same_name=st.booleans())


@dataclass
class Member:
    """A member as the model knows him."""

    role: str
    active: bool = True
    groups: set[str] = field(default_factory=set)


class Door(RuleBasedStateMachine):
    """The door beside a model of plain dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()

    def teardown(self) -> None:
        try:
            if hasattr(self, "ada"):
                assert faults(self.house.id) == []
                assert broken() == []
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    @initialize(students=st.integers(2, 6), staff=st.integers(2, 4), cap=st.integers(1, 3), pupils=st.integers(2, 4))
    def build(self, students: int, staff: int, cap: int, pupils: int) -> None:
        self.house = House("cedar", "Cedar School", "school")
        self.limits = {"student": students, "teacher": staff}
        change_license(self.house.organization, BY_OPERATOR.actor, seats=self.limits)
        self.caps: dict[str, int | None] = {"blue": None, "green": cap, "red": 2}
        self.closed: set[str] = set()
        self.group_ids = {name.lower(): self.house.group(name, self.caps[name.lower()]).id for name in GROUPS}
        self.proved: list[Person] = [Person(claimed(f"Proved {n}", f"q{n}@x.example").id) for n in range(3)]
        self.members: dict[uuid.UUID, Member] = {}
        self.account_of: dict[uuid.UUID, uuid.UUID] = {}
        self.told: Counter[str] = Counter()
        self.runs: list[tuple[uuid.UUID, set[uuid.UUID]]] = []
        self.touched: set[uuid.UUID] = set()
        ada = self.house.settle("Ada Ash", "admin")
        self.ada = ada.membership.id
        self._came(self.ada, ada.account_id, "admin", ())
        self._make(2, "student", "Blue")
        self._all_came(self.house.add_many([self._pupil(n) for n in range(1, pupils + 1)]))

    def _pupil(self, n: int) -> Joiner:
        return somebody(f"Pupil {n}", email=f"p{n}@cedar.example", groups=("Green",), method=Method.API)

    # The model

    def _came(self, member: uuid.UUID, account: uuid.UUID, role: str, into: tuple[str, ...]) -> None:
        assert member not in self.members
        assert account not in self.account_of, "the account is here already"
        self.account_of[account] = member
        self.members[member] = Member(role, groups={name.lower() for name in into})
        self.told[EventType.MEMBERSHIP_CREATED] += 1

    def used(self, pool: str) -> int:
        return sum(member.active and POOL_OF[member.role] == pool for member in self.members.values())

    def places(self, group: str) -> int:
        return sum(member.active and group in member.groups for member in self.members.values())

    def has_room(self, role: str, into: set[str]) -> bool:
        pool = POOL_OF[role]
        return self.used(pool) < self.limits[pool] and not any(self.is_full(group) for group in into)

    def is_full(self, group: str) -> bool:
        cap = self.caps.get(group)
        return cap is not None and self.places(group) >= cap

    def check_refusal(self, reason: str, role: str, into: set[str]) -> None:
        """Nobody is sent away for want of room where there is some."""
        pool = POOL_OF[role]
        if reason == "seats_taken":
            assert self.used(pool) >= self.limits[pool]
        if reason == "group_full":
            assert any(self.is_full(group) for group in into)
        if reason == "group_closed":
            assert into & self.closed

    # The door

    @rule(new=newcomers, how=terms)
    def join(self, new: Joiner, how: Terms) -> None:
        self._all_came(self.house.add_many([new], terms=how))

    @rule(who=proved, how=terms)
    def join_proved(self, who: tuple[int, str, tuple[str, ...], Method], how: Terms) -> None:
        self._all_came(self.house.add_many([self._proved(who)], terms=how))

    @rule(many=st.lists(st.one_of(newcomers, proved), min_size=2, max_size=8), how=terms)
    def join_many(self, many: list[Any], how: Terms) -> None:
        joiners = [self._proved(one) if isinstance(one, tuple) else one for one in many]
        dry = self.house.add_many(joiners, terms=how, dry_run=True)
        real = self.house.add_many(joiners, terms=how)
        assert [(o.result, o.reason, o.sign_in) for o in dry] == [(o.result, o.reason, o.sign_in) for o in real]
        self._all_came(real)

    def _proved(self, who: tuple[int, str, tuple[str, ...], Method]) -> Joiner:
        n, role, into, method = who
        return Joiner(method, self.proved[n].account_id, role, into)

    def _all_came(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            role, into = outcome.joiner.role, {name.lower() for name in outcome.joiner.groups}
            if outcome.result in (Result.CREATED, Result.JOINED):
                assert self.has_room(role, into), "let in without room"
                assert not into & self.closed
                for group in into - self.caps.keys():
                    self.caps[group] = None
                    self.told[EventType.GROUP_CREATED] += 1
                    found = Group.objects.get(organization_id=self.house.id, name_key=group)
                    self.group_ids[group] = found.id
                assert outcome.membership_id
                assert outcome.account_id
                self._came(outcome.membership_id, outcome.account_id, role, outcome.joiner.groups)
            elif outcome.result is Result.UNCHANGED:
                assert self.members[outcome.membership_id].active  # type: ignore[index]
            else:
                self.told[EventType.MEMBERSHIP_REFUSED] += 1
                self.check_refusal(outcome.reason, role, into)

    # Accounts made in advance, and undone

    @rule(many=st.integers(1, 3), role=st.sampled_from(["student", "teacher"]), group=st.sampled_from(["", *GROUPS]))
    def make_accounts(self, many: int, role: str, group: str) -> None:
        self._make(many, role, group)

    def _make(self, many: int, role: str, group: str) -> None:
        order = Order(self.house.organization, names.numbered(many), Choices(role, group), BY_OPERATOR)
        made = creations.make(order)
        self._all_came(list(made.outcomes))
        if made.run_id:
            came = {one.membership_id for one in made.outcomes if one.result is Result.CREATED and one.membership_id}
            self.runs.append((made.run_id, came))

    @precondition(lambda self: any(came for _, came in self.runs))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        at = data.draw(st.sampled_from([at for at, (_, came) in enumerate(self.runs) if came]))
        run_id, came = self.runs[at]
        book = past.find(self.house.organization, None, run_id)
        assert book
        goes = came - self.touched
        try:
            done = undo.undo(self.house.organization, book, BY_OPERATOR)
        except UsherError as no:
            self._check_nobody(goes, no)
            return
        assert (done.goes, done.stay) == (len(goes), len(came) - len(goes))
        for key in goes:
            del self.members[key]
        self.runs[at] = (run_id, came - goes)
        self.told[EventType.MEMBERSHIP_UNDONE] += len(goes)

    def _check_nobody(self, goes: set[uuid.UUID], no: UsherError) -> None:
        assert [finding.code for finding in no.findings] == ["nobody_to_undo"]
        assert not goes

    # Those who are in

    def _somebody(self, data: st.DataObject) -> tuple[uuid.UUID, Member]:
        member = data.draw(st.sampled_from(sorted(self.members, reverse=True)))  # Ada, who must stay, last
        return member, self.members[member]

    def _is_last_admin(self, member: uuid.UUID) -> bool:
        """Everybody here has a password that works."""
        others = (m for key, m in self.members.items() if key != member and m.role == "admin" and m.active)
        return self.members[member].role == "admin" and not any(others)

    def _check_last_admin(self, member: uuid.UUID, no: UsherError) -> None:
        assert [finding.code for finding in no.findings] == ["last_admin"]
        assert self._is_last_admin(member)

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        key, member = self._somebody(data)
        role = data.draw(st.sampled_from(sorted({"student", "teacher", "admin"} - {member.role})))
        try:
            move(self.house.id, key, role, BY_OPERATOR)
        except UsherError as no:
            (finding,) = no.findings
            if finding.code == "seats_taken":
                self.check_refusal(finding.code, role, set())
            else:
                self._check_last_admin(key, no)
            return
        assert not self._is_last_admin(key)
        if member.active and POOL_OF[role] != POOL_OF[member.role]:
            assert self.has_room(role, set())
        member.role = role
        self.touched.add(key)
        self.told[EventType.MEMBERSHIP_MOVED] += 1

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        key, member = self._somebody(data)
        try:
            left = deactivate(self.house.id, key, BY_OPERATOR)
        except UsherError as no:
            self._check_last_admin(key, no)
            return
        assert left == member.active
        member.active = False
        self.touched.add(key)
        self.told[EventType.MEMBERSHIP_DEACTIVATED] += left

    @precondition(lambda self: any(not member.active for member in self.members.values()))
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        gone = sorted(key for key, member in self.members.items() if not member.active)
        key = data.draw(st.sampled_from(gone))
        member = self.members[key]
        try:
            assert reactivate(self.house.id, key, BY_OPERATOR)
        except UsherError as no:
            (finding,) = no.findings
            assert finding.code in ("seats_taken", "group_full")
            self.check_refusal(finding.code, member.role, member.groups)
            return
        assert self.has_room(member.role, member.groups), "came back without room"
        member.active = True
        self.told[EventType.MEMBERSHIP_REACTIVATED] += 1

    @rule(data=st.data())
    def into_group(self, data: st.DataObject) -> None:
        key, member = self._somebody(data)
        group = data.draw(st.sampled_from(sorted(self.caps)))
        try:
            added = add_to_group(self.house.id, key, self.group_ids[group], BY_OPERATOR)
        except UsherError as no:
            (finding,) = no.findings
            self.check_refusal(finding.code, member.role, {group})
            return
        assert added == (group not in member.groups)
        if added:
            assert group not in self.closed
            assert not self.is_full(group)
            member.groups.add(group)
            self.touched.add(key)
            self.told[EventType.GROUP_JOINED] += 1

    @rule(data=st.data())
    def out_of_group(self, data: st.DataObject) -> None:
        key, member = self._somebody(data)
        group = data.draw(st.sampled_from(sorted(self.caps)))
        gone = remove_from_group(self.house.id, key, self.group_ids[group], BY_OPERATOR)
        assert gone == (group in member.groups)
        member.groups.discard(group)
        self.touched |= {key} if gone else set()
        self.told[EventType.GROUP_LEFT] += gone

    # The licence and the groups change meanwhile

    @rule(pool=st.sampled_from(["student", "teacher"]), limit=st.integers(0, 7))
    def change_seats(self, pool: str, limit: int) -> None:
        change_license(self.house.organization, BY_OPERATOR.actor, seats={pool: limit})
        self.limits[pool] = limit

    @rule(data=st.data(), cap=st.one_of(st.none(), st.integers(0, 4)), closed=st.booleans())
    def change_group(self, data: st.DataObject, cap: int | None, closed: bool) -> None:
        group = data.draw(st.sampled_from(sorted(self.caps)))
        state = Group.State.CLOSED if closed else Group.State.OPEN
        Group.objects.filter(id=self.group_ids[group]).update(cap=cap, state=state)
        self.caps[group] = cap
        (self.closed.add if closed else self.closed.discard)(group)

    # What always holds

    @invariant()
    def the_books_are_the_model(self) -> None:
        if not hasattr(self, "ada"):
            return
        here = {"organization_id": self.house.id}
        found = Membership.objects.filter(**here).values_list("id", "role", "state")
        assert set(found) == {(k, m.role, "active" if m.active else "inactive") for k, m in self.members.items()}
        pools = dict(SeatPool.objects.filter(**here).values_list("pool", "used"))
        assert pools == {pool: self.used(pool) for pool in self.limits}
        groups = dict(Group.objects.filter(**here).values_list("name_key", "used"))
        assert groups == {group: self.places(group) for group in self.caps}
        types = Event.objects.filter(**here, type__in=COUNTED).values_list("type", flat=True)
        assert Counter(map(EventType, types)) == +self.told


COUNTED = (
    EventType.MEMBERSHIP_CREATED, EventType.MEMBERSHIP_REFUSED, EventType.MEMBERSHIP_MOVED,
    EventType.MEMBERSHIP_DEACTIVATED, EventType.MEMBERSHIP_REACTIVATED, EventType.GROUP_CREATED,
    EventType.GROUP_JOINED, EventType.GROUP_LEFT, EventType.MEMBERSHIP_UNDONE,
)  # fmt: skip
PATIENT = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, database=None)
# A sample always takes the same steps, and fails as it stands: shrinking takes minutes.
SAMPLE = settings(
    PATIENT, max_examples=20, stateful_step_count=25, derandomize=True, phases=[Phase.explicit, Phase.generate]
)


@pytest.mark.django_db
def test_any_order_of_acts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BATCH", dict.fromkeys(door.BATCH, 3))
    run_state_machine_as_test(Door, settings=SAMPLE)


@pytest.mark.proof
@pytest.mark.django_db
def test_any_order_of_acts_at_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BATCH", dict.fromkeys(door.BATCH, 3))
    run_state_machine_as_test(Door, settings=settings(PATIENT, max_examples=300, stateful_step_count=60))
