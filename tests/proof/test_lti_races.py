"""Races of real processes for people whom an LMS sends: one person is one account, one course one group."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from crew import Act, Crew, numbers

MANY = [pytest.param(3, id="sample"), pytest.param(60, marks=pytest.mark.proof, id="whole")]
AT_ONCE = 16


def told(answers: list[list[str]]) -> Counter[str]:
    return Counter(answer[0] for answer in answers)


def accounts_of(answers: list[list[str]]) -> set[str]:
    return {answer[1] for answer in answers if answer[0] == "in"}


def house(crew: Crew, **seats: int) -> str:
    return crew.found(seats={"student": 50, "teacher": 9, **seats})["organization"]


def sound(crew: Crew, organization: str, about: Any) -> dict[str, Any]:
    """The books are right, and nobody has an account here whom nobody needs."""
    books: dict[str, Any] = crew.do("look", organization=organization)
    assert books["faults"] == [], about
    assert crew.do("orphans", organization=organization) == 0, about
    return books


@pytest.mark.parametrize("times", MANY)
def test_r8_many_first_launches_of_one_person_make_one_account(crew: Crew, times: int) -> None:
    for number in range(times):
        organization = house(crew)
        platform = crew.do("platform_for", organization=organization, makes_groups=True)
        before = crew.do("look", organization=organization)["used"]["student"]
        answers = crew.deal([("launch", {"platform": platform, "subject": "zoe"})] * AT_ONCE)
        assert told(answers) == {"in": AT_ONCE}, number
        assert len(accounts_of(answers)) == 1, number
        found = crew.do("sent_by", platform=platform)
        assert (found["users"], found["roles"], found["courses"]) == (1, ["student"], 1), number
        assert (found["groups"], found["uses"]) == ([["Biology 1", 1]], 1), number
        assert sound(crew, organization, number)["used"]["student"] == before + 1, number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_f1_the_last_seat_by_an_lms_and_by_a_code(crew: Crew, times: int) -> None:
    """F1: exactly as many come in as there are seats, and nobody has an account who has no seat."""
    for number in range(times):
        dice = random.Random(number)
        free = dice.randint(1, 4)
        organization = house(crew, student=free)
        platform = crew.do("platform_for", organization=organization)
        code = crew.do("code_for", organization=organization, code=f"{next(numbers):08}")
        acts: list[Act] = [("launch", {"platform": platform, "subject": f"s{n}"}) for n in range(6)]
        acts += [("come", {"code": code, "username": f"Child {n}", "form": f"form {next(numbers)}"}) for n in range(6)]
        dice.shuffle(acts)
        answers = told(crew.deal(acts))
        assert answers["in"] + answers["created"] == free, answers
        assert answers["seats_taken"] == 12 - free, answers
        assert crew.do("sent_by", platform=platform)["users"] == answers["in"], number
        sound(crew, organization, number)
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_a_class_comes_from_a_course_that_is_new(crew: Crew, times: int) -> None:
    """One course and one group, with exactly those in it who came."""
    for number in range(times):
        organization = house(crew)
        platform = crew.do("platform_for", organization=organization, makes_groups=True)
        acts: list[Act] = [("launch", {"platform": platform, "subject": f"s{n}"}) for n in range(11)]
        acts.append(("launch", {"platform": platform, "subject": "teacher", "standing": "instructor"}))
        random.Random(number).shuffle(acts)
        assert told(crew.deal(acts)) == {"in": 12}, number
        found = crew.do("sent_by", platform=platform)
        assert (found["courses"], found["groups"]) == (1, [["Biology 1", 12]]), number
        assert found["rights"] == ["manager"] + ["member"] * 11, number
        assert found["roles"] == ["student"] * 11 + ["teacher"], number
        sound(crew, organization, number)
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_a_question_that_is_answered_many_times_at_once(crew: Crew, times: int) -> None:
    """As somebody new, by a password and by a code: whichever comes first, one person of the LMS and one account."""
    for number in range(times):
        ids = crew.found(seats={"student": 50, "teacher": 9})
        organization, tom = ids["organization"], ids["tom_account"]
        platform = crew.do("platform_for", organization=organization)
        asked = crew.do("launch", platform=platform, subject="tom", browser="toms", name="Tom")
        assert asked[0] == "asked"
        given = {"question": asked[1], "browser": "toms"}
        by_password = {**given, "by": "password", "name": crew.do("typed_name_of", account=tom)}
        by_code = {**given, "by": "code", "code": crew.do("link_code", account=tom)}
        acts: list[Act] = [("reply", {**given, "by": "new"})] * 2 + [("reply", by_password)] * 2
        acts += [("reply", by_code)] * 2
        random.Random(number).shuffle(acts)
        answers = crew.deal(acts)
        assert told(answers).keys() <= {"in", "launch_over", "link_code_wrong"}, answers
        assert len(accounts_of(answers)) == 1, answers
        assert crew.do("sent_by", platform=platform)["users"] == 1, number
        sound(crew, organization, number)
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_one_account_is_one_person_of_the_lms(crew: Crew, times: int) -> None:
    """Two people of it who both prove the same account at once: the first has it, the other is told so."""
    for number in range(times):
        ids = crew.found(seats={"student": 50, "teacher": 9})
        organization, tom = ids["organization"], ids["tom_account"]
        platform = crew.do("platform_for", organization=organization)
        name = crew.do("typed_name_of", account=tom)
        acts: list[Act] = []
        for subject in ("first", "second", "third", "fourth"):
            asked = crew.do("launch", platform=platform, subject=subject, browser=subject, name="Tom")
            acts.append(("reply", {"question": asked[1], "browser": subject, "by": "password", "name": name}))
        answers = crew.deal(acts)
        assert told(answers) == {"in": 1, "lms_user_known": 3}, answers
        assert crew.do("sent_by", platform=platform)["users"] == 1, number
        sound(crew, organization, number)
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_h4_one_state_that_comes_back_many_times_is_one_launch(crew: Crew, times: int) -> None:
    for number in range(times):
        organization = house(crew)
        platform = crew.do("platform_for", organization=organization)
        state = crew.do("set_out", platform=platform, browser="hers")
        given = {"platform": platform, "state": state, "subject": "zoe", "browser": "hers"}
        answers = crew.deal([("land", given)] * 8)
        assert told(answers) == {"in": 1, "lti_over": 7}, answers
        assert crew.do("sent_by", platform=platform)["launches"] == 1, number
        sound(crew, organization, number)
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
@pytest.mark.parametrize("end", ["platform_off", "platform_removed", "deployment_removed"])
def test_an_lms_that_ends_while_people_come(crew: Crew, times: int, end: str) -> None:
    """Each is in with all that belongs to it, or not at all; and nobody is known by an LMS that is gone."""
    noes = {"lti_off", "lti_unknown", "lti_not_approved", "lti_over", "launch_over"}
    for number in range(times):
        organization = house(crew)
        platform = crew.do("platform_for", organization=organization, makes_groups=True)
        crew.do("launch", platform=platform, subject="known")
        acts: list[Act] = [("launch", {"platform": platform, "subject": f"s{n}"}) for n in range(6)]
        acts += [("launch", {"platform": platform, "subject": "known"}), (end, {"platform": platform})]
        random.Random(number).shuffle(acts)
        answers = told(crew.deal(acts))
        assert answers.keys() <= {"in", "off", "removed"} | noes, answers
        assert crew.do("look", organization=organization)["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_c4_admins_who_are_moved_while_the_lms_sends_them(crew: Crew, times: int) -> None:
    """No launch makes an admin, none takes the last one away, and whoever is none any more is what the LMS says."""
    for number in range(times):
        ids = crew.found(seats={"student": 50, "teacher": 9})
        organization = ids["organization"]
        platform = crew.do("platform_for", organization=organization)
        asked = crew.do("launch", platform=platform, subject="ada", browser="hers", name="Ada")
        code = crew.do("link_code", account=ids["ada_account"])
        assert crew.do("reply", question=asked[1], browser="hers", by="code", code=code)[0] == "in"
        given = {"platform": platform, "subject": "ada", "name": "Ada"}
        acts: list[Act] = [
            ("become", {"organization": organization, "membership": ids["ada"], "role": "teacher"}),
            ("become", {"organization": organization, "membership": ids["ann"], "role": "teacher"}),
            ("launch", {**given, "standing": "instructor"}),
            ("launch", given),
        ]
        random.Random(number).shuffle(acts)
        answers = told(crew.at_once(*[[act] for act in acts]))
        assert answers.keys() <= {"in", "created", "last_admin"}, answers
        assert answers["in"] == 2, answers
        assert sound(crew, organization, number)["admins"] == 1, number
    assert crew.do("check") == []


# kill -9


def die_at(crew: Crew, folder: Path, tick: int, *, again: bool) -> str:
    """Killed at a statement of a launch: nothing is half there, and the person simply launches again."""
    organization = house(crew)
    platform = crew.do("platform_for", organization=organization, makes_groups=True)
    given = {"platform": platform, "subject": "zoe", "activity": crew.do("activity_for", organization=organization)}
    if again:
        assert crew.do("launch", **given)[0] == "in"
        given["standing"] = "instructor"
    end: str = crew.do("launch_until", out=str(folder / organization), tick=tick, **given)
    assert end in ("killed", "done"), end
    sound(crew, organization, tick)
    assert crew.do("launch", **given)[0] == "in", tick
    sound(crew, organization, tick)
    found = crew.do("sent_by", platform=platform)
    assert (found["users"], found["accounts"], found["courses"], found["uses"]) == (1, 1, 1, 1), tick
    role, standing, right = ("teacher", "instructor", "manager") if again else ("student", "learner", "member")
    assert (found["roles"], found["said"], found["places"]) == ([role], [role], [standing]), tick
    assert (found["groups"], found["rights"]) == ([["Biology 1", 1]], [right]), tick
    return (folder / f"{organization}.ticks").read_text() if end == "done" else end


@pytest.mark.parametrize("again", [False, True], ids=["first", "another role"])
@pytest.mark.parametrize(
    "whole", [pytest.param(False, id="sample"), pytest.param(True, marks=pytest.mark.proof, id="whole")]
)
def test_r3_killed_at_a_statement_of_a_launch(crew: Crew, tmp_path: Path, again: bool, whole: bool) -> None:
    ticks = int(die_at(crew, tmp_path, 10**9, again=again))
    points = range(1, ticks + 1) if whole else [round(1 + point * (ticks - 1) / 6) for point in range(7)]
    for tick in points:
        assert die_at(crew, tmp_path, tick, again=again) == "killed", tick
    assert crew.do("check") == []
