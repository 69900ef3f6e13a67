"""What a manager may do with the code of a group, and what only an admin may; the wall and the poster."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client
from doors import at_door, code_of, comes, mark, opened, text_of
from world import World, signed_in

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.methods.invite_code import codes, find
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.wish import Wish
from usher.organizations.models import License
from usher.people.models import Group, GroupMembership

EVERY = (
    "", "/now", "/open", "/more", "/close", "/options", "/preview", "/pause", "/resume", "/rotate", "/people",
    "/people.csv",
)  # fmt: skip


@pytest.fixture
def tom(world: World) -> Client:
    return signed_in(world.tom)


def group_page(group: Group, rest: str) -> str:
    return f"/o/cedar/groups/{group.id}{rest}"


# What a manager may not


def test_another_groups_code_is_not_the_managers(world: World, tom: Client) -> None:
    choir = world.cedar.group("Choir")
    code = opened(world, group=choir)
    for rest in EVERY:
        for answer in (tom.get(at_door(choir, rest)), tom.post(at_door(choir, rest), {"minutes": "5"})):
            assert answer.status_code == 403, rest
    for rest in ("/wall", "/poster"):
        assert tom.get(group_page(choir, rest)).status_code == 403
    for act in (codes.pause, codes.resume, codes.rotate):
        with pytest.raises(UsherError) as no:
            act(world.cedar.organization, code.id, world.tom.by)
        assert no.value.findings[0].reason is Reason.NOT_YOUR_GROUP
    for by_group in (codes.keep_open, codes.close_door):
        with pytest.raises(UsherError) as no:
            by_group(world.cedar.organization, choir.id, world.tom.by)
        assert no.value.findings[0].reason is Reason.NOT_YOUR_GROUP


def test_a_manager_cannot_raise_the_role(world: World, tom: Client) -> None:
    code, choir = opened(world), world.cedar.group("Choir")
    sent = {
        "role": "teacher", "domains": "evil.example", "groups": [str(choir.id)], "max_uses": "9", "at_end": "refuse",
        "proof": "prove_first",
    }  # fmt: skip
    assert tom.post(at_door(world.year5, "/options"), sent).status_code == 302
    code.refresh_from_db()
    assert (code.role, code.domains, code.max_uses, list(code.groups.all())) == ("student", [], 9, [])
    for wish, reason in (
        (Wish(role="teacher"), Reason.ROLE_ABOVE_YOURS),
        (Wish(groups=frozenset({choir.id})), Reason.NOT_YOUR_GROUP),
    ):
        with pytest.raises(UsherError) as no:
            codes.change(world.cedar.organization, code.id, wish, world.tom.by)
        assert no.value.findings[0].reason is reason


def test_what_an_admin_set_stays_when_a_manager_saves(world: World, tom: Client) -> None:
    code, choir = opened(world), world.cedar.group("Choir")
    GroupMembership.objects.create(
        organization_id=world.cedar.id, group=choir, membership=world.tom.membership, right="manager"
    )
    wish = Wish(domains="cedar.example", groups=frozenset({choir.id}))
    codes.change(world.cedar.organization, code.id, wish, world.ada.by)
    sent = {"max_uses": "9", "at_end": "refuse", "proof": "at_once"}
    answer = tom.post(at_door(world.year5, "/options"), sent)
    assert "no e-mail domains" in text_of(answer)
    assert tom.post(at_door(world.year5, "/options"), sent | {"proof": "prove_first"}).status_code == 302
    code.refresh_from_db()
    assert (code.domains, code.max_uses, list(code.groups.all())) == (["cedar.example"], 9, [choir])


@pytest.mark.parametrize("wish", [{"role": "teacher"}, {"groups": True}], ids=["a higher role", "a foreign group"])
def test_a_code_that_gives_more_is_kept_from_the_manager(world: World, tom: Client, wish: dict[str, Any]) -> None:
    groups = frozenset({world.cedar.group("Staff room").id}) if "groups" in wish else frozenset()
    code = opened(world)
    codes.change(world.cedar.organization, code.id, Wish(role=wish.get("role", ""), groups=groups), world.ada.by)
    page = tom.get(at_door(world.year5))
    assert "Only an admin may handle the code of this group." in text_of(page)
    for answer in (page, tom.get(at_door(world.year5, "/now"))):
        assert code.code not in answer.content.decode()
        assert code.code[:4] not in answer.content.decode()
    for rest in ("/options", "/people", "/people.csv"):
        assert tom.get(at_door(world.year5, rest)).status_code == 404, rest
    for rest in ("/wall", "/poster"):
        assert tom.get(group_page(world.year5, rest)).status_code == 404, rest
    for rest in ("/pause", "/resume", "/rotate", "/preview", "/options"):
        assert tom.post(at_door(world.year5, rest)).status_code == 404, rest
    before = code_of(world.year5).ends_at
    for rest in ("/open", "/more", "/close"):
        refused = tom.post(at_door(world.year5, rest), {"minutes": "30"}, follow=True)
        assert "Ask an admin" in text_of(refused) or "ask an admin" in text_of(refused), rest
    assert code_of(world.year5).ends_at == before
    assert "Door open" in text_of(signed_in(world.ada).get(at_door(world.year5)))


def test_groups_of_others_are_not_there(world: World) -> None:
    birds = world.birch.group("Birds")
    ada, bob = signed_in(world.ada), signed_in(world.bob)
    opened(world)
    for rest in EVERY:
        for answer in (ada.get(at_door(birds, rest)), ada.post(at_door(birds, rest), {"minutes": "5"})):
            assert answer.status_code in (404, 405), rest
        assert bob.get(at_door(world.year5, rest)).status_code == 404
    assert not InviteCode.objects.filter(group=birds).exists()


def test_a_closed_group_opens_no_door(world: World, tom: Client) -> None:
    Group.objects.filter(id=world.year5.id).update(state="closed")
    assert "The group is closed." in text_of(tom.get(at_door(world.year5)))
    answer = tom.post(at_door(world.year5, "/open"), {"minutes": "15"}, follow=True)
    assert "The group “Year 5” is closed." in text_of(answer)
    assert find.of_group(world.year5) is None


def test_a_plan_without_codes_opens_no_door(world: World, tom: Client) -> None:
    group_page = f"/o/cedar/groups/{world.year5.id}"
    assert at_door(world.year5) in tom.get(group_page).content.decode()
    License.objects.filter(organization=world.cedar.id).update(overrides={"methods": ["csv_import"]})
    assert at_door(world.year5) not in tom.get(group_page).content.decode()
    assert "does not include invite codes" in text_of(tom.get(at_door(world.year5)))
    answer = tom.post(at_door(world.year5, "/open"), {"minutes": "15"}, follow=True)
    assert "does not include this way in" in text_of(answer)


# On the wall and on paper


def test_the_wall_has_the_code_alone_and_goes_out_with_the_door(
    world: World, tom: Client, clock: time_machine.Traveller
) -> None:
    code = opened(world)
    shown = f"{code.code[:4]} {code.code[4:]}"
    page = tom.get(group_page(world.year5, "/wall"))
    assert shown in text_of(page)
    assert "Pia" not in text_of(page)
    assert tom.get(group_page(world.year5, f"/wall?mark={mark(page)}")).status_code == 204
    clock.shift(900)
    after = tom.get(group_page(world.year5, f"/wall?mark={mark(page)}"))
    assert after.status_code == 200
    assert "Door closed" in text_of(after)
    assert shown not in text_of(after)


def test_the_poster_names_the_group(world: World, tom: Client) -> None:
    code = opened(world)
    said = text_of(tom.get(group_page(world.year5, "/poster")))
    assert "Join Year 5" in said
    assert "Cedar School" in said
    assert f"{code.code[:4]} {code.code[4:]}" in said
    assert "Works until" not in said


def test_rotate_from_the_group_gives_another_code(world: World, tom: Client) -> None:
    before = opened(world)
    tom.post(at_door(world.year5, "/rotate"))
    assert code_of(world.year5).code != before.code
    assert comes(before, "Late").reason == "code_dead"
