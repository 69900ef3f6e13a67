"""Groups: made, changed, closed and archived by admins; looked after by their managers."""

from __future__ import annotations

import uuid

import pytest
from world import World, signed_in, somebody

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events.types import EventType
from usher.people import groups
from usher.people.access import Visit
from usher.people.models import Group, GroupMembership, Membership


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Year 5", Reason.GROUP_NAME_TAKEN),
        ("  year   5 ", Reason.GROUP_NAME_TAKEN),
        ("", Reason.NAME_MISSING),
        ("x" * 81, Reason.NAME_TOO_LONG),
        ("=SUM(A1)", Reason.NAME_LOOKS_LIKE_FORMULA),
        ("a\u202eb", Reason.NAME_HIDDEN_CHARACTERS),
    ],
)
def test_names_that_are_refused(world: World, name: str, reason: Reason) -> None:
    with pytest.raises(UsherError) as no:
        groups.create(world.cedar.organization, name, None, world.ada.actor)
    assert no.value.findings[0].reason is reason
    assert no.value.findings[0].column == "name"


def test_a_plan_without_groups(world: World) -> None:
    with pytest.raises(UsherError) as no:
        groups.create(world.maple.organization, "Editors", None, world.mia.actor)
    assert no.value.findings[0].reason is Reason.NO_GROUPS_IN_PLAN


def test_each_change_is_one_event_and_none_is_none(world: World) -> None:
    group = groups.create(world.cedar.organization, "Oak", 3, world.ada.actor)
    groups.change(world.cedar.organization, group.id, "Oak", 3, world.ada.actor)
    groups.change(world.cedar.organization, group.id, "Old Oak", None, world.ada.actor)
    groups.set_state(world.cedar.organization, group.id, Group.State.CLOSED, world.ada.actor)
    groups.set_state(world.cedar.organization, group.id, Group.State.CLOSED, world.ada.actor)
    changed = world.cedar.events(EventType.GROUP_CREATED, EventType.GROUP_CHANGED)
    assert [event.data for event in changed] == [
        {"group": str(group.id), "name": "Oak", "cap": 3},
        {"group": str(group.id), "name": "Old Oak", "cap": None},
        {"group": str(group.id), "state": "closed"},
    ]
    group.refresh_from_db()
    assert (group.name_key, group.state) == ("old oak", "closed")


def test_a_closed_group_takes_nobody(world: World) -> None:
    groups.set_state(world.cedar.organization, world.year5.id, Group.State.CLOSED, world.ada.actor)
    outcome = world.cedar.add(somebody("Zoë", groups=("Year 5",)))
    assert outcome.reason == "group_closed"


def test_another_house_cannot_be_touched(world: World) -> None:
    with pytest.raises(UsherError) as no:
        groups.change(world.birch.organization, world.year5.id, "Mine", None, world.bob.actor)
    assert no.value.findings[0].reason is Reason.UNKNOWN_GROUP


def test_pages_by_name_there_and_back(world: World) -> None:
    for n in range(7):
        world.cedar.group(f"Group {n}")
    visit = Visit(world.ada.account, world.ada.membership)
    names, page = [], groups.page(visit, size=3)
    while True:
        names += [group.name for group in page.groups]
        if not page.next:
            break
        page = groups.page(visit, after=page.next, size=3)
    assert names == [*(f"Group {n}" for n in range(7)), "Year 5"]
    before = groups.page(visit, before=page.back, size=3)
    assert [group.name for group in before.groups] == ["Group 3", "Group 4", "Group 5"]


def at(world: World, group_id: uuid.UUID, rest: str = "") -> str:
    return f"/o/cedar/groups/{group_id}{rest}"


def test_who_opens_a_group(world: World) -> None:
    oak = world.cedar.group("Oak")
    cases = [("ada", 200, 200), ("tom", 200, 403), ("pia", 403, 403), ("bob", 404, 404), ("eve", 404, 404)]
    for name, year5, other in cases:
        client = signed_in(world.people[name])
        assert client.get(at(world, world.year5.id)).status_code == year5, name
        assert client.get(at(world, oak.id)).status_code == other, name


def test_a_manager_sees_his_groups_and_no_form(world: World) -> None:
    world.cedar.group("Oak")
    page = signed_in(world.tom).get("/o/cedar/groups")
    assert b"Year 5" in page.content
    assert b"Oak" not in page.content
    assert b"New group" not in page.content
    assert signed_in(world.tom).post("/o/cedar/groups", {"name": "Elm"}).status_code == 200
    assert not Group.objects.filter(name="Elm").exists()


def test_an_admin_makes_a_group_and_a_refusal_keeps_what_was_typed(world: World) -> None:
    client = signed_in(world.ada)
    made = client.post("/o/cedar/groups", {"name": "Elm", "cap": "30"})
    group = Group.objects.get(organization=world.cedar.id, name="Elm")
    assert made["Location"] == at(world, group.id)
    refused = client.post("/o/cedar/groups", {"name": "Elm", "cap": "12"})
    assert refused.status_code == 400
    assert "There is a group “Elm” already." in refused.content.decode()
    assert b'value="12"' in refused.content


def test_rename_and_cap(world: World) -> None:
    client = signed_in(world.ada)
    client.post(at(world, world.year5.id, "/change"), {"name": "Year 6", "cap": "9"})
    world.year5.refresh_from_db()
    assert (world.year5.name, world.year5.cap) == ("Year 6", 9)
    refused = client.post(at(world, world.year5.id, "/change"), {"name": "", "cap": "0"})
    assert refused.status_code == 400
    assert signed_in(world.tom).post(at(world, world.year5.id, "/change"), {"name": "Tom's"}).status_code == 403


def test_a_manager_makes_new_passwords_of_pupils_alone(world: World) -> None:
    client = signed_in(world.tom)
    assert client.get(at(world, world.year5.id, "/passwords")).status_code == 200
    before = {name: world.people[name].account.password for name in ("pia", "tom", "ada")}
    answer = client.post(at(world, world.year5.id, "/passwords"))
    assert answer["Cache-Control"] == "no-store"
    lines = answer.content.decode().splitlines()
    assert len(lines) == 3
    assert [line.split(",")[6] for line in lines[1:]] == ["new_password", "refused"]
    after = {name: world.people[name].account.password for name in before}
    assert {name for name in before if before[name] != after[name]} == {"pia"}


def test_a_manager_takes_a_pupil_out_and_is_told_what_he_may_not(world: World) -> None:
    client, url = signed_in(world.tom), at(world, world.year5.id, "/people")
    ada_out = client.post(url, {"do": "out", "who": [str(world.tom.membership_id), str(world.pia.membership_id)]})
    assert "This person&#x27;s role is above your own." in ada_out.content.decode()
    left = GroupMembership.objects.filter(group=world.year5.id)
    assert [link.membership_id for link in left] == [world.tom.membership_id]


def test_an_admin_makes_a_manager(world: World) -> None:
    url = at(world, world.year5.id, "/people")
    signed_in(world.ada).post(url, {"do": "manager", "who": [str(world.pia.membership_id)]})
    assert GroupMembership.objects.get(membership=world.pia.membership_id).right == "manager"


def test_a_manager_cannot_make_managers(world: World) -> None:
    url = at(world, world.year5.id, "/people")
    answer = signed_in(world.tom).post(url, {"do": "manager", "who": [str(world.pia.membership_id)]})
    assert answer.status_code == 200  # the list of what was refused
    assert GroupMembership.objects.get(membership=world.pia.membership_id).right == "member"


def test_the_plan_without_groups_says_so(world: World) -> None:
    page = signed_in(world.mia).get("/o/maple/groups")
    assert "has no groups" in page.content.decode()


# Mail to a manager


def notified(world: World) -> list[bool]:
    return list(GroupMembership.objects.filter(group=world.year5, right="manager").values_list("notify", flat=True))


def test_a_manager_asks_for_mail_and_stops_it(world: World) -> None:
    tom, page = signed_in(world.tom), f"/o/cedar/groups/{world.year5.id}"
    assert "Mail me" in tom.get(page).content.decode()
    tom.post(f"{page}/notify", {"notify": "1"})
    assert notified(world) == [True]
    assert "You get a mail when people come in or ask." in tom.get(page).content.decode()
    tom.post(f"{page}/notify", {"notify": "0"})
    assert notified(world) == [False]


def test_whose_address_is_not_proved_is_told_so(world: World) -> None:
    Membership.objects.filter(id=world.tom.membership.id).update(method="csv_import")
    tom, page = signed_in(world.tom), f"/o/cedar/groups/{world.year5.id}"
    assert "Mails go to an address that is proved." in tom.get(page).content.decode()
    tom.post(f"{page}/notify", {"notify": "1"})
    assert "The mails begin when your address is proved." in tom.get(page).content.decode()


def test_nobody_asks_for_the_mail_of_a_group_he_does_not_manage(world: World) -> None:
    page = f"/o/cedar/groups/{world.year5.id}"
    ada = signed_in(world.ada)
    assert "Mail me" not in ada.get(page).content.decode(), "an admin who has no place in it"
    assert ada.post(f"{page}/notify", {"notify": "1"}).status_code == 404
    assert signed_in(world.pia).post(f"{page}/notify", {"notify": "1"}).status_code == 403
    assert notified(world) == [False]


# What a manager sees


def test_a_manager_sees_no_settings_of_his_group_and_nothing_of_others(world: World) -> None:
    choir = world.cedar.group("Choir")
    tom = signed_in(world.tom)
    page = tom.get(f"/o/cedar/groups/{world.year5.id}").content.decode()
    for words in ("Add people", "New passwords", "Take out"):
        assert words in page
    for words in ("Name and places", "Archive", "Make manager"):
        assert words not in page
    assert "Choir" not in tom.get("/o/cedar/groups").content.decode()
    assert tom.get(f"/o/cedar/groups/{choir.id}").status_code == 403
    for path in ("users", "licence", "events", "settings"):
        assert f"/o/cedar/{path}" not in page.replace("/users/add", "").replace("/users/invite", "")
        assert tom.get(f"/o/cedar/{path}").status_code == 403
