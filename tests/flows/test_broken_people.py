"""What admins, operators and owners of accounts try that once went wrong."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from world import BY_OPERATOR, PASSWORD, World, signed_in, somebody

from usher.core import clock
from usher.core.errors import UsherError
from usher.events.types import OPERATOR, EventType
from usher.lifecycle.leave import deactivate, reactivate
from usher.lifecycle.move import add_to_group, remove_from_group, set_group_right
from usher.organizations.create import create
from usher.organizations.models import License, Organization
from usher.people import credentials, groups, links, listing
from usher.people.access import Visit
from usher.people.addresses import parse_address
from usher.people.claim import claim
from usher.people.models import Account, Group, GroupMembership, OneTimeLink
from usher.people.operators import make_operator

CHOSEN = "a-long-password-of-my-own"


def path_of(link: str) -> str:
    return "/set-up/" + link.rpartition("/")[2]


def test_an_operator_comes_in_by_the_set_up_link(world: World) -> None:
    _, link = make_operator("olga2@usher.example")
    browser = Client()
    assert browser.get(path_of(link)).status_code == 200
    assert browser.post(path_of(link), {"password": CHOSEN, "again": CHOSEN}).status_code == 302
    assert browser.get("/home").status_code == 200


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_mail_scanner_uses_nothing_up(world: World, method: str) -> None:
    link = links.make_setup_link(world.tom.account, world.cedar.id, OPERATOR)
    before = world.tom.account.password
    for _ in range(3):
        assert getattr(Client(), method)(path_of(link)).status_code == 200
    # Some submit the form as it stands.
    assert Client().post(path_of(link), {}).status_code == 200
    assert OneTimeLink.objects.get(consumed_at=None)
    assert world.tom.account.password == before


@pytest.mark.parametrize("name", ["x" * 121, "Ce\u202edar", "Ce\u200bdar"])
def test_an_organisation_with_a_name_that_fits_nowhere(world: World, name: str) -> None:
    with pytest.raises(UsherError):
        create("elm", name, "school", actor=OPERATOR)
    assert not Organization.objects.filter(slug="elm").exists()


@pytest.mark.parametrize("name", ["Year 5|Choir", "\ufdfa" * 30, "x" * 81, "=1"])
def test_a_group_with_a_name_that_no_file_can_hold(world: World, name: str) -> None:
    with pytest.raises(UsherError):
        groups.create(world.cedar.organization, name, None, OPERATOR)


def test_a_member_comes_back_though_the_plan_has_lost_its_groups(world: World) -> None:
    deactivate(world.cedar.id, world.pia.membership.id, BY_OPERATOR)
    License.objects.filter(organization_id=world.cedar.id).update(overrides={"groups": False})
    assert reactivate(world.cedar.id, world.pia.membership.id, BY_OPERATOR)
    assert Group.objects.get(name="Year 5").used == 2


@pytest.mark.parametrize("state", ["open", "closed", "archived"])
def test_places_are_counted_right_whatever_became_of_the_group(world: World, state: str) -> None:
    """In and out again, by every order of leaving, coming back and changing groups."""
    pia, year5 = world.pia.membership.id, world.year5.id
    choir = world.cedar.group("Choir", cap=1)
    add_to_group(world.cedar.id, pia, choir.id, BY_OPERATOR)
    deactivate(world.cedar.id, pia, BY_OPERATOR)
    remove_from_group(world.cedar.id, pia, year5, BY_OPERATOR)
    groups.set_state(world.cedar.organization, choir.id, Group.State(state), OPERATOR)
    assert (Group.objects.get(id=choir.id).used, Group.objects.get(id=year5).used) == (0, 1)
    reactivate(world.cedar.id, pia, BY_OPERATOR)
    assert (Group.objects.get(id=choir.id).used, Group.objects.get(id=year5).used) == (1, 1)
    deactivate(world.cedar.id, pia, BY_OPERATOR)
    assert (Group.objects.get(id=choir.id).used, world.cedar.seats("student").used) == (0, 0)


def test_a_right_that_is_there_already_is_no_event(world: World) -> None:
    before = len(world.cedar.events(EventType.GROUP_JOINED))
    set_group_right(world.cedar.id, world.tom.membership.id, world.year5.id, "manager", BY_OPERATOR)
    assert len(world.cedar.events(EventType.GROUP_JOINED)) == before


def test_who_proved_an_address_is_found_by_it(world: World) -> None:
    outcome = world.cedar.add(somebody("Kim"))
    claim(world.cedar.account(outcome), parse_address("kim.key@elsewhere.example"))
    for query in ("kim.key@else", "key"):
        page = listing.page(world.cedar.id, listing.Filter(query=query))
        assert [one.member.id for one in page.people] == [outcome.membership_id], query


def test_a_time_without_a_fraction_is_found_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite compares times as text: the quick way in and Django have to write the same."""
    noon = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
    monkeypatch.setattr(clock, "now", lambda: noon)
    world.cedar.add(somebody("Kim"))
    assert Account.objects.filter(username="Kim", created_at=noon, password_set_at=noon).exists()


# A manager who wants more than his group


def test_a_manager_brings_in_pupils_of_his_groups_and_nobody_else(world: World) -> None:
    tom, choir = signed_in(world.tom), world.cedar.group("Choir")
    before = Account.objects.count()
    wanted = [
        {"role": "teacher", "group": "Year 5"}, {"role": "admin", "group": "Year 5"},
        {"role": "student", "group": "Choir"}, {"role": "student", "group": ""},
        {"role": "student"}, {"role": "student", "group": str(choir.id)},
        {"role": "student", "group": "Year 6", "make_groups": "on"},
    ]  # fmt: skip
    for given in wanted:
        answer = tom.post("/o/cedar/users/add/manual", {"names": "Kim", **given})
        assert answer.status_code in (400, 403), given
    groups.set_state(world.cedar.organization, world.year5.id, Group.State.CLOSED, OPERATOR)
    answer = tom.post("/o/cedar/users/add/manual", {"names": "Kim", "role": "student", "group": "Year 5"})
    assert answer.status_code == 400
    assert Account.objects.count() == before


def test_a_manager_resets_pupils_of_his_groups_alone(world: World) -> None:
    tom, year5 = signed_in(world.tom), world.year5.id
    kim = world.cedar.add(somebody("Kim")).membership_id
    rita = world.cedar.settle("Rita Rowan", "teacher", ("Year 5",))
    everybody = [world.ada, world.tom, rita, world.bob, world.mia]
    ids = [str(kim), *[str(person.membership_id) for person in everybody]]
    before = {person.account_id: person.account.password for person in everybody}
    answer = tom.post(f"/o/cedar/groups/{year5}/people", {"who": ids, "do": "passwords", "sure": "1"})
    assert b"new_password" not in answer.content
    assert {person.account_id: person.account.password for person in everybody} == before
    assert Account.objects.get(username="Kim").password_set_at == Account.objects.get(username="Kim").created_at
    for do in ("manager", "member"):
        tom.post(f"/o/cedar/groups/{year5}/people", {"who": ids[1:], "do": do})
    rights = GroupMembership.objects.filter(right="manager").values_list("membership__account__username", flat=True)
    assert list(rights) == ["Tom Thorn"]
    for page in ("users/add/csv", "users/add/csv/import", "users/add/csv/check", "users/bulk", "users/export"):
        assert tom.post(f"/o/cedar/{page}", {"who": ids, "do": "passwords", "sure": "1"}).status_code == 403


# A child


def test_a_session_ends_with_its_password_and_its_membership(world: World) -> None:
    pia = Client()
    given = {"name": world.pia.account.sign_in, "password": PASSWORD}
    assert pia.post("/o/birch/sign-in", given).status_code == 403
    assert pia.post("/o/cedar/sign-in", given).status_code == 302
    assert pia.get("/o/cedar/").status_code == 200
    deactivate(world.cedar.id, world.pia.membership.id, BY_OPERATOR)
    assert pia.get("/o/cedar/").status_code == 404
    assert Client().post("/o/cedar/sign-in", given).status_code == 403
    reactivate(world.cedar.id, world.pia.membership.id, BY_OPERATOR)
    assert pia.get("/o/cedar/").status_code == 200
    credentials.reset_password(Visit(world.ada.account, world.ada.membership), world.pia.membership.id)
    assert pia.get("/o/cedar/").status_code == 302
    assert Client().post("/o/cedar/sign-in", given).status_code == 403
