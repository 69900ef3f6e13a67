"""usher code: made, listed, paused and rotated from a terminal, by the same rules as on the pages."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from command import Usher
from django.conf import settings
from world import PASSWORD, World

from usher.events.types import EventType
from usher.lifecycle.joiner import NewAccount, Result
from usher.methods.invite_code.entry import enter
from usher.methods.invite_code.models import InviteCode
from usher.people import passwords

CREATE = ("code", "create", "--org", "cedar")


def test_a_code_is_printed_with_its_link(world: World, usher: Usher) -> None:
    ran = usher(*CREATE)
    code = InviteCode.objects.get()
    assert (ran.code, ran.out) == (0, f"{code.code[:4]} {code.code[4:]}\n{settings.USHER_BASE_URL}/join/{code.code}\n")
    assert (code.role, code.group, code.max_uses) == ("student", None, None)
    assert world.cedar.events(EventType.CODE_CREATED)[0].actor_kind == "operator"


def test_the_first_group_is_the_codes_own_and_the_others_are_further_ones(
    world: World, usher: Usher, clock: time_machine.Traveller
) -> None:
    world.cedar.group("Choir")
    ran = usher(
        *CREATE, "--group", "year 5", "--group", "Choir", "--role", "teacher", "--max-uses", 30, "--starts",
        "2026-03-09", "--ends", "2026-12-18", "--domain", "cedar.example", "--domain", "Birch.example", "--approval",
        "--ask-at-end", "--json",
    )  # fmt: skip
    code = InviteCode.objects.get()
    assert ran.document == {
        "id": str(code.id),
        "code": code.code,
        "link": f"{settings.USHER_BASE_URL}/join/{code.code}",
        "state": "not_started",
        "role": "teacher",
        "group": "Year 5",
        "groups": ["Choir"],
        "starts_at": "2026-03-09T00:00:00+00:00",
        "ends_at": "2026-12-19T00:00:00+00:00",
        "max_uses": 30,
        "used": 0,
        "domains": ["cedar.example", "birch.example"],
        "proof": "prove_first",
        "needs_approval": True,
        "at_end": "ask",
    }
    clock.move_to(dt.datetime(2026, 3, 9, tzinfo=dt.UTC))
    assert [one["state"] for one in usher("code", "list", "--org", "cedar", "--json").document] == ["open"]


def test_whoever_comes_by_a_groups_code_is_in_the_group(world: World, usher: Usher) -> None:
    usher(*CREATE, "--group", "Year 5", "--in-at-once")
    new = NewAccount("Zoë Müller", password=passwords.digest(PASSWORD), chosen=True)
    outcome = enter(InviteCode.objects.get(), new)
    assert outcome.result is Result.CREATED
    assert world.cedar.member(outcome).group_links.get().group == world.year5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--role", "admin"), "No code gives the role “Admin”."),
        (("--role", "king"), "Use one of: student, teacher."),
        (("--group", "Year 9", "--group", "Year 8"), "There is no group “Year 9”."),
        (("--max-uses", "0"), "A code cannot be for 0 people."),
        (("--starts", "2026-05-02", "--ends", "2026-05-01"), "The code would end before it starts."),
        (("--domain", "cedar", "--domain", "x"), "“x” is not a mail domain."),
        (("--in-at-once", "--domain", "cedar.example"), "no e-mail domains"),
        (("--ends", "soon"), "'soon' does not match the format"),
    ],
)
def test_what_is_refused_says_why_and_makes_nothing(
    world: World, usher: Usher, words: tuple[str, ...], said: str
) -> None:
    ran = usher(*CREATE, *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert not InviteCode.objects.exists()


def test_a_group_has_one_code(world: World, usher: Usher) -> None:
    assert usher(*CREATE, "--group", "Year 5").code == 0
    again = usher(*CREATE, "--group", "Year 5")
    assert again.code == 2
    assert "The group “Year 5” has a code already." in again.err


def test_the_list_is_of_one_organisation(world: World, usher: Usher) -> None:
    assert usher("code", "list", "--org", "cedar", "--json").document == []
    usher(*CREATE, "--max-uses", 3)
    usher(*CREATE, "--group", "Year 5")
    usher("code", "create", "--org", "birch")
    lines = usher("code", "list", "--org", "cedar").out.splitlines()
    assert [line.split("\t")[1:] for line in lines] == [
        ["state", "role", "group", "used", "of", "ends"],
        ["open", "student", "–", "0", "3", "–"],
        ["open", "student", "Year 5", "0", "–", "–"],
    ]


def test_pause_resume_and_rotate_take_the_code_however_typed(world: World, usher: Usher) -> None:
    usher(*CREATE)
    code = InviteCode.objects.get()
    typed = f" {code.code[:4].lower()}-{code.code[4:]}"
    assert usher("code", "pause", "--org", "cedar", typed, "--json").document["state"] == "paused"
    assert usher("code", "resume", "--org", "cedar", code.id, "--json").document["state"] == "open"
    rotated = usher("code", "rotate", "--org", "cedar", typed, "--json").document
    assert rotated["id"] == str(code.id)
    assert rotated["code"] != code.code
    dead = usher("code", "pause", "--org", "cedar", typed)
    assert dead.code == 2
    assert "There is no such code here." in dead.err


def test_a_code_of_another_organisation_is_not_there(world: World, usher: Usher) -> None:
    usher("code", "create", "--org", "birch")
    code = InviteCode.objects.get()
    for act in ("pause", "resume", "rotate"):
        for typed in (code.code, code.id, "no code at all", ""):
            ran = usher("code", act, "--org", "cedar", typed)
            assert (ran.code, ran.out) == (2, "")
    code.refresh_from_db()
    assert code.paused_at is None
